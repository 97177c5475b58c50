package spool

import (
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// memoryDisk is a disk in memory on which a crash loses what was not synced.
type memoryDisk struct {
	fs    *vfs.MemFS
	rng   *rand.Rand
	store *Store
}

func newMemoryDisk(t *testing.T) seamtest.Disk {
	d := &memoryDisk{fs: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(1, 2))}
	t.Cleanup(d.dispose)
	return d
}

func (d *memoryDisk) Open() (seam.Store, error) {
	s, err := Open("spool", Options{FS: d.fs})
	if err != nil {
		return nil, err
	}
	d.store = s
	return s, nil
}

// Crash goes on with a copy of the disk as a power loss leaves it. The old
// store goes on with the old disk, unseen, until it is closed.
func (d *memoryDisk) Crash(kept int) {
	d.fs = d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: d.rng})
	if d.store != nil {
		_ = d.store.Close()
		d.store = nil
	}
}

func (d *memoryDisk) dispose() {
	if d.store != nil {
		_ = d.store.Close()
	}
}

// realDisk is a directory. A crash of the process is as good as it gets there:
// the store is closed, and everything stays.
type realDisk struct {
	dir   string
	store *Store
}

func (d *realDisk) Open() (seam.Store, error) {
	s, err := Open(d.dir, Options{})
	if err != nil {
		return nil, err
	}
	d.store = s
	return s, nil
}

func (d *realDisk) Crash(int) { _ = d.store.Close() }

func TestStoreKeepsTheContractOnADiskThatCrashes(t *testing.T) {
	seamtest.Store(t, newMemoryDisk)
}

func TestStoreKeepsTheContractOnARealDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("opens some hundreds of real stores")
	}
	seamtest.Store(t, func(t *testing.T) seamtest.Disk {
		d := &realDisk{dir: t.TempDir()}
		t.Cleanup(func() {
			if d.store != nil {
				_ = d.store.Close()
			}
		})
		return d
	})
}
