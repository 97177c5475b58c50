package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/postonce/postonce/scenarios"
)

// Main enters package testing from a plain program, runs f there, and ends the
// program with the exit status that f returns. Bubbles need a *testing.T;
// testing.Main is what Go keeps for programs that do as go test does. Flags of
// the program are not seen by package testing. Nothing is printed.
func Main(f func(t *testing.T) int) {
	os.Args = os.Args[:1]
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "sim", F: func(t *testing.T) { os.Exit(f(t)) }}}, nil, nil)
}

// WorkerArg is the argument with which a Pool starts its workers, unless it is
// told otherwise: a program that sees it calls Worker.
const WorkerArg = "__worker"

// A Job is a scenario to run in a worker process.
type Job struct {
	Scenario *scenarios.Scenario
	// Factory names one of the factories given to Worker.
	Factory string
	Options Options
}

// Worker makes the program a worker of a Pool: it runs the jobs that it reads
// from standard input, writes the results to standard output, and ends the
// program at the end of its input. It does not return.
func Worker(factories map[string]Factory) {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	os.Stdout = os.Stderr // what a relay prints is no result
	Main(func(t *testing.T) int {
		for {
			var job Job
			switch err := in.Decode(&job); {
			case errors.Is(err, io.EOF):
				return 0
			case err != nil || job.Scenario == nil:
				fmt.Fprintln(os.Stderr, "sim: a job that cannot be read:", err)
				return int(Usage)
			}
			factory, known := factories[job.Factory]
			result := &Result{Scenario: job.Scenario.Name, Status: Usage, Panic: fmt.Sprintf("no relay is called %q", job.Factory)}
			if known {
				result = Run(t, job.Scenario, factory, job.Options)
			}
			if err := out.Encode(result); err != nil {
				return int(Crashed) // the pool is gone
			}
		}
	})
}
