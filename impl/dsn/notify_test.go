package dsn

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// TestDelayedAndRelayedAreSaidAsRFC3464HasThem: sections 2.3.3, 2.3.4, 2.3.9.
func TestDelayedAndRelayedAreSaidAsRFC3464HasThem(t *testing.T) {
	until := spec.WallOf(time.Date(2026, 3, 7, 9, 0, 0, 0, time.UTC))
	late := Recipient{Address: "bob@example.net", Original: "rfc822;Bob@example.com", State: spec.Queued, Status: "4.4.1", Until: until}
	taken := Recipient{Address: "carol@example.net", State: spec.Delivered, Status: "2.1.9", RemoteMTA: "mx1.example.net", Until: until}
	lost := Recipient{Address: "dave@example.net", State: spec.Failed}
	for _, tt := range []struct {
		rcpts   []Recipient
		subject string
		actions string
	}{
		{[]Recipient{late}, "Your message is delayed", "delayed"},
		{[]Recipient{taken}, "Your message was passed on", "relayed"},
		{[]Recipient{taken, late}, "Your message is delayed", "relayed delayed"},
		{[]Recipient{taken, lost}, "Your message was not delivered to everyone", "relayed failed"},
	} {
		p := parse(t, (&Report{Recipients: tt.rcpts}).Content())
		var actions []string
		for _, r := range p.rcpts {
			actions = append(actions, r.Get("Action"))
		}
		if got := strings.Join(actions, " "); got != tt.actions || p.header.Get("Subject") != tt.subject {
			t.Errorf("%q: %s", p.header.Get("Subject"), got)
		}
	}
	p := parse(t, (&Report{Recipients: []Recipient{late, taken}}).Content())
	if got := p.rcpts[0]; got.Get("Will-Retry-Until") != "Sat, 07 Mar 2026 09:00:00 +0000" || got.Get("Original-Recipient") != "rfc822;Bob@example.com" {
		t.Errorf("delayed: %v", got)
	}
	if got := p.rcpts[1]; got.Get("Will-Retry-Until") != "" || got.Get("Status") != "2.1.9" {
		t.Errorf("relayed: %v", got)
	}
	if strings.Contains(p.human, "NOT delivered to") {
		t.Errorf("text\n%s", p.human)
	}
}

func TestADelayIsOfClass4(t *testing.T) {
	if got := Status(spec.Queued, spec.StageResolve, spec.NoAddress, spec.Reply{}); got != "4.4.4" {
		t.Errorf("status %s", got)
	}
}

// TestTheWholeMessageComesBackOnlyInAFailure: RFC 3461 section 4.3.
func TestTheWholeMessageComesBackOnlyInAFailure(t *testing.T) {
	const plain = "Subject: x\r\n\r\nThe body.\r\n"
	for _, tt := range []struct {
		name, content string
		state         spec.RecipientState
		whole         bool
	}{
		{"failed", plain, spec.Failed, true},
		{"unknown", plain, spec.Unknown, true},
		{"delayed", plain, spec.Queued, false},
		{"relayed", plain, spec.Delivered, false},
		{"8-bit", "Subject: x\r\n\r\nThe body: \xfc\r\n", spec.Failed, false},
		{"a bare LF", "Subject: x\r\n\r\nThe body.\nx\r\n", spec.Failed, false},
		{"a long line", "Subject: x\r\n\r\nThe body." + strings.Repeat("x", 990) + "\r\n", spec.Failed, false},
	} {
		r := Report{Original: Original{Header: []byte(tt.content), Whole: true}, Recipients: []Recipient{{Address: "bob@example.net", State: tt.state}}}
		content := r.Content()
		checkBytes(t, content)
		if got := bytes.Contains(content, []byte("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"+plain)); got != tt.whole {
			t.Errorf("%s: whole is %v:\n%s", tt.name, got, content)
		}
		if !tt.whole && bytes.Contains(content, []byte("The body")) {
			t.Errorf("%s: the body is in the report", tt.name)
		}
	}
}
