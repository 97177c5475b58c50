package fakesmtp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
)

// Each case is one deliberately wrong client: what it sends in one piece after
// the greeting, and what it must be told off for. An empty want is lawful.
func TestUnlawfulClients(t *testing.T) {
	const (
		ehlo     = "EHLO client.example\r\n"
		mail     = "MAIL FROM:<alice@example.org>\r\n"
		rcpt     = "RCPT TO:<bob@example.net>\r\n"
		none     = "offer none"
		fine     = ""
		plain    = "offer PIPELINING"
		slowMail = "at mail: delay 1s"
	)
	for _, test := range []struct {
		name, script string
		// pieces are sent one by one, each when all before is answered.
		pieces []string
		want   string
	}{
		{"a lawful group", fine, []string{ehlo, mail + rcpt + "DATA\r\n", content + ".\r\n" + mail + rcpt + "RSET\r\n", "QUIT\r\n"}, ""},
		{"a refused MAIL in a group", "at mail: 451 no", []string{ehlo, mail + rcpt + "DATA\r\n"}, ""},
		{"DATA for nobody in a group", "at rcpt: 550 no", []string{ehlo, mail + rcpt + "DATA\r\n"}, ""},
		{"before the greeting", "at greeting: delay 1s", []string{ehlo}, "before the greeting"},
		{"in the middle of the greeting", `at greeting: raw "220 m"; delay 1s; raw "x\r\n"`, []string{ehlo}, "before the greeting"},
		{"a group without PIPELINING", none, []string{ehlo, mail + rcpt}, "reply to MAIL, though PIPELINING was not offered"},
		{"after the dot without PIPELINING", none, []string{ehlo, mail, rcpt, "DATA\r\n", content + ".\r\nQUIT\r\n"}, "reply to ., though"},
		{"after EHLO", fine, []string{ehlo + mail}, "reply to EHLO, though"},
		{"after DATA", fine, []string{ehlo, mail, rcpt, "DATA\r\n" + content}, "DATA must be the last"},
		{"after QUIT", fine, []string{ehlo, "QUIT\r\nNOOP\r\n"}, "QUIT must be the last"},
		{"after NOOP", fine, []string{ehlo, "NOOP\r\nNOOP\r\n"}, "NOOP must be the last"},
		{"MAIL before EHLO", fine, []string{mail}, "MAIL before EHLO"},
		{"MAIL after what looks like the reply to EHLO", "at greeting: repeat 2; 220 Here\nat ehlo: 451 no", []string{ehlo, mail}, ""},
		{"a group before the answer to EHLO that is one too many", "offer none\nat ehlo: repeat 2; 250 Fine", []string{ehlo + mail + rcpt + "DATA\r\n"},
			"reply to EHLO"},
		{"QUIT while the reply to DATA drips, after one too many", "at mail: repeat 2; 250 fine\nat data: drip 1s; 354 go on",
			[]string{ehlo, mail, rcpt, "DATA\r\n", "QUIT\r\n"}, ""},
		{"a bare LF, whatever the server said before", "at greeting: repeat 2; 220 Here", []string{"EHLO client.example\n"}, "bare LF"},
		{"MAIL in MAIL", fine, []string{ehlo, mail, mail}, "MAIL within a transaction"},
		{"RCPT before MAIL", fine, []string{ehlo, rcpt}, "RCPT without MAIL"},
		{"DATA before MAIL", fine, []string{ehlo, "DATA\r\n"}, "DATA without MAIL"},
		{"DATA before RCPT", fine, []string{ehlo, mail, "DATA\r\n"}, "DATA without RCPT"},
		{"RCPT after a refused MAIL", none + "\nat mail: 451 no", []string{ehlo, mail, rcpt}, "RCPT though MAIL was refused"},
		{"DATA for nobody", none + "\nat rcpt: 550 no", []string{ehlo, mail, rcpt, "DATA\r\n"}, "DATA though every recipient"},
		{"SIZE not offered", plain, []string{ehlo, "MAIL FROM:<a@b> SIZE=1\r\n"}, "parameter SIZE, though SIZE was not offered"},
		{"BODY not offered", plain, []string{ehlo, "MAIL FROM:<a@b> BODY=8BITMIME\r\n"}, "parameter BODY, though 8BITMIME"},
		{"parameters after HELO", fine, []string{"HELO x\r\n", "MAIL FROM:<a@b> SIZE=1\r\n"}, "was not offered"},
		{"NOTIFY not offered", plain, []string{ehlo, mail, "RCPT TO:<a@b> NOTIFY=NEVER\r\n"}, "NOTIFY, though DSN"},
		{"parameter at the wrong command", fine, []string{ehlo, mail, "RCPT TO:<a@b> SIZE=1\r\n"}, "no parameter of RCPT"},
		{"SMTPUTF8 not offered", fine, []string{ehlo, "MAIL FROM:<a@b> SMTPUTF8\r\n"}, "SMTPUTF8, though SMTPUTF8 was not offered"},
		{"SMTPUTF8 with a value", "offer SMTPUTF8", []string{ehlo, "MAIL FROM:<a@b> SMTPUTF8=yes\r\n"}, "SMTPUTF8 has a value"},
		{"SMTPUTF8 at RCPT", "offer SMTPUTF8", []string{ehlo, mail, "RCPT TO:<a@b> SMTPUTF8\r\n"}, "no parameter of RCPT"},
		{"a recipient beyond ASCII", "offer SMTPUTF8", []string{ehlo, mail, "RCPT TO:<ä@b>\r\n"}, "SMTPUTF8 was not said"},
		{"a recipient beyond ASCII where it was said", "offer SMTPUTF8", []string{ehlo, "MAIL FROM:<ä@b> SMTPUTF8\r\n", "RCPT TO:<ä@b>\r\n"}, ""},
		{"REQUIRETLS in clear", "offer STARTTLS, REQUIRETLS", []string{ehlo, "MAIL FROM:<a@b> REQUIRETLS\r\n"}, "REQUIRETLS was not offered"},
		{"parameter twice", fine, []string{ehlo, "MAIL FROM:<a@b> SIZE=1 SIZE=1\r\n"}, "SIZE twice"},
		{"SIZE that is no number", fine, []string{ehlo, "MAIL FROM:<a@b> SIZE=x\r\n"}, "SIZE is no number"},
		{"BODY that is unknown", fine, []string{ehlo, "MAIL FROM:<a@b> BODY=X\r\n"}, "BODY is neither"},
		{"empty value", fine, []string{ehlo, "MAIL FROM:<a@b> SIZE=\r\n"}, "empty value"},
		{"no brackets", fine, []string{ehlo, "MAIL FROM:alice@example.org\r\n"}, "no angle brackets"},
		{"brackets not closed", fine, []string{ehlo, "MAIL FROM:<alice@example.org\r\n"}, "not closed"},
		{"blank before the path", fine, []string{ehlo, "MAIL FROM: <a@b>\r\n"}, "a blank stands before"},
		{"junk after the path", fine, []string{ehlo, "MAIL FROM:<a@b>x\r\n"}, "right after the path"},
		{"two blanks", fine, []string{ehlo, "MAIL FROM:<a@b>  SIZE=1\r\n"}, "a blank too many"},
		{"a blank at the end", fine, []string{ehlo, "MAIL FROM:<a@b> \r\n"}, "a blank too many"},
		{"no FROM", fine, []string{ehlo, "MAIL <a@b>\r\n"}, "has no FROM:"},
		{"no mailbox", fine, []string{ehlo, "MAIL FROM:<alice>\r\n"}, "no mailbox"},
		{"blank in the domain", fine, []string{ehlo, "MAIL FROM:<a@b c>\r\n"}, "the domain of the path"},
		{"blank in the local part", fine, []string{ehlo, "MAIL FROM:<a b@c>\r\n"}, "needs quotes"},
		{"empty recipient", fine, []string{ehlo, mail, "RCPT TO:<>\r\n"}, "recipient is empty"},
		{"sender not ASCII", fine, []string{ehlo, "MAIL FROM:<ü@b>\r\n"}, "sender is not ASCII"},
		{"recipient not ASCII", fine, []string{ehlo, mail, "RCPT TO:<ü@b>\r\n"}, "recipient is not ASCII"},
		{"quoted local parts are fine", fine, []string{ehlo, mail, "RCPT TO:<\"a b>@\"@c>\r\n"}, ""},
		{"EHLO without a name", fine, []string{"EHLO\r\n"}, "EHLO without a domain"},
		{"EHLO with two names", fine, []string{"EHLO a b\r\n"}, "EHLO with more"},
		{"RSET with an argument", fine, []string{ehlo, "RSET x\r\n"}, "RSET with an argument"},
		{"QUIT with an argument", fine, []string{ehlo, "QUIT x\r\n"}, "QUIT with an argument"},
		{"DATA with an argument", fine, []string{ehlo, "DATA x\r\n"}, "DATA with an argument"},
		{"unknown command", fine, []string{ehlo, "HALO\r\n"}, `"HALO" is no command`},
		{"empty command", fine, []string{ehlo, "\r\n"}, `"" is no command`},
		{"STARTTLS not offered", fine, []string{ehlo, "STARTTLS\r\n"}, "STARTTLS was not offered"},
		{"STARTTLS with an argument", "offer STARTTLS", []string{ehlo, "STARTTLS now\r\n"}, "STARTTLS with an argument"},
		{"no waiting for the reply to STARTTLS", "offer STARTTLS, PIPELINING", []string{ehlo, "STARTTLS\r\nNOOP\r\n"}, "reply to STARTTLS"},
		{"STARTTLS offered", "offer STARTTLS", []string{ehlo, "STARTTLS\r\n"}, ""},
		{"a command in bare LF", fine, []string{"EHLO x\n"}, "bare LF"},
		{"a command with bare CR", fine, []string{"EHLO x\ry\r\n"}, "bare CR"},
		{"a command with NUL", fine, []string{"EHLO x\x00\r\n"}, "a NUL"},
		{"a command of 512", fine, []string{"EHLO " + strings.Repeat("x", 505) + "\r\n"}, ""},
		{"a command of 513", fine, []string{"EHLO " + strings.Repeat("x", 506) + "\r\n"}, "longer than 512"},
		{"a command of 2 MB", fine, []string{"EHLO " + strings.Repeat("x", 2<<20) + "\r\n", ehlo}, "longer than 512"},
		{"MAIL may be longer with SIZE", fine, []string{ehlo, "MAIL FROM:<" + strings.Repeat("x", 498) + "@b> SIZE=1\r\n"}, ""},
		{"content with bare LF", fine, []string{ehlo, mail, rcpt, "DATA\r\n", "a\nb\r\n.\r\n"}, "bare LF"},
		{"content with bare CR", fine, []string{ehlo, mail, rcpt, "DATA\r\n", "a\rb\r\n.\r\n"}, "bare CR"},
		{"content with CR CR LF", fine, []string{ehlo, mail, rcpt, "DATA\r\n", "a\r\r\n.\r\n"}, "bare CR"},
		{"content with NUL", fine, []string{ehlo, mail, rcpt, "DATA\r\n", "a\x00b\r\n.\r\n"}, "a NUL"},
		{"a line of 1000", fine, []string{ehlo, mail, rcpt, "DATA\r\n", strings.Repeat("x", 998) + "\r\n.\r\n"}, ""},
		{"a line of 1000 with a doubled dot", fine, []string{ehlo, mail, rcpt, "DATA\r\n", ".." + strings.Repeat("x", 997) + "\r\n.\r\n"}, ""},
		{"a line of 1001", fine, []string{ehlo, mail, rcpt, "DATA\r\n", strings.Repeat("x", 999) + "\r\n.\r\n"}, "longer than 1000"},
		{"a line of 10000", fine, []string{ehlo, mail, rcpt, "DATA\r\n", strings.Repeat("x", 9998) + "\r\n.\r\n"}, "longer than 1000"},
		{"a dot not doubled", fine, []string{ehlo, mail, rcpt, "DATA\r\n", ".x\r\n.\r\n"}, "not doubled"},
		{"8 bit content", fine, []string{ehlo, mail, rcpt, "DATA\r\n", "grün\r\n.\r\n"}, "without BODY=8BITMIME"},
		{"8 bit content declared", fine, []string{ehlo, "MAIL FROM:<a@b> BODY=8BITMIME\r\n", rcpt, "DATA\r\n", "grün\r\n.\r\n"}, ""},
		{"a group seen late", none + "\n" + slowMail, []string{ehlo, mail + rcpt}, "reply to MAIL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, test.script, func(w *world) {
				k := w.connect()
				go k.in.WriteTo(discard{}) // what is said does not matter here
				if !strings.Contains(test.name, "greeting") {
					synctest.Wait()
				}
				for _, p := range test.pieces {
					k.send(p)
					time.Sleep(time.Minute)
				}
				k.conn.Close()
				synctest.Wait()
				got := strings.Join(w.told(spec.FactUnlawful), "\n")
				if strings.Count(got, "unlawful") > 1 || !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
					t.Errorf("unlawful:\n%s\nwant %q", got, test.want)
				}
			})
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// A "." that is ended or begun by a bare LF is not the end of the content: a
// server that takes it for one can be made to take smuggled commands.
func TestOnlyCRLFDotCRLFEndsTheContent(t *testing.T) {
	for _, text := range []string{"a\n.\r\n", "a\r\n.\n", "a\n.\n", "a\r.\r\n", "a\r\n.\r"} {
		inWorld(t, "", func(w *world) {
			k := w.connect().greet().envelope("bob@example.net")
			k.send(text + "\r\nMAIL FROM:<smuggled@example.org>\r\n.\r\n")
			k.read("250 2.0.0 Accepted")
			if got := w.Accepted(); len(got) != 1 || !strings.Contains(string(got[0].Content), "smuggled") {
				t.Errorf("%q: %+v", text, got)
			}
		})
	}
}
