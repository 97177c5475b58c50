package exhaust

import (
	"fmt"
	"slices"
	"testing"

	"github.com/postonce/postonce/spec"
)

// small are worlds that are searched in a moment and have something of all.
func small() []World {
	var all []World
	for _, p := range []spec.InDoubtPolicy{spec.DoubtReport, spec.DoubtHold, spec.DoubtRetry} {
		all = append(all,
			World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, InDoubt: p, Lifetime: 1},
			World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 2, InDoubt: p, Lifetime: 1, Calm: true},
			World{Messages: 1, Recipients: 2, Destinations: 1, InDoubt: p, Lifetime: 2, Calm: true},
			World{Messages: 2, Recipients: 1, Destinations: 1, InDoubt: p, Lifetime: 1, Calm: true, Tight: true},
			World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, InDoubt: p, Lifetime: 1, Orders: 1, Calm: true},
			World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, InDoubt: p, Lifetime: 1, Reroutes: 2, Calm: true},
			World{Messages: 2, Recipients: 1, Destinations: 1, InDoubt: p, Lifetime: 1, Senders: true, Calm: true, Tight: true})
	}
	return all
}

func TestTheRulesHoldInSmallWorlds(t *testing.T) {
	for _, w := range small() {
		t.Run(w.String(), func(t *testing.T) {
			r := Run(w, Honest, Options{States: 100_000})
			if r.Violation != nil {
				t.Fatal(tell(r.Violation))
			}
			if !r.Complete {
				t.Fatalf("not complete: %+v", r.Progress)
			}
			if r.States < 300 || r.Depth < 10 || r.Transitions < r.States-1 {
				t.Errorf("that is too little to be all: %+v", r.Progress)
			}
		})
	}
}

func tell(v *Violation) string {
	text := fmt.Sprintf("%s: %s\n", v.Rule, v.Sentence)
	for _, c := range v.Story {
		text += "  " + c.Event + "\n"
		for _, a := range c.Actions {
			text += "      " + a + "\n"
		}
	}
	return text
}

func TestSendersWaitInLanesOfTheirOwn(t *testing.T) {
	w := World{Messages: mostMessages, Senders: true}
	seen := map[spec.Lane]string{}
	for i := range w.Messages {
		sender := w.sender(i)
		if other := seen[spec.LaneOf(sender)]; other != "" {
			t.Errorf("%s and %s share a lane", sender, other)
		}
		seen[spec.LaneOf(sender)] = sender
	}
}

func TestASearchIsTheSameEveryTime(t *testing.T) {
	w := World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 1}
	if a, b := Run(w, Honest, Options{}), Run(w, Honest, Options{}); a != b {
		t.Errorf("%+v, and then %+v", a, b)
	}
}

// TestASearchThatGoesDeepSeesWhatOneThatGoesWideSees: the order is nothing.
func TestASearchThatGoesDeepSeesWhatOneThatGoesWideSees(t *testing.T) {
	w := World{Messages: 1, Recipients: 2, Destinations: 2, InDoubt: spec.DoubtHold, Lifetime: 1, Calm: true}
	wide, deep := Run(w, Honest, Options{wide: 1 << 30}), Run(w, Honest, Options{wide: 1})
	if wide != deep || !wide.Complete {
		t.Errorf("wide: %+v, deep: %+v", wide, deep)
	}
}

func TestABoundOrAStopLeavesASearchIncomplete(t *testing.T) {
	w := World{Messages: 2, Recipients: 2, Destinations: 2, Crashes: 1, Lifetime: 2}
	if r := Run(w, Honest, Options{States: 1000}); r.Complete || r.States < 1000 || r.States > 1100 || r.Violation != nil {
		t.Errorf("bound: %+v", r)
	}
	asked := 0
	r := Run(w, Honest, Options{Watch: func(p Progress) bool { asked++; return asked < 3 }})
	if r.Complete || asked != 3 || r.Violation != nil {
		t.Errorf("asked %d times: %+v", asked, r)
	}
}

// TestEqualStatesHaveEqualFutures searches worlds and, whenever a state is
// reached a second time, lets everything happen to both: the same is wrong,
// and the same states come of it. So taking one for the other loses nothing.
func TestEqualStatesHaveEqualFutures(t *testing.T) {
	for _, w := range small() {
		t.Run(w.String(), func(t *testing.T) {
			g := &setting{w, w.policy(), Honest}
			seen := map[hash][]string{}
			open := []*state{g.begin()}
			twice := 0
			for len(open) > 0 && len(seen) < 1000 {
				x := open[0]
				open = open[1:]
				h, _ := x.hash(nil)
				futures, next := futuresOf(x)
				before, known := seen[h]
				switch {
				case !known:
					seen[h] = futures
					open = append(open, next...)
				case !slices.Equal(before, futures):
					t.Fatalf("one state has two futures:\n%q\n%q", before, futures)
				default:
					twice++
				}
			}
			if twice < 100 {
				t.Errorf("only %d states were reached twice", twice)
			}
		})
	}
}

// futuresOf lets everything happen to a state and says, in an order that does
// not hang on that of the events, what comes of it.
func futuresOf(x *state) (futures []string, next []*state) {
	for _, e := range x.events(nil) {
		y := x.clone()
		y.do(e)
		h, _ := y.hash(nil)
		wrong := ""
		if y.wrong != nil {
			wrong = y.wrong.Sentence
		}
		futures = append(futures, fmt.Sprintf("%d %x %s", e.kind, h, wrong))
		next = append(next, y)
	}
	slices.Sort(futures)
	return futures, next
}

func TestAWorldThatMakesNoSenseIsRefused(t *testing.T) {
	good := World{Messages: 1, Recipients: 1, Destinations: 1, Lifetime: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*World){
		func(w *World) { w.Messages = 0 }, func(w *World) { w.Recipients = 9 }, func(w *World) { w.Destinations = 0 },
		func(w *World) { w.Crashes = -1 }, func(w *World) { w.Lifetime = 0 }, func(w *World) { w.Retries = -1 },
	} {
		w := good
		spoil(&w)
		if w.Validate() == nil {
			t.Errorf("%+v is taken", w)
		}
	}
}

func TestEveryPresetMakesSense(t *testing.T) {
	for _, p := range Presets() {
		for _, w := range p.Worlds {
			if err := w.Validate(); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
	}
}

// BenchmarkSearch measures states per second.
func BenchmarkSearch(b *testing.B) {
	w := World{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 2, Lifetime: 1}
	states, transitions := 0, 0
	for b.Loop() {
		r := Run(w, Honest, Options{})
		states, transitions = states+r.States, transitions+r.Transitions
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}
