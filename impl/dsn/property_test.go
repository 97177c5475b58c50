package dsn

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

// hostile draws texts that try to break out of where they are put.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[a-z]{1,9}@[a-z]{1,9}\.example`),
		rapid.StringMatching(`[a-zäöü\\+=]{1,9}@[a-z]{1,9}\.example`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.SliceOf(rapid.SampledFrom([]string{
			"\r\n", "\n", "\r", "\r\n\r\n", "--=_q2_0", "--=_q2_0--", ": ", "; ", "<", ">", "\"", "\x00", "ü", "\xff", " ", "\t", "=",
			"=3D", "Bcc: mallory@example.com", "Final-Recipient: rfc822; x", "Content-Type: text/html",
			"\u202e", "\u2066", "\u200f", "\u2028", "\u0085", "\ufeff", "\x1b[2K", "--=__0", "--=__1--",
			strings.Repeat("a", 1200), strings.Repeat("b c ", 2000),
		})), func(s []string) string { return strings.Join(s, "") }),
	)
}

// plain is what an address becomes in a report, by the rules of safe, said
// again.
func plain(address string) string {
	var b strings.Builder
	for _, r := range address {
		switch {
		case r == '\t' || r == '\r' || r == '\n':
			b.WriteByte(' ')
		case r < ' ' || r > '~':
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// unescaped undoes the utf-8-addr-xtext of RFC 6533 section 3.
func unescaped(address string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(address, `\x{`)
		b.WriteString(before)
		hex, after, closed := strings.Cut(rest, "}")
		n, err := strconv.ParseUint(hex, 16, 32)
		if !ok || !closed || err != nil {
			return b.String() + rest
		}
		b.WriteRune(rune(n))
		address = after
	}
}

func drawReport(t *rapid.T) *Report {
	text := func(label string) string { return hostile().Draw(t, label) }
	wall := func(label string) spec.Wall { return spec.Wall(rapid.Int64().Draw(t, label)) }
	return &Report{
		ID: spec.QueueID(text("id")), MessageID: text("message id"), Hostname: text("hostname"), To: text("to"), Date: wall("date"),
		Notice: rapid.Bool().Draw(t, "notice"),
		Original: Original{Queue: spec.QueueID(text("queue")), MessageID: text("original id"), EnvelopeID: text("envelope id"),
			Arrival: wall("arrival"), Header: []byte(text("header")), Whole: rapid.Bool().Draw(t, "whole")},
		Recipients: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Recipient {
			return Recipient{
				Address:  hostile().Draw(t, "address"),
				State:    rapid.SampledFrom([]spec.RecipientState{spec.Failed, spec.Unknown, spec.Queued, spec.Delivered}).Draw(t, "state"),
				Original: hostile().Draw(t, "original"), Until: wall("until"),
				Status: hostile().Draw(t, "status"), Diagnostic: hostile().Draw(t, "diagnostic"), RemoteMTA: hostile().Draw(t, "remote"),
				LastAttempt: spec.Wall(rapid.Int64().Draw(t, "last")), Again: rapid.Bool().Draw(t, "again"),
			}
		}), 0, 6).Draw(t, "recipients"),
	}
}

func checkReport(t fataler, r *Report) {
	content := r.Content()
	if !bytes.Equal(content, r.Content()) {
		t.Fatalf("the same report gave other bytes")
	}
	p := parse(t, content)
	checkParts(t, content, r.Original.Header)
	checkFolded(t, p.human, r.deliveryStatus())
	for name, values := range p.header {
		if len(values) != 1 || strings.EqualFold(name, "Bcc") {
			t.Fatalf("field %s: %q", name, values)
		}
	}
	// net/mail does not know RFC 5321's tag of IPv6 literals.
	tagged := func(s string) bool { return strings.Contains(strings.ToLower(s), "@[ipv6:") }
	if _, err := p.header.AddressList("From"); err != nil && !tagged(p.header.Get("From")) {
		t.Fatalf("From %q: %v", p.header.Get("From"), err)
	}
	if to := p.header.Get("To"); strings.HasPrefix(to, "<") && !tagged(to) {
		if list, err := p.header.AddressList("To"); err != nil || len(list) != 1 {
			t.Fatalf("To %q: %v", to, err)
		}
	}
	if len(p.rcpts) != len(r.Recipients) {
		t.Fatalf("%d recipients, want %d", len(p.rcpts), len(r.Recipients))
	}
	for i, rcpt := range r.Recipients {
		kind, got, _ := strings.Cut(p.rcpts[i].Get("Final-Recipient"), ";")
		got = strings.TrimSpace(got)
		switch want := plain(rcpt.Address); {
		case kind == "rfc822" && !r.International():
			if got != want && len(want) <= maxAddress {
				t.Fatalf("recipient %q, want %q", got, want)
			}
		case kind == "utf-8":
			if strings.ContainsRune(rcpt.Address, utf8.RuneError) {
				break // what cannot be read is shown as "?"
			}
			if got = unescaped(got); strings.TrimSpace(got) != strings.TrimSpace(rcpt.Address) && len(rcpt.Address) < 100 {
				t.Fatalf("recipient %q, want %q", got, rcpt.Address)
			}
		case kind != "rfc822":
			t.Fatalf("an address of type %q", kind)
		}
		if got := p.rcpts[i].Get("X-Postonce-State"); got != rcpt.State.String() {
			t.Fatalf("state %q, want %v", got, rcpt.State)
		}
		if got := p.rcpts[i].Get("Status"); !enhanced.MatchString(got) {
			t.Fatalf("status %q", got)
		}
		for name, values := range p.rcpts[i] {
			if len(values) != 1 {
				t.Fatalf("field %s: %q", name, values)
			}
		}
	}
}

func TestHostileTextStaysWhereItIsPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkReport(t, drawReport(t)) })
}

func FuzzReport(f *testing.F) {
	f.Add("bob@example.net", "smtp; 550 no", "mx.example.net", "From: a\r\nSubject: b\r\n\r\nbody", "m1@example.org", "alice@example.org")
	f.Add("böb@example.net", "smtp; 550 nö", "mx", "From: ä", "m1", "älice@example.org")
	f.Add("b\r\nAction: delivered", ";", "\x00", "X: \xff\r--=_q2_0", ">", "\"\\\"@[x]")
	f.Fuzz(func(t *testing.T, address, diagnostic, remote, header, id, sender string) {
		checkReport(t, &Report{
			ID: "q2", MessageID: id, Hostname: remote, To: sender,
			Original: Original{Queue: "q1", MessageID: id, EnvelopeID: diagnostic, Header: []byte(header)},
			Recipients: []Recipient{
				{Address: address, State: spec.Failed, Status: "5.1.1", Diagnostic: diagnostic, RemoteMTA: remote},
				{Address: sender, State: spec.Unknown, Status: id, Diagnostic: remote},
			},
		})
	})
}
