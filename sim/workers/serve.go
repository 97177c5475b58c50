package workers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
)

// Arg is the argument with which a Pool starts its workers, unless it is told
// otherwise: a program that sees it calls Serve.
const Arg = "__worker"

// A Handler does one job and returns the answer, which must be fit for JSON.
// When spent is true the worker ends after this answer, because the job left
// something behind that another one must not meet.
type Handler func(t *testing.T, job json.RawMessage) (answer any, spent bool)

// An envelope is what a worker writes for a job.
type envelope struct {
	Answer any
	Spent  bool `json:",omitempty"`
}

// Main enters package testing from a plain program, runs f there, and ends the
// program with the exit status that f returns. Bubbles need a *testing.T;
// testing.Main is what Go keeps for programs that do as go test does. Flags of
// the program are not seen by package testing. Nothing is printed.
func Main(f func(t *testing.T) int) {
	os.Args = os.Args[:1]
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "worker", F: func(t *testing.T) { os.Exit(f(t)) }}}, nil, nil)
}

// Serve makes the program a worker of a Pool: it does the jobs that it reads
// from standard input, writes the answers to standard output, and ends the
// program at the end of its input. It does not return.
func Serve(handle Handler) {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	os.Stdout = os.Stderr // what a job prints is no answer
	Main(func(t *testing.T) int {
		for {
			var job json.RawMessage
			switch err := in.Decode(&job); {
			case errors.Is(err, io.EOF):
				return 0
			case err != nil:
				fmt.Fprintln(os.Stderr, "a job that cannot be read:", err)
				return 1
			}
			answer, spent := handle(t, job)
			if err := out.Encode(envelope{answer, spent}); err != nil {
				fmt.Fprintln(os.Stderr, "an answer that cannot be written:", err)
				return 1
			}
			if spent {
				return 0
			}
		}
	})
}
