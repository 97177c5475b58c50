package impl_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// stopped makes a relay that does not run.
func (s *stage) stopped() *impl.Relay {
	s.t.Helper()
	return s.stoppedWith(impl.Config{})
}

// stoppedWith makes one with a configuration, but for the policy.
func (s *stage) stoppedWith(config impl.Config) *impl.Relay {
	s.t.Helper()
	config.Policy = spec.DefaultPolicy("relay.example")
	relay, err := impl.New(config, seam.Host{
		Store: s.store, Start: func(f func()) { go f() }, Note: s.note,
		Random: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return relay
}

// foreign is an entry of another relay's queue.
func foreign(to ...string) queue.Entry {
	e := queue.Entry{ID: "c-1", Sender: "alice@example.org", Submitted: spec.WallOf(time.Now())}
	e.Recipients = []queue.Recipient{{Address: "old style", State: spec.Delivered}}
	for _, address := range to {
		e.Recipients = append(e.Recipients, queue.Recipient{Address: address, State: spec.Queued})
	}
	return e
}

func TestAMessageIsAdoptedOnce(t *testing.T) {
	for name, content := range map[string]string{"short": "Message-ID: <m1@example.org>\r\n\r\nHi \xe9\r\n", "long": "\r\n" + long()} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(s *stage) {
				relay := s.stopped()
				if err := relay.CheckAdoption(foreign("bob@example.net"), strings.NewReader(content)); err != nil {
					t.Error(err)
				}
				if left := s.keys(seam.SpaceControl); len(left) > 0 {
					t.Errorf("a check stores %v", left)
				}
				if err := relay.AdoptStopped(foreign(`"bob"@example.net`), strings.NewReader(content)); err != nil {
					t.Fatal(err)
				}
				value, err := s.store.Get(seam.ControlKey("c-1"))
				if err != nil {
					t.Fatal(err)
				}
				e, err := queue.DecodeEntry(value)
				if err != nil || e.Recipients[1].Address != "bob@example.net" || e.Recipients[0].State != spec.Delivered {
					t.Errorf("%+v, %v", e, err)
				}
				wantID := map[string]string{"short": "m1@example.org", "long": "c-1@relay.example"}[name]
				if e.Message != wantID || e.Body8Bit != (name == "short") || int(e.Size) < len(content) || len(s.keys(seam.SpaceBody)) != seam.Chunks(e.Size) {
					t.Errorf("%+v, with %d chunks", e, len(s.keys(seam.SpaceBody)))
				}
				// It is delivered, and long gone.
				done := make(chan error, 1)
				s.store.Apply([]seam.Op{{Key: seam.ControlKey("c-1"), Delete: true}}, func(err error) { done <- err })
				<-done
				for what, err := range map[string]error{
					"a check": relay.CheckAdoption(foreign("bob@example.net"), strings.NewReader(content)),
					"another": s.stopped().AdoptStopped(foreign("bob@example.net"), strings.NewReader(content)),
				} {
					if !errors.Is(err, impl.ErrAdopted) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if left := s.keys(seam.SpaceControl); len(left) > 0 {
					t.Errorf("%v is queued again", left)
				}
			})
		})
	}
}

func TestAnAdoptedMessageIsOnlyWhole(t *testing.T) {
	for _, tt := range []struct {
		name, content, says string
		to                  []string
	}{
		{"no recipient left", "\r\nHi\r\n", "the message has 0 recipients", nil},
		{"a recipient that cannot be sent to", "\r\nHi\r\n", `recipient "bob"`, []string{"bob"}},
		{"a recipient twice", "\r\nHi\r\n", "names bob@EXAMPLE.net twice", []string{`"bob"@example.net`, "bob@EXAMPLE.net"}},
		{"a bare LF", "Subject: x\n\nHi\n", "CR and LF stand only together", []string{"bob@example.net"}},
		{"NUL at the end", long() + "\x00\r\n", "NUL", []string{"bob@example.net"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onStage(t, func(s *stage) {
				relay := s.stopped()
				checked := relay.CheckAdoption(foreign(tt.to...), strings.NewReader(tt.content))
				err := relay.AdoptStopped(foreign(tt.to...), strings.NewReader(tt.content))
				if err == nil || checked == nil || !strings.Contains(err.Error(), tt.says) || checked.Error() != err.Error() {
					t.Errorf("got %v and %v, want %q", checked, err, tt.says)
				}
				for _, space := range []seam.Space{seam.SpaceControl, seam.SpaceBody, seam.SpaceDue, seam.SpaceWriting, seam.SpaceMeta} {
					if left := s.keys(space); len(left) > 0 {
						t.Errorf("%c has %v", space, left)
					}
				}
			})
		})
	}
}

func TestAnAdoptionThatWasCutOffIsMadeAgain(t *testing.T) {
	onStage(t, func(s *stage) {
		if err := s.store.Write([]seam.Op{
			{Key: seam.Key{Space: seam.SpaceWriting, Name: "c-1"}},
			{Key: seam.ChunkKey("c-1", 0), Value: []byte("half")},
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.stopped().AdoptStopped(foreign("bob@example.net"), strings.NewReader(long())); err != nil {
			t.Fatal(err)
		}
		chunk, err := s.store.Get(seam.ChunkKey("c-1", 0))
		if err != nil || len(chunk) != seam.ChunkBytes {
			t.Errorf("the first chunk has %d bytes, %v", len(chunk), err)
		}
		if left := s.keys(seam.SpaceWriting); len(left) > 0 {
			t.Errorf("the next start erases the content of %v", left)
		}
	})
}

func TestARelayDeliversWhatItsStoppedSelfAdopted(t *testing.T) {
	onStage(t, func(s *stage) {
		if err := s.stopped().AdoptStopped(foreign("bob@example.net"), strings.NewReader("\r\nHi\r\n")); err != nil {
			t.Fatal(err)
		}
		s.facts = nil
		s.run(impl.Config{})
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		attempts := 0
		for _, kind := range s.facts {
			if kind == spec.FactAttempt {
				attempts++
			}
		}
		if attempts != 1 {
			t.Errorf("%d attempts: %v", attempts, s.facts)
		}
	})
}

func TestTheCoreOfAHarnessIsUsedWhileARelayIsStopped(t *testing.T) {
	onStage(t, func(s *stage) {
		adopted := 0
		relay := s.stoppedWith(impl.Config{Core: func(step queue.StepFunc) queue.StepFunc {
			return func(now spec.Instant, e queue.Event) []queue.Action {
				if _, ok := e.(queue.Adopt); ok {
					adopted++
				}
				return step(now, e)
			}
		}})
		if err := relay.AdoptStopped(foreign("bob@example.net"), strings.NewReader("\r\nHi\r\n")); err != nil || adopted != 1 {
			t.Errorf("it saw %d adoptions, %v", adopted, err)
		}
	})
}

// A liar stores what it is given, and says that it failed.
type liar struct{ seam.Store }

func (l liar) Apply(ops []seam.Op, done func(error)) {
	l.Store.Apply(ops, func(error) { done(errors.New("it says that it failed")) })
}

// After a failed write nobody knows what the disk holds: what may belong to a
// message must not be taken away.
func TestAnAdoptionThatMayBeStoredKeepsItsContent(t *testing.T) {
	onStage(t, func(s *stage) {
		s.store.Store = liar{s.store.Store}
		err := s.stopped().AdoptStopped(foreign("bob@example.net"), strings.NewReader(long()))
		if err == nil || !strings.Contains(err.Error(), "it says that it failed") {
			t.Errorf("got %v", err)
		}
		value, err := s.store.Get(seam.ControlKey("c-1"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := queue.DecodeEntry(value)
		if err != nil || len(s.keys(seam.SpaceBody)) != seam.Chunks(e.Size) {
			t.Errorf("%+v, %v; it has %d chunks", e, err, len(s.keys(seam.SpaceBody)))
		}
	})
}
