package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/postonce/postonce/spec"
)

// entryVersion is the first byte of an encoded entry. A relay refuses entries
// of a version it does not know rather than guess. In version 1 nobody was
// Doubted, in version 2 nobody was Parked, in version 3 nothing was Asked, in
// version 4 there were no Needs, in version 5 there was no Setback and no Via.
const entryVersion = 6

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode returns the entry as it is stored: version, fields, and a CRC-32C of
// all that, so that damage is seen and not acted on.
func (e *Entry) Encode() []byte {
	b := make([]byte, 0, 128+96*len(e.Recipients))
	b = append(b, entryVersion)
	b = appendString(b, string(e.ID))
	b = appendString(b, e.Message)
	b = appendString(b, e.Sender)
	b = appendBool(b, e.Body8Bit)
	b = append(b, byte(e.Needs))
	b = binary.AppendVarint(b, e.Size)
	b = binary.AppendVarint(b, int64(e.Submitted))
	b = append(b, byte(e.Tracking.Return))
	b = appendString(b, e.Tracking.EnvelopeID)
	b = binary.AppendUvarint(b, uint64(len(e.Recipients)))
	for i := range e.Recipients {
		b = e.Recipients[i].append(b)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (r *Recipient) append(b []byte) []byte {
	b = appendString(b, r.Address)
	b = append(b, byte(r.State))
	b = appendBool(b, r.Doubted)
	b = appendBool(b, r.Parked)
	b = appendString(b, r.Via)
	b = append(b, byte(r.Asked.Notify))
	b = appendString(b, r.Asked.Original)
	b = appendBool(b, r.Warned)
	b = append(b, byte(r.Setback.Cause))
	b = binary.AppendUvarint(b, uint64(r.Setback.Run))
	b = binary.AppendUvarint(b, uint64(r.Attempts))
	b = binary.AppendVarint(b, int64(r.Due))
	t := &r.Last
	b = binary.AppendVarint(b, int64(t.At))
	b = appendString(b, t.Host)
	b = append(b, storedStage(t.Stage), byte(t.Event))
	b = binary.AppendUvarint(b, uint64(t.Reply.Code))
	b = appendString(b, t.Reply.Enhanced)
	b = binary.AppendUvarint(b, uint64(len(t.Reply.Lines)))
	for _, line := range t.Reply.Lines {
		b = appendString(b, line)
	}
	return appendString(b, t.Text)
}

// storedStages are the numbers by which stages are stored. Those that came to be
// when others had their numbers, are stored behind them.
var storedStages = [...]byte{
	spec.StageResolve: 1, spec.StageConnect: 2, spec.StageGreeting: 3, spec.StageEHLO: 4, spec.StageHELO: 5,
	spec.StageMAIL: 6, spec.StageRCPT: 7, spec.StageDATA: 8, spec.StageBody: 9, spec.StageDot: 10, spec.StageRSET: 11, spec.StageQUIT: 12,
	spec.StageSTARTTLS: 13, spec.StageHandshake: 14,
	spec.StageBDAT: 15, spec.StageAUTH: 16,
}

// storedStage is the number by which a stage is stored.
func storedStage(s spec.Stage) byte {
	if int(s) < len(storedStages) {
		return storedStages[s]
	}
	return byte(s)
}

// stageStored is the inverse of storedStage.
func stageStored(b byte) spec.Stage {
	for s := spec.StageResolve; s <= spec.StageQUIT; s++ {
		if storedStage(s) == b {
			return s
		}
	}
	return spec.Stage(b)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// ErrDamaged is what DecodeEntry's errors wrap.
var ErrDamaged = errors.New("damaged spool entry")

// DecodeEntry is the inverse of Encode. Whatever the bytes, it returns an
// entry that Encode could have made, or an error that wraps ErrDamaged.
func DecodeEntry(b []byte) (*Entry, error) {
	if len(b) < 5 {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrDamaged, len(b))
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, fmt.Errorf("%w: checksum is %08x, should be %08x", ErrDamaged, got, sum)
	}
	if body[0] < 1 || body[0] > entryVersion {
		return nil, fmt.Errorf("%w: version %d, this relay knows 1 to %d", ErrDamaged, body[0], entryVersion)
	}
	d := decoder{version: body[0], rest: body[1:]}
	e := &Entry{ID: spec.QueueID(d.string()), Message: d.string(), Sender: d.string(), Body8Bit: d.byte() != 0}
	if d.version > 4 {
		e.Needs = spec.Needs(d.byte())
	}
	e.Size, e.Submitted = d.varint(), spec.Wall(d.varint())
	if d.version > 3 {
		e.Tracking.Return, e.Tracking.EnvelopeID = spec.Return(d.byte()), d.string()
	}
	n := d.count()
	for range n {
		e.Recipients = append(e.Recipients, d.recipient())
	}
	if d.failed || len(d.rest) > 0 {
		return nil, fmt.Errorf("%w: fields do not fit, at %d bytes from the end", ErrDamaged, len(d.rest))
	}
	return e, nil
}

// A decoder reads fields; after the first failure it yields zeros.
type decoder struct {
	version byte
	rest    []byte
	failed  bool
}

func (d *decoder) recipient() Recipient {
	r := Recipient{Address: d.string(), State: spec.RecipientState(d.byte())}
	if d.version > 1 {
		r.Doubted = d.byte() != 0
	}
	if d.version > 2 {
		r.Parked = d.byte() != 0
	}
	if d.version > 5 {
		r.Via = d.string()
	}
	if d.version > 3 {
		r.Asked.Notify, r.Asked.Original, r.Warned = spec.Notify(d.byte()), d.string(), d.byte() != 0
	}
	if d.version > 5 {
		r.Setback = spec.Setback{Cause: spec.Cause(d.byte()), Run: int(d.count32())}
	}
	r.Attempts, r.Due = int(d.count32()), spec.Wall(d.varint())
	t := &r.Last
	t.At, t.Host, t.Stage, t.Event = spec.Wall(d.varint()), d.string(), stageStored(d.byte()), spec.Event(d.byte())
	t.Reply.Code, t.Reply.Enhanced = int(d.count32()), d.string()
	for n := d.count(); n > 0; n-- {
		t.Reply.Lines = append(t.Reply.Lines, d.string())
	}
	t.Text = d.string()
	if !r.State.Valid() || !r.Setback.Cause.Valid() || r.State == spec.Parked { // see Standing
		d.failed = true
	}
	return r
}

func (d *decoder) fail() { d.failed, d.rest = true, nil }

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count reads a number of things that take at least a byte each, so that a
// damaged count cannot ask for more memory than the entry has bytes.
func (d *decoder) count() uint64 {
	v := d.count32()
	if v > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return v
}

func (d *decoder) count32() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > 1<<31 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) string() string {
	n := d.count()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
