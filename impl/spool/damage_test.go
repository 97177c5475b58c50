package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/postonce/postonce/spec/seam"
)

// written is a disk with a spool whose process was killed after it had
// acknowledged entries of some sizes; with flushed, some of them are in tables.
func written(t *testing.T, flushed bool, sizes ...int) *vfs.MemFS {
	t.Helper()
	disk := vfs.NewCrashableMem()
	s, err := Open("spool", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i, size := range sizes {
		said := make(chan error, 1)
		s.Apply([]seam.Op{{Key: entry(i), Value: bytes.Repeat([]byte{'x'}, size)}}, func(err error) { said <- err })
		if err := <-said; err != nil {
			t.Fatal(err)
		}
		if flushed && i == len(sizes)/2 {
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return disk.CrashClone(vfs.CrashCloneCfg{})
}

func entry(i int) seam.Key { return seam.Key{Space: seam.SpaceControl, Name: fmt.Sprintf("%04d", i)} }

// intact reports what is wrong with an opened spool.
func intact(s *Store, sizes []int) error {
	for i, size := range sizes {
		if v, err := s.Get(entry(i)); errors.Is(err, seam.ErrNotFound) || err == nil && len(v) != size {
			return fmt.Errorf("entry %d has %d bytes of %d, %v", i, len(v), size, err)
		}
	}
	return nil
}

func contents(t *testing.T, disk vfs.FS, name string) []byte {
	t.Helper()
	f, err := disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func overwrite(t *testing.T, disk vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := disk.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(bytes.Clone(b)) // under -race the file system may change what it is given
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestNoFlippedByteTakesBackWhatWasAcknowledged flips every byte of every file
// of a small spool: what was acknowledged is there, or the error says that it
// may not be.
func TestNoFlippedByteTakesBackWhatWasAcknowledged(t *testing.T) {
	for _, flushed := range []bool{false, true} {
		sizes := []int{20, 30, 10, 25}
		whole := written(t, flushed, sizes...)
		names, err := whole.List("spool")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			path := "spool/" + name
			before := contents(t, whole, path)
			step := 1
			if !strings.HasSuffix(name, ".log") && !strings.HasPrefix(name, "MANIFEST") {
				step = 7 // Tables and options.
			}
			for at := 0; at < len(before); at += step {
				flip(t, whole, path, before, at, sizes)
			}
		}
	}
}

func flip(t *testing.T, whole *vfs.MemFS, path string, before []byte, at int, sizes []int) {
	t.Helper()
	disk, with := whole.CrashClone(vfs.CrashCloneCfg{}), byte(1)<<(at%8)
	damaged := bytes.Clone(before)
	damaged[at] ^= with
	overwrite(t, disk, path, damaged)
	s, err := Open("spool", Options{FS: disk})
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !strings.Contains(err.Error(), "its format is") || strings.Contains(err.Error(), "carrier") {
			t.Errorf("with byte %d of %s changed by %02x: %v", at, path, with, err)
		}
		return
	}
	if err := intact(s, sizes); err != nil {
		t.Errorf("with byte %d of %s (%d bytes) changed by %02x the spool opens, but %v", at, path, len(before), with, err)
	}
	_ = s.Close()
}

func TestDamageIsToldWithItsPlaceAndWhatToDo(t *testing.T) {
	disk := written(t, false, 100, 100, 100)
	names, _ := disk.List("spool")
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		b := contents(t, disk, "spool/"+name)
		b[200] ^= 1
		overwrite(t, disk, "spool/"+name, b)
		_, err := Open("spool", Options{FS: disk})
		for _, says := range []string{"it is damaged", name, "cannot be read at byte 1", "truncate -s 1", "is lost"} {
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), says) {
				t.Errorf("the error does not say %q: %v", says, err)
			}
		}
		// What it says can be done.
		at := 0
		if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "at byte"):], "at byte %d", &at); err != nil {
			t.Fatal(err)
		}
		overwrite(t, disk, "spool/"+name, b[:at])
		s, err := Open("spool", Options{FS: disk})
		if err != nil {
			t.Fatalf("cut off as the error says: %v", err)
		}
		if err := errors.Join(intact(s, []int{100}), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestEveryTornTailOpens is what a crash leaves: the log ends anywhere, or
// blocks of what was not synced are missing.
func TestEveryTornTailOpens(t *testing.T) {
	sizes := []int{20, 300, 10}
	whole := written(t, false, sizes...)
	names, _ := whole.List("spool")
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		b := contents(t, whole, "spool/"+name)
		for end := range b {
			for _, tail := range [][]byte{nil, make([]byte, 5000)} {
				disk := whole.CrashClone(vfs.CrashCloneCfg{})
				overwrite(t, disk, "spool/"+name, append(b[:end:end], tail...))
				s, err := Open("spool", Options{FS: disk})
				if err != nil && (tail == nil || end%sector == 0) {
					t.Fatalf("a log that ends at %d, with %d zeros behind it: %v", end, len(tail), err)
				}
				if err == nil {
					_ = s.Close()
				}
			}
		}
	}
}

// TestWhatWasNotSyncedMayBeMissingInBlocks crashes with big batches under way.
func TestWhatWasNotSyncedMayBeMissingInBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 60 {
		disk := vfs.NewCrashableMem()
		s, err := Open("spool", Options{FS: disk})
		if err != nil {
			t.Fatal(err)
		}
		said := make(chan error, 1)
		s.Apply([]seam.Op{{Key: entry(0), Value: bytes.Repeat([]byte{'x'}, rng.IntN(9000))}}, func(err error) { said <- err })
		if err := <-said; err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if err := s.Write([]seam.Op{{Key: entry(1), Value: bytes.Repeat([]byte{'y'}, rng.IntN(60_000))}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, kept := range []int{10, 50, 90} {
			after, err := Open("spool", Options{FS: disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: kept, RNG: rng})})
			if err != nil {
				t.Fatalf("round %d, %d%% kept: %v", round, kept, err)
			}
			if _, err := after.Get(entry(0)); err != nil {
				t.Errorf("round %d, %d%% kept: %v", round, kept, err)
			}
			_ = after.Close()
		}
		_ = s.Close()
	}
}

// TestASpoolOfANewerPebbleIsNotDamaged: to restore a copy would take mail back.
func TestASpoolOfANewerPebbleIsNotDamaged(t *testing.T) {
	disk := written(t, true, 20, 30)
	names, _ := disk.List("spool")
	for _, name := range names {
		if marker, _, ok := strings.Cut(name, ".0"); ok && marker == "marker.format-version" {
			if err := disk.Rename("spool/"+name, "spool/marker.format-version.000099.999"); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := Open("spool", Options{FS: disk})
	if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "Pebble's format 999") || !strings.Contains(err.Error(), "a newer relay") {
		t.Errorf("got: %v", err)
	}
}

func TestWhatCannotBeReadIsNotDamaged(t *testing.T) {
	disk := written(t, true, 20, 30)
	for _, name := range []string{"OPTIONS", "MANIFEST", "marker.format"} {
		odd := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if strings.HasPrefix(strings.TrimPrefix(op.Path, "spool/"), name) && op.Kind.ReadOrWrite() == errorfs.OpIsRead {
				return errors.New("odd")
			}
			return nil
		}))
		if s, err := Open("spool", Options{FS: odd}); err == nil {
			_ = s.Close()
		} else if errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "odd") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASpoolThatLostItsMarkersIsNotNew(t *testing.T) {
	disk := written(t, true, 20, 30)
	names, _ := disk.List("spool")
	for _, prefix := range []string{"marker.", "marker.manifest", "marker.format", "MANIFEST-"} {
		clone := disk.CrashClone(vfs.CrashCloneCfg{})
		for _, name := range names {
			if strings.HasPrefix(name, prefix) {
				if err := clone.Remove("spool/" + name); err != nil {
					t.Fatal(err)
				}
			}
		}
		s, err := Open("spool", Options{FS: clone})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("without %s*: %v", prefix, err)
		}
		after, _ := clone.List("spool")
		for _, name := range names {
			if !strings.HasPrefix(name, prefix) && !strings.Contains(strings.Join(after, " "), name) {
				t.Errorf("without %s*: %s was removed", prefix, name)
			}
		}
	}
}
