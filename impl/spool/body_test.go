package spool

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// memory opens a store in memory.
func memory(t testing.TB) seam.Store {
	store, err := new(seamtest.Memory).Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// stored lists the names in a space.
func stored(t testing.TB, store seam.Store, space seam.Space) []string {
	entries, err := store.Scan(space, "", "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Key.Name)
	}
	return all
}

// commit makes the message of a writer exist.
func commit(t testing.TB, store seam.Store, w *BodyWriter) {
	said := make(chan error, 1)
	store.Apply(w.Ops(), func(err error) { said <- err })
	if err := <-said; err != nil {
		t.Fatal(err)
	}
}

func content(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + i>>10)
	}
	return b
}

func TestASmallBodyIsOneOperationAndNoEarlyWrite(t *testing.T) {
	for _, size := range []int{0, 1, seam.ChunkBytes - 1, seam.ChunkBytes} {
		store := memory(t)
		w := NewBodyWriter(store, "Q1")
		if _, err := w.Write(content(size)); err != nil {
			t.Fatal(err)
		}
		if early := append(stored(t, store, seam.SpaceBody), stored(t, store, seam.SpaceWriting)...); len(early) > 0 {
			t.Errorf("a body of %d bytes was written ahead: %q", size, early)
		}
		if ops := w.Ops(); len(ops) != min(size, 1) {
			t.Errorf("a body of %d bytes needs %d operations", size, len(ops))
		}
	}
}

func TestALargeBodyIsWrittenAheadUnderAWritingKey(t *testing.T) {
	store := memory(t)
	w := NewBodyWriter(store, "Q1")
	if _, err := w.Write(content(2*seam.ChunkBytes + 1)); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, store, seam.SpaceBody); !slices.Equal(got, []string{"Q1/00000000", "Q1/00000001"}) {
		t.Errorf("written ahead: %q", got)
	}
	if got := stored(t, store, seam.SpaceWriting); !slices.Equal(got, []string{"Q1"}) {
		t.Errorf("writing keys: %q", got)
	}
	commit(t, store, w)
	if got := stored(t, store, seam.SpaceBody); len(got) != 3 || len(got) != seam.Chunks(w.Size()) {
		t.Errorf("after the commit: %q", got)
	}
	if got := stored(t, store, seam.SpaceWriting); len(got) != 0 {
		t.Errorf("writing keys after the commit: %q", got)
	}
	if err := store.Write(seam.RemoveBody("Q1", w.Size())); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, store, seam.SpaceBody); len(got) != 0 {
		t.Errorf("after the removal: %q", got)
	}
}

func TestAbandonLeavesNothing(t *testing.T) {
	for _, size := range []int{0, 10, 3 * seam.ChunkBytes} {
		store := memory(t)
		w := NewBodyWriter(store, "Q1")
		if _, err := w.Write(content(size)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Abandon(); err != nil {
				t.Fatal(err)
			}
		}
		if left := append(stored(t, store, seam.SpaceBody), stored(t, store, seam.SpaceWriting)...); len(left) > 0 {
			t.Errorf("a body of %d bytes left %q", size, left)
		}
	}
}

func TestABodyIsReadAsItWasWritten(t *testing.T) {
	store := memory(t)
	rapid.Check(t, func(t *rapid.T) {
		id := spec.QueueID(rapid.StringMatching(`[A-Z0-9]{1,8}`).Draw(t, "id"))
		size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(seam.ChunkBytes-2, seam.ChunkBytes+2), rapid.IntRange(0, 5*seam.ChunkBytes))
		want := content(size.Draw(t, "size"))
		w := NewBodyWriter(store, id)
		for rest := want; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatalf("Write of %d bytes took %d, %v", n, m, err)
			}
			rest = rest[n:]
		}
		said := make(chan error, 1)
		store.Apply(w.Ops(), func(err error) { said <- err })
		if err := <-said; err != nil {
			t.Fatal(err)
		}
		r := Body(store, id, w.Size())
		if err := iotest.TestReader(r, want); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := store.Write(seam.RemoveBody(id, w.Size())); err != nil {
			t.Fatal(err)
		}
	})
	if left := stored(t, store, seam.SpaceBody); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestADamagedBodyIsNeverTakenForAWholeOne(t *testing.T) {
	put := func(number, size int) seam.Op { return seam.Op{Key: seam.ChunkKey("Q1", number), Value: content(size)} }
	for _, c := range []struct {
		name   string
		damage []seam.Op
		want   error
	}{
		{"first chunk missing", []seam.Op{{Key: seam.ChunkKey("Q1", 0), Delete: true}}, io.ErrUnexpectedEOF},
		{"last chunk missing", []seam.Op{{Key: seam.ChunkKey("Q1", 2), Delete: true}}, io.ErrUnexpectedEOF},
		{"chunk too short", []seam.Op{put(1, seam.ChunkBytes-1)}, io.ErrUnexpectedEOF},
		{"last chunk too short", []seam.Op{put(2, 9)}, io.ErrUnexpectedEOF},
		{"last chunk too long", []seam.Op{put(2, 11)}, ErrBodyTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memory(t)
			w := NewBodyWriter(store, "Q1")
			if _, err := w.Write(content(2*seam.ChunkBytes + 10)); err != nil {
				t.Fatal(err)
			}
			commit(t, store, w)
			if err := store.Write(c.damage); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, Body(store, "Q1", w.Size())); !errors.Is(err, c.want) {
				t.Errorf("got: %v", err)
			}
		})
	}
}

func TestAStoreThatFailsEndsTheWriterAndTheReader(t *testing.T) {
	store := memory(t)
	w := NewBodyWriter(store, "Q1")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write(content(seam.ChunkBytes + 1)); !errors.Is(err, seam.ErrClosed) || n != seam.ChunkBytes {
		t.Errorf("Write took %d bytes, %v", n, err)
	}
	if _, err := w.Write([]byte("more")); !errors.Is(err, seam.ErrClosed) {
		t.Errorf("the next Write returned %v", err)
	}
	if _, err := Body(store, "Q1", 1).Read(make([]byte, 1)); !errors.Is(err, seam.ErrClosed) {
		t.Errorf("Read returned %v", err)
	}
}

// TestALargeBodyNeedsLittleMemory sends 50 MB through a real store and watches
// the heap. What Pebble holds outside of it, memTables tables and the cache,
// does not depend on what passes through.
func TestALargeBodyNeedsLittleMemory(t *testing.T) {
	store, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const size, limit = 50 << 20, 32 << 20
	piece := []byte(strings.Repeat("0123456789abcdef", 64))
	var m runtime.MemStats
	inUse := func() int64 {
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	before := inUse()
	most := int64(0)
	w := NewBodyWriter(store, "Q1")
	for i := range size / len(piece) {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		if i%2048 == 0 {
			most = max(most, inUse()-before)
		}
	}
	commit(t, store, w)
	r := Body(store, "Q1", w.Size())
	got := make([]byte, len(piece))
	for i := range size / len(piece) {
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, piece) {
			t.Fatalf("piece %d was read as %.20q, %v", i, got, err)
		}
		if i%2048 == 0 {
			most = max(most, inUse()-before)
		}
	}
	if most > limit {
		t.Errorf("a body of %d bytes took %d bytes of memory, more than %d", size, most, limit)
	}
	t.Logf("at most %d KiB more were in use", most>>10)
}
