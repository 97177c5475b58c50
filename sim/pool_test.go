package sim_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec/seam"
)

// TestMain makes the test binary a worker when a Pool starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sim.WorkerArg {
		sim.Worker(map[string]sim.Factory{
			"relay": newRelay,
			"exits": func(seam.Host, sim.Config) (sim.Relay, error) {
				fmt.Fprintln(os.Stderr, "the cat is on the keyboard")
				os.Exit(3)
				return nil, nil
			},
			"hangs": func(seam.Host, sim.Config) (sim.Relay, error) {
				for {
					runtime.Gosched() // real time passes, virtual time does not
				}
			},
			"prints": func(h seam.Host, c sim.Config) (sim.Relay, error) {
				fmt.Println(`{"Scenario":"a lie"}`)
				return newRelay(h, c)
			},
		})
	}
	os.Exit(m.Run())
}

// job is a small world for a relay of the workers.
func job(t *testing.T, name, relay string) sim.Job {
	return sim.Job{Scenario: load(t, name), Factory: relay, Options: sim.Options{Brief: true}}
}

func TestAPoolAnswersInTheOrderOfTheJobs(t *testing.T) {
	pool := sim.NewPool(3)
	defer pool.Close()
	var jobs []sim.Job
	for _, name := range scenarios.Names()[:30] {
		jobs = append(jobs, job(t, name, "relay"))
	}
	i := 0
	err := pool.Each(t.Context(), slices.Values(jobs), func(j sim.Job, r *sim.Result) bool {
		if j.Scenario != jobs[i].Scenario || r.Scenario != j.Scenario.Name || r.Status != sim.OK || r.Facts != nil {
			t.Errorf("answer %d: %s is %v, with %d facts", i, r.Scenario, r.Status, len(r.Facts))
		}
		if here := sim.Run(t, j.Scenario, newRelay, sim.Options{}); here.Hash != r.Hash {
			t.Errorf("%s: another trace in a worker", r.Scenario)
		}
		i++
		return i < 20
	})
	if err != nil || i != 20 {
		t.Errorf("%d answers: %v", i, err)
	}
}

func TestAWorkerThatDiesCostsOneJob(t *testing.T) {
	pool := sim.NewPool(1)
	defer pool.Close()
	for _, test := range []struct {
		relay  string
		status sim.Status
		words  string
	}{
		{"relay", sim.OK, ""},
		{"exits", sim.Crashed, "the cat is on the keyboard"},
		{"relay", sim.OK, ""},
		{"nobody", sim.Usage, `no relay is called "nobody"`},
		{"prints", sim.OK, ""},
	} {
		r, err := pool.Run(t.Context(), job(t, "plain/one-recipient", test.relay))
		if err != nil || r.Status != test.status || !strings.Contains(r.Panic, test.words) {
			t.Errorf("%s: %v %+v", test.relay, err, r)
		}
	}
}

func TestAWorldThatHangsIsKilled(t *testing.T) {
	pool := sim.NewPool(1)
	pool.JobTime = 300 * time.Millisecond
	defer pool.Close()
	r, err := pool.Run(t.Context(), job(t, "plain/one-recipient", "hangs"))
	if err != nil || r.Status != sim.Crashed || !strings.Contains(r.Panic, "no result within 300ms") {
		t.Errorf("%v %+v", err, r)
	}
}

func TestAPoolEndsWithItsContext(t *testing.T) {
	pool := sim.NewPool(1)
	defer pool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	jobs := slices.Repeat([]sim.Job{job(t, "plain/one-recipient", "relay")}, 50)
	n := 0
	err := pool.Each(ctx, slices.Values(jobs), func(sim.Job, *sim.Result) bool {
		n++
		cancel()
		return true
	})
	if !errors.Is(err, context.Canceled) || n == 50 {
		t.Errorf("%d of 50 ran: %v", n, err)
	}
}

func TestAPoolWithoutAProgramSaysSo(t *testing.T) {
	pool := sim.NewPool(1, "/nonexistent/simrun")
	defer pool.Close()
	if _, err := pool.Run(t.Context(), job(t, "plain/one-recipient", "relay")); err == nil || !strings.Contains(err.Error(), "starting a worker") {
		t.Errorf("%v", err)
	}
}
