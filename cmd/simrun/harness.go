package main

import (
	"context"
	"iter"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
	"github.com/postonce/postonce/sim/workers"
)

// workerArg as the first argument makes the program a worker of runWorlds.
const workerArg = workers.Arg

// worker runs the worlds that runWorlds in another process asks for. It does
// not return.
func worker() {
	// Ctrl-C reaches every process of the terminal. A worker that died of it
	// would look like a relay that crashed; it ends when its input does.
	signal.Ignore(os.Interrupt)
	factories := map[string]sim.Factory{honest: mutants.Honest, racy: mutants.Racy}
	for _, m := range mutants.All() {
		factories[m.Name] = m.Factory
	}
	workers.Serve(search.Handler(factories))
}

// runWorlds is the runner of the program: worker processes, one per core.
func runWorlds(ctx context.Context, jobs []job, done func()) ([]*sim.Result, error) {
	asked := make([]search.Job, len(jobs))
	for i, j := range jobs {
		asked[i] = search.Job{Scenario: j.scenario, Relay: j.relay, Options: sim.Options{Brief: j.brief, Coverage: j.coverage}}
	}
	results := make([]*sim.Result, len(jobs))
	i := 0
	err := doJobs(ctx, min(runtime.NumCPU(), len(jobs)), slices.Values(asked), func(_ search.Job, a search.Answer) bool {
		results[i] = a.Run
		i++
		done()
		return true
	})
	return results, err
}

// doJobs has that many workers do jobs, and gives the answers to use in the
// order of the jobs, until use returns false or ctx is done, which is no error:
// what was found so far is shown.
func doJobs(ctx context.Context, n int, jobs iter.Seq[search.Job], use func(search.Job, search.Answer) bool) error {
	pool := workers.New(n)
	pool.JobTime = jobTime
	defer pool.Close()
	err := workers.Each(ctx, pool, jobs, func(j search.Job, a search.Answer, err error) bool {
		if err != nil {
			a = search.Died(j, err)
		}
		return use(j, a)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// jobTime bounds one job of a worker in real time: a sweep of the longest story
// takes some seconds.
const jobTime = 10 * time.Minute

// searchAll is the searcher of the program: worker processes, one per core.
func searchAll(ctx context.Context, jobs iter.Seq[search.Job], use func(search.Job, search.Answer) bool) error {
	return doJobs(ctx, runtime.NumCPU(), jobs, use)
}
