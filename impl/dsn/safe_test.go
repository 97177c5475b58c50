package dsn

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// checkParts fails unless the standard library finds three parts in a report, the
// last of which holds what is given back, and nothing around them.
func checkParts(t fataler, content, original []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("Content-Type: %v", err)
	}
	// Here nobody decodes quoted-printable by the way: what is counted is the parts.
	parts, n := multipart.NewReader(m.Body, params["boundary"]), 0
	for ; ; n++ {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("part %d: %v", n+1, err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatalf("part %d: %v", n+1, err)
		}
		if n == 2 && part.Header.Get("Content-Type") == "message/rfc822" && !bytes.Equal(body, original) {
			t.Fatalf("the message comes back as %q, and was %q", body, original)
		}
	}
	if n != 3 {
		t.Fatalf("%d parts", n)
	}
}

// checkFolded fails when a line of words is longer than RFC 5322 section 2.1.1 asks
// for: the text for a person, and what a server said. An address, an identifier and
// what is given back of the message stand on one line each, however long.
func checkFolded(t fataler, human string, status []byte) {
	t.Helper()
	long := func(line string) bool { return len(line) > width && strings.Contains(strings.TrimSpace(line), " ") }
	for line := range strings.SplitSeq(human, "\r\n") {
		if long(line) && !strings.HasPrefix(line, "    <") {
			t.Fatalf("a line of %d octets: %q", len(line), line)
		}
	}
	words := false
	for line := range strings.SplitSeq(string(status), "\r\n") {
		words = strings.HasPrefix(line, "Diagnostic-Code:") || words && strings.HasPrefix(line, " ")
		if words && long(strings.TrimPrefix(line, "Diagnostic-Code: ")) {
			t.Fatalf("a line of %d octets: %q", len(line), line)
		}
	}
}

// turners change in what direction, or whether, what stands beside them is seen
// (Unicode Technical Report 36, section 2.5), or end a line for some.
var turners = []string{
	"\u202e", "\u202a", "\u2066", "\u2069", "\u200f", "\u061c", "\u200b", "\u00ad", "\ufeff", "\u2028", "\u2029", "\u0085", "\x1b[2K", "\U000e0041",
}

// TestWhatTurnsTextRoundIsNotShown, in no field, whoever reads the report.
func TestWhatTurnsTextRoundIsNotShown(t *testing.T) {
	for _, to := range []string{"alice@example.org", "älice@example.org", "ä\u202elice@example.org"} {
		for _, turn := range turners {
			r := &Report{
				ID: spec.QueueID("q" + turn), MessageID: "m" + turn, Hostname: "mail" + turn + ".example.org", To: to,
				Original: Original{
					Queue: spec.QueueID("q" + turn), MessageID: "o" + turn + "@x", EnvelopeID: "e" + turn, Header: []byte("Subject: a" + turn + "b\r\n"),
				},
				Recipients: []Recipient{{
					Address: "b" + turn + "ob@example.net", Original: "rfc822;b" + turn + "ob@example.net", State: spec.Failed, Status: "5.1.1" + turn,
					Diagnostic: "smtp; 550 " + turn + "no", RemoteMTA: "mx" + turn + ".example.net",
				}},
			}
			content := r.Content()
			parse(t, content)
			if bytes.Contains(content, []byte(turn)) {
				t.Errorf("to %q: %q stands in\n%s", to, turn, content)
			}
		}
	}
}

// TestNoBoundaryOfAnotherEndsAPart: a message that comes back whole may hold a report,
// and who knows the queue ID may guess the next boundary.
func TestNoBoundaryOfAnotherEndsAPart(t *testing.T) {
	inner := "Subject: x\r\n\r\n--=_q2_0\r\nContent-Type: text/html\r\n\r\nPay here\r\n--=_q2_0--\r\n--=_q2_1--\r\n"
	for _, whole := range []bool{true, false} {
		r := &Report{ID: "q2", To: "alice@example.org", Original: Original{Header: []byte(inner), Whole: whole}, Recipients: []Recipient{
			{Address: "bob@example.net", State: spec.Failed, Diagnostic: "smtp; 550 --=_q2_2 --=_q2_3--"},
		}}
		content := r.Content()
		checkParts(t, content, []byte(inner))
		if whole != bytes.Contains(content, []byte(inner)) {
			t.Errorf("whole is %v, and it says\n%s", whole, content)
		}
	}
}

// TestAnOriginalRecipientHasAType (RFC 3464 section 2.3.1), or is not named.
func TestAnOriginalRecipientHasAType(t *testing.T) {
	for original, want := range map[string]string{
		"rfc822;Bob@example.com": "rfc822;Bob@example.com", "x400;/a=b c/": "x400;/a=b c/",
		"bob@example.com": "", ";bob@example.com": "", "a b;c@example.com": "", "rfc822;": "", "r\r\nAction: x;y": "",
	} {
		p := parse(t, (&Report{Recipients: []Recipient{{Address: "bob@example.net", Original: original, State: spec.Failed}}}).Content())
		if got := p.rcpts[0].Get("Original-Recipient"); got != want {
			t.Errorf("%q: %q, want %q", original, got, want)
		}
	}
}
