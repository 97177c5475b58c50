package scenarios

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/fakesmtp"
)

// butLines compares scenarios but for where things stand in their files.
var butLines = cmp.Options{
	cmpopts.IgnoreFields(Scenario{}, "TraceLine"),
	cmpopts.IgnoreFields(Record{}, "Line"),
	cmpopts.IgnoreFields(Server{}, "Line"),
	cmpopts.IgnoreFields(Step{}, "Line"),
	cmpopts.IgnoreFields(Expectation{}, "Line"),
	cmpopts.IgnoreFields(fakesmtp.Rule{}, "Line"),
}

func TestParseReadsBackWhatFormatWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		text := Format(s)
		got, err := Parse(s.Name+Ending, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if d := cmp.Diff(s, got, butLines); d != "" {
			t.Fatalf("%s\n%s", d, text)
		}
		if again := Format(got); !bytes.Equal(again, text) {
			t.Fatalf("Format is not idempotent:\n%s", cmp.Diff(string(text), string(again)))
		}
	})
}

func TestFormatWritesColumns(t *testing.T) {
	got := Format(mustParse(t, `rules: PROGRESS
seed: 7
-- expect --
bob@example.net queued
c1@example.net failed,1 attempts
c2@example.net failed,   1 attempt
c3@example.net failed,1 attempt
-- dns --
example.net. MX 10 mx1.example.net.
mx1.example.net. AAAA 2001:db8::1

-- server mx1.example.net --
-- plan --
t+24h heal
t+0 submit m1 from alice@example.org to bob@example.net,c1@example.net,c2@example.net,c3@example.net
crash   after intent m1 , restart after 60s
`))
	want := `# A title. More.
rules:  PROGRESS
seed:   7
-- dns --
example.net.      MX   10 mx1.example.net.
mx1.example.net.  AAAA 2001:db8::1
-- server mx1.example.net --
-- plan --
t+1d  heal
t+0   submit m1 from alice@example.org to bob@example.net, c{1..3}@example.net
crash after intent m1, restart after 1m
-- expect --
bob@example.net      queued
c{1..3}@example.net  failed, 1 attempt
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestRangesAreWrittenShort(t *testing.T) {
	for _, c := range []struct {
		want string
		in   []string
	}{
		{"a@x.example", []string{"a@x.example"}},
		{"a{1..3}@x.example", []string{"a1@x.example", "a2@x.example", "a3@x.example"}},
		{"a1@x.example, a2@x.example", []string{"a1@x.example", "a2@x.example"}},
		{"a{9..11}@x.example, a13@x.example", []string{"a9@x.example", "a10@x.example", "a11@x.example", "a13@x.example"}},
		{"a01@x.example, a02@x.example, a03@x.example", []string{"a01@x.example", "a02@x.example", "a03@x.example"}},
		{`"a1"@x.example, "a2"@x.example, "a3"@x.example`, []string{`"a1"@x.example`, `"a2"@x.example`, `"a3"@x.example`}},
		{"1@x.example, 2@y.example, 3@x.example", []string{"1@x.example", "2@y.example", "3@x.example"}},
	} {
		if got := mailboxList(c.in); got != c.want {
			t.Errorf("%q is written %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzParse: whatever the bytes, Parse returns; and what it accepts, Format
// writes so that it is read back as the same.
func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		data, err := library.ReadFile(root + "/" + name + Ending)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, c := range refused {
		f.Add(story(c.sections))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz.txtar", data)
		if err != nil {
			_ = err.Error()
			return
		}
		text := Format(s)
		again, err := Parse("fuzz.txtar", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if d := cmp.Diff(s, again, butLines); d != "" {
			t.Fatalf("%s\n%s", d, text)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1d2h3m4s5ms6us7ns")
	f.Add("9223372036854775807ns")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDuration(text)
		if err != nil {
			return
		}
		if again, err := parseDuration(formatDuration(d)); err != nil || again != d {
			t.Fatalf("%q is %v, but %q is %v (%v)", text, d, formatDuration(d), again, err)
		}
	})
}

// referenceFile is the generated description of the language.
const referenceFile = "REFERENCE.md"

func TestReferenceIsFresh(t *testing.T) {
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(referenceFile, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), Reference()); d != "" {
		t.Errorf("run the test with UPDATE=1 in the environment:\n%s", d)
	}
}

func TestTheExampleHasEverything(t *testing.T) {
	s, err := Parse("example.txtar", []byte(Example()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Example(), string(Format(s))); d != "" {
		t.Errorf("it is not formatted:\n%s", d)
	}
	for _, k := range sectionKinds() {
		if k.word != "policy" && !strings.Contains(Example(), "\n-- "+k.word) { // it is to be run, and the relay has no MTA-STS yet
			t.Errorf("it has no section %s", k.word)
		}
	}
	for _, h := range headerLines() {
		if !strings.Contains(Example(), "\n"+h.word) {
			t.Errorf("it has no header line %s", h.word)
		}
	}
}
