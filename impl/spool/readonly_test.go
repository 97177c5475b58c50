package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/postonce/postonce/spec/seam"
)

// listing is all that can be seen of a directory.
func listing(t *testing.T, disk vfs.FS, dir string) string {
	t.Helper()
	names, err := disk.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	all := ""
	for _, name := range names {
		all += fmt.Sprintf("%s %x\n", name, contents(t, disk, dir+"/"+name))
	}
	return all
}

func TestReadingChangesNothing(t *testing.T) {
	sizes := []int{20, 300, 70_000}
	for _, flushed := range []bool{false, true} {
		disk := written(t, flushed, sizes...)
		before := listing(t, disk, "spool")
		s, err := Open("spool", Options{FS: disk, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := intact(s, sizes); err != nil {
			t.Error(err)
		}
		if err := s.Write([]seam.Op{{Key: entry(9)}}); err == nil {
			t.Error("a spool that is open for reading was written to")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if after := listing(t, disk, "spool"); after != before {
			t.Errorf("before:\n%.2000s\nafter:\n%.2000s", before, after)
		}
	}
}

// TestWhatMustExistIsNotMade: not a directory that is missing, nor anything in
// one that holds something else, or what a relay left that was just making it.
func TestWhatMustExistIsNotMade(t *testing.T) {
	for _, opts := range []Options{{ReadOnly: true}, {MustExist: true}} {
		dir := t.TempDir()
		other, begun := filepath.Join(dir, "other"), filepath.Join(dir, "begun")
		for file, text := range map[string]string{filepath.Join(other, "mail.txt"): "x", filepath.Join(begun, "LOCK"): ""} {
			if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{filepath.Join(dir, "missing"), other, begun} {
			if _, err := Open(path, opts); !errors.Is(err, ErrNone) {
				t.Errorf("%+v: %s: %v", opts, path, err)
			}
		}
		all, err := filepath.Glob(filepath.Join(dir, "*", "*"))
		if err != nil || !slices.Equal(all, []string{filepath.Join(begun, "LOCK"), filepath.Join(other, "mail.txt")}) {
			t.Errorf("%+v: it leaves %v: %v", opts, all, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
			t.Errorf("%+v: it leaves %v: %v", opts, left, err)
		}
	}
}

func TestWhatMustExistIsOpenedToBeWritten(t *testing.T) {
	dir := t.TempDir()
	for _, opts := range []Options{{}, {MustExist: true}} {
		s, err := Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Write([]seam.Op{{Key: entry(9)}}), s.Close()); err != nil {
			t.Errorf("%+v: %v", opts, err)
		}
	}
}
