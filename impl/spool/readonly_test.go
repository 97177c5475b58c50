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

func TestReadingMakesNoSpool(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing")} {
		if _, err := Open(path, Options{ReadOnly: true}); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("made %v", left)
	}
}
