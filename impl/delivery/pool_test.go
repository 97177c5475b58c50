package delivery

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// pooled gives a world a pool. What that says of its own goes to the log.
func pooled(w *world) *world {
	policy := spec.DefaultPolicy("relay.test")
	if w.policy != nil {
		w.policy(&policy)
	}
	w.pool = NewPool(policy, func(f func()) { go f() }, func(f spec.Fact) {
		if f.Kind == spec.FactTrouble {
			w.say("met %v %v at %s: %v", f.Stage, f.Event, f.Host, f.Verdict)
			return
		}
		w.note(f)
	}, nil)
	return w
}

// met are the lines of the log about connections, and what came of mail.
func (w *world) met() []string {
	return slices.DeleteFunc(slices.Clone(w.log), func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return !slices.Contains([]string{"dial", "reuse", "idle", "met", "settle"}, word)
	})
}

const (
	zone1 = "y MX 10 mx1.y.\nz MX 10 mx1.y.\nmx1.y A 192.0.2.1"
	taken = "settle b@y proceed: dot 2yz mx1.y"
	reuse = "reuse mx1.y 192.0.2.1:25"
	rset  = "C: RSET\nS: 250 ok\n"
)

func TestWhatBecomesOfAConversation(t *testing.T) {
	few := func(p *spec.Policy) { p.Reuse.Messages = 2 }
	for _, test := range []struct {
		name    string
		policy  func(*spec.Policy)
		servers []string
		// pause is between two mails, of which there are as many as results.
		pause time.Duration
		want  []string
	}{
		{"it is taken up by the next", nil, []string{hello + takes("b@y") + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, taken, "idle mx1.y after 2"}},
		{"it ends when nobody comes", nil, []string{hello + takes("b@y") + "quiet 1900ms\n" + quit, hello + takes("b@y") + quit}, 3 * time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", dial1, taken, "idle mx1.y after 1"}},
		{"it carries as many as it may", few, []string{hello + takes("b@y") + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, taken}},
		{"it is not kept when it would be too old", func(p *spec.Policy) { p.Reuse.Age = 4 * time.Second },
			[]string{"wait 3s\n" + hello + takes("b@y") + quit, hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, dial1, taken, "idle mx1.y after 1"}},
		{"RSET ends a transaction without a dot", nil, []string{hello + envelope("b@y", "450 later") + rset + takes("b@y") + quit}, time.Second,
			[]string{dial1, "settle b@y defer: rcpt 4yz mx1.y", "idle mx1.y after 1", reuse, taken, "idle mx1.y after 2"}},
		{"it is over when RSET is refused", nil,
			[]string{hello + envelope("b@y", "450 later") + "C: RSET\nS: 500 what?\n", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, "settle b@y defer: rcpt 4yz mx1.y", dial1, taken, "idle mx1.y after 1"}},
		{"it is over when the server wants somebody else asked", nil,
			[]string{hello + "C: MAIL FROM:<a@x>\nS: 450 busy\n" + quit, hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, "settle b@y defer: mail 4yz mx1.y", dial1, taken, "idle mx1.y after 1"}},
		{"a server that closes is heard", nil, []string{hello + takes("b@y") + "S: 421 bye\nclose", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", "met idle 421 at mx1.y: proceed", dial1, taken, "idle mx1.y after 1"}},
		{"one that is gone is noticed", nil, []string{hello + takes("b@y") + "reset", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", "met idle cut at mx1.y: proceed", dial1, taken, "idle mx1.y after 1"}},
		{"words that nobody asked for are not taken for replies", nil,
			[]string{hello + takes("b@y") + "S: 250 ok\neof", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", "met idle malformed at mx1.y: proceed", dial1, taken, "idle mx1.y after 1"}},
		{"half a word neither", nil, []string{hello + takes("b@y") + "R: \"25\"\neof", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", "met idle malformed at mx1.y: proceed", dial1, taken, "idle mx1.y after 1"}},
		{"one that breaks at MAIL costs a dial", nil,
			[]string{hello + takes("b@y") + "C: MAIL FROM:<a@x>\nclose", hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, dial1, taken, "idle mx1.y after 1"}},
		{"so does 421, and 503", nil,
			[]string{hello + takes("b@y") + "C: MAIL FROM:<a@x>\nS: 421 too many\n", hello + takes("b@y") + "C: MAIL FROM:<a@x>\nS: 503 nested\n" + quit,
				hello + takes("b@y") + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, dial1, taken, "idle mx1.y after 1", reuse, dial1, taken, "idle mx1.y after 1"}},
		{"what is said to MAIL otherwise is an answer", nil,
			[]string{hello + takes("b@y") + "C: MAIL FROM:<a@x>\nS: 550 not you\n" + rset + quit}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, "settle b@y fail-message: mail 5yz mx1.y", "idle mx1.y after 2"}},
		{"a new connection that breaks at MAIL is no other's fault", nil,
			[]string{hello + takes("b@y") + "C: MAIL FROM:<a@x>\nclose", hello + "C: MAIL FROM:<a@x>\nclose"}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, dial1, "settle b@y defer: mail cut mx1.y"}},
		{"one that breaks after RCPT is broken", nil,
			[]string{hello + takes("b@y") + "C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nclose"}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, "settle b@y defer: rcpt cut mx1.y"}},
		{"after a dot there is doubt", nil, []string{hello + takes("b@y") + envelope("b@y", "250 ok") + data("close")}, time.Second,
			[]string{dial1, taken, "idle mx1.y after 1", reuse, "settle b@y in-doubt: dot cut mx1.y"}},
		{"none is kept when none is to be", func(p *spec.Policy) { p.Reuse.Kept = 0 },
			[]string{hello + takes("b@y") + quit, hello + takes("b@y") + quit}, time.Second, []string{dial1, taken, dial1, taken}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := pooled(&world{zone: zone1, policy: test.policy, servers: map[string][]string{"192.0.2.1": test.servers}})
				for _, line := range test.want {
					if strings.HasPrefix(line, "settle") {
						w.deliver(t, t.Context(), "b@y")
						time.Sleep(test.pause)
					}
				}
				time.Sleep(time.Minute)
				w.ends(t)
				if d := cmp.Diff(test.want, w.met()); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestAConversationIsTakenUpForTheSameDutyOnly(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*spec.Policy)
		shared bool
	}{
		{"alike", func(*spec.Policy) {}, true},
		{"a level of its own", func(p *spec.Policy) { p.TLSAt = map[string]spec.TLSLevel{"z": spec.TLSOff} }, false},
		{"places of its own that are taken", func(p *spec.Policy) { p.Limits.Deliveries = 1 }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				scripts := []string{hello + takes("b@y") + quit, hello + takes("b@z") + quit}
				if test.shared {
					scripts = []string{hello + takes("b@y") + takes("b@z") + quit}
				}
				w := pooled(&world{zone: zone1, policy: test.change, servers: map[string][]string{"192.0.2.1": scripts}})
				w.deliver(t, t.Context(), "b@y")
				w.deliver(t, t.Context(), "b@z")
				time.Sleep(time.Minute)
				w.ends(t)
			})
		})
	}
}

// Of an MX host nothing but the domain is verified, so two domains that have it
// in common have no conversation in common.
func TestAKeyHasTheNamesThatAreVerified(t *testing.T) {
	p := spec.DefaultPolicy("relay.test")
	if p.DutyFor(p.TLSFor("y", "mx1.y"), "y", "mx1.y", netip.Addr{}) != p.DutyFor(p.TLSFor("z", "mx1.y"), "z", "mx1.y", netip.Addr{}) {
		t.Error("opportunistic TLS is no longer the same for all")
	}
	p.TLS = spec.TLSVerified
	if p.DutyFor(p.TLSFor("y", "mx1.y"), "y", "mx1.y", netip.Addr{}) == p.DutyFor(p.TLSFor("z", "mx1.y"), "z", "mx1.y", netip.Addr{}) {
		t.Error("the same duty where different names are verified")
	}
}

// A place at a destination goes to who needs it: what is kept is ended first.
func TestWhatIsKeptMakesRoom(t *testing.T) {
	const zone = "y MX 10 mx1.y.\ny MX 20 mx2.y.\nmx1.y A 192.0.2.1\nmx2.y A 192.0.2.2"
	bubble(t, func(t *testing.T) {
		w := pooled(&world{
			zone: zone, policy: func(p *spec.Policy) { p.Limits.DeliveriesPerDestination, p.Reuse.Idle = 1, time.Minute },
			servers: map[string][]string{
				"192.0.2.1": {"refused", hello + takes("b@y") + quit},
				// It is slow to hear that it is over, and is waited for.
				"192.0.2.2": {hello + takes("b@y") + "C: QUIT\nwait 20s\nS: 221 bye"},
			},
		})
		w.deliver(t, t.Context(), "b@y")
		start := time.Now()
		w.deliver(t, t.Context(), "b@y")
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("the second mail took %v", took)
		}
		time.Sleep(time.Hour)
		w.ends(t)
	})
}

// Who comes when the last place is being given up waits for it.
func TestAPlaceThatIsBeingGivenUpIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := pooled(&world{
			zone: zone1, policy: func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 },
			servers: map[string][]string{"192.0.2.1": {hello + takes("b@y") + "C: QUIT\nwait 20s\nS: 221 bye", hello + takes("b@y") + quit}},
		})
		w.deliver(t, t.Context(), "b@y")
		time.Sleep(3 * time.Second) // QUIT was said a second ago
		start := time.Now()
		w.deliver(t, t.Context(), "b@y")
		if took := time.Since(start); took != 19*time.Second {
			t.Errorf("the second mail took %v", took)
		}
		time.Sleep(time.Hour)
		w.ends(t)
	})
}

func TestStopEndsWhatIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := pooled(&world{zone: zone1, policy: func(p *spec.Policy) { p.Reuse.Idle = 4 * time.Minute }, servers: map[string][]string{
			"192.0.2.1": {hello + takes("b@y") + quit, hello + takes("b@y") + quit},
		}})
		w.deliver(t, t.Context(), "b@y")
		time.Sleep(time.Second)
		w.pool.Stop()
		w.pool.Wait()
		w.deliver(t, t.Context(), "b@y") // and keeps nothing more
		w.ends(t)
		if d := cmp.Diff([]string{dial1, taken, "idle mx1.y after 1", dial1, taken}, w.met()); d != "" {
			t.Error(d)
		}
	})
}

// An attempt that has more recipients than a transaction goes on over another
// connection when this one has carried what it may.
func TestTransactionsOfOneAttemptCountToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := pooled(&world{
			zone: zone1, policy: func(p *spec.Policy) { p.Limits.RecipientsPerTransaction, p.Reuse.Messages = 1, 2 },
			servers: map[string][]string{"192.0.2.1": {hello + takes("b1@y") + takes("b2@y") + quit, hello + takes("b3@y") + quit}},
		})
		var to []string
		for i := range 3 {
			to = append(to, fmt.Sprintf("b%d@y", i+1))
		}
		w.deliver(t, t.Context(), to...)
		time.Sleep(time.Minute)
		w.ends(t)
	})
}

// What is ended to make room for another destination is a connection of its own
// destination until the server has let it go.
func TestAPlaceIsItsDestinationsUntilTheConnectionIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := pooled(&world{zone: zone1,
			policy:  func(p *spec.Policy) { p.Limits.Deliveries, p.Limits.DeliveriesPerDestination = 2, 1 },
			servers: map[string][]string{"192.0.2.1": {hello + takes("b@y") + "C: QUIT\nwait 10s\nS: 221 bye\n"}}})
		w.deliver(t, t.Context(), "b@y")
		w.pool.claim(t.Context(), "elsewhere")
		free := func() bool {
			w.pool.mu.Lock()
			defer w.pool.mu.Unlock()
			return w.pool.room("y", 0)
		}
		go w.pool.claim(t.Context(), "z")
		time.Sleep(9 * time.Second)
		if free() {
			t.Error("there is room for another connection while the old one is still open")
		}
		time.Sleep(2 * time.Second)
		if !free() {
			t.Error("there is no room though the old connection is over")
		}
		w.pool.leave("elsewhere")
		w.pool.leave("z")
		if w.pool.total != 0 || len(w.pool.held) != 0 {
			t.Errorf("at the end it holds %d, %v", w.pool.total, w.pool.held)
		}
		time.Sleep(time.Minute)
		w.ends(t)
	})
}
