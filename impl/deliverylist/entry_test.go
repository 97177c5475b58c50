package deliverylist

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// noon is the time at which lists are taken over.
const noon = spec.Wall(1_600_000_000 * time.Second)

// in is a time after noon, in Unix seconds.
func in(d time.Duration) int64 { return seconds(noon.Add(d)) }

// entry takes a list over.
func entry(l *List) (queue.Entry, []Note) {
	return l.Entry("from@example.org", noon, spec.DefaultSchedule())
}

func TestEveryStatusHasItsState(t *testing.T) {
	text := "4.3.2 busy"
	from := "<alice@example.org>"
	l := &List{MsgID: 1, Submitted: in(-time.Hour), Attempted: []int64{in(-40 * time.Minute), in(-10 * time.Minute)}, Retry: 1800, EnvelopeFrom: &from}
	for _, s := range []Status{NotAttempted, Delivered, NextHost, Later, Failed} {
		l.Remotes = append(l.Remotes, Remote{Address: fmt.Sprintf("<s%d@example.net>", s), Status: s, Text: text})
	}
	last := queue.Trouble{At: noon.Add(-10 * time.Minute), Text: text}
	want := queue.Entry{Sender: "alice@example.org", Submitted: noon.Add(-time.Hour), Recipients: []queue.Recipient{
		{Address: "s0@example.net", State: spec.Queued, Due: noon, Last: queue.Trouble{Text: text}},
		{Address: "s2@example.net", State: spec.Delivered, Attempts: 2, Last: last},
		{Address: "s3@example.net", State: spec.Queued, Attempts: 2, Due: noon, Doubted: true, Last: last},
		{Address: "s4@example.net", State: spec.Queued, Attempts: 2, Due: noon.Add(20 * time.Minute), Doubted: true, Last: last},
		{Address: "s5@example.net", State: spec.Failed, Attempts: 2, Last: last},
	}}
	got, notes := entry(l)
	if d := cmp.Diff(want, got); d != "" || len(notes) > 0 {
		t.Errorf("-want +got:\n%s\nnotes %v", d, notes)
	}
}

func TestADueTimeIsThatOfTheGenerationThatWroteIt(t *testing.T) {
	for _, tt := range []struct {
		name      string
		attempted []int64
		retry     int64
		due       time.Duration
	}{
		{"no attempt is said", nil, 1800, 0},
		{"the next attempt is to come", []int64{in(7 * time.Minute)}, 600, 7 * time.Minute},
		{"the last attempt is over, and its interval is not", []int64{in(-10 * time.Minute)}, 1800, 20 * time.Minute},
		{"the interval is over", []int64{in(-time.Hour)}, 1800, 0},
		{"the interval is the initial one", []int64{in(-time.Minute)}, 0, 4 * time.Minute},
		{"the interval is longer than any of ours", []int64{in(-time.Hour)}, 90 * 24 * 3600, 3 * time.Hour},
		{"the attempts are in no order", []int64{in(-time.Minute), in(-time.Hour)}, 600, 9 * time.Minute},
	} {
		e, _ := entry(&List{MsgID: 1, Attempted: tt.attempted, Retry: tt.retry, Remotes: []Remote{{Address: "bob@example.net", Status: Later}}})
		if due := e.Recipients[0].Due.Sub(noon); due != tt.due {
			t.Errorf("%s: due in %v, want %v", tt.name, due, tt.due)
		}
	}
}

func TestAMailboxThatIsNamedTwiceIsOneRecipient(t *testing.T) {
	for _, tt := range []struct {
		first, second Status
		want          spec.RecipientState
		doubted       bool
	}{
		{NotAttempted, Delivered, spec.Delivered, false},
		{Delivered, Later, spec.Delivered, false},
		{NotAttempted, Later, spec.Queued, true},
		{Failed, NotAttempted, spec.Queued, false},
		{NotAttempted, Failed, spec.Queued, false},
		{Failed, Failed, spec.Failed, false},
	} {
		e, _ := entry(&List{MsgID: 1, Remotes: []Remote{{Address: "bob@example.net", Status: tt.first}, {Address: "bob@EXAMPLE.net", Status: tt.second}}})
		if len(e.Recipients) != 1 || e.Recipients[0].State != tt.want || e.Recipients[0].Doubted != tt.doubted {
			t.Errorf("%d and %d: %+v", tt.first, tt.second, e.Recipients)
		}
	}
	quoted, _ := entry(&List{MsgID: 1, Remotes: []Remote{{Address: `"bob"@example.net`, Status: Delivered}, {Address: "bob@example.net"}}})
	if len(quoted.Recipients) != 1 || quoted.Recipients[0].State != spec.Delivered {
		t.Errorf("a local part may be quoted: %+v", quoted.Recipients)
	}
	e, _ := entry(&List{MsgID: 1, Remotes: []Remote{{Address: "bob@example.net"}, {Address: "Bob@example.net"}}})
	if len(e.Recipients) != 2 {
		t.Errorf("local parts depend on case: %+v", e.Recipients)
	}
}

func TestTheSenderAndTheBeginningAreMadeUpForWhenNotSaid(t *testing.T) {
	e, _ := entry(&List{MsgID: 1})
	if e.Sender != "from@example.org" || e.Submitted != noon {
		t.Errorf("%+v", e)
	}
	if e, _ := entry(&List{MsgID: 1, Submitted: in(time.Hour)}); e.Submitted != noon {
		t.Errorf("submitted at %v, which is to come", e.Submitted)
	}
}

func TestWhatIsLostIsSaid(t *testing.T) {
	null, alice := "", "alice@example.org"
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{BounceTo: "alice@EXAMPLE.org", EnvelopeFrom: &alice}, "[]"},
		{List{BounceTo: "alice@uncensored"}, "[{0 reports go to the envelope sender <from@example.org>, not to bounceto alice@uncensored}]"},
		{List{BounceTo: "alice@example.org", EnvelopeFrom: &null}, "[{0 envelope_from is empty, the null sender: what fails is reported to nobody}]"},
		{List{Foreign: []Line{{"local|dan|2", 4}, {"room|Lobby|5", 5}, {"ignet|n|r|2|x", 6}}}, "[]"},
		{List{Foreign: []Line{{"local|dan|0", 4}}}, `[{4 "local|dan|0" is not delivered by SMTP: leave it to Citadel}]`},
		{List{Foreign: []Line{{"Ignet|n|r|4|x", 4}}}, `[{4 "Ignet|n|r|4|x" is not delivered by SMTP: leave it to Citadel}]`},
		{List{Foreign: []Line{{"room|Lobby", 4}}}, `[{4 "room|Lobby" is not delivered by SMTP: leave it to Citadel}]`},
		{List{Foreign: []Line{{"weight|2|2", 4}}}, `[{4 the instruction "weight|2|2" is not known, and not followed}]`},
	} {
		if _, notes := entry(&tt.list); fmt.Sprint(notes) != tt.want {
			t.Errorf("got  %v\nwant %s", notes, tt.want)
		}
	}
}

func TestAnEntryIsShownAsAList(t *testing.T) {
	lost := queue.Trouble{At: noon, Host: "mx.example.net", Stage: spec.StageDot, Event: spec.Cut, Text: "lost|\r\nafter the\x1b dot"}
	e := queue.Entry{ID: "a-1", Sender: "alice@example.org", Submitted: noon.Add(-time.Hour), Recipients: []queue.Recipient{
		{Address: "new@example.net", State: spec.Queued, Due: noon},
		{Address: "sooner@example.net", State: spec.Queued, Attempts: 1, Due: noon.Add(time.Second), Last: queue.Trouble{At: noon, Text: "busy"}},
		{Address: "later@example.net", State: spec.Queued, Attempts: 2, Due: noon.Add(time.Minute + 1), Last: queue.Trouble{At: noon, Text: "busy"}},
		{Address: "delivered@example.net", State: spec.Delivered, Attempts: 1},
		{Address: "failed@example.net", State: spec.Failed, Attempts: 1, Last: queue.Trouble{Text: "no such user"}},
		{Address: "held@example.net", State: spec.Held, Attempts: 1, Last: lost},
		{Address: "unknown@example.net", State: spec.Unknown, Attempts: 1},
	}}
	l, notes := FromEntry(&e, 65)
	text, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `Content-type: application/x-citadel-delivery-list

msgid|65
submitted|1599996400
attempted|1600000061
retry|61
bounceto|alice@example.org
envelope_from|alice@example.org
remote|new@example.net|0|
remote|sooner@example.net|4|busy
remote|later@example.net|4|busy
remote|delivered@example.net|2|
remote|failed@example.net|5|no such user
remote|held@example.net|5|held, may have arrived: mx.example.net: lost/  after the? dot
remote|unknown@example.net|5|unknown, may have arrived
`
	if d := cmp.Diff(want, string(text)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	told := fmt.Sprint(notes)
	for _, note := range []string{
		"held@example.net is held: Citadel has no status", "unknown@example.net is unknown", "due at different times from 2020-09-13T12:26:41",
	} {
		if !strings.Contains(told, note) {
			t.Errorf("the notes lack %q: %s", note, told)
		}
	}
}

// TestNobodyIsAttemptedTooEarlyOrAgainByAWayThroughAList holds that an entry
// which is written and taken over again has no recipient due before its time,
// and no one waiting who is in doubt or final.
func TestNobodyIsAttemptedTooEarlyOrAgainByAWayThroughAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := queue.Entry{Sender: "alice@example.org", Submitted: noon.Add(-24 * time.Hour)}
		for i := range rapid.IntRange(1, 4).Draw(t, "recipients") {
			state := spec.RecipientState(rapid.IntRange(int(spec.Queued), int(spec.Held)).Draw(t, "state"))
			r := queue.Recipient{Address: fmt.Sprintf("r%d@example.net", i), State: state, Attempts: rapid.IntRange(0, 3).Draw(t, "attempts")}
			if r.Attempts > 0 {
				r.Last.At = noon.Add(-time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ago")))
				r.Due = r.Last.At.Add(time.Duration(rapid.Int64Range(1, int64(3*time.Hour)).Draw(t, "interval")))
			}
			e.Recipients = append(e.Recipients, r)
		}
		l, _ := FromEntry(&e, 1)
		text, err := l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := entry(back)
		for i, r := range e.Recipients {
			g := got.Recipients[i]
			if (r.State == spec.Queued) != (g.State == spec.Queued) || (r.State == spec.Delivered) != (g.State == spec.Delivered) {
				t.Errorf("%s was %v and is %v\n%s", r.Address, r.State, g.State, text)
			}
			if g.State == spec.Queued && g.Due < r.Due {
				t.Errorf("%s was due at %v and is at %v\n%s", r.Address, r.Due, g.Due, text)
			}
		}
	})
}
