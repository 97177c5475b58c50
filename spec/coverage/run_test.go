package coverage

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

const (
	id   = "m1@x"
	mx   = "192.0.2.1:25"
	talk = "192.0.2.9:4000"
)

var bob = []string{"bob@x"}

func about(f spec.Fact) spec.Fact {
	f.Message, f.Queue, f.Job, f.To = id, "q1", "j1", bob
	return f
}

// on makes a fact of the conversation.
func on(f spec.Fact) spec.Fact {
	f.Session, f.Host = talk, "mx"
	return f
}

// The facts of one delivery.
var (
	started  = spec.Fact{Kind: spec.FactStart}
	stored   = spec.Fact{Kind: spec.FactStored, Queue: "q1", Text: "control"}
	submit   = spec.Fact{Kind: spec.FactSubmit, Message: id, To: bob}
	queued   = about(spec.Fact{Kind: spec.FactQueued})
	attempt  = about(spec.Fact{Kind: spec.FactAttempt})
	dial     = about(spec.Fact{Kind: spec.FactDial, Addr: mx})
	connect  = spec.Fact{Kind: spec.FactConnect, Session: talk, Addr: mx}
	intent   = about(spec.Fact{Kind: spec.FactIntent})
	dot      = on(about(spec.Fact{Kind: spec.FactDot}))
	ended    = about(spec.Fact{Kind: spec.FactAttemptEnd})
	doubt    = about(spec.Fact{Kind: spec.FactDoubt})
	removed  = about(spec.Fact{Kind: spec.FactRemoved})
	closed   = spec.Fact{Kind: spec.FactClosed, Session: talk}
	sending  = []spec.Fact{started, queued, attempt, dial, connect}
	intended = append(slices.Clone(sending), intent)
)

func outcome(s spec.RecipientState) spec.Fact {
	return about(spec.Fact{Kind: spec.FactOutcome, State: s})
}

func fault(stage spec.Stage, kinds ...spec.Fault) spec.Fact {
	return on(spec.Fact{Kind: spec.FactFault, Stage: stage, Faults: kinds})
}

func crash(kinds ...spec.Fault) spec.Fact { return spec.Fact{Kind: spec.FactCrash, Faults: kinds} }

func said(stage spec.Stage) spec.Fact { return on(spec.Fact{Kind: spec.FactCommand, Stage: stage}) }

func reply(stage spec.Stage, text string) spec.Fact {
	return on(spec.Fact{Kind: spec.FactReply, Stage: stage, Reply: text})
}

func trouble(stage spec.Stage, event spec.Event, verdict spec.Verdict, reply string) spec.Fact {
	return on(about(spec.Fact{Kind: spec.FactTrouble, Stage: stage, Event: event, Verdict: verdict, Reply: reply}))
}

func all(parts ...[]spec.Fact) []spec.Fact { return slices.Concat(parts...) }

// TestADeferralThatOnlyTheDiskTellsOf: the intent is gone for good, and the
// process ended before it said why.
func TestADeferralThatOnlyTheDiskTellsOf(t *testing.T) {
	disk := func(kind spec.FactKind, space string) spec.Fact {
		return spec.Fact{Kind: kind, Queue: "q1", Text: space}
	}
	marked := all(sending, []spec.Fact{stored, disk(spec.FactStored, "intent"), intent, dot})
	erased, kept := disk(spec.FactErased, "intent"), disk(spec.FactKept, "control")
	stop := spec.Fact{Kind: spec.FactStop}
	cut := crash(spec.FaultKeepAll)
	before := []string{"transition/new/queued", "transition/queued/intent"}
	for name, test := range map[string]struct {
		then []spec.Fact
		want []string
	}{
		"before the end": {[]spec.Fact{erased, stop, started, outcome(spec.Failed)}, []string{"transition/queued/failed/restarted"}},
		"after the end":  {[]spec.Fact{stop, erased, started, outcome(spec.Failed)}, []string{"transition/queued/failed/restarted"}},
		"by what a crash kept": {[]spec.Fact{cut, kept, started, outcome(spec.Failed)},
			[]string{"transition/queued/failed/restarted", "fault/keep-all", "pair/keep-all/dot"}},
		"by a failure that nobody doubted, though the mark of another recipient stays": {[]spec.Fact{stop, started, outcome(spec.Failed)},
			[]string{"transition/queued/failed/restarted"}},
		"not by one that was doubted": {[]spec.Fact{stop, started, doubt, outcome(spec.Failed)}, []string{"transition/intent/failed/restarted"}},
		"not when it is said":         {[]spec.Fact{erased, outcome(spec.Failed)}, []string{"transition/intent/failed"}},
		"not when the mark stays":     {[]spec.Fact{stop, started, doubt, erased, outcome(spec.Unknown)}, []string{"transition/intent/unknown/restarted"}},
		"not when a crash kept it": {[]spec.Fact{cut, kept, disk(spec.FactKept, "intent"), started, doubt, erased, outcome(spec.Unknown)},
			[]string{"transition/intent/unknown/restarted", "fault/keep-all", "pair/keep-all/dot"}},
	} {
		t.Run(name, func(t *testing.T) { reached(t, all(marked, test.then), slices.Concat(before, test.want)...) })
	}
}

func TestTransitions(t *testing.T) {
	held := all(intended, []spec.Fact{outcome(spec.Held), ended})
	for name, test := range map[string]struct {
		history []spec.Fact
		want    []string
	}{
		"delivered": {all(intended, []spec.Fact{dot, outcome(spec.Delivered), removed}),
			[]string{"transition/new/queued", "transition/queued/intent", "transition/intent/delivered"}},
		"deferred": {all(sending, []spec.Fact{outcome(spec.Queued)}), []string{"transition/new/queued", "transition/queued/queued"}},
		"refused": {all(sending, []spec.Fact{started, outcome(spec.Failed)}),
			[]string{"transition/new/queued", "transition/queued/failed/restarted"}},
		"held through a restart": {all(held, []spec.Fact{started, outcome(spec.Queued)}),
			[]string{"transition/new/queued", "transition/queued/intent", "transition/intent/held", "transition/held/queued/restarted"}},
		"an intent that nobody spoke of": {all(sending, []spec.Fact{started, doubt, outcome(spec.Unknown)}),
			[]string{"transition/new/queued", "transition/intent/unknown/restarted"}},
		"a doubt that is too old to be sent again": {all(intended, []spec.Fact{doubt, outcome(spec.Queued), started, outcome(spec.Unknown)}),
			[]string{"transition/new/queued", "transition/queued/intent", "transition/intent/queued", "transition/queued/unknown/restarted"}},
		"a message that nobody spoke of":  {[]spec.Fact{started, started, attempt}, []string{"transition/new/queued/restarted"}},
		"a log that begins in the middle": {[]spec.Fact{outcome(spec.Delivered)}, nil},
		"a deferral that nobody spoke of": {all(intended, []spec.Fact{started, attempt, intent}),
			[]string{"transition/new/queued", "transition/queued/intent"}},
		"what no state allows": {all(intended, []spec.Fact{outcome(spec.Delivered), outcome(spec.Queued)}),
			[]string{"transition/new/queued", "transition/queued/intent", "transition/intent/delivered"}},
	} {
		t.Run(name, func(t *testing.T) { reached(t, test.history, test.want...) })
	}
}

// A reply counts when the relay has shown to have read it.
func TestCells(t *testing.T) {
	ehlo := []spec.Fact{started, connect, reply(spec.StageGreeting, "220 hi"), said(spec.StageEHLO)}
	mail := []spec.Fact{reply(spec.StageEHLO, "250 hi"), said(spec.StageMAIL), reply(spec.StageMAIL, "250"), said(spec.StageRCPT),
		reply(spec.StageRCPT, "250 2.1.5 ok"), said(spec.StageDATA), reply(spec.StageDATA, "354 go")}
	hello := []string{"cell/greeting/2yz", "cell/ehlo/2yz"}
	for name, test := range map[string]struct {
		history []spec.Fact
		want    []string
	}{
		"a greeting is read before EHLO": {ehlo, hello[:1]},
		"an envelope is read when its dot comes": {all(ehlo, mail, []spec.Fact{said(spec.StageDot)}),
			[]string{"cell/greeting/2yz", "cell/ehlo/2yz", "cell/mail/2yz", "cell/rcpt/2yz", "cell/data/3yz"}},
		"commands said ahead show nothing": {all(ehlo, mail), hello},
		"what stops the relay it says itself": {all(ehlo, mail, []spec.Fact{trouble(spec.StageDATA, spec.Timeout, spec.NextHost, "")}),
			[]string{"cell/greeting/2yz", "cell/ehlo/2yz", "cell/mail/2yz", "cell/rcpt/2yz", "cell/data/timeout"}},
		"a server that does not know EHLO": {all(ehlo, []spec.Fact{reply(spec.StageEHLO, "502 what?"), said(spec.StageHELO)}),
			[]string{"cell/greeting/2yz", "cell/ehlo/5yz"}},
		"the verdict of no table":      {[]spec.Fact{trouble(spec.StageConnect, spec.Cut, spec.Defer, "")}, nil},
		"a refusal of the relay's own": {[]spec.Fact{trouble(spec.StageMAIL, spec.Reply5, spec.FailMessage, "")}, nil},
		"a refusal of the server's": {[]spec.Fact{trouble(spec.StageMAIL, spec.Reply5, spec.FailMessage, "550 no")},
			[]string{"cell/mail/5yz"}},
		"what cannot occur":    {[]spec.Fact{trouble(spec.StageMAIL, spec.NullMX, spec.NextHost, "")}, nil},
		"QUIT, and no trouble": {[]spec.Fact{connect, reply(spec.StageQUIT, "221 bye"), closed}, []string{"cell/quit/2yz"}},
		"QUIT, not waited for": {[]spec.Fact{connect, trouble(spec.StageQUIT, spec.Timeout, spec.Proceed, ""),
			reply(spec.StageQUIT, "221 bye"), closed}, []string{"cell/quit/timeout"}},
		"QUIT, torn":                {[]spec.Fact{connect, fault(spec.StageQUIT, spec.FaultTorn), reply(spec.StageQUIT, "221 b"), closed}, []string{"fault/torn"}},
		"QUIT, and the relay died":  {[]spec.Fact{connect, reply(spec.StageQUIT, "221 bye"), crash(spec.FaultCrash), closed}, []string{"fault/crash"}},
		"RSET, and what comes next": {[]spec.Fact{connect, reply(spec.StageRSET, "250"), said(spec.StageMAIL)}, []string{"cell/rset/2yz"}},
		"RSET, refused": {[]spec.Fact{connect, reply(spec.StageRSET, "500"), trouble(spec.StageRSET, spec.Reply5, spec.Proceed, "500")},
			[]string{"cell/rset/5yz"}},
	} {
		t.Run(name, func(t *testing.T) {
			var cells []string
			r := NewRun()
			for i := range test.history {
				r.Observe(&test.history[i])
			}
			for _, name := range names(r.Coverage()) {
				if name[:4] != "tran" {
					cells = append(cells, name)
				}
			}
			if !slices.Equal(cells, test.want) {
				t.Errorf("reached %q, want %q", cells, test.want)
			}
		})
	}
}

// A fault is paired with where those stand whom it concerns.
func TestPairs(t *testing.T) {
	dotted := all(intended, []spec.Fact{dot})
	for name, test := range map[string]struct {
		history []spec.Fact
		fault   spec.Fact
		want    []string
	}{
		"a server, before the dot":       {sending, fault(spec.StageRCPT, spec.FaultReply4), []string{"attempting"}},
		"a server, at the dot":           {dotted, fault(spec.StageDot, spec.FaultCut), []string{"dot"}},
		"a server, at the dot of others": {sending, fault(spec.StageDot, spec.FaultCut), nil},
		"a server, at QUIT":              {all(dotted, []spec.Fact{outcome(spec.Delivered)}), fault(spec.StageQUIT, spec.FaultCut), []string{"final"}},
		"a server that nobody uses":      {[]spec.Fact{started, queued}, fault(spec.StageRCPT, spec.FaultReply4), nil},
		"connecting": {sending[:4], spec.Fact{Kind: spec.FactFault, Addr: mx, Faults: []spec.Fault{spec.FaultRefused}},
			[]string{"attempting"}},
		"the DNS":                       {sending[:3], spec.Fact{Kind: spec.FactFault, Faults: []spec.Fault{spec.FaultServFail}}, []string{"attempting"}},
		"a crash while it is submitted": {[]spec.Fact{started, submit}, crash(spec.FaultCrash), []string{"submitting"}},
		"a crash while it waits":        {[]spec.Fact{started, submit, queued}, crash(spec.FaultCrash), []string{"waiting"}},
		"a crash after the intent":      {intended, crash(spec.FaultCrash), []string{"intent"}},
		"a crash in doubt":              {all(dotted, []spec.Fact{crash(spec.FaultCrashMute), started}), crash(spec.FaultCrash), []string{"doubt"}},
		"a crash while it is held":      {all(dotted, []spec.Fact{outcome(spec.Held)}), crash(spec.FaultCrash), []string{"held"}},
		"a crash when all is over":      {all(dotted, []spec.Fact{outcome(spec.Delivered), removed}), crash(spec.FaultCrash), nil},
		"a crash after the disk lost it": {all(sending, []spec.Fact{stored, crash(spec.FaultKeepAll), started}),
			crash(spec.FaultCrash), nil},
		"a crash after the disk kept it": {all(sending, []spec.Fact{stored, crash(spec.FaultKeepAll), {Kind: spec.FactKept, Queue: "q1"}, started}),
			crash(spec.FaultCrash), []string{"waiting"}},
		"a stop":    {sending, spec.Fact{Kind: spec.FactPlan, Faults: []spec.Fault{spec.FaultStop}}, []string{"attempting"}},
		"the clock": {sending, spec.Fact{Kind: spec.FactFault, Count: 1, Faults: []spec.Fault{spec.FaultClock}}, []string{"attempting"}},
		"damage": {[]spec.Fact{started, queued}, spec.Fact{Kind: spec.FactFault, Queue: "q1", Faults: []spec.Fault{spec.FaultDamage}},
			[]string{"waiting"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRun()
			for _, f := range append(slices.Clone(test.history), test.fault) {
				r.Observe(&f)
			}
			var at []string
			for _, place := range Places() {
				if p, ok := PairPoint(test.fault.Faults[0], place); ok && r.Coverage().Reached(p) {
					at = append(at, place.String())
				}
			}
			if !slices.Equal(at, test.want) {
				t.Errorf("it fired at %q, want %q", at, test.want)
			}
		})
	}
}

func TestAFaultOutsideTheSetIsCounted(t *testing.T) {
	r := NewRun()
	for _, f := range []spec.Fact{{Kind: spec.FactFault}, {Kind: spec.FactFault, Faults: []spec.Fault{"rain"}}, {Kind: spec.FactPlan}, {Kind: spec.FactHeal}} {
		r.Observe(&f)
	}
	if n := r.Coverage().Strange(); n != 2 {
		t.Errorf("%d strange faults, want 2", n)
	}
}

// Whatever the facts are, in whatever order, they are read.
func TestNoFactsAreTooOdd(t *testing.T) {
	kinds := []spec.FactKind{
		spec.FactSubmit, spec.FactRefused, spec.FactQueued, spec.FactAttempt, spec.FactAttemptEnd, spec.FactDial, spec.FactTrouble, spec.FactIntent,
		spec.FactDot, spec.FactOutcome, spec.FactRemoved, spec.FactCommand, spec.FactReply, spec.FactConnect, spec.FactConnectFailed, spec.FactClosed,
		spec.FactFault, spec.FactPlan, spec.FactCrash, spec.FactKept, spec.FactStart, spec.FactStop, "odd",
	}
	word := rapid.SampledFrom([]string{"", "a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		r := NewRun()
		for range rapid.IntRange(0, 40).Draw(t, "facts") {
			r.Observe(&spec.Fact{
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Message: word.Draw(t, "message"), Queue: spec.QueueID(word.Draw(t, "queue")),
				Job: word.Draw(t, "job"), To: rapid.SliceOfN(word, 0, 2).Draw(t, "to"), Addr: word.Draw(t, "addr"), Session: word.Draw(t, "session"),
				State: spec.RecipientState(rapid.IntRange(0, 8).Draw(t, "state")), Stage: spec.Stage(rapid.IntRange(0, 14).Draw(t, "stage")),
				Event: spec.Event(rapid.IntRange(0, 16).Draw(t, "event")), Verdict: spec.Verdict(rapid.IntRange(0, 8).Draw(t, "verdict")),
				Reply:  rapid.SampledFrom([]string{"", "2", "250 ok", "421", "9999"}).Draw(t, "reply"),
				Faults: rapid.SliceOfN(rapid.SampledFrom(append(spec.Faults(), "odd")), 0, 2).Draw(t, "faults"),
			})
		}
		for _, name := range names(r.Coverage()) {
			if _, err := ParsePoint(name); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	history := all(sending, []spec.Fact{
		reply(spec.StageGreeting, "220 hi"), said(spec.StageEHLO), reply(spec.StageEHLO, "250 hi"), said(spec.StageMAIL), reply(spec.StageMAIL, "250 ok"),
		said(spec.StageRCPT), reply(spec.StageRCPT, "250 ok"), said(spec.StageDATA), reply(spec.StageDATA, "354 go"), intent, dot, said(spec.StageDot),
		fault(spec.StageDot, spec.FaultDelay), {Kind: spec.FactAccepted}, reply(spec.StageDot, "250 ok"), outcome(spec.Delivered), removed,
		said(spec.StageQUIT), reply(spec.StageQUIT, "221 bye"), closed, ended,
	})
	b.ReportAllocs()
	for b.Loop() {
		r := NewRun()
		for i := range history {
			r.Observe(&history[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(history)), "ns/fact")
}
