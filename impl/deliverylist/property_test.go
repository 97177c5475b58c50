package deliverylist

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"
)

// same compares lists but for where their lines stood.
var same = cmp.Options{
	cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Remote{}, "Line"), cmpopts.IgnoreFields(Line{}, "Number"),
}

// drawList draws a list that can be written.
func drawList(t *rapid.T) *List {
	field := rapid.StringMatching(`[^|\r\n]{0,12}`)
	text := rapid.StringMatching(`[a-z0-9 |;)\r]{0,12}`)
	second := rapid.Int64Range(0, lastSecond)
	l := &List{
		MsgID: rapid.Int64Min(1).Draw(t, "msgid"), Submitted: second.Draw(t, "submitted"), Retry: second.Draw(t, "retry"),
		Attempted: rapid.SliceOfN(rapid.Int64Range(1, lastSecond), 0, 3).Draw(t, "attempted"),
		BounceTo:  field.Draw(t, "bounceto"), SourceRoom: field.Draw(t, "source_room"),
		EnvelopeFrom: rapid.Ptr(field, true).Draw(t, "envelope_from"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "remotes") {
		l.Remotes = append(l.Remotes, Remote{
			Address: rapid.StringMatching(`[^|\r\n]{1,12}`).Draw(t, "address"), Text: text.Draw(t, "text"),
			Status: rapid.SampledFrom([]Status{NotAttempted, Delivered, NextHost, Later, Failed}).Draw(t, "status"),
		})
	}
	lines := rapid.SliceOfN(rapid.StringMatching(`(local|room|ignet|[A-Z]{1,3}|)\|[^\r\n]{0,12}`), 0, 3).Draw(t, "foreign")
	for _, line := range lines {
		l.Foreign = append(l.Foreign, Line{Text: line})
	}
	for _, f := range rapid.SliceOfN(rapid.StringMatching(`X-[a-z]{1,5}:[^\r\n]{0,12}(\n\t[^\r\n]{0,5})?`), 0, 3).Draw(t, "header") {
		l.Header = append(l.Header, Line{Text: f})
	}
	return l
}

func TestWhatIsWrittenIsReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawList(t)
		text, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		crlf := rapid.Bool().Draw(t, "crlf")
		if crlf {
			text = []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))
		}
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if d := cmp.Diff(want, got, same); d != "" {
			t.Errorf("-want +got:\n%s\n%s", d, text)
		}
	})
}

// FuzzParse holds that nothing panics, and that what is read can be written and
// is read the same again.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"first", "attempts", "event", "later", "foreign"} {
		text, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(strings.ReplaceAll(string(txtar.Parse(text).Files[0].Data), "␍", "\r")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		written, err := l.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, written)
		}
		if d := cmp.Diff(l, again, same); d != "" {
			t.Errorf("-read +read again:\n%s", d)
		}
	})
}
