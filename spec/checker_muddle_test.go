package spec

import (
	"slices"
	"strings"
	"testing"
)

// TestWhatASessionHidesConcernsWhoDialledThere: where it is not clear whom a reply
// concerns, it may be all who dialled the server that gave it, and nobody else.
func TestWhatASessionHidesConcernsWhoDialledThere(t *testing.T) {
	const (
		here, elsewhere = "192.0.2.1:25", "192.0.2.99:25"
		dial            = "1.25s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1 addr=" + here
		muddled         = `
1.55s server mx9 fault session=s9 host=mx9 stage=greeting faults=reply-extra text="at greeting: repeat 2"
1.55s server mx9 reply session=s9 host=mx9 `
		stranger = `
1.55s server mx9 command session=s9 host=mx9 stage=mail text="MAIL FROM:<eve@example.org>"
1.55s server mx9 command session=s9 host=mx9 stage=rcpt text="RCPT TO:<dave@example.com>"
1.55s server mx9 reply session=s9 host=mx9 `
		noMail = `
1.55s server mx9 reply session=s9 host=mx9 stage=mail reply="550 no"`
		noRecipient = `
1.55s server mx9 refused-recipient session=s9 host=mx9 from=<eve@example.org> to=dave@example.com stage=rcpt reply="550 no"`
	)
	later := replacing(`stage=rcpt reply="550 5.1.1 no"`, `stage=rcpt reply="451 later"`)
	for _, c := range []struct {
		name, base, at, lines string
		edits                 []edit
		want                  string
	}{
		{"delivered, a session was muddled", delivered, "1.8s   relay dot", strings.ReplaceAll(muddled, "1.55s", "1.8s") + `stage=body reply="250 ok"`,
			[]edit{without("mx1 accepted"), without("mx1 replied"), without("relay dial")}, "TRUE-REPORTS: but no server accepted it"},
		{"delivered, it was not clear to whom", delivered, "1.8s   relay dot", strings.ReplaceAll(stranger, "1.55s", "1.8s") + `stage=body reply="250 ok"`,
			[]edit{without("mx1 accepted"), without("mx1 replied"), without("relay dial")}, "TRUE-REPORTS: but no server accepted it"},
		{"given up, a session was muddled", refused, "1.5s   server mx1 reply", muddled + `stage=ehlo reply="502 no"`, []edit{later}, "RETRY-ON-TIME: gave up on m1"},
		{"given up, a content was refused", refused, "1.5s   server mx1 reply",
			stranger + `stage=data reply="554 no"`, []edit{later}, "RETRY-ON-TIME: gave up on m1"},
		{"given up, a content from another sender was refused", refused, "1.5s   server mx1 reply",
			strings.Replace(stranger, "dave@example.com", "bob@example.net", 1) + `stage=data reply="554 no"`,
			[]edit{later, after("relay ready", "2ms world operator message=m1 to=bob@example.net text=look")}, "RETRY-ON-TIME: gave up on m1"},
		{"given up, a sender was refused", refused, "1.5s   server mx1 reply", noMail, []edit{later}, "RETRY-ON-TIME: gave up on m1"},
		{"given up, a recipient was refused", refused, "1.5s   server mx1 reply", noRecipient, []edit{later}, "RETRY-ON-TIME: gave up on m1"},
		{"sent again, a dot was refused", retried, "1.6s   relay dot", strings.ReplaceAll(stranger, "1.55s", "1.65s") + `stage=dot reply="451 no"`,
			[]edit{without("accepted session=s1")}, "NEVER-TWICE: will send m1 to bob@example.net again"},
	} {
		session := func(addr string) string {
			at := strings.Fields(c.lines)[0]
			return at + " network connect session=s9 addr=" + addr + "\n" + strings.TrimPrefix(c.lines, "\n")
		}
		run := func(where, lines, dial string, want ...string) {
			edits := append(slices.Clip(c.edits), without("network connect"), after(c.at, lines))
			if dial != "" {
				edits = append(edits, after("relay attempt message=m1", dial))
			}
			t.Run(c.name+where, trial{base: c.base, edits: edits, want: want}.run)
		}
		run(" elsewhere", session(elsewhere), dial, c.want)
		run(" where it dialled", session(here), dial)
		run(" nobody knows where", strings.TrimPrefix(c.lines, "\n"), dial)
		run(" and nobody knows where it dialled", session(elsewhere), "")
	}
}

// TestWhomAnUnclearSessionNamesIsBounded: a server that is told of the same mail
// for ever does not fill the memory.
func TestWhomAnUnclearSessionNamesIsBounded(t *testing.T) {
	c := NewChecker(testPolicy())
	text := ""
	for _, m := range []string{"m1", "m2"} {
		text += "1s submitter submit message=" + m + " from=alice@example.org to=bob@example.net\n"
	}
	text += `2s server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"` + "\n"
	text += strings.Repeat(`2s server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"`+"\n", 5000)
	for _, f := range history(t, text) {
		c.Observe(f)
	}
	if s := c.wire.sessions["s1"]; len(s.twins) > 1100 || !s.blurred {
		t.Errorf("%d may have been named; blurred is %v", len(s.twins), s.blurred)
	}
}
