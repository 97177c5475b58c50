package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"

	"github.com/postonce/postonce/spec/seam"
)

// Format is the version of what the spool holds: key and value formats. It is
// kept in the spool, and a spool of a newer format is refused.
const Format = 1

// formatKey is where Format is kept.
var formatKey = seam.Key{Space: seam.SpaceMeta, Name: "version"}

// What bounds Pebble's memory: some tables being written out and one being
// filled, and the cache of blocks. Bodies pass through, so nothing here grows
// with the size of a message.
const (
	cacheBytes    = 8 << 20
	memTableBytes = 4 << 20
	memTables     = 3
	openFiles     = 256
)

// pebbleFormat is Pebble's own version of its files. It is not "the newest":
// a newer Pebble must not make a spool unreadable for the relay of yesterday.
const pebbleFormat = pebble.FormatWALSyncChunks

// ErrInUse is wrapped by the error of Open when another relay has the spool.
var ErrInUse = errors.New("another relay is using it")

// ErrNone is wrapped by the error of Open for reading only, or of what must
// exist, when there is no spool.
var ErrNone = errors.New("there is none")

// Open opens the spool in directory dir, or makes a new one there. A missing
// directory is made, for this user only.
func Open(dir string, opts Options) (*Store, error) {
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s, err := open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("the spool %s cannot be opened: %w", dir, reason(err))
	}
	return s, nil
}

func open(dir string, opts Options) (*Store, error) {
	if err := prepare(opts, dir); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, opts.FS)
	if err != nil {
		return nil, lockReason(err)
	}
	if err := errors.Join(checkPebbleFormat(opts.FS, dir), inspect(opts.FS, dir, opts.Log)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s := &Store{lock: lock, fuse: &fuse{}}
	s.idle.L = &s.order
	s.db, err = openPebble(dir, lock, s.fuse, opts)
	// The fuse goes first: behind it, Pebble's view of the disk is fiction.
	blown := s.fuse.blown()
	if err != nil {
		if blown != nil {
			err = blown
		}
		return nil, errors.Join(unreadable(err), lock.Close())
	}
	if blown == nil {
		err = s.checkFormat(opts.existing())
	}
	if err != nil || blown != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare makes the spool's directory if there is none. Where nothing may be
// made, the file that is locked is not either.
func prepare(opts Options, dir string) error {
	disk, existing := opts.FS, opts.existing()
	info, err := disk.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return errors.New("it is not a directory")
	case existing && err == nil:
		_, err = disk.Stat(disk.PathJoin(dir, "LOCK"))
		if errors.Is(err, fs.ErrNotExist) {
			return ErrNone
		}
		return err
	case existing && errors.Is(err, fs.ErrNotExist):
		return ErrNone
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := disk.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(disk, disk.PathDir(dir))
}

// syncDir makes the entries of a directory durable.
func syncDir(disk vfs.FS, dir string) error {
	d, err := disk.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openPebble(dir string, lock *pebble.Lock, fuse *fuse, opts Options) (*pebble.DB, error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	log := logger{log: opts.Log, fuse: fuse}
	compactions := new(compactor)
	o := &pebble.Options{
		FS:                          &fusedFS{FS: opts.FS, fuse: fuse},
		Lock:                        lock,
		Cache:                       cache,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: memTables,
		MaxOpenFiles:                openFiles,
		FormatMajorVersion:          pebbleFormat,
		ReadOnly:                    opts.ReadOnly,
		ErrorIfNotExists:            opts.MustExist,
		Logger:                      log,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { log.Errorf("background work failed: %v", err) },
			DataCorruption:  func(info pebble.DataCorruptionInfo) { log.Errorf("corrupt data: %s", info) },
		},
	}
	o.Experimental.CompactionScheduler = compactions
	db, err := pebble.Open(dir, o)
	if err == nil {
		compactions.allow()
	}
	return db, err
}

// checkFormat refuses a spool that this relay does not understand, and makes
// an empty store a spool, unless it was to be found as one.
func (s *Store) checkFormat(existing bool) error {
	held, err := s.Get(formatKey)
	if errors.Is(err, seam.ErrNotFound) {
		return s.stamp(existing)
	}
	if err != nil {
		return err
	}
	format, err := strconv.Atoi(string(held))
	if err != nil || format < 1 {
		return fmt.Errorf("its format is %q, which is no version of a spool", held)
	}
	if format > Format {
		return fmt.Errorf("its format is %d, and this relay knows formats up to %d: it was written by a newer relay", format, Format)
	}
	return nil
}

// stamp writes the format into an empty store.
func (s *Store) stamp(existing bool) error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return err
	}
	empty := !it.First()
	if err := it.Close(); err != nil {
		return err
	}
	if !empty {
		return errors.New("it is no spool: it holds something, and the entry for its format is missing")
	}
	if existing {
		return ErrNone // It was being made when its relay ended.
	}
	said := make(chan error, 1)
	s.Apply([]seam.Op{{Key: formatKey, Value: strconv.AppendInt(nil, Format, 10)}}, func(err error) { said <- err })
	return <-said
}

// checkPebbleFormat refuses files that Pebble, as this relay has it, does not know.
func checkPebbleFormat(disk vfs.FS, dir string) error {
	marker, err := atomicfs.ReadMarker(disk, dir, "format-version")
	if err != nil {
		return err
	}
	// What is no number Pebble will say more of.
	if format, err := strconv.Atoi(marker); err == nil && format > int(pebble.FormatNewest) {
		return fmt.Errorf("its files have Pebble's format %d, and this relay knows formats up to %d: it was written by a newer relay",
			format, int(pebble.FormatNewest))
	}
	return nil
}

// unreadable says of an error of Pebble's, which speaks of its own innards, that
// the spool is damaged, where it is and the file system has no part in it.
func unreadable(err error) error {
	var file *fs.PathError
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return ErrNone // Its relay ended while it made the directory.
	}
	if err == nil || errors.As(err, &file) || errors.As(err, new(syscall.Errno)) || errors.Is(err, errDisk) || !damage(err) {
		return err
	}
	what, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%w: %s; restore the directory from a copy", ErrDamaged, what)
}

// damage reports whether an error of Pebble's says that a file is not as it was
// written. Pebble marks such errors, but for those about the file of its options
// and about missing ones.
func damage(err error) bool {
	if pebble.IsCorruptionError(err) || errors.Is(err, pebble.ErrDBNotPristine) {
		return true
	}
	for _, says := range [...]string{"comparer name from file", "merger name from file", "not in WALRecoveryDirs", "parsing format major version"} {
		if strings.Contains(err.Error(), says) {
			return true
		}
	}
	return false
}

// lockReason tells a lock that another process holds from other errors.
func lockReason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%w (%v)", ErrInUse, err)
}

// reason adds what to do about it to the errors that an operator meets.
func reason(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not write there: %w", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the file system is read-only: %w", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk is full: %w", err)
	}
	return err
}

// logger gives Pebble's log to slog. Pebble's every step is for debugging.
type logger struct {
	log  *slog.Logger
	fuse *fuse
}

// Infof implements pebble.Logger.
func (l logger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...), "part", "spool")
	}
}

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) {
	l.log.Error(fmt.Sprintf(format, args...), "part", "spool")
}

// Fatalf implements pebble.Logger. Pebble wants the process to end, because it
// no longer trusts itself; the fuse sees to it that nothing it does from here
// on is believed or stored.
func (l logger) Fatalf(format string, args ...any) {
	l.fuse.blow(fmt.Errorf(format, args...))
	l.log.Error(fmt.Sprintf(format, args...), "part", "spool", "fatal", true)
}
