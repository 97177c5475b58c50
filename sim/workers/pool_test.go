package workers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/sim/workers"
)

// A job says what a worker is to do with a number.
type job struct {
	What string
	N    int
}

// TestMain makes the test binary a worker when a Pool starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workers.Arg {
		done := 0
		workers.Serve(func(_ *testing.T, raw json.RawMessage) (any, bool) {
			var j job
			if err := json.Unmarshal(raw, &j); err != nil {
				panic(err)
			}
			done++
			switch j.What {
			case "exit":
				fmt.Fprintln(os.Stderr, "the cat is on the keyboard")
				os.Exit(3)
			case "hang":
				for {
					runtime.Gosched()
				}
			case "print":
				fmt.Println(`{"Answer":-1}`)
			case "count":
				return done, false
			case "spend":
				return done, true
			}
			return j.N * j.N, false
		})
	}
	os.Exit(m.Run())
}

func TestAnswersComeInTheOrderOfTheJobs(t *testing.T) {
	pool := workers.New(3)
	defer pool.Close()
	var jobs []job
	for i := range 30 {
		jobs = append(jobs, job{N: i})
	}
	next := 0
	err := workers.Each(t.Context(), pool, slices.Values(jobs), func(j job, answer int, err error) bool {
		if j.N != next || answer != next*next || err != nil {
			t.Errorf("answer %d is %d for job %d: %v", next, answer, j.N, err)
		}
		next++
		return next < 20
	})
	if err != nil || next != 20 {
		t.Errorf("%d answers: %v", next, err)
	}
}

func TestAWorkerThatDiesCostsOneJob(t *testing.T) {
	pool := workers.New(1)
	defer pool.Close()
	for _, what := range []string{"", "exit", "", "print"} {
		var answer int
		err := pool.Do(t.Context(), job{what, 7}, &answer)
		var died *workers.DiedError
		if dies := what == "exit"; errors.As(err, &died) != dies || !dies && answer != 49 {
			t.Errorf("%q: %d, %v", what, answer, err)
		} else if dies && !strings.Contains(err.Error(), "the cat is on the keyboard") {
			t.Errorf("%q: %v", what, err)
		}
	}
}

func TestASpentWorkerIsReplaced(t *testing.T) {
	pool := workers.New(1)
	defer pool.Close()
	for i, want := range []int{1, 2, 1} {
		what := "count"
		if i == 1 {
			what = "spend"
		}
		var answer int
		if err := pool.Do(t.Context(), job{What: what}, &answer); err != nil || answer != want {
			t.Errorf("job %d is the worker's job %d, want %d: %v", i, answer, want, err)
		}
	}
}

func TestAJobThatHangsIsKilled(t *testing.T) {
	pool := workers.New(1)
	pool.JobTime = 300 * time.Millisecond
	defer pool.Close()
	var answer int
	err := pool.Do(t.Context(), job{What: "hang"}, &answer)
	if err == nil || !strings.Contains(err.Error(), "no result within 300ms") {
		t.Errorf("%v", err)
	}
}

func TestEachEndsWithItsContext(t *testing.T) {
	pool := workers.New(1)
	defer pool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := workers.Each(ctx, pool, slices.Values(make([]job, 50)), func(job, int, error) bool {
		n++
		cancel()
		return true
	})
	if !errors.Is(err, context.Canceled) || n == 50 {
		t.Errorf("%d of 50 ran: %v", n, err)
	}
}

func TestAPoolWithoutAProgramSaysSo(t *testing.T) {
	pool := workers.New(1, "/nonexistent/simrun")
	defer pool.Close()
	if err := pool.Do(t.Context(), job{}, new(int)); err == nil || !strings.Contains(err.Error(), "starting a worker") {
		t.Errorf("%v", err)
	}
}
