package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// Pebble replays its write-ahead log up to the first chunk that cannot be read,
// and takes the rest for what a power loss left of writes that were never
// synced. It looks for proof of the contrary in later blocks of 32 KiB, but not
// in the same one, and in its manifest not at all: there one flipped byte
// silently takes back everything that was acknowledged after it. So both are
// looked through before Pebble gets them.
//
// What a crash leaves can be told from damage. A process that is killed leaves
// a file that ends early. A power loss may also leave out blocks of the disk,
// which then are zero, whole sectors of them. Damage leaves a chunk that is all
// there and wrong. And a chunk that is whole and says that the log was synced
// up to itself ("sync offset") proves that what is before it was on the disk.

// ErrDamaged is wrapped by the error of Open when the spool's files are not as
// they were written.
var ErrDamaged = errors.New("it is damaged")

// A chunkFormat is how Pebble's package record frames a chunk: checksum, size,
// type, and more by format. The four types of a format are, in order: a whole
// record, its first chunk, one of the middle, the last one.
type chunkFormat struct {
	header int
	first  byte
	// named: the header has the number of the log; synced: and then how far
	// that was synced when the chunk was written.
	named, synced bool
}

var (
	manifestChunk = chunkFormat{header: 7, first: 1}
	// A new spool's first log is written in the format before pebbleFormat.
	oldLogChunk = chunkFormat{header: 11, first: 5, named: true}
	logChunk    = chunkFormat{header: 19, first: 9, named: true, synced: true}
)

const (
	chunkTypes  = 4
	recordBlock = 32 << 10
	sector      = 512
)

// inspect refuses a spool whose files are damaged. It reads only.
func inspect(disk vfs.FS, dir string, log *slog.Logger) error {
	names, err := disk.List(dir)
	if err != nil {
		return err
	}
	manifest, err := currentManifest(disk, dir, names)
	if err != nil || manifest == "" {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		var l chunkLog
		number, isLog := strings.CutSuffix(name, ".log")
		switch n, err := strconv.ParseUint(number, 10, 64); {
		case isLog && err == nil:
			l = chunkLog{formats: []chunkFormat{logChunk, oldLogChunk}, number: uint32(n)}
		case name == manifest:
			l = chunkLog{formats: []chunkFormat{manifestChunk}}
		default:
			continue
		}
		if err := l.inspect(disk, disk.PathJoin(dir, name), log); err != nil {
			return err
		}
	}
	return nil
}

// currentManifest returns the name of Pebble's manifest, which a marker file
// names; empty in a directory without a store. A directory that has lost its
// marker must not pass for one: Pebble would make a new store in it, and remove
// the logs of the old one.
func currentManifest(disk vfs.FS, dir string, names []string) (string, error) {
	manifest, err := atomicfs.ReadMarker(disk, dir, "manifest")
	if err != nil {
		return "", err
	}
	if manifest != "" && !slices.Contains(names, manifest) {
		return "", fmt.Errorf("%w: %s is missing, which says what belongs to it; restore it from a copy", ErrDamaged, manifest)
	}
	for _, name := range names {
		// A store that was being made when the power went has none of these yet.
		if manifest == "" && (strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".sst")) {
			return "", fmt.Errorf("%w: there is %s, but no file marker.manifest.*, which says what belongs to it; restore it from a copy",
				ErrDamaged, name)
		}
	}
	return manifest, nil
}

// A chunkLog is a log in memory: a few megabytes, as much as a table in memory.
type chunkLog struct {
	formats []chunkFormat
	number  uint32
	data    []byte
}

func (l *chunkLog) inspect(disk vfs.FS, path string, log *slog.Logger) error {
	f, err := disk.Open(path)
	if err != nil {
		return err
	}
	l.data, err = io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	end := l.end()
	rest := bytes.TrimRight(l.data[end:], "\x00")
	switch {
	case len(rest) == 0 || l.trailer(end) && len(rest) <= trailerBytes:
		return nil
	case l.promised(end), !l.torn(end):
		return l.damaged(disk, path, end, len(rest))
	}
	log.Info("the end of a log was not written whole: a crash cut it off, and nothing of it was acknowledged",
		"part", "spool", "file", path, "offset", end, "bytes", len(rest))
	return nil
}

func (l *chunkLog) damaged(disk vfs.FS, path string, end, rest int) error {
	name := disk.PathBase(path)
	if !l.formats[0].named {
		return fmt.Errorf("%w: %s cannot be read at byte %d; restore the directory from a copy", ErrDamaged, path, end)
	}
	return fmt.Errorf("%w: %s cannot be read at byte %d, and %d bytes that may hold mail come after it; "+
		"restore the directory from a copy, or keep a copy of it, and cut the file off there (truncate -s %d %s): "+
		"what came after is then undone, so mail taken since is lost, and mail delivered since is sent again",
		ErrDamaged, path, end, rest, end, name)
}

// end returns where the chunks end that can be read one after another.
func (l *chunkLog) end() int {
	at := 0
	for {
		at = l.padded(at)
		f := l.chunk(at)
		if f == nil {
			return at
		}
		at += l.size(at, f)
	}
}

// padded skips the end of a block that is too short for a header, or was when
// it was written: then it is zero.
func (l *chunkLog) padded(at int) int {
	left := recordBlock - at%recordBlock
	if left >= l.formats[0].header || at+left >= len(l.data) {
		return at
	}
	if least := l.formats[len(l.formats)-1]; left >= least.header && l.chunk(at) != nil {
		return at
	}
	return at + left
}

// chunk returns the format of the chunk at an offset; nil when there is none.
func (l *chunkLog) chunk(at int) *chunkFormat {
	for i := range l.formats {
		f := &l.formats[i]
		if !l.headed(at, f) {
			continue
		}
		end := at + l.size(at, f)
		if end <= l.block(at) && masked(crc32.Checksum(l.data[at+6:end], castagnoli)) == binary.LittleEndian.Uint32(l.data[at:]) {
			return f
		}
	}
	return nil
}

// block returns where the block ends that an offset is in.
func (l *chunkLog) block(at int) int { return min(len(l.data), at-at%recordBlock+recordBlock) }

// headed reports whether a header of a format stands at an offset.
func (l *chunkLog) headed(at int, f *chunkFormat) bool {
	if at+f.header > l.block(at) {
		return false
	}
	kind := l.data[at+6]
	return f.first <= kind && kind < f.first+chunkTypes && (!f.named || binary.LittleEndian.Uint32(l.data[at+7:]) == l.number)
}

// size is what the header at an offset says of the chunk's size.
func (l *chunkLog) size(at int, f *chunkFormat) int {
	return f.header + int(binary.LittleEndian.Uint16(l.data[at+4:]))
}

const trailerBytes = 11

// trailer reports whether the end of the log is said to be at an offset: by a
// header of the old format that names the next log and has no checksum.
func (l *chunkLog) trailer(at int) bool {
	return l.formats[0].named && len(l.data)-at >= trailerBytes && bytes.Equal(l.data[at:at+7], []byte{6: oldLogChunk.first}) &&
		binary.LittleEndian.Uint32(l.data[at+7:]) == l.number+1
}

// promised reports whether a whole chunk after an offset proves that the log
// was on the disk up to there when it was written. In a manifest every record
// is synced before the next one is begun.
func (l *chunkLog) promised(end int) bool {
	for at := end + 1; at < len(l.data); at++ {
		switch f := l.chunk(at); {
		case f == nil:
		case f.synced && binary.LittleEndian.Uint64(l.data[at+11:]) > uint64(end):
			return true
		case !f.named && l.data[at+6] <= f.first+1: // a whole record, or its first chunk
			return true
		}
	}
	return false
}

// torn reports whether a crash can have left the chunk at an offset as it is:
// cut off by the end of the file, or by a sector that is zero.
func (l *chunkLog) torn(at int) bool {
	if l.hole(at, at+1) {
		return true
	}
	for _, f := range l.format() {
		if at+f.header > len(l.data) {
			continue // Not even its header is there.
		}
		end, block := at+l.size(at, &f), at-at%recordBlock+recordBlock
		if l.whole(at, &f) || end <= len(l.data) && !l.hole(at, min(end, block)) {
			return false
		}
	}
	return true
}

// format returns the format of the log, which all of its chunks have; or those
// that are possible, when no chunk of it can be read.
func (l *chunkLog) format() []chunkFormat {
	for at := range l.data {
		if f := l.chunk(at); f != nil {
			return []chunkFormat{*f}
		}
	}
	return l.formats
}

// whole reports whether the chunk at an offset has its checksum for some size,
// whatever its size is said to be.
func (l *chunkLog) whole(at int, f *chunkFormat) bool {
	sum, crc := binary.LittleEndian.Uint32(l.data[at:]), uint32(0)
	for i := at + 6; i < l.block(at); i++ {
		crc = crc32.Update(crc, castagnoli, l.data[i:i+1])
		if i >= at+f.header-1 && masked(crc) == sum {
			return true
		}
	}
	return false
}

// hole reports whether a sector, or what is left of one from an offset on, is
// zero, and begins before end.
func (l *chunkLog) hole(at, end int) bool {
	for at < min(end, len(l.data)) {
		next := min(at-at%sector+sector, len(l.data))
		if len(bytes.TrimRight(l.data[at:next], "\x00")) == 0 {
			return true
		}
		at = next
	}
	return false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is how Pebble stores a checksum.
func masked(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }
