package show

import (
	"bytes"
	"testing"
	"time"

	"github.com/postonce/postonce/impl/queue/exhaust"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// searched are searches that ended in every way.
func searched() []Search {
	w := exhaust.World{Messages: 1, Recipients: 2, Destinations: 1, Crashes: 1, Lifetime: 1}
	tight := exhaust.World{Messages: 2, Recipients: 1, Destinations: 2, Crashes: 2, Lifetime: 2, Retries: 2, Tight: true, Slow: true, Calm: true}
	at := exhaust.Progress{States: 12345, Transitions: 67890, Depth: 42}
	wrong := func(rule spec.Rule, sentence string) *exhaust.Result {
		return &exhaust.Result{Progress: at, Violation: &exhaust.Violation{Rule: rule, Sentence: sentence, Story: []exhaust.Chapter{
			{Event: "a process starts on an empty disk"},
			{Event: "m1 is submitted to a@p.test", Actions: []string{"batch 1: +c:m1", "lets m1 be acknowledged"}},
		}}}
	}
	hold, retry := w, w
	hold.InDoubt, retry.InDoubt = spec.DoubtHold, spec.DoubtRetry
	return []Search{
		{w, &exhaust.Result{Progress: at, Complete: true}, 1500 * time.Millisecond},
		{hold, wrong(spec.NeverTwice, "a server accepts a@p.test, which a server had accepted before"), 20 * time.Millisecond},
		{retry, wrong(spec.Progress, "nothing can happen any more, but m1 is not finished"), time.Second},
		{tight, &exhaust.Result{Progress: at}, time.Minute},
		{World: tight},
	}
}

func TestSearchesAreATableAndStories(t *testing.T) {
	var b bytes.Buffer
	Searches(&b, Paint{}, searched())
	golden(t, "searches.txt", b.String())
}

func TestTheGravestSearchDecides(t *testing.T) {
	all := searched()
	for i, want := range []sim.Status{sim.OK, sim.Safety, sim.Progress, sim.NoVerdict, sim.NoVerdict} {
		if got := all[i].Status(); got != want {
			t.Errorf("search %d ends with %v, want %v", i, got, want)
		}
	}
	if got := WorstSearch(all); got != sim.Safety {
		t.Errorf("all end with %v", got)
	}
}
