package impl_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// A stage is a relay on a machine without a network, in a bubble: what waits
// for ever ends the test.
type stage struct {
	t     *testing.T
	store *stubborn
	relay *impl.Relay
	mu    sync.Mutex // guards facts: deliveries note theirs themselves
	facts []spec.FactKind
	stop  context.CancelFunc
	ended chan error
}

// stubborn is a store whose reads can be made to fail or to wait.
type stubborn struct {
	seam.Store
	fail bool
	wait chan struct{} // scans wait until it is closed; nil is not at all
}

func (s *stubborn) Get(k seam.Key) ([]byte, error) {
	if s.fail {
		return nil, errors.New("I/O error")
	}
	return s.Store.Get(k)
}

func (s *stubborn) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	if s.wait != nil {
		<-s.wait
	}
	return s.Store.Scan(space, prefix, after, limit)
}

func onStage(t *testing.T, f func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := new(seamtest.Memory).Open()
		if err != nil {
			t.Fatal(err)
		}
		s := &stage{t: t, store: &stubborn{Store: store}}
		f(s)
		if s.stop != nil {
			s.stop()
			<-s.ended
		}
		_ = store.Close()
	})
}

// run starts a relay.
func (s *stage) run(config impl.Config) {
	s.t.Helper()
	config.Policy = spec.DefaultPolicy("relay.example")
	relay, err := impl.New(config, seam.Host{
		Dial:     func(context.Context, netip.Addr, string) (net.Conn, error) { return nil, errors.New("no network") },
		Listen:   func(string) (net.Listener, error) { return nil, errors.New("address already in use") },
		Exchange: func(context.Context, *dns.Msg) (*dns.Msg, error) { return nil, errors.New("no network") },
		Store:    s.store, Start: func(f func()) { go f() },
		Random: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
		Note:   s.note,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	s.relay, s.stop, s.ended = relay, cancel, make(chan error, 1)
	go func() { s.ended <- relay.Run(ctx) }()
	synctest.Wait()
}

func (s *stage) note(f spec.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(s.facts, f.Kind)
}

// keys are the names in a space of the store.
func (s *stage) keys(space seam.Space) []string {
	s.t.Helper()
	entries, err := s.store.Store.Scan(space, "", "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Key.Name)
	}
	return names
}

func to(recipients ...string) spec.Envelope {
	return spec.Envelope{Sender: "alice@example.org", Recipients: recipients}
}

// long is a content that does not fit one chunk.
func long() string { return strings.Repeat("0123456789\r\n", 10_000) }

func TestNobodyWaitsForARelayThatHalted(t *testing.T) {
	onStage(t, func(s *stage) {
		s.run(impl.Config{})
		s.store.fail = true
		if err := s.relay.Decide(s.t.Context(), "Q1", "", "retry"); err == nil || !strings.Contains(err.Error(), "I/O error") {
			t.Errorf("the operator is told %v", err)
		}
		if err := <-s.ended; err == nil || !strings.Contains(err.Error(), "I/O error") {
			t.Errorf("Run ends with %v", err)
		}
		s.ended <- nil
	})
}

// TestASubmissionWaitsForRecovery: recovery erases content that no message owns.
func TestASubmissionWaitsForRecovery(t *testing.T) {
	onStage(t, func(s *stage) {
		s.store.wait = make(chan struct{})
		s.run(impl.Config{})
		done := make(chan error, 2)
		submit := func(ctx context.Context) {
			_, err := s.relay.Submit(ctx, to("bob@example.net"), "m1", strings.NewReader(long()))
			done <- err
		}
		impatient, cancel := context.WithCancel(s.t.Context())
		go submit(impatient)
		go submit(s.t.Context())
		synctest.Wait()
		if got := s.keys(seam.SpaceBody); len(got) > 0 {
			t.Errorf("before recovery is over, the store holds %q", got)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("who does not want to wait any more is told %v", err)
		}
		close(s.store.wait)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := s.keys(seam.SpaceBody); len(got) != 2 {
			t.Errorf("the store holds %q of a content of two chunks", got)
		}
	})
}

// TestASlowSubmitterHoldsNobodyUp: a call of Read cannot be called back.
func TestASlowSubmitterHoldsNobodyUp(t *testing.T) {
	for name, end := range map[string]func(s *stage, cancel func()){
		"its context is done":  func(_ *stage, cancel func()) { cancel() },
		"the relay is stopped": func(s *stage, _ func()) { s.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(s *stage) {
				s.run(impl.Config{})
				r, w := io.Pipe()
				ctx, cancel := context.WithCancel(s.t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() {
					_, err := s.relay.Submit(ctx, to("bob@example.net"), "m1", r)
					done <- err
				}()
				_, _ = io.WriteString(w, long())
				synctest.Wait()
				if len(s.keys(seam.SpaceBody)) == 0 {
					t.Error("no chunk was written ahead, so nothing is shown")
				}
				end(s, cancel)
				if err := <-done; err == nil {
					t.Error("a message that was not read to its end is queued")
				}
				if got := s.keys(seam.SpaceBody); len(got) > 0 {
					t.Errorf("the store still holds %q", got)
				}
				_ = w.Close()
			})
		})
	}
}

func TestARefusedSubmissionLeavesNothing(t *testing.T) {
	unread := readerFunc(func([]byte) (int, error) {
		t.Error("the content is read")
		return 0, io.EOF
	})
	large := io.LimitReader(readerFunc(func(p []byte) (int, error) { return len(p), nil }), 51<<20)
	for _, tt := range []struct {
		name     string
		envelope spec.Envelope
		content  io.Reader
	}{
		{"nobody", to(), unread},
		{"too many", to(make([]string, 1001)...), unread},
		{"a NUL in a domain", to("bob@exa\x00mple.net"), unread},
		{"no domain", to("bob"), unread},
		{"a sender that is none", spec.Envelope{Sender: "alice", Recipients: []string{"bob@example.net"}}, unread},
		{"a wish that nobody can have", spec.Envelope{
			Sender: "a@x.org", Recipients: []string{"bob@example.net"}, Asked: []spec.Asked{{Notify: spec.NotifyNever | spec.NotifyDelay}},
		}, unread},
		{"a wish about nobody", spec.Envelope{Sender: "a@x.org", Recipients: []string{"bob@example.net"}, Asked: make([]spec.Asked, 2)}, unread},
		{"an identifier of two lines", spec.Envelope{
			Sender: "a@x.org", Recipients: []string{"bob@example.net"}, Tracking: spec.Tracking{EnvelopeID: "a\r\nb"},
		}, unread},
		{"too large", to("bob@example.net"), large},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, func(s *stage) {
				s.run(impl.Config{})
				if id, err := s.relay.Submit(s.t.Context(), tt.envelope, "m1", tt.content); err == nil {
					t.Errorf("queued as %s", id)
				}
				for _, space := range []seam.Space{seam.SpaceBody, seam.SpaceWriting, seam.SpaceControl} {
					if got := s.keys(space); len(got) > 0 {
						t.Errorf("the store holds %q", got)
					}
				}
			})
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestOneBadIndexLineKeepsNoRelayFromStarting: it is set aside, and the others
// are read.
func TestOneBadIndexLineKeepsNoRelayFromStarting(t *testing.T) {
	onStage(t, func(s *stage) {
		const bad = "exa\x00mple.net\x000000000000000001/Q2"
		e := queue.Entry{ID: "Q1", Message: "m1", Sender: "alice@example.org", Size: 4,
			Recipients: []queue.Recipient{{Address: "bob@exa", State: spec.Queued}}}
		if err := s.store.Write([]seam.Op{
			{Key: seam.ControlKey("Q1"), Value: e.Encode()},
			{Key: queue.Waiting{Destination: "exa", ID: "Q1"}.Key()},
			{Key: seam.Key{Space: seam.SpaceDue, Name: bad}},
			{Key: seam.Key{Space: seam.SpaceDue, Name: "dust"}},
		}); err != nil {
			t.Fatal(err)
		}
		s.run(impl.Config{})
		if !slices.Contains(s.facts, spec.FactAttempt) {
			t.Errorf("nobody was attempted: %v", s.facts)
		}
		if got := s.keys(seam.SpaceDamaged); len(got) != 2 {
			t.Errorf("set aside: %q", got)
		}
	})
}

// TestARelayThatCannotListenDecidesNothing: another one may be running.
func TestARelayThatCannotListenDecidesNothing(t *testing.T) {
	onStage(t, func(s *stage) {
		e := queue.Entry{ID: "Q1", Message: "m1", Sender: "alice@example.org", Size: 4,
			Recipients: []queue.Recipient{{Address: "bob@example.net", State: spec.Intent, Attempts: 1}}}
		if err := s.store.Write([]seam.Op{
			{Key: seam.ControlKey("Q1"), Value: e.Encode()},
			{Key: seam.Key{Space: seam.SpaceIntent, Name: "Q1"}},
		}); err != nil {
			t.Fatal(err)
		}
		s.run(impl.Config{Listen: "127.0.0.1:25"})
		if err := <-s.ended; err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("Run ends with %v", err)
		}
		s.ended <- nil
		if len(s.facts) > 0 || len(s.keys(seam.SpaceIntent)) != 1 {
			t.Errorf("%v was noted, and the intents are %q", s.facts, s.keys(seam.SpaceIntent))
		}
		if _, err := s.relay.Submit(s.t.Context(), to("bob@example.net"), "m1", strings.NewReader("")); err == nil {
			t.Error("it takes mail")
		}
	})
}
