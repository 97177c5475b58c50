package seamtest

import (
	"bytes"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

// readsSeeApplied reads after every change without waiting for the disk.
func readsSeeApplied(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	l := newLedger(t, store)
	if v, ok := value(t, store, seam.SpaceControl, "a"); ok {
		broken(t, clauseMissing, "a fresh store holds %q", v)
	}
	expect := func(when, want string) {
		t.Helper()
		if v, ok := value(t, store, seam.SpaceControl, "a"); v != want || ok != (want != "") {
			broken(t, clauseReads, "after %s, Get returned %q (found: %t), want %q", when, v, ok, want)
		}
		if got := names(t, store, seam.SpaceControl, "", "", 10); (len(got) == 1) != (want != "") {
			broken(t, clauseReads, "after %s, Scan returned %q", when, got)
		}
	}
	var last *promise
	for range 50 {
		l.apply(put(seam.SpaceControl, "a", "applied"))
		expect("Apply of a put", "applied")
		write(t, store, put(seam.SpaceControl, "a", "written"))
		expect("Write of a put", "written")
		last = l.apply(del(seam.SpaceControl, "a"))
		expect("Apply of a deletion", "")
	}
	l.durable(last)
	expect("the batch became durable", "")
}

func opsInOrder(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	l := newLedger(t, store)
	l.durable(l.apply(
		put(seam.SpaceControl, "twice", "first"), put(seam.SpaceControl, "twice", "second"),
		put(seam.SpaceControl, "gone", "here"), del(seam.SpaceControl, "gone"),
		del(seam.SpaceControl, "back"), put(seam.SpaceControl, "back", "again"),
	))
	for _, c := range []struct{ name, want string }{{"twice", "second"}, {"gone", ""}, {"back", "again"}} {
		if v, _ := value(t, store, seam.SpaceControl, c.name); v != c.want {
			broken(t, clauseOrder, "within one batch the last operation on %q must win: got %q, want %q", c.name, v, c.want)
		}
	}
}

func deleteMissing(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	l := newLedger(t, store)
	if err := l.wait(l.apply(del(seam.SpaceControl, "never"))); err != nil {
		broken(t, clauseDelete, "done was given: %v", err)
	}
	if err := store.Write([]seam.Op{del(seam.SpaceBody, "never")}); err != nil {
		broken(t, clauseDelete, "Write returned: %v", err)
	}
}

// scanWindow compares scans with a list that is searched in the plainest way.
func scanWindow(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	all := []string{"a", "a/", "a/00000000", "a/00000001", "a0", "ab", "b", "b\x00", "b\x00\x01", "b\xff", "b\xff\xff", "c", "\xff", "\xff\xff"}
	var ops []seam.Op
	for i := range all {
		ops = append(ops, put(seam.SpaceDue, all[(i*5)%len(all)], "v"))
	}
	write(t, store, ops...)
	points := append([]string{"", "0", "a/0", "bb", "\xff\x00", "\xff\xff\xff"}, all...)
	for _, prefix := range points {
		for _, after := range points {
			for _, limit := range []int{0, 1, 2, 5, 100} {
				want := []string{}
				for _, name := range slices.Sorted(slices.Values(all)) {
					if strings.HasPrefix(name, prefix) && name > after && len(want) < limit {
						want = append(want, name)
					}
				}
				if got := names(t, store, seam.SpaceDue, prefix, after, limit); !slices.Equal(got, want) {
					broken(t, clauseScan, "Scan(prefix %q, after %q, limit %d) returned %q, want %q", prefix, after, limit, got, want)
				}
			}
		}
	}
}

// spacesApart uses neighbouring spaces, between which a scan by bytes runs over.
func spacesApart(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	for _, space := range []seam.Space{seam.SpaceBody, seam.SpaceControl, seam.SpaceDue} {
		write(t, store, put(space, "same", string(space)), put(space, "\xff\xff", string(space)))
	}
	write(t, store, del(seam.SpaceBody, "same"))
	for _, space := range []seam.Space{seam.SpaceControl, seam.SpaceDue} {
		if v, _ := value(t, store, space, "same"); v != string(space) {
			broken(t, clauseScan, "space %q holds %q under a name that another space uses too", space, v)
		}
	}
	for _, prefix := range []string{"", "\xff"} {
		if got := names(t, store, seam.SpaceBody, prefix, "", 100); !slices.Equal(got, []string{"\xff\xff"}) {
			broken(t, clauseScan, "Scan of space %q with prefix %q returned %q", seam.SpaceBody, prefix, got)
		}
	}
}

func anyBytes(t rapid.TB, open func() Disk) {
	disk := open()
	store := opened(t, disk)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	large := bytes.Repeat(every, 256) // One chunk of a body: 64 KiB.
	l := newLedger(t, store)
	l.durable(l.apply(
		put(seam.SpaceDue, string(every), string(every)),
		put(seam.SpaceBody, "large", string(large)),
		put(seam.SpaceIntent, "empty", ""),
	))
	for _, reopen := range []bool{false, true} {
		if reopen {
			disk.Crash(0)
			store = opened(t, disk)
		}
		for _, c := range []struct {
			space      seam.Space
			name, want string
		}{{seam.SpaceDue, string(every), string(every)}, {seam.SpaceBody, "large", string(large)}, {seam.SpaceIntent, "empty", ""}} {
			if v, ok := value(t, store, c.space, c.name); v != c.want || !ok {
				broken(t, clauseReads, "a value of %d bytes under a name of %d bytes came back as %d bytes (found: %t)",
					len(c.want), len(c.name), len(v), ok)
			}
		}
	}
	closed(t, store)
}

// keepsNothing scribbles over a batch as soon as the call returns, long before
// it is durable.
func keepsNothing(t rapid.TB, open func() Disk) {
	disk := open()
	store := opened(t, disk)
	l := newLedger(t, store)
	scribble := func(ops []seam.Op) {
		for i := range ops {
			copy(ops[i].Value, "SCRIBBLE")
			ops[i].Delete = true
		}
	}
	applied := []seam.Op{put(seam.SpaceControl, "applied", "original")}
	p := l.apply(applied...)
	scribble(applied)
	written := []seam.Op{put(seam.SpaceBody, "written", "original")}
	write(t, store, written...)
	scribble(written)
	l.durable(p)
	l.durable(l.apply())
	disk.Crash(0)
	store = opened(t, disk)
	defer closed(t, store)
	for _, c := range []seam.Key{{Space: seam.SpaceControl, Name: "applied"}, {Space: seam.SpaceBody, Name: "written"}} {
		if v, _ := value(t, store, c.Space, c.Name); v != "original" {
			broken(t, clauseKeeps, "a change that the caller made after the call returned reached the store: %q holds %q", c.Name, v)
		}
	}
}

// resultsBelongToCaller keeps results over later changes, and changes results.
func resultsBelongToCaller(t rapid.TB, open func() Disk) {
	store := opened(t, open())
	defer closed(t, store)
	key := seam.Key{Space: seam.SpaceControl, Name: "kept"}
	write(t, store, put(key.Space, key.Name, "original"))
	got, err := store.Get(key)
	if err != nil {
		t.Fatalf("Get failed on a healthy disk: %v", err)
	}
	entries, err := store.Scan(key.Space, "", "", 10)
	if err != nil || len(entries) != 1 {
		broken(t, clauseScan, "Scan returned %d entries and error %v, want the one entry", len(entries), err)
	}
	for i := range 200 {
		write(t, store, put(key.Space, key.Name, strings.Repeat("later", i+1)))
	}
	write(t, store, del(key.Space, key.Name))
	if string(got) != "original" || string(entries[0].Value) != "original" || entries[0].Key != key {
		broken(t, clauseCaller, "after later batches the results read %q and %q", got, entries[0].Value)
	}
	write(t, store, put(key.Space, key.Name, "original"))
	for range 2 {
		got, _ = store.Get(key)
		entries, _ = store.Scan(key.Space, "", "", 10)
		if string(got) != "original" || len(entries) != 1 || string(entries[0].Value) != "original" {
			broken(t, clauseCaller, "after the caller changed what it was given, the store holds %q", got)
		}
		copy(got, "SCRIBBLE")
		copy(entries[0].Value, "SCRIBBLE")
	}
}
