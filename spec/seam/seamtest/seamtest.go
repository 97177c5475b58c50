// Package seamtest checks that a seam.Store keeps its contract. It is to a
// store what testing/slogtest is to a log handler: every failure says in one
// sentence which clause of the contract was broken, and how.
//
// The checks never sleep and never poll: they wait for what a store must say.
// So they run as well inside a testing/synctest bubble, with time that the
// store invents; their only timer is a watchdog that turns a lost call of done
// into a failure.
package seamtest

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

// A Disk outlives the stores that are opened on it. One store is open at a
// time; a check closes it, or crashes the disk under it, before it opens the
// next.
type Disk interface {
	// Open opens a store on what the disk holds.
	Open() (seam.Store, error)
	// Crash takes the power away from the store opened last. What was
	// acknowledged by then stays. Of the batches that were not, about kept
	// percent stay, 0 to 100; which ones is the disk's business. The old
	// store is the disk's to dispose of: no check touches it again, and what
	// it still says to done does not count.
	Crash(kept int)
}

// A Check is one property of the contract.
type Check struct {
	// Name says what holds.
	Name string
	// Run fails t when it does not. It calls open for every fresh, empty disk
	// that it needs.
	Run func(t rapid.TB, open func() Disk)
}

// Checks returns all checks, in the order in which they are best read when
// several fail.
func Checks() []Check {
	return []Check{
		{"reads see what was applied before, durable or not", readsSeeApplied},
		{"the operations of a batch take effect in order", opsInOrder},
		{"deleting what is not there is no error", deleteMissing},
		{"scan returns names after and with a prefix, in order, up to the limit", scanWindow},
		{"spaces do not mix", spacesApart},
		{"names and values may hold any bytes", anyBytes},
		{"the store keeps neither operations nor values", keepsNothing},
		{"what a read returned belongs to the caller", resultsBelongToCaller},
		{"done comes later and in another goroutine", doneElsewhere},
		{"done comes once for each batch, in order, one after another", doneInOrder},
		{"an acknowledged batch survives a crash", acknowledgedSurvives},
		{"what was written before an acknowledged batch survives with it", writtenSurvives},
		{"a crash keeps a prefix of whole batches", crashKeepsPrefix},
		{"closing loses nothing that was acknowledged", closeKeeps},
		{"a closed store says so", closedSays},
		{"all methods may be called concurrently", concurrent},
		{"a store behaves as a map that crashes to a prefix", behavesAsModel},
	}
}

// Store runs every check as a subtest of its own. open returns a fresh, empty
// disk, and may use t.Cleanup to dispose of it.
func Store(t *testing.T, open func(t *testing.T) Disk) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			c.Run(t, func() Disk { return open(t) })
		})
	}
}

// StoreInBubbles is Store for a disk that lives in virtual time: every check
// runs in a testing/synctest bubble of its own, in which open is called too.
func StoreInBubbles(t *testing.T, open func(t *testing.T) Disk) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.Run(t, func() Disk { return open(t) })
			})
		})
	}
}

// The clauses of the contract in spec/seam/store.go that failures quote.
const (
	clauseOrder    = "batches take effect in the order of the calls, each whole or not at all"
	clauseDurable  = "when done(nil) was called, the batch and all before it survive a crash"
	clausePrefix   = "a crash keeps a prefix of the batches whose done was not yet called"
	clauseReads    = "reads see every batch applied before, durable or not"
	clauseDone     = "done is called exactly once, later and in another goroutine than the caller's"
	clauseSequence = "the calls of done come in the order of the batches, one after another"
	clauseKeeps    = "Apply and Write keep neither ops nor its values"
	clauseCaller   = "the caller may keep what Get and Scan return"
	clauseScan     = "Scan returns up to limit entries of a space with names greater than after and beginning with prefix, in order"
	clauseDelete   = "a deletion of what does not exist is no error"
	clauseMissing  = "Get returns ErrNotFound for a key that is not there"
	clauseClosed   = "a store returns ErrClosed after Close"
	clauseClose    = "Close waits for what was applied"
)

// broken fails t with the clause that does not hold and what was seen instead.
func broken(t rapid.TB, clause, format string, args ...any) {
	t.Helper()
	t.Fatalf("the store breaks the contract: %s.\n%s", clause, fmt.Sprintf(format, args...))
}

// watchdog is how long a check waits for a call of done. It is far above what
// any disk needs, so that it fires only when done is lost.
const watchdog = 2 * time.Minute

// opened opens a store or fails t.
func opened(t rapid.TB, disk Disk) seam.Store {
	t.Helper()
	store, err := disk.Open()
	if err != nil {
		t.Fatalf("the store cannot be opened on what the disk holds: %v", err)
	}
	return store
}

// closed closes a store or fails t.
func closed(t rapid.TB, store seam.Store) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Fatalf("Close failed on a healthy disk: %v", err)
	}
}

// put and del make operations.
func put(space seam.Space, name, value string) seam.Op {
	return seam.Op{Key: seam.Key{Space: space, Name: name}, Value: []byte(value)}
}

func del(space seam.Space, name string) seam.Op {
	return seam.Op{Key: seam.Key{Space: space, Name: name}, Delete: true}
}

// write calls Write or fails t.
func write(t rapid.TB, store seam.Store, ops ...seam.Op) {
	t.Helper()
	if err := store.Write(ops); err != nil {
		t.Fatalf("Write failed on a healthy disk: %v", err)
	}
}

// value reads one key; ok is false when it is not there.
func value(t rapid.TB, store seam.Store, space seam.Space, name string) (v string, ok bool) {
	t.Helper()
	got, err := store.Get(seam.Key{Space: space, Name: name})
	if errors.Is(err, seam.ErrNotFound) {
		return "", false
	}
	if err != nil {
		broken(t, clauseMissing, "Get of %q in space %q failed with: %v", name, space, err)
	}
	return string(got), true
}

// names lists what a scan returns.
func names(t rapid.TB, store seam.Store, space seam.Space, prefix, after string, limit int) []string {
	t.Helper()
	entries, err := store.Scan(space, prefix, after, limit)
	if err != nil {
		t.Fatalf("Scan failed on a healthy disk: %v", err)
	}
	all := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Key.Space != space {
			broken(t, clauseScan, "a scan of space %q returned %q of space %q", space, e.Key.Name, e.Key.Space)
		}
		all = append(all, e.Key.Name)
	}
	return all
}
