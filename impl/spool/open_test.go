package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/postonce/postonce/spec/seam"
)

func TestOpenMakesADirectoryForThisUserOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "spool")
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v", info.Mode())
	}
}

func TestTwoRelaysCannotShareASpool(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second relay got: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir, Options{})
	if err != nil {
		t.Fatalf("after the first relay has gone: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesWhatIsNotADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got: %v", err)
	}
}

func TestOpenSaysWhatAnOperatorCanDo(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  string
	}{
		{fs.ErrPermission, "this user may not write"},
		{syscall.EROFS, "read-only"},
		{syscall.ENOSPC, "the disk is full"},
	} {
		disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
				return &fs.PathError{Op: "open", Path: op.Path, Err: c.cause}
			}
			return nil
		}))
		if _, err := Open("spool", Options{FS: disk}); err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, c.cause) {
			t.Errorf("on %v: %v", c.cause, err)
		}
	}
}

func TestOpenChecksTheFormat(t *testing.T) {
	for _, c := range []struct {
		name, key, value, want string
	}{
		{"this format", "mversion", "1", ""},
		{"a newer format", "mversion", "2", "written by a newer relay"},
		{"no number", "mversion", "one", "no version of a spool"},
		{"not a spool", "something", "else", "it is no spool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := vfs.NewMem()
			db, err := pebble.Open("spool", &pebble.Options{FS: disk, FormatMajorVersion: pebbleFormat, Logger: pebbleQuiet{}})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Set([]byte(c.key), []byte(c.value), pebble.Sync), db.Close()); err != nil {
				t.Fatal(err)
			}
			for range 2 { // The refusal leaves the lock free.
				s, err := Open("spool", Options{FS: disk})
				if c.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					_ = s.Close()
				} else if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got: %v", err)
				}
			}
		})
	}
}

func TestAFreshSpoolHoldsItsFormatDurably(t *testing.T) {
	disk := vfs.NewCrashableMem()
	s, err := Open("spool", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	after, err := Open("spool", Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if v, err := after.Get(seam.Key{Space: seam.SpaceMeta, Name: "version"}); string(v) != "1" {
		t.Errorf("after a power loss the format is %q, %v", v, err)
	}
}

// pebbleQuiet is a Pebble log that nobody reads.
type pebbleQuiet struct{}

func (pebbleQuiet) Infof(string, ...any)  {}
func (pebbleQuiet) Errorf(string, ...any) {}
func (pebbleQuiet) Fatalf(string, ...any) {}
