package queue

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

func genTrouble(t *rapid.T) Trouble {
	return Trouble{
		At: spec.Wall(rapid.Int64().Draw(t, "at")), Host: rapid.String().Draw(t, "host"),
		Stage: spec.Stage(rapid.Byte().Draw(t, "stage")), Event: spec.Event(rapid.Byte().Draw(t, "event")),
		Reply: spec.Reply{
			Code: rapid.IntRange(0, 599).Draw(t, "code"), Enhanced: rapid.String().Draw(t, "enhanced"),
			Lines: rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "lines"),
		},
		Text: rapid.String().Draw(t, "text"),
	}
}

func genEntry(t *rapid.T) *Entry {
	e := &Entry{
		ID: spec.QueueID(rapid.String().Draw(t, "id")), Message: rapid.String().Draw(t, "message"), Sender: rapid.String().Draw(t, "sender"),
		Body8Bit: rapid.Bool().Draw(t, "8bit"), Needs: spec.Needs(rapid.Byte().Draw(t, "needs")),
		Size: rapid.Int64().Draw(t, "size"), Submitted: spec.Wall(rapid.Int64().Draw(t, "submitted")),
		Tracking: spec.Tracking{Return: spec.Return(rapid.Byte().Draw(t, "return")), EnvelopeID: rapid.String().Draw(t, "envelope id")},
	}
	for range rapid.IntRange(0, 5).Draw(t, "recipients") {
		e.Recipients = append(e.Recipients, Recipient{
			Address: rapid.String().Draw(t, "address"), State: spec.RecipientState(rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 8}).Draw(t, "state")),
			Attempts: rapid.IntRange(0, 1<<20).Draw(t, "attempts"),
			Setback:  spec.Setback{Cause: rapid.SampledFrom(spec.Causes()).Draw(t, "cause"), Run: rapid.IntRange(0, 9).Draw(t, "run")},
			Due:      spec.Wall(rapid.Int64().Draw(t, "due")), Last: genTrouble(t),
			Doubted: rapid.Bool().Draw(t, "doubted"), Parked: rapid.Bool().Draw(t, "parked"), Warned: rapid.Bool().Draw(t, "warned"),
			Via:   rapid.String().Draw(t, "via"),
			Asked: spec.Asked{Notify: spec.Notify(rapid.Byte().Draw(t, "notify")), Original: rapid.String().Draw(t, "original")},
		})
	}
	return e
}

func TestDecodedEntryIsTheEncodedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genEntry(t)
		got, err := DecodeEntry(want.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// TestAnEntryOfVersion1IsRead: as a relay stored it that knew no Doubted.
func TestAnEntryOfVersion1IsRead(t *testing.T) {
	b := []byte("\x01\x02q1\x02m1\x00\x00\x08\x02\x01\x03b@c\x01\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeEntry(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{ID: "q1", Message: "m1", Size: 4, Submitted: 1, Recipients: []Recipient{{Address: "b@c", State: spec.Queued, Attempts: 2, Due: 5}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAnEntryOfVersion2IsRead: as a relay stored it that knew no Parked.
func TestAnEntryOfVersion2IsRead(t *testing.T) {
	b := []byte("\x02\x02q1\x02m1\x00\x00\x08\x02\x01\x03b@c\x01\x01\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeEntry(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{ID: "q1", Message: "m1", Size: 4, Submitted: 1, Recipients: []Recipient{
		{Address: "b@c", State: spec.Queued, Doubted: true, Attempts: 2, Due: 5},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAnEntryOfVersion3IsRead: as a relay stored it that took no NOTIFY.
func TestAnEntryOfVersion3IsRead(t *testing.T) {
	b := []byte("\x03\x02q1\x02m1\x00\x00\x08\x02\x01\x03b@c\x01\x01\x01\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeEntry(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{ID: "q1", Message: "m1", Size: 4, Submitted: 1, Recipients: []Recipient{
		{Address: "b@c", State: spec.Queued, Doubted: true, Parked: true, Attempts: 2, Due: 5},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAnEntryOfVersion4IsRead: as a relay stored it that knew no SMTPUTF8.
func TestAnEntryOfVersion4IsRead(t *testing.T) {
	b := []byte("\x04\x02q1\x02m1\x00\x01\x08\x02\x00\x00\x01\x03b@c\x01\x01\x01\x00\x00\x01\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeEntry(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{ID: "q1", Message: "m1", Body8Bit: true, Size: 4, Submitted: 1, Recipients: []Recipient{
		{Address: "b@c", State: spec.Queued, Doubted: true, Parked: true, Warned: true, Attempts: 2, Due: 5},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAnEntryOfVersion5IsRead: as a relay stored it that knew no back-off and rerouted nobody.
func TestAnEntryOfVersion5IsRead(t *testing.T) {
	b := []byte("\x05\x02q1\x02m1\x00\x01\x02\x08\x02\x00\x00\x01\x03b@c\x01\x01\x01\x00\x00\x01\x02\x0a\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeEntry(binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
	if err != nil {
		t.Fatal(err)
	}
	want := &Entry{ID: "q1", Message: "m1", Body8Bit: true, Needs: 2, Size: 4, Submitted: 1, Recipients: []Recipient{
		{Address: "b@c", State: spec.Queued, Doubted: true, Parked: true, Warned: true, Attempts: 2, Due: 5},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAnyFlippedBitIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := genEntry(t).Encode()
		i := rapid.IntRange(0, len(b)*8-1).Draw(t, "bit")
		b[i/8] ^= 1 << (i % 8)
		if _, err := DecodeEntry(b); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d of %d bytes flipped: %v", i, len(b), err)
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add([]byte{})
	f.Add((&Entry{ID: "a", Recipients: []Recipient{{Address: "b@c", State: spec.Queued}}}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEntry(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error does not wrap ErrDamaged: %v", err)
			}
			return
		}
		if d, err := DecodeEntry(e.Encode()); err != nil || !cmp.Equal(d, e) {
			t.Fatalf("decoded entry does not survive: %v", err)
		}
	})
}

func TestIndexKeysSortByLaneThenTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.Custom(func(t *rapid.T) Waiting {
			return Waiting{
				rapid.StringMatching(`[a-z\[\].:-]{0,8}`).Draw(t, "destination"), spec.Wall(rapid.Int64Min(0).Draw(t, "due")),
				spec.QueueID(rapid.StringMatching(`[a-z0-9-]{1,8}`).Draw(t, "id")), rapid.SampledFrom([]spec.Lane{0, 'a', 'b', 'z'}).Draw(t, "lane"),
			}
		})
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		if got, err := ParseWaiting(a.Key().Name); err != nil || got != a {
			t.Fatalf("%+v parsed back as %+v, %v", a, got, err)
		}
		same := a.Destination == b.Destination
		if same && a.Lane == b.Lane && a.Due < b.Due && a.name() >= b.name() {
			t.Fatalf("%q is not before %q", a.name(), b.name())
		}
		if (a.Destination < b.Destination || same && a.Lane < b.Lane) && AfterLane(a.Destination, a.Lane) > b.name() {
			t.Fatalf("skipping the lane of %q skips %q", a.name(), b.name())
		}
		if AfterLane(a.Destination, a.Lane) <= a.name() {
			t.Fatalf("skipping its lane does not pass %q", a.name())
		}
	})
}

func FuzzParseWaiting(f *testing.F) {
	f.Add("example.net\x000000000000000001/q1")
	f.Add("example.net\x00z0000000000000001/q1")
	f.Fuzz(func(t *testing.T, name string) {
		w, err := ParseWaiting(name)
		if err != nil {
			return
		}
		if again, err := ParseWaiting(w.name()); err != nil || again != w {
			t.Fatalf("%+v parsed back as %+v, %v", w, again, err)
		}
	})
}

// What an earlier relay has stored keeps its meaning.
func TestStagesAreStoredByNumbersThatNeverChange(t *testing.T) {
	for stage, want := range map[spec.Stage]byte{ // any order: each is judged by itself
		spec.StageResolve: 1, spec.StageConnect: 2, spec.StageGreeting: 3, spec.StageEHLO: 4, spec.StageHELO: 5, spec.StageMAIL: 6,
		spec.StageRCPT: 7, spec.StageDATA: 8, spec.StageBody: 9, spec.StageDot: 10, spec.StageRSET: 11, spec.StageQUIT: 12,
		spec.StageSTARTTLS: 13, spec.StageHandshake: 14, spec.StageBDAT: 15, spec.StageAUTH: 16,
	} {
		if got := storedStage(stage); got != want || stageStored(want) != stage {
			t.Errorf("%v is stored as %d and read as %v, want %d", stage, got, stageStored(want), want)
		}
	}
}
