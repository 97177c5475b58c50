package seamtest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	Store(t, func(*testing.T) Disk { return &Memory{} })
}

func TestMemoryKeepsTheContractInBubbles(t *testing.T) {
	StoreInBubbles(t, func(*testing.T) Disk { return &Memory{} })
}

// A mutant is a Memory with one fault.
type mutant struct {
	Memory
	wrap func(seam.Store) seam.Store
}

func (m *mutant) Open() (seam.Store, error) {
	store, err := m.Memory.Open()
	return m.wrap(store), err
}

// wrapped is a store with some of its methods replaced.
type wrapped struct {
	seam.Store
	apply func(ops []seam.Op, done func(error))
	write func(ops []seam.Op) error
	get   func(key seam.Key) ([]byte, error)
	scan  func(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error)
}

func (w *wrapped) Apply(ops []seam.Op, done func(error)) {
	if w.apply == nil {
		w.Store.Apply(ops, done)
		return
	}
	w.apply(ops, done)
}

func (w *wrapped) Write(ops []seam.Op) error {
	if w.write == nil {
		return w.Store.Write(ops)
	}
	return w.write(ops)
}

func (w *wrapped) Get(key seam.Key) ([]byte, error) {
	if w.get == nil {
		return w.Store.Get(key)
	}
	return w.get(key)
}

func (w *wrapped) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	if w.scan == nil {
		return w.Store.Scan(space, prefix, after, limit)
	}
	return w.scan(space, prefix, after, limit)
}

// faults maps what a mutant does wrong to the clause that must be named.
var faults = []struct {
	name, clause string
	wrap         func(s seam.Store) seam.Store
}{
	{"calls done inside Apply", clauseDone, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			said := make(chan error)
			s.Apply(ops, func(err error) { said <- err })
			done(<-said)
		}}
	}},
	{"calls done twice", clauseDone, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			s.Apply(ops, func(err error) { done(err); done(err) })
		}}
	}},
	{"calls done out of order", clauseSequence, func(s seam.Store) seam.Store {
		var mu sync.Mutex
		var held func()
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			s.Apply(ops, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				if held == nil && len(ops) > 0 && ops[0].Key.Name == "4" {
					held = func() { done(err) }
					return
				}
				done(err)
				if held != nil {
					held()
					held = func() {}
				}
			})
		}}
	}},
	{"acknowledges what is only written", clauseDurable, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			err := s.Write(ops)
			go done(err)
		}}
	}},
	{"lets a written batch overtake", clauseReads, func(s seam.Store) seam.Store {
		var mu sync.Mutex
		var late []seam.Op
		return &wrapped{Store: s,
			write: func(ops []seam.Op) error {
				mu.Lock()
				defer mu.Unlock()
				late = append(late, copied(ops)...)
				return nil
			},
			apply: func(ops []seam.Op, done func(error)) {
				mu.Lock()
				defer mu.Unlock()
				s.Apply(append(copied(ops), late...), done)
				late = nil
			},
		}
	}},
	{"forgets what was written before an empty batch", clauseDurable, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			if len(ops) == 0 {
				go done(nil)
				return
			}
			s.Apply(ops, done)
		}}
	}},
	{"tears a batch", clauseOrder, func(s seam.Store) seam.Store {
		tear := func(ops []seam.Op) []seam.Op {
			for ; len(ops) > 1; ops = ops[1:] {
				_ = s.Write(ops[:1])
			}
			return ops
		}
		return &wrapped{Store: s,
			write: func(ops []seam.Op) error { return s.Write(tear(ops)) },
			apply: func(ops []seam.Op, done func(error)) { s.Apply(tear(ops), done) },
		}
	}},
	{"applies a batch backwards", clauseOrder, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, apply: func(ops []seam.Op, done func(error)) {
			back := copied(ops)
			slices.Reverse(back)
			s.Apply(back, done)
		}}
	}},
	{"keeps the caller's operations", clauseKeeps, func(s seam.Store) seam.Store {
		var mu sync.Mutex
		var kept []seam.Op
		return &wrapped{Store: s,
			write: func(ops []seam.Op) error {
				mu.Lock()
				defer mu.Unlock()
				kept = ops
				return s.Write(ops)
			},
			apply: func(ops []seam.Op, done func(error)) {
				mu.Lock()
				defer mu.Unlock()
				_ = s.Write(kept) // Once more, from the caller's memory.
				s.Apply(ops, done)
			},
		}
	}},
	{"returns its own memory", clauseCaller, func(s seam.Store) seam.Store {
		var mu sync.Mutex
		shared := map[string][]byte{}
		return &wrapped{Store: s, get: func(key seam.Key) ([]byte, error) {
			v, err := s.Get(key)
			mu.Lock()
			defer mu.Unlock()
			if old, ok := shared[key.Name]; ok && err == nil && len(old) == len(v) {
				return old, nil
			}
			shared[key.Name] = v
			return v, err
		}}
	}},
	{"includes after in a scan", clauseScan, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, scan: func(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
			all, err := s.Scan(space, prefix, "", 1<<20)
			i := slices.IndexFunc(all, func(e seam.Entry) bool { return e.Key.Name >= after })
			if i < 0 {
				i = len(all)
			}
			return all[i:min(i+limit, len(all))], err
		}}
	}},
	{"ignores the limit", clauseScan, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, scan: func(space seam.Space, prefix, after string, _ int) ([]seam.Entry, error) {
			return s.Scan(space, prefix, after, 1<<20)
		}}
	}},
	{"scans backwards", clauseScan, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, scan: func(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
			all, err := s.Scan(space, prefix, after, limit)
			slices.Reverse(all)
			return all, err
		}}
	}},
	{"reads on after Close", clauseClosed, func(s seam.Store) seam.Store {
		return &wrapped{Store: s, get: func(key seam.Key) ([]byte, error) {
			v, err := s.Get(key)
			if err == seam.ErrClosed {
				return []byte("1"), nil
			}
			return v, err
		}}
	}},
}

// recorder is a test that is expected to fail.
type recorder struct {
	rapid.TB
	mu  sync.Mutex
	why []string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.mu.Lock()
	r.why = append(r.why, fmt.Sprintf(format, args...))
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why = append(r.why, fmt.Sprintf(format, args...))
}

// TestEveryFaultIsNamed runs all checks but the random one on stores with a
// fault each, and wants the broken clause among the reasons.
func TestEveryFaultIsNamed(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			var why []string
			for _, c := range Checks() {
				if c.Name == "a store behaves as a map that crashes to a prefix" {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					r := &recorder{TB: t}
					var running sync.WaitGroup
					running.Go(func() { c.Run(r, func() Disk { return &mutant{wrap: fault.wrap} }) })
					running.Wait()
					why = append(why, r.why...)
				})
			}
			if !slices.ContainsFunc(why, func(w string) bool { return strings.Contains(w, fault.clause) }) {
				t.Errorf("no check named the clause %q; the reasons given were %q", fault.clause, why)
			}
		})
	}
}

// A disk that a crash empties, or tears holes into, is found out.
type lossy struct {
	Memory
	lose func(kept map[seam.Key][]byte)
}

func (d *lossy) Crash(kept int) {
	d.Memory.Crash(kept)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lose(d.kept)
}

func TestLossyDisksAreFoundOut(t *testing.T) {
	hole := func(kept map[seam.Key][]byte) {
		delete(kept, seam.Key{Space: seam.SpaceControl, Name: "000002"})
	}
	for _, c := range []struct {
		name, clause string
		check        func(rapid.TB, func() Disk)
		lose         func(map[seam.Key][]byte)
	}{
		{"loses all", clauseDurable, acknowledgedSurvives, func(kept map[seam.Key][]byte) { clear(kept) }},
		{"loses all that was numbered", clauseDurable, crashKeepsPrefix, func(kept map[seam.Key][]byte) { clear(kept) }},
		{"keeps a hole", clausePrefix, crashKeepsPrefix, hole},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			var running sync.WaitGroup
			running.Go(func() { c.check(r, func() Disk { return &lossy{lose: c.lose} }) })
			running.Wait()
			if len(r.why) == 0 || !strings.Contains(r.why[0], c.clause) {
				t.Errorf("want a failure that names %q, got %q", c.clause, r.why)
			}
		})
	}
}
