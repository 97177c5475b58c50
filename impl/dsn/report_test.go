package dsn

import (
	"bytes"
	"flag"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

var update = flag.Bool("update", false, "write the golden files")

func example() *Report {
	at := func(hour, minute int) spec.Wall {
		return spec.WallOf(time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC))
	}
	return &Report{
		ID: "q2", MessageID: "q2@relay.example.org", Hostname: "relay.example.org", To: "alice@example.org", Date: at(10, 30),
		Original: Original{
			Queue: "q1", MessageID: "m1@example.org", EnvelopeID: "order-17", Arrival: at(9, 0),
			Header: []byte("Received: from client.example.org\n\tby relay.example.org; Mon, 02 Mar 2026 09:00:00 +0000\n" +
				"From: Alice <alice@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <m1@example.org>\n\nThe body.\n"),
		},
		Recipients: []Recipient{
			{Address: "bob@example.net", State: spec.Failed, Status: "5.1.1", RemoteMTA: "mx1.example.net",
				LastAttempt: at(9, 1),
				Diagnostic:  "smtp; 550 5.1.1 <bob@example.net>: there is no mailbox of this name at this host, see https://example.net/help"},
			{Address: "carol@example.net", State: spec.Unknown, Status: "4.4.2", RemoteMTA: "mx1.example.net", LastAttempt: at(9, 2),
				Diagnostic: "the connection was lost after the message was sent"},
			{Address: "dave@nowhere.example", State: spec.Failed, Status: "5.1.2", LastAttempt: at(9, 1),
				Diagnostic: "x-postonce; MX nowhere.example: NXDOMAIN"},
		},
	}
}

func TestGoldenReport(t *testing.T) {
	got := example().Content()
	parse(t, got)
	const golden = "testdata/report.eml"
	got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")) // so that the file shows as text
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("not as in %s (run with -update to rewrite):\n%s", golden, got)
	}
}

func TestReportReadsBack(t *testing.T) {
	p := parse(t, example().Content())
	for name, want := range map[string]string{
		"From": "Mail Delivery System <MAILER-DAEMON@relay.example.org>", "To": "<alice@example.org>",
		"Subject": "Your message was not delivered to everyone", "Date": "Mon, 02 Mar 2026 10:30:00 +0000",
		"Message-Id": "<q2@relay.example.org>", "In-Reply-To": "<m1@example.org>", "Auto-Submitted": "auto-replied", "Mime-Version": "1.0",
	} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := p.fields.Get("Original-Envelope-Id"); got != "order-17" {
		t.Errorf("Original-Envelope-Id: %q", got)
	}
	if len(p.rcpts) != 3 {
		t.Fatalf("%d recipients", len(p.rcpts))
	}
	for i, want := range []map[string]string{
		{"Final-Recipient": "rfc822; bob@example.net", "Action": "failed", "Status": "5.1.1", "X-Postonce-State": "failed",
			"Remote-Mta":        "dns; mx1.example.net",
			"Diagnostic-Code":   "smtp; 550 5.1.1 <bob@example.net>: there is no mailbox of this name at this host, see https://example.net/help",
			"Last-Attempt-Date": "Mon, 02 Mar 2026 09:01:00 +0000"},
		{"Final-Recipient": "rfc822; carol@example.net", "Action": "failed", "Status": "4.4.2", "X-Postonce-State": "unknown",
			"Diagnostic-Code": "x-postonce; the connection was lost after the message was sent"},
		{"Final-Recipient": "rfc822; dave@nowhere.example", "Status": "5.1.2", "X-Postonce-State": "failed", "Remote-Mta": "",
			"Diagnostic-Code": "x-postonce; MX nowhere.example: NXDOMAIN"},
	} {
		for name, value := range want {
			if got := p.rcpts[i].Get(name); got != value {
				t.Errorf("recipient %d, %s: %q, want %q", i, name, got, value)
			}
		}
	}
	if strings.Contains(p.headers, "The body.") || !strings.Contains(p.headers, "Message-ID: <m1@example.org>\r\n") {
		t.Errorf("headers of the original: %q", p.headers)
	}
}

func TestSubjectAndTextTellFailedFromUnknown(t *testing.T) {
	const doubt, refusal = "may or may not have arrived", "NOT delivered to"
	tests := []struct {
		states         []spec.RecipientState
		subject        string
		doubt, refusal bool
	}{
		{[]spec.RecipientState{spec.Failed}, "Your message was not delivered", false, true},
		{[]spec.RecipientState{spec.Unknown}, "Your message may not have been delivered", true, false},
		{[]spec.RecipientState{spec.Failed, spec.Unknown}, "Your message was not delivered to everyone", true, true},
	}
	for _, tt := range tests {
		r := &Report{}
		for _, s := range tt.states {
			r.Recipients = append(r.Recipients, Recipient{Address: "bob@example.net", State: s})
		}
		p := parse(t, r.Content())
		if got := p.header.Get("Subject"); got != tt.subject {
			t.Errorf("%v: subject %q", tt.states, got)
		}
		if strings.Contains(p.human, doubt) != tt.doubt || strings.Contains(p.human, refusal) != tt.refusal {
			t.Errorf("%v: text\n%s", tt.states, p.human)
		}
	}
}

func TestNothingIsSaidOfRecipientsOfWhomNothingIsKnown(t *testing.T) {
	r := &Report{}
	for s := spec.RecipientState(0); s <= spec.Held; s++ {
		r.Recipients = append(r.Recipients, Recipient{Address: "in-" + s.String() + "@example.net", State: s})
	}
	p := parse(t, r.Content())
	if len(p.rcpts) != 4 || strings.Contains(p.human, "intent@") || strings.Contains(p.human, "held@") {
		t.Errorf("%d recipients, text\n%s", len(p.rcpts), p.human)
	}
}

func TestSenderThatTheFieldCannotHoldIsLeftOut(t *testing.T) {
	for address, want := range map[string]string{
		`alice@example.org`:                     `<alice@example.org>`,
		`"a b"@example.org`:                     `<"a b"@example.org>`,
		`a@[192.0.2.1]`:                         `<a@[192.0.2.1]>`,
		`alice`:                                 `undisclosed-recipients:;`,
		``:                                      `undisclosed-recipients:;`,
		`a@b>, <mallory@example.com`:            `undisclosed-recipients:;`,
		"a@b\r\nBcc: mallory@example":           `undisclosed-recipients:;`,
		`ä@example.org`:                         `<ä@example.org>`,
		`"ä b"@example.org`:                     `<"ä b"@example.org>`,
		"\xe4@example.org":                      `undisclosed-recipients:;`,
		"ä\u0085@example.org":                   `undisclosed-recipients:;`,
		"ä\u202e@example.org":                   `undisclosed-recipients:;`,
		"ä\r\nBcc: b@example.org":               `undisclosed-recipients:;`,
		`a..b@example.org`:                      `undisclosed-recipients:;`,
		`a@b` + strings.Repeat("c", maxAddress): `undisclosed-recipients:;`,
	} {
		r := &Report{To: address}
		if got := parse(t, r.Content()).header.Get("To"); got != want {
			t.Errorf("%.40q: To: %s, want %s", address, got, want)
		}
	}
}

func TestHostnameIsAlwaysADomain(t *testing.T) {
	for host, want := range map[string]string{
		"relay.example.org.": "relay.example.org", "[192.0.2.1]": "[192.0.2.1]", "[IPv6:2001:db8::1]": "[IPv6:2001:db8::1]",
		"": "localhost", "a b>..c": "ab.c", "\r\nBcc: x": "Bccx", "[x]": "x", strings.Repeat("a", 300): "localhost",
	} {
		if got := domain(host); got != want {
			t.Errorf("domain(%.20q) = %q, want %q", host, got, want)
		}
		if strings.Contains(host, "IPv6:") {
			continue // net/mail does not know RFC 5321's tag
		}
		if _, err := mail.ParseAddress("<MAILER-DAEMON@" + domain(host) + ">"); err != nil {
			t.Errorf("domain(%.20q): %v", host, err)
		}
	}
}

func TestOriginalHeaderIsKeptWhole(t *testing.T) {
	long := "X-Long: " + strings.Repeat("a", 2000)
	for _, line := range []string{"Subject: Grüße = =3D", "X: \x01\x7f\x00", long, "X: trailing  "} {
		p := parse(t, (&Report{Original: Original{Header: []byte("A: 1\n" + line + "\nB: 2\n")}}).Content())
		if want := "A: 1\r\n" + line + "\r\nB: 2"; strings.TrimSuffix(p.headers, "\r\n") != want {
			t.Errorf("%.40q came back as %.60q", line, p.headers)
		}
	}
}

func TestOriginalHeaderIsCutBetweenFields(t *testing.T) {
	header := strings.Repeat("A: "+strings.Repeat("x", 95)+"\r\n", 163) + "B: folded\r\n\t" + strings.Repeat("y", 900) + "\r\nC: z\r\n"
	content, encoding := originalHeader([]byte(header))
	if encoding != "7bit" || len(content) != 163*100 || bytes.Contains(content, []byte("B:")) {
		t.Errorf("%d octets, %s, ending in %q", len(content), encoding, content[len(content)-20:])
	}
	if content, _ := originalHeader([]byte("A: " + strings.Repeat("x", MaxHeader))); len(content) != 0 {
		t.Errorf("a field larger than the limit left %d octets", len(content))
	}
}

func TestBareCarriageReturnMakesNoField(t *testing.T) {
	p := parse(t, (&Report{Original: Original{Header: []byte("A: 1\rBcc: x\r\r\nB: ü\n")}}).Content())
	if want := "A: 1?Bcc: x?\r\nB: ü"; strings.TrimSuffix(p.headers, "\r\n") != want {
		t.Errorf("got %q, want %q", p.headers, want)
	}
}

func TestBoundaryAvoidsWhatTheOriginalHolds(t *testing.T) {
	r := example()
	r.Original.Header = []byte("X: y\n--=_q2_0--\n--=_q2_1\n")
	p := parse(t, r.Content())
	if !strings.Contains(p.headers, "--=_q2_1") || !strings.Contains(p.header.Get("Content-Type"), `"=_q2_2"`) {
		t.Errorf("%s\n%s", p.header.Get("Content-Type"), p.headers)
	}
}

func BenchmarkContent(b *testing.B) {
	r := example()
	for b.Loop() {
		r.Content()
	}
}

func TestADoubtAfterWhichItWasSentAgainIsToldAsSuch(t *testing.T) {
	r := &Report{ID: "q2", Hostname: "relay.example", To: "alice@example.org", Recipients: []Recipient{
		{Address: "bob@example.net", State: spec.Unknown, Again: true, Diagnostic: "smtp; 550 5.1.1 No such user", RemoteMTA: "mx1.example.net"},
	}}
	human := strings.Join(strings.Fields(parse(t, r.Content()).human), " ")
	for _, want := range []string{"NOT KNOWN", "550 5.1.1 No such user", "may or may not have arrived then", "which did not succeed"} {
		if !strings.Contains(human, want) {
			t.Errorf("%q is not said in %q", want, human)
		}
	}
	if strings.Contains(human, "it was not sent again") || strings.Contains(human, "was NOT delivered") {
		t.Errorf("not true: %q", human)
	}
}
