package seamtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

// modelSpaces are the spaces that the model uses; a store may keep something
// of its own in SpaceMeta.
var modelSpaces = []seam.Space{seam.SpaceBody, seam.SpaceControl, seam.SpaceDue}

// undated hides testing.T.Deadline, which may not be called in a bubble.
type undated struct{ rapid.TB }

// behavesAsModel drives a store and a map with the same random calls.
func behavesAsModel(t rapid.TB, open func() Disk) {
	rapid.Check(undated{t}, func(t *rapid.T) {
		disk := open()
		m := &model{disk: disk, store: opened(t, disk)}
		m.history = []map[seam.Key]string{{}}
		m.ledger = newLedger(t, m.store)
		t.Repeat(map[string]func(*rapid.T){
			"apply": m.apply,
			"write": m.write,
			"wait":  m.wait,
			"get":   m.get,
			"scan":  m.scan,
			"close": m.close,
			"crash": m.crash,
		})
		closed(t, m.store)
	})
}

// A model knows every state that the store went through since it was opened:
// a crash may fall back to any of those not yet acknowledged.
type model struct {
	disk   Disk
	store  seam.Store
	ledger *ledger
	// history holds the contents after each batch; history[0] is what the
	// store was opened with.
	history []map[seam.Key]string
	// promised maps the number of an applied batch to its place in history.
	promised []int
	promises []*promise
}

func (m *model) now() map[seam.Key]string { return m.history[len(m.history)-1] }

// batch draws operations and appends the contents after them to the history.
func (m *model) batch(t *rapid.T) []seam.Op {
	state := maps.Clone(m.now())
	var ops []seam.Op
	for range rapid.IntRange(0, 5).Draw(t, "operations") {
		key := seam.Key{Space: rapid.SampledFrom(modelSpaces).Draw(t, "space"), Name: name().Draw(t, "name")}
		if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
			ops = append(ops, seam.Op{Key: key, Delete: true})
			delete(state, key)
			continue
		}
		size := rapid.SampledFrom([]int{0, 1, 10, 300, 5000}).Draw(t, "size")
		v := fmt.Sprintf("%d:%s", len(m.history), strings.Repeat("v", size))
		ops = append(ops, seam.Op{Key: key, Value: []byte(v)})
		state[key] = v
	}
	m.history = append(m.history, state)
	return ops
}

// name draws from so few names that batches meet.
func name() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', '/', 0}), 1, 3, -1)
}

func (m *model) apply(t *rapid.T) {
	ops := m.batch(t)
	m.promised = append(m.promised, len(m.history)-1)
	m.promises = append(m.promises, m.ledger.apply(ops...))
}

func (m *model) write(t *rapid.T) { write(t, m.store, m.batch(t)...) }

func (m *model) wait(t *rapid.T) {
	if len(m.promises) == 0 {
		t.Skip("nothing was applied")
	}
	i := rapid.IntRange(0, len(m.promises)-1).Draw(t, "batch")
	m.ledger.durable(m.promises[i])
	m.promises[i].said <- nil // So that it can be waited for again.
}

func (m *model) get(t *rapid.T) {
	key := seam.Key{Space: rapid.SampledFrom(modelSpaces).Draw(t, "space"), Name: name().Draw(t, "name")}
	got, err := m.store.Get(key)
	want, ok := m.now()[key]
	if ok && (err != nil || string(got) != want) {
		broken(t, clauseReads, "Get(%v) returned %q and error %v, want %q", key, got, err, want)
	}
	if !ok && !errors.Is(err, seam.ErrNotFound) {
		broken(t, clauseMissing, "Get(%v) returned %q and error %v", key, got, err)
	}
}

func (m *model) scan(t *rapid.T) {
	space := rapid.SampledFrom(modelSpaces).Draw(t, "space")
	prefix := rapid.SampledFrom([]string{"", "a", "b/", "\x00", "zz"}).Draw(t, "prefix")
	after := rapid.OneOf(rapid.Just(""), name()).Draw(t, "after")
	limit := rapid.IntRange(0, 6).Draw(t, "limit")
	want := []string{}
	for _, key := range sorted(m.now()) {
		if key.Space == space && strings.HasPrefix(key.Name, prefix) && key.Name > after && len(want) < limit {
			want = append(want, key.Name)
		}
	}
	if got := names(t, m.store, space, prefix, after, limit); !slices.Equal(got, want) {
		broken(t, clauseScan, "Scan(%q, prefix %q, after %q, limit %d) returned %q, want %q", space, prefix, after, limit, got, want)
	}
}

func (m *model) close(t *rapid.T) {
	m.ledger.durable(m.ledger.apply()) // Covers what was only written.
	closed(t, m.store)
	m.reopen(t, len(m.history)-1)
}

func (m *model) crash(t *rapid.T) {
	least := 0
	if said := m.ledger.acknowledged(); len(said) > 0 {
		if last := said[len(said)-1]; last < len(m.promised) {
			least = m.promised[last]
		}
	}
	m.disk.Crash(rapid.SampledFrom([]int{0, 1, 50, 99, 100}).Draw(t, "kept"))
	m.reopen(t, least)
}

// reopen checks that the store holds one of the states from history[least] on,
// and starts a new history from it.
func (m *model) reopen(t *rapid.T, least int) {
	m.store = opened(t, m.disk)
	m.ledger = newLedger(t, m.store)
	found := map[seam.Key]string{}
	for _, space := range modelSpaces {
		entries, err := m.store.Scan(space, "", "", 1<<20)
		if err != nil {
			t.Fatalf("Scan failed on a healthy disk: %v", err)
		}
		for _, e := range entries {
			found[e.Key] = string(e.Value)
		}
	}
	for _, state := range slices.Backward(m.history[least:]) {
		if maps.Equal(state, found) {
			m.history = []map[seam.Key]string{found}
			m.promised, m.promises = nil, nil
			return
		}
	}
	for i, state := range m.history[:least] {
		if maps.Equal(state, found) {
			broken(t, clauseDurable, "%d batches were applied, those up to %d acknowledged, and the store came back as after batch %d",
				len(m.history)-1, least, i)
		}
	}
	broken(t, clausePrefix, "after a crash the store holds what it held after none of the %d batches: %q", len(m.history)-1, sorted(found))
}

// sorted returns the keys of a state in order.
func sorted(state map[seam.Key]string) []seam.Key {
	return slices.SortedFunc(maps.Keys(state), func(a, b seam.Key) int {
		if a.Space != b.Space {
			return int(a.Space) - int(b.Space)
		}
		return strings.Compare(a.Name, b.Name)
	})
}
