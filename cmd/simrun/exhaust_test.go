package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/impl/queue/exhaust"
	"github.com/postonce/postonce/sim"
)

func TestExhaustSearchesAPresetUnderEveryPolicy(t *testing.T) {
	s := simrun(t, holds, "exhaust", "--world", "1x1x2")
	s.want(t, sim.OK, "report", "hold", "retry", "complete, and every rule holds in every order")
	if n := strings.Count(s.out, "✓"); n != 3 {
		t.Errorf("%d worlds, want one under each of three policies:\n%s", n, s.out)
	}
	if len(s.jobs) > 0 {
		t.Error("it ran a scenario")
	}
}

func TestExhaustSearchesAWorldOfOnesOwn(t *testing.T) {
	s := simrun(t, holds, "exhaust", "--crashes", "0", "--calm", "--in-doubt", "hold")
	s.want(t, sim.OK, "1 message, 1 host, 0 crashes, calm", "hold")
	if strings.Contains(s.out, "retry") {
		t.Errorf("only one policy was asked for:\n%s", s.out)
	}
}

func TestExhaustThatIsNotCompleteHasNoVerdict(t *testing.T) {
	s := simrun(t, holds, "exhaust", "--crashes", "2", "--states", "500", "--in-doubt", "report")
	s.want(t, sim.NoVerdict, "not complete", "0 of 1 world complete")
}

// TestExhaustEndsWhenItIsInterrupted: the context is done before it begins, and
// the worlds are shown as what they are.
func TestExhaustEndsWhenItIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now}
	if got := execute(ctx, c, []string{"exhaust"}); got != sim.NoVerdict {
		t.Errorf("it ended with %v: %s", got, errs.String())
	}
	if !strings.Contains(out.String(), "not begun") {
		t.Errorf("it shows\n%s", out.String())
	}
}

// TestALongSearchShowsHowFarItIs: a line comes when there was no end in sight
// for long, says how many states a second, and goes.
func TestALongSearchShowsHowFarItIs(t *testing.T) {
	var errs bytes.Buffer
	now := time.Unix(0, 0)
	c := console{err: &errs, live: true, now: func() time.Time { return now }}
	n := c.newCounting(2)
	n.at(0, exhaust.Progress{States: 100})
	if errs.Len() > 0 {
		t.Errorf("it is too soon for %q", errs.String())
	}
	now = now.Add(4 * time.Second)
	n.finished(0, exhaust.Progress{States: 6000})
	if want := "1 of 2 worlds · 6,000 states · 1,500 states/s"; !strings.Contains(errs.String(), want) {
		t.Errorf("it shows %q, want %q", errs.String(), want)
	}
	n.close()
}
