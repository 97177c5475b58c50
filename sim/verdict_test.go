package sim_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A stub is a relay that does one thing.
type stub func(ctx context.Context, h seam.Host) error

func (s stub) factory(h seam.Host, _ sim.Config) (sim.Relay, error) { return running{s, h}, nil }

type running struct {
	stub
	host seam.Host
}

func (r running) Run(ctx context.Context) error { return r.stub(ctx, r.host) }

// quiet is a world in which nothing is asked of the relay.
const quiet = `# Nothing happens.
-- dns --
example.net.      MX 10 mx1.example.net.
mx1.example.net.  A  192.0.2.10
-- server mx1.example.net --
-- plan --
t+0  submit m1 from alice@example.org to bob@example.net
-- expect --
bob@example.net  anything
`

// TestEveryEndHasItsStatus: what goes wrong with a relay is told apart.
func TestEveryEndHasItsStatus(t *testing.T) {
	waits := func(ctx context.Context, _ seam.Host) error { <-ctx.Done(); return nil }
	for name, test := range map[string]struct {
		relay  stub
		status sim.Status
		words  string
	}{
		"a relay that panics": {
			func(context.Context, seam.Host) error { panic("out of paper") }, sim.Crashed, "out of paper",
		},
		"a relay whose goroutine panics": {
			func(ctx context.Context, h seam.Host) error {
				h.Start(func() { panic("in the cellar") })
				return waits(ctx, h)
			}, sim.Crashed, "in the cellar",
		},
		"a relay that leaves a goroutine behind": {
			func(ctx context.Context, h seam.Host) error {
				go func() { select {} }()
				return waits(ctx, h)
			}, sim.Crashed, "blocked",
		},
		"a relay that ends with an error": {
			func(context.Context, seam.Host) error { return errors.New("no more ink") }, sim.Safety, "no more ink",
		},
		"a relay that ends by itself": {
			func(context.Context, seam.Host) error { return nil }, sim.Safety, "it ended by itself",
		},
		"a relay that does not stop": {
			func(ctx context.Context, h seam.Host) error {
				<-ctx.Done()
				time.Sleep(48 * time.Hour)
				return nil
			}, sim.Crashed, "did not stop within",
		},
		"a relay that spins": {
			func(ctx context.Context, h seam.Host) error {
				for ctx.Err() == nil {
					h.Note(spec.Fact{Kind: spec.FactReady})
					time.Sleep(time.Millisecond)
				}
				return nil
			}, sim.Safety, "the relay spins",
		},
		"a relay that spins and says nothing": {
			func(ctx context.Context, h seam.Host) error {
				for ctx.Err() == nil {
					_, _ = h.Store.Get(seam.ControlKey("none")) // why not, does not matter
				}
				return nil
			}, sim.Safety, "operations: the relay spins",
		},
		"a relay that takes no mail": {waits, sim.Safety, "m1 could not be submitted"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sim.Run(t, parse(t, quiet), test.relay.factory, sim.Options{})
			all := strings.Join(append(r.Mismatches, r.Panic), "\n")
			if r.Status != test.status || !strings.Contains(all, test.words) {
				t.Errorf("it ended with %v, want %v; it says\n%s\nwant %q", r.Status, test.status, all, test.words)
			}
			if well := name == "a relay that takes no mail"; r.EndedBadly() == well || r.Panic == "" && !well && !strings.Contains(r.Ended, test.words) {
				t.Errorf("ended badly: %v, %q", r.EndedBadly(), r.Ended)
			}
		})
	}
}

// TestARelayThatSpinsIsNotAskedToStop: it is killed, so that it cannot go on.
func TestARelayThatSpinsIsNotAskedToStop(t *testing.T) {
	spins := func(ctx context.Context, h seam.Host) error {
		for {
			if _, err := h.Store.Get(seam.ControlKey("none")); !errors.Is(err, seam.ErrNotFound) {
				return err
			}
			if ctx.Err() != nil {
				time.Sleep(time.Second)
			}
		}
	}
	r := sim.Run(t, parse(t, quiet), stub(spins).factory, sim.Options{})
	if !strings.Contains(r.Ended, "the relay spins") || r.Virtual > time.Minute {
		t.Errorf("after %v: ended %q", r.Virtual, r.Ended)
	}
}

func TestAFactoryThatFailsIsTold(t *testing.T) {
	f := func(seam.Host, sim.Config) (sim.Relay, error) { return nil, errors.New("no licence to relay") }
	r := sim.Run(t, parse(t, quiet), f, sim.Options{})
	if all := strings.Join(r.Mismatches, "\n"); r.Status != sim.Safety || !strings.Contains(all, "no licence to relay") {
		t.Errorf("%v: %s", r.Status, all)
	}
}

// TestAFaultThatNeverFiresGivesNoVerdict: such a run proves nothing.
func TestAFaultThatNeverFiresGivesNoVerdict(t *testing.T) {
	for _, test := range []struct{ old, text, words string }{
		{"-- plan --", "at dot, nth 7: 451 4.0.0 Later\n-- plan --", "at dot, nth 7"},
		{"-- server", "nowhere.example.  MX SERVFAIL\n-- server", "nowhere.example. MX SERVFAIL was never met"},
		{"-- expect --", "crash after report, restart after 1m\n-- expect --", "never came"},
	} {
		text := strings.Replace(quiet, test.old, test.text, 1)
		r := sim.Run(t, parse(t, text), newRelay, sim.Options{})
		if all := strings.Join(r.Unused, "\n"); r.Status != sim.NoVerdict || !strings.Contains(all, test.words) {
			t.Errorf("%q: %v: %s", test.text, r.Status, all)
		}
		if r := sim.Run(t, parse(t, text), newRelay, sim.Options{AllowUnused: true}); r.Status != sim.OK {
			t.Errorf("%q, though allowed: %v", test.text, r.Status)
		}
	}
}

// TestNewsThatIsNotExpectedIsAMismatch: who expects nothing of it, expects none.
func TestNewsThatIsNotExpectedIsAMismatch(t *testing.T) {
	text := strings.Replace(quiet, "to bob@example.net", "to bob@example.net notify success", 1)
	text = strings.Replace(text, "bob@example.net  anything", "bob@example.net  delivered", 1)
	r := sim.Run(t, parse(t, text), newRelay, sim.Options{})
	if all := strings.Join(r.Mismatches, "\n"); r.Status != sim.Safety || !strings.Contains(all, "told of relay 1 times, expected 0") {
		t.Errorf("%v: %s", r.Status, all)
	}
}

// TestAnExpectationThatIsWrongFails: each kind of line can fail, at its line.
func TestAnExpectationThatIsWrongFails(t *testing.T) {
	for _, test := range []struct{ line, words string }{
		{"bob@example.net  failed", "m1 to bob@example.net is delivered (250 2.0.0 Accepted), expected failed"},
		{"bob@example.net  delivered, 2 attempts", "has 1 attempt, expected 2"},
		{"bob@example.net  delivered, 2 acceptances\nlicence \"reply lost\"", "has 1 acceptance, expected 2"},
		{"bob@example.net  failed, 1 report", "has 0 reports to the sender, expected 1"},
		{"bob@example.net  delivered, told of relay", "the sender was told of relay 0 times, expected 1"},
		{"bob@example.net  delivered, told of delay", "the sender was told of delay 0 times, expected 1"},
		{`report           "Action: relayed"`, "none of the 0 reports that reached the sender contains"},
		{`licence          "reply lost"`, "no second acceptance was licensed"},
		{"violates         NEVER-TWICE", "NEVER-TWICE was not violated"},
	} {
		text := strings.Replace(quiet, "bob@example.net  anything", test.line, 1)
		if !strings.Contains(test.line, "bob@") {
			text += "bob@example.net  anything\n"
		}
		r := sim.Run(t, parse(t, text), newRelay, sim.Options{})
		all := strings.Join(r.Mismatches, "\n")
		if r.Status != sim.Safety || !strings.Contains(all, test.words) || !strings.HasPrefix(all, "test:9: ") {
			t.Errorf("%q: %v: %s", test.line, r.Status, all)
		}
	}
}

// TestHowMailCameIsHeldAgainstWhatIsExpected: under TLS, or in clear.
func TestHowMailCameIsHeldAgainstWhatIsExpected(t *testing.T) {
	for name, wrong := range map[string]string{"tls/offered": scenarios.InClear, "tls/off": scenarios.Encrypted} {
		sc := *load(t, name)
		sc.Expect = slices.Clone(sc.Expect)
		sc.Expect[0].TLS = wrong
		r := sim.Run(t, &sc, newRelay, sim.Options{})
		if all := strings.Join(r.Mismatches, "\n"); r.Status != sim.Safety || !strings.HasSuffix(all, "of 1, expected "+wrong) {
			t.Errorf("%s: %v: %s", name, r.Status, all)
		}
	}
}

// TestAnOrderThatIsToBeRefusedMustBe: what the operator says is done instead.
func TestAnOrderThatIsToBeRefusedMustBe(t *testing.T) {
	text := strings.NewReplacer("-- plan --", "network refused\n-- plan --", "-- expect --", "t+1m  delete m1, refused\n-- expect --").Replace(quiet)
	r := sim.Run(t, parse(t, text), newRelay, sim.Options{})
	if all := strings.Join(r.Mismatches, "\n"); r.Status != sim.Safety || !strings.Contains(all, "said of m1, delete, which it was to refuse") {
		t.Errorf("%v: %s", r.Status, all)
	}
}

func TestWhatDoesNotFinishIsNoProgress(t *testing.T) {
	text := strings.Replace(quiet, "-- plan --", "network refused\n-- plan --", 1)
	r := sim.Run(t, parse(t, text), newRelay, sim.Options{MaxVirtual: time.Hour})
	if r.Status != sim.Progress || len(r.Violations) == 0 || r.Violations[0].Rule != spec.Progress {
		t.Errorf("%v: %v", r.Status, r.Violations)
	}
}

// TestARunThatSeeksARuleEndsThere: and says no more than that.
func TestARunThatSeeksARuleEndsThere(t *testing.T) {
	text := strings.Replace(quiet, "-- plan --", "at dot: accept; cut\n-- plan --", 1)
	impatient := func(h seam.Host, c sim.Config) (sim.Relay, error) {
		c.Policy.InDoubt = spec.DoubtRetry
		return newRelay(h, c)
	}
	whole := sim.Run(t, parse(t, text), impatient, sim.Options{})
	short := sim.Run(t, parse(t, text), impatient, sim.Options{Until: spec.NeverTwice})
	if short.EndedBadly() {
		t.Errorf("it is said of the relay that it ended badly: %s", short.Ended)
	}
	last := short.Violations[len(short.Violations)-1]
	if last.Rule != spec.NeverTwice || len(short.Violations) >= len(whole.Violations) || short.Virtual > whole.Virtual/10 {
		t.Errorf("after %v: %v; the whole run takes %v and breaks %d rules", short.Virtual, short.Violations, whole.Virtual, len(whole.Violations))
	}
}

// TestAStopComesAfterItsFact: the relay is told right then; a stop that never
// comes gives no verdict.
func TestAStopComesAfterItsFact(t *testing.T) {
	for fact, want := range map[string]bool{"queued": true, "damaged": false} {
		sc := parse(t, strings.Replace(quiet, "-- plan --\n", "-- plan --\nstop after "+fact+", restart after 1s\n", 1))
		r := sim.Run(t, sc, newRelay, sim.Options{})
		at := slices.IndexFunc(r.Facts, func(f spec.Fact) bool { return slices.Contains(f.Faults, spec.FaultStop) })
		switch {
		case !want && (at >= 0 || r.Status != sim.NoVerdict):
			t.Errorf("stop after %s: %v, and a stop at %d", fact, r.Status, at)
		case want && (at < 1 || r.Status != sim.OK):
			t.Errorf("stop after %s: %v, and a stop at %d", fact, r.Status, at)
		case want && !slices.ContainsFunc(r.Facts[:at], func(f spec.Fact) bool { return f.Kind == spec.FactQueued }):
			t.Errorf("the stop comes before the fact that it is to come after")
		}
	}
}
