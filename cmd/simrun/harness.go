package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"slices"

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
	factories := map[string]sim.Factory{honest: mutants.Honest}
	for _, m := range mutants.All() {
		factories[m.Name] = m.Factory
	}
	workers.Serve(search.Handler(factories))
}

// runWorlds is the runner of the program: worker processes, one per core.
func runWorlds(ctx context.Context, jobs []job, done func()) ([]*sim.Result, error) {
	pool := workers.New(min(runtime.NumCPU(), len(jobs)))
	defer pool.Close()
	asked := make([]search.Job, len(jobs))
	for i, j := range jobs {
		asked[i] = search.Job{Scenario: j.scenario, Relay: j.relay, Options: sim.Options{Brief: j.brief, Coverage: j.coverage}}
	}
	results := make([]*sim.Result, len(jobs))
	i := 0
	err := workers.Each(ctx, pool, slices.Values(asked), func(j search.Job, a search.Answer, err error) bool {
		if err != nil {
			a = search.Died(j, err)
		}
		results[i] = a.Run
		i++
		done()
		return true
	})
	if ctx.Err() != nil {
		err = nil // what was found so far is shown
	}
	return results, err
}
