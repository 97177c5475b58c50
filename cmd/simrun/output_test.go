package main

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// failing is a place that takes so many bytes, and then fails.
type failing struct {
	room int
	err  error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: f.err}
	}
	return len(b), nil
}

func TestOutputThatDoesNotArriveIsAnError(t *testing.T) {
	for _, args := range [][]string{nil, {"list"}, {"hashes", "--seeds", "2"}, {"--help"}, {"help", "scenario"}, {"run", "mx/null"},
		{"replay", "mx/null", "-v"}, {"mutants", "citadel-later-hurries"}, {"coverage", "mx/null"}} {
		for _, room := range []int{0, 100} {
			for err, words := range map[error]string{syscall.ENOSPC: "simrun: writing the output: write /dev/stdout: no space left on device\n", syscall.EPIPE: ""} {
				var errs bytes.Buffer
				c := console{in: strings.NewReader(""), out: &failing{room, err}, err: &errs, now: time.Now, run: double(new(session), twice(t))}
				want := sim.OK
				if words != "" {
					want = sim.Usage
				}
				if got := execute(t.Context(), c, args); got != want || errs.String() != words {
					t.Errorf("%v with room for %d, then %v: it ends with %v, want %v, and says %q", args, room, err, got, want, errs.String())
				}
			}
		}
	}
}

// twice breaks NEVER-TWICE for a mutant, and covers something.
func twice(t *testing.T) func(int, job) *sim.Result {
	return func(i int, j job) *sim.Result {
		r := covers(t, "cell/rcpt/4yz")(i, j)
		if j.relay != honest {
			r.Violations = []spec.Violation{{Rule: spec.NeverTwice, Sentence: "it came twice"}}
		}
		return r
	}
}

func TestAFindingOutweighsOutputThatDoesNotArrive(t *testing.T) {
	var errs bytes.Buffer
	run := double(new(session), breaks(scenarios.Names()[0], spec.NeverTwice))
	c := console{in: strings.NewReader(""), out: &failing{0, syscall.ENOSPC}, err: &errs, now: time.Now, run: run}
	if got := execute(t.Context(), c, nil); got != sim.Safety || !strings.Contains(errs.String(), "no space left") {
		t.Errorf("%v: %s", got, errs.String())
	}
}

func TestEachOfSeveralErrorsHasThePrefix(t *testing.T) {
	var errs bytes.Buffer
	console{err: &errs}.complain(errors.Join(errors.New("one"), errors.Join(errors.New("two\n\tmore"), nil, errors.New("three\n"))))
	if want := "simrun: one\nsimrun: two\n\tmore\nsimrun: three\n"; errs.String() != want {
		t.Errorf("it says %q, want %q", errs.String(), want)
	}
}
