package deliverylist

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var rewrite = flag.Bool("rewrite", false, "write what is computed into the golden files")

// TestEveryDialectIsRead holds the files of testdata: a control message, what is
// read of it, and what is written again. ␍ stands for CR.
func TestEveryDialectIsRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files:", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(want)
			control := bytes.ReplaceAll(a.Files[0].Data, []byte("␍"), []byte("\r"))
			l, err := Parse(control)
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.Encode()
			if err != nil {
				t.Fatal(err)
			}
			a.Files = []txtar.File{a.Files[0], {Name: "list", Data: []byte(show(l))}, {Name: "written", Data: again}}
			got := txtar.Format(a)
			if *rewrite {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// show writes a list for a person.
func show(l *List) string {
	var b strings.Builder
	for _, f := range l.Header {
		fmt.Fprintf(&b, "%d: header %q\n", f.Number, f.Text)
	}
	fmt.Fprintf(&b, "mail %d, submitted %d, attempted %v, retry %d\n", l.MsgID, l.Submitted, l.Attempted, l.Retry)
	from := "not said"
	if l.EnvelopeFrom != nil {
		from = fmt.Sprintf("%q", *l.EnvelopeFrom)
	}
	fmt.Fprintf(&b, "from %s, bounce to %q, room %q\n", from, l.BounceTo, l.SourceRoom)
	for _, r := range l.Remotes {
		fmt.Fprintf(&b, "%d: %s %d %q\n", r.Line, r.Address, r.Status, r.Text)
	}
	for _, f := range l.Foreign {
		fmt.Fprintf(&b, "%d: foreign %q\n", f.Number, f.Text)
	}
	return b.String()
}

func TestAnErrorSaysWhereWhatAndWhatInstead(t *testing.T) {
	const header = "Content-type: application/x-citadel-delivery-list\n\n"
	for _, tt := range []struct{ text, want string }{
		{"", "line 1: found nothing, expected the field Content-type: application/x-citadel-delivery-list before it"},
		{"msgid|1\n", `line 1: found "msgid|1", expected a header with Content-type`},
		{" folded: x\n\n", `line 1: found " folded: x", expected a header`},
		{"Subject: x\n\nmsgid|1\n", "line 2: found nothing, expected the field Content-type"},
		{"Subject: x\nContent-Type: text/plain\n\nmsgid|1\n", `line 2: found "Content-Type: text/plain", expected Content-type: application/x-citadel`},
		{header, "line 3: found nothing, expected msgid|NUMBER"},
		{header + "submitted|1\nmsgid|1\n", `line 3: found "submitted|1", expected msgid|NUMBER as the first instruction, and only there`},
		{header + "msgid|1\nmsgid|2\n", `line 4: found "msgid|2", expected msgid|NUMBER as the first instruction, and only there`},
		{header + "msgid|0\n", `line 3: found "msgid|0", expected msgid|NUMBER, with a number from 1`},
		{header + "msgid|x1\n", `line 3: found "msgid|x1", expected one number after the |, from 0 to 9223372036854775807`},
		{header + "msgid|1\nsubmitted|9000000001\n", `expected one number after the |, from 0 to 9000000000`},
		{header + "msgid|1\nattempted|1|2\n", `line 4: found "attempted|1|2", expected one number`},
		{header + "msgid|1\nretry|-1\n", `line 4: found "retry|-1", expected one number`},
		{header + "msgid|1\nretry|1\n\nretry|1\n", `line 6: found "retry|1", expected no second retry: the first is in line 4`},
		{header + "msgid|1\nbounceto|a|b\n", `line 4: found "bounceto|a|b", expected one field after the instruction's name`},
		{header + "msgid|1\nremote||0\n", `line 4: found "remote||0", expected remote|ADDRESS|STATUS|TEXT`},
		{header + "msgid|1\r\nremote|a@b|1|x\r\n", `line 4: found "remote|a@b|1|x", expected remote|ADDRESS|STATUS|TEXT with a status of 0, 2, 3, 4 or 5`},
		{header + "msgid|1\nremote|a@b|two\n", `with a status of 0, 2, 3, 4 or 5`},
		{header + "msgid|1\nretry|" + strings.Repeat("x", 99), `xxx"…, expected one number`},
		{header + "msgid|1\n" + strings.Repeat("x", MaxBytes), `bytes", expected at most 16777216`},
	} {
		l, err := Parse([]byte(tt.text))
		var syntax *SyntaxError
		if l != nil || !errors.As(err, &syntax) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.200q:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{}, "msgid is 0, and must be a number from 1"},
		{List{MsgID: 1, Submitted: -1}, "submitted is -1, and must be a number from 0 to 9000000000"},
		{List{MsgID: 1, Retry: lastSecond + 1}, "retry is 9000000001"},
		{List{MsgID: 1, BounceTo: "a|b"}, `bounceto "a|b" holds a |`},
		{List{MsgID: 1, SourceRoom: "a\nretry"}, "holds the end of a line"},
		{List{MsgID: 1, Remotes: []Remote{{Address: "a|b@c"}}}, `the address "a|b@c" holds a |`},
		{List{MsgID: 1, Remotes: []Remote{{Address: "a@b", Status: 1}}}, "with status 1"},
		{List{MsgID: 1, Remotes: []Remote{{Text: "x"}}}, `a recipient ""`},
		{List{MsgID: 1, Foreign: []Line{{Text: "Remote|a@b|0"}}}, "is not foreign"},
		{List{MsgID: 1, Foreign: []Line{{}}}, "an empty line is no instruction"},
		{List{MsgID: 1, Header: []Line{{Text: "Subject: x\nBcc: y"}}}, "is no field of a header"},
		{List{MsgID: 1, Header: []Line{{Text: "no field"}}}, "is no field of a header"},
	} {
		if _, err := tt.list.Encode(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v:\ngot  %v\nwant %s", tt.list, err, tt.want)
		}
	}
}
