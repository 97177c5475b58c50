package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A fuse stands between Pebble and the file system. The first write or sync
// that fails blows it, and from then on nothing reaches the disk any more:
// Pebble is told that all is well and is talking to nobody.
//
// There are two reasons. Pebble answers an error of its write-ahead log or its
// manifest by ending the process, sometimes with a panic inside a lock that
// cannot be recovered from; a relay has deliveries to bring to an orderly end.
// And after a failed sync nobody knows what the disk holds: a log that is cut,
// a table that is half there, and then the removal of the log that it replaces
// would lose mail that was acknowledged. What was on the disk at the moment of
// the error is what recovery is made for, so it stays as it is.
//
// The Store asks the fuse before it believes anything that Pebble says.
type fuse struct {
	mu  sync.Mutex
	err error
}

// errDisk is wrapped by the error that blew a fuse.
var errDisk = errors.New("the spool's disk failed")

// blow records the first error.
func (f *fuse) blow(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = fmt.Errorf("%w: %w", errDisk, err)
	}
}

// blown returns the error that blew the fuse, or nil.
func (f *fuse) blown() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// try does one operation that changes the disk, unless the fuse has blown.
func (f *fuse) try(do func() error) {
	if f.blown() != nil {
		return
	}
	if err := do(); err != nil {
		f.blow(err)
	}
}

// A fusedFS is a file system behind a fuse. What only reads passes through.
type fusedFS struct {
	vfs.FS
	fuse *fuse
}

// Unwrap implements vfs.FS.
func (f *fusedFS) Unwrap() vfs.FS { return f.FS }

// file does what opens a file for writing.
func (f *fusedFS) file(name string, open func() (vfs.File, error)) (vfs.File, error) {
	var inner vfs.File
	f.fuse.try(func() (err error) {
		inner, err = open()
		return err
	})
	if f.fuse.blown() != nil {
		if inner != nil {
			_ = inner.Close()
		}
		return &fusedFile{File: nullFile{name}, fuse: f.fuse}, nil
	}
	return &fusedFile{File: inner, fuse: f.fuse}, nil
}

// Create implements vfs.FS. Pebble names its current manifest by making a
// marker file, and syncs the directory once for both. A power loss before that
// may keep the marker and lose the manifest, and then nobody can open the
// store; so here the manifest's entry is made durable first.
func (f *fusedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		f.fuse.try(func() error { return syncDir(f.FS, f.PathDir(name)) })
	}
	return f.file(name, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

// OpenReadWrite implements vfs.FS.
func (f *fusedFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.file(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, opts...) })
}

// ReuseForWrite implements vfs.FS. A log file is not reused: behind the end of
// the new log would stand an old one, and damage could not be told from that
// (see inspect).
func (f *fusedFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	_ = f.Remove(oldname)
	return f.Create(newname, category)
}

// OpenDir implements vfs.FS; the directory's Sync is what matters.
func (f *fusedFS) OpenDir(name string) (vfs.File, error) {
	inner, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fusedFile{File: inner, fuse: f.fuse}, nil
}

// Rename implements vfs.FS.
func (f *fusedFS) Rename(oldname, newname string) error {
	f.fuse.try(func() error { return f.FS.Rename(oldname, newname) })
	return nil
}

// Link implements vfs.FS.
func (f *fusedFS) Link(oldname, newname string) error {
	f.fuse.try(func() error { return f.FS.Link(oldname, newname) })
	return nil
}

// Remove implements vfs.FS. To leave too much harms nobody, so its error is
// Pebble's to log.
func (f *fusedFS) Remove(name string) error {
	if f.fuse.blown() != nil {
		return nil
	}
	return f.FS.Remove(name)
}

// RemoveAll implements vfs.FS, as Remove.
func (f *fusedFS) RemoveAll(name string) error {
	if f.fuse.blown() != nil {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// MkdirAll implements vfs.FS.
func (f *fusedFS) MkdirAll(dir string, perm os.FileMode) error {
	f.fuse.try(func() error { return f.FS.MkdirAll(dir, perm) })
	return nil
}

// A fusedFile is a file or directory behind a fuse.
type fusedFile struct {
	vfs.File
	fuse *fuse
}

// Write implements vfs.File.
func (f *fusedFile) Write(p []byte) (int, error) {
	f.fuse.try(func() error { _, err := f.File.Write(p); return err })
	return len(p), nil
}

// WriteAt implements vfs.File.
func (f *fusedFile) WriteAt(p []byte, off int64) (int, error) {
	f.fuse.try(func() error { _, err := f.File.WriteAt(p, off); return err })
	return len(p), nil
}

// Sync implements vfs.File.
func (f *fusedFile) Sync() error {
	f.fuse.try(f.File.Sync)
	return nil
}

// SyncData implements vfs.File.
func (f *fusedFile) SyncData() error {
	f.fuse.try(f.File.SyncData)
	return nil
}

// SyncTo implements vfs.File.
func (f *fusedFile) SyncTo(length int64) (full bool, err error) {
	f.fuse.try(func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, nil
}

// Stat implements vfs.File. Pebble asks for the size of a log file while it
// changes to it, and takes an error as it takes one of a write.
func (f *fusedFile) Stat() (vfs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		f.fuse.blow(err)
		return nullInfo{}, nil
	}
	return info, nil
}

// Preallocate implements vfs.File; it is only a hint.
func (f *fusedFile) Preallocate(offset, length int64) error {
	if f.fuse.blown() != nil {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

// Close implements vfs.File; the descriptor goes, whatever the fuse says.
func (f *fusedFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.fuse.blow(err)
	}
	return nil
}

// A nullFile is what Pebble gets to write to after the fuse has blown: it
// swallows everything and holds nothing.
type nullFile struct{ name string }

var errBlown = fmt.Errorf("read of a file that was never written: %w", fs.ErrNotExist)

func (nullFile) Close() error                           { return nil }
func (nullFile) Read([]byte) (int, error)               { return 0, errBlown }
func (nullFile) ReadAt([]byte, int64) (int, error)      { return 0, errBlown }
func (nullFile) Write(p []byte) (int, error)            { return len(p), nil }
func (nullFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nullFile) Preallocate(int64, int64) error         { return nil }
func (n nullFile) Stat() (vfs.FileInfo, error)          { return nullInfo(n), nil }
func (nullFile) Sync() error                            { return nil }
func (nullFile) SyncTo(int64) (bool, error)             { return false, nil }
func (nullFile) SyncData() error                        { return nil }
func (nullFile) Prefetch(int64, int64) error            { return nil }
func (nullFile) Fd() uintptr                            { return vfs.InvalidFd }

// nullInfo describes an empty file.
type nullInfo struct{ name string }

func (n nullInfo) Name() string         { return n.name }
func (nullInfo) Size() int64            { return 0 }
func (nullInfo) Mode() fs.FileMode      { return 0 }
func (nullInfo) ModTime() time.Time     { return time.Time{} }
func (nullInfo) IsDir() bool            { return false }
func (nullInfo) Sys() any               { return nil }
func (nullInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
