package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/postonce/postonce/spec/seam"
)

// faulty is a disk whose n-th operation fails, and with lasting all after it.
type faulty struct {
	disk    *vfs.MemFS
	n       int64
	lasting bool
	seen    atomic.Int64
	fired   atomic.Bool
}

func (f *faulty) fs() vfs.FS {
	return errorfs.Wrap(f.disk, errorfs.InjectorFunc(func(errorfs.Op) error {
		i := f.seen.Add(1)
		if i == f.n || f.lasting && i > f.n {
			f.fired.Store(true)
			return errorfs.ErrInjected
		}
		return nil
	}))
}

// run opens a store on a faulty disk and works until something fails. It
// returns how many batches were acknowledged and how many were given to the
// store. done is the last thing to believe, so nothing may be acknowledged
// after an error.
func (f *faulty) run(t *testing.T) (acknowledged, given int) {
	s, err := Open("spool", Options{FS: f.fs()})
	if err != nil {
		return 0, 0
	}
	defer s.Close()
	const batches = 12
	said := make(chan error, batches)
	for i := range batches {
		ops := []seam.Op{
			{Key: seam.Key{Space: seam.SpaceControl, Name: fmt.Sprintf("%04d", i)}, Value: []byte(strings.Repeat("x", 500))},
			{Key: seam.Key{Space: seam.SpaceBody, Name: fmt.Sprintf("%04d", i)}, Value: []byte("chunk")},
		}
		s.Apply(ops, func(err error) { said <- err })
		given++
		switch i {
		case 4, 8:
			_ = s.db.Flush() // Tables, manifest and a change of the log file.
		}
		for read := range given {
			key := seam.Key{Space: seam.SpaceControl, Name: fmt.Sprintf("%04d", read)}
			if v, err := s.Get(key); err == nil && len(v) != 500 || errors.Is(err, seam.ErrNotFound) {
				t.Errorf("operation %d failed, and Get of batch %d returned %d bytes and error %v", f.n, read, len(v), err)
			}
		}
	}
	failed := false
	for range batches {
		switch err := <-said; {
		case err != nil:
			failed = true
		case failed:
			t.Errorf("operation %d failed, and a batch was acknowledged after another had failed", f.n)
		default:
			acknowledged++
		}
	}
	return acknowledged, given
}

// check opens what a power loss leaves of the disk.
func (f *faulty) check(t *testing.T, kept, acknowledged, given int) {
	clone := f.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rand.New(rand.NewPCG(uint64(f.n), 0))})
	s, err := Open("spool", Options{FS: clone})
	if err != nil {
		t.Errorf("operation %d failed, and after a power loss that kept %d%% the spool cannot be opened: %v", f.n, kept, err)
		return
	}
	defer s.Close()
	for _, space := range []seam.Space{seam.SpaceControl, seam.SpaceBody} {
		entries, err := s.Scan(space, "", "", 100)
		if err != nil || len(entries) < acknowledged || len(entries) > given {
			t.Errorf("operation %d failed; of %d batches %d were acknowledged; after a power loss that kept %d%% there are %d, error %v",
				f.n, given, acknowledged, kept, len(entries), err)
		}
		for i, e := range entries {
			if e.Key.Name != fmt.Sprintf("%04d", i) {
				t.Errorf("operation %d failed, and entry %d after the power loss is %q", f.n, i, e.Key.Name)
			}
		}
	}
}

// TestEveryDiskErrorIsAnErrorAndNeverALoss lets each operation on the disk fail
// in turn: those of a fresh store, and those of one that has to recover.
func TestEveryDiskErrorIsAnErrorAndNeverALoss(t *testing.T) {
	for _, lasting := range []bool{false, true} {
		t.Run(fmt.Sprintf("lasting=%t", lasting), func(t *testing.T) {
			fired := true
			n := int64(0)
			for fired && !t.Failed() {
				n++
				f := &faulty{disk: vfs.NewCrashableMem(), n: n, lasting: lasting}
				acknowledged, given := f.run(t)
				for _, kept := range []int{0, 10, 50, 90} {
					f.check(t, kept, acknowledged, given)
				}
				fired = f.fired.Load()
			}
			if n < 100 {
				t.Errorf("only %d operations were tried", n)
			}
			t.Logf("%d operations failed in turn", n-1)
		})
	}
}

// TestRecoveryFromEveryDiskError lets operations fail while a spool is opened
// that has a log to replay.
func TestRecoveryFromEveryDiskError(t *testing.T) {
	whole := &faulty{disk: vfs.NewCrashableMem()}
	acknowledged, given := whole.run(t)
	if acknowledged != given {
		t.Fatalf("a healthy disk acknowledged %d of %d batches", acknowledged, given)
	}
	fired := true
	for n := int64(1); fired && !t.Failed(); n++ {
		f := &faulty{disk: whole.disk.CrashClone(vfs.CrashCloneCfg{}), n: n}
		s, err := Open("spool", Options{FS: f.fs()})
		if err == nil {
			for i := range given {
				v, err := s.Get(seam.Key{Space: seam.SpaceControl, Name: fmt.Sprintf("%04d", i)})
				if err == nil && len(v) != 500 || errors.Is(err, seam.ErrNotFound) {
					t.Errorf("operation %d of the recovery failed, and Get of batch %d returned %d bytes and error %v", n, i, len(v), err)
				}
			}
			_ = s.Close()
		}
		f.check(t, 0, acknowledged, given)
		fired = f.fired.Load()
	}
}

// TestAFailedSyncEndsTheStore is the case that Pebble answers by ending the
// process: the log cannot be synced.
func TestAFailedSyncEndsTheStore(t *testing.T) {
	var broken atomic.Bool
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && strings.HasSuffix(op.Path, ".log") && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errorfs.ErrInjected
		}
		return nil
	}))
	s, err := Open("spool", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan error)
	key := seam.Key{Space: seam.SpaceControl, Name: "a"}
	apply := func() error {
		s.Apply([]seam.Op{{Key: key, Value: []byte("v")}}, func(err error) { said <- err })
		return <-said
	}
	if err := apply(); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	for range 3 {
		if err := apply(); !errors.Is(err, errorfs.ErrInjected) {
			t.Errorf("done was given %v", err)
		}
	}
	broken.Store(false)
	if err := apply(); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("a store whose disk failed took another batch: done was given %v", err)
	}
	if err := s.Write([]seam.Op{{Key: key}}); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("Write returned %v", err)
	}
	if _, err := s.Get(key); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("Get returned %v", err)
	}
	if _, err := s.Scan(seam.SpaceControl, "", "", 1); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("Scan returned %v", err)
	}
	if err := s.Close(); !errors.Is(err, errorfs.ErrInjected) {
		t.Errorf("Close returned %v", err)
	}
}
