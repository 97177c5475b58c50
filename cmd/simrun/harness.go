package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"slices"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/sim"
)

// workerArg as the first argument makes the program a worker of runWorlds.
const workerArg = sim.WorkerArg

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
	sim.Worker(factories)
}

// runWorlds is the runner of the program: worker processes, one per core.
func runWorlds(ctx context.Context, jobs []job, done func()) ([]*sim.Result, error) {
	workers := min(runtime.NumCPU(), len(jobs))
	pool := sim.NewPool(workers)
	defer pool.Close()
	asked := make([]sim.Job, len(jobs))
	for i, j := range jobs {
		asked[i] = sim.Job{Scenario: j.scenario, Factory: j.relay, Options: sim.Options{Brief: j.brief, Coverage: j.coverage}}
	}
	results := make([]*sim.Result, len(jobs))
	i := 0
	err := pool.Each(ctx, slices.Values(asked), func(_ sim.Job, r *sim.Result) bool {
		results[i] = r
		i++
		done()
		return true
	})
	if ctx.Err() != nil {
		err = nil // what was found so far is shown
	}
	return results, err
}
