package queue

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

// TestAClonedCoreLeadsALifeOfItsOwn drives a core at random. Before each thing
// that it does it is cloned: what it does does not show in the clone.
func TestAClonedCoreLeadsALifeOfItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c := m.core.Clone()
			shared(t, m.core, c)
			before, _ := c.AppendState(nil)
			if now, _ := m.core.AppendState(nil); !bytes.Equal(now, before) {
				t.Fatalf("the clone is in another state:\n%q\n%q", now, before)
			}
			m.act()
			if after, _ := c.AppendState(nil); !bytes.Equal(before, after) {
				t.Fatalf("a step of the core shows in its clone:\n%q\n%q", before, after)
			}
			m.core = m.core.Clone() // which is as good
		}
		m.settle()
	})
}

// shared fails when two cores have a pointer or a map in common, but for what
// is never changed: the policy's.
func shared(t *rapid.T, a, b *Queue) {
	seen := map[uintptr]string{}
	walk(reflect.ValueOf(a).Elem(), "queue", map[uintptr]bool{}, func(p uintptr, path string) { seen[p] = path })
	walk(reflect.ValueOf(b).Elem(), "queue", map[uintptr]bool{}, func(p uintptr, path string) {
		if was, ok := seen[p]; ok {
			t.Fatalf("the clone's %s is the core's %s", path, was)
		}
	})
}

func walk(v reflect.Value, path string, been map[uintptr]bool, f func(uintptr, string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		if v.IsNil() || been[v.Pointer()] {
			return
		}
		been[v.Pointer()] = true
		f(v.Pointer(), path)
		if v.Kind() == reflect.Pointer {
			walk(v.Elem(), path, been, f)
			return
		}
		for it := v.MapRange(); it.Next(); {
			walk(it.Value(), path+"[]", been, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), path+"[]", been, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "policy" && name != "actions" && name != "release" {
				walk(v.Field(i), path+"."+name, been, f)
			}
		}
	}
}

// TestStatesThatActApartAreToldApart changes one thing of a core that matters
// for what it does next; the encoding must show it.
func TestStatesThatActApartAreToldApart(t *testing.T) {
	s := newScript()
	s.slow = true
	step := func(e Event) { s.step(e) }
	step(Start{})
	for _, e := range s.late {
		step(e)
	}
	s.late = nil
	for _, id := range []spec.QueueID{"m1", "m2"} {
		step(Submit{ID: id, Message: string(id), Size: 1, Envelope: spec.Envelope{Sender: "s@h.test", Recipients: []string{"a@x.test", "b@y.test"}}})
		s.durable(1)
	}
	step(Settle{Job: "m2.3", Last: true, Results: []Result{{Recipient: "a@x.test", Verdict: spec.Defer}}})
	s.durable(1)
	step(Decide{ID: "m3", Decision: DecideRetry})
	step(Intend{Job: "m1.1", Host: "mx", To: []string{"a@x.test"}})
	base, _ := s.core.AppendState(nil)
	var only *destination
	for name, change := range map[string]func(q *Queue){
		"an attempt more":      func(q *Queue) { q.messages["m1"].entry.Recipients[0].Attempts++ },
		"another state":        func(q *Queue) { q.messages["m1"].entry.Recipients[1].State = spec.Held },
		"due later":            func(q *Queue) { q.messages["m2"].entry.Recipients[0].Due++ },
		"submitted later":      func(q *Queue) { q.messages["m2"].entry.Submitted++ },
		"time has passed":      func(q *Queue) { q.clock.mono++ },
		"another beginning":    func(q *Queue) { q.clock.anchor.Wall++; q.clock.anchor.Mono++ },
		"lines that move":      func(q *Queue) { c := *q.pending[q.nextSeq]; c.moves = true; q.pending[q.nextSeq] = &c },
		"no intent on disk":    func(q *Queue) { q.messages["m1"].intent = false },
		"removed":              func(q *Queue) { q.messages["m1"].gone = true },
		"to be stored anew":    func(q *Queue) { q.messages["m1"].renewed = true },
		"a commit less":        func(q *Queue) { q.messages["m1"].commits-- },
		"a batch less":         func(q *Queue) { delete(q.pending, q.nextSeq) },
		"another release":      func(q *Queue) { q.pending[q.nextSeq].release = Settled{Job: "m1.1"} },
		"a job less":           func(q *Queue) { delete(q.jobs, "m1.2") },
		"another attempt":      func(q *Queue) { q.jobs["m1.2"].attempt++ },
		"a place less":         func(q *Queue) { q.active++ },
		"a place less there":   func(q *Queue) { q.destinations["x.test"].active++ },
		"more on disk":         func(q *Queue) { q.destinations["x.test"].lanes[0].more = true },
		"loading":              func(q *Queue) { q.destinations["x.test"].loading = true },
		"another lane's turn":  func(q *Queue) { q.destinations["x.test"].turn++ },
		"another lane":         func(q *Queue) { q.destinations["x.test"].lane('a').more = true },
		"another lane's line":  func(q *Queue) { c := slices.Clone(q.messages["m2"].index); c[0].Lane++; q.messages["m2"].index = c },
		"an index line less":   func(q *Queue) { q.messages["m2"].index = q.messages["m2"].index[1:] },
		"an empty window":      func(q *Queue) { q.destinations["x.test"].lanes[0].waiting = nil },
		"no decision":          func(q *Queue) { clear(q.decisions) },
		"another decision":     func(q *Queue) { d := q.decisions["m3"]; d.Decision = DecideReport; q.decisions["m3"] = d },
		"a reading that began": func(q *Queue) { q.reads.begin() },
		"a batch that changes": func(q *Queue) { q.messages["m1"].unsure = []string{"x.test"} },
		"in doubt before":      func(q *Queue) { q.messages["m1"].entry.Recipients[1].Doubted = true },
		"parked":               func(q *Queue) { q.messages["m1"].entry.Recipients[1].Parked = true },
		"rerouted":             func(q *Queue) { q.messages["m1"].entry.Recipients[1].Via = "via:z.test" },
		"a place blocked":      func(q *Queue) { q.jobs["m1.1"].blocked = []string{"x.test"} },
		"a line missed":        func(q *Queue) { q.destinations["x.test"].loading, q.destinations["x.test"].missed.ID = true, "m2" },
		"nothing to undo":      func(q *Queue) { q.jobs["m1.1"].before = nil },
		"nobody waits":         func(q *Queue) { q.operators = nil },
		"put off":              func(q *Queue) { q.messages["m2"].entry.Recipients[1].Last.Stage = spec.StageConnect },
		"a limit":              func(q *Queue) { q.destinations["x.test"].reach.limit++ },
		"a success":            func(q *Queue) { q.destinations["x.test"].reach.good++ },
		"a failure":            func(q *Queue) { q.destinations["x.test"].reach.fails++ },
		"dead":                 func(q *Queue) { q.destinations["x.test"].reach.deaths++ },
		"stopping":             func(q *Queue) { q.stopping = true },
		"not recovered":        func(q *Queue) { q.recovery.ready = false },
		"no timer":             func(q *Queue) { q.wake = 0 },
		"timed no more":        func(q *Queue) { q.destinations["x.test"].heaped = false },
		"another's turn":       func(q *Queue) { q.ready = append(q.ready, q.destinations["y.test"], only) },
	} {
		q := s.core.Clone()
		only = q.destinations["x.test"]
		change(q)
		if got, _ := q.AppendState(nil); bytes.Equal(got, base) {
			t.Errorf("%s: the encoding does not show it", name)
		}
	}
}

// TestNamesOfWhatOnlyCountsAreRenamed brings two cores to the same state by
// different ways: one has had a job and batches more.
func TestNamesOfWhatOnlyCountsAreRenamed(t *testing.T) {
	run := func(before bool) *script {
		s := newScript()
		s.policy.Limits.ReportsPerHour = 0 // what is counted of these does decide what happens next
		s.core = New(s.policy)
		s.step(Start{})
		submit := func(id spec.QueueID) {
			s.step(Submit{ID: id, Message: string(id), Size: 1, Envelope: spec.Envelope{Recipients: []string{"a@x.test"}}})
			s.durable(1)
		}
		if before {
			submit("m0")
			s.step(Settle{Job: "m0.1", Last: true, Results: []Result{{Recipient: "a@x.test", Verdict: spec.FailRecipient}}})
			s.durable(1)
		}
		submit("m1")
		return s
	}
	short, names := run(false).core.AppendState(nil)
	long, after := run(true).core.AppendState(nil)
	if !bytes.Equal(short, long) {
		t.Errorf("the same state by two ways:\n%q\n%q", short, long)
	}
	if a, b := names.Job("m1.1"), after.Job("m1.2"); a != 0 || b != 0 || names.Job("m1.2") != -1 {
		t.Errorf("the job is number %d and %d", a, b)
	}
}
