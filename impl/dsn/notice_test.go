package dsn

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// TestANoticeToThePostmasterIsMarkedAndSaysWhatItIsAbout.
func TestANoticeToThePostmasterIsMarkedAndSaysWhatItIsAbout(t *testing.T) {
	inner := (&Report{ID: "q1", Hostname: "mail.example.org", To: "alice@example.org", Recipients: []Recipient{
		{Address: "bob@example.net", State: spec.Failed},
	}}).Content()
	n := &Report{
		ID: "q2", Hostname: "mail.example.org", To: "postmaster@example.org", Notice: true, Recipients: []Recipient{
			{Address: "alice@example.org", State: spec.Failed, Diagnostic: "smtp; 550 5.1.1 No such user"},
			{Address: "carol@example.org", State: spec.Unknown},
		},
		Original: Original{Header: inner, Whole: true},
	}
	p := parse(t, n.Content())
	if got := p.header.Get("Subject"); got != "Postmaster notice: mail from the null sender was not delivered" {
		t.Errorf("subject %q", got)
	}
	if got := p.header.Get("Auto-Submitted"); got != "auto-generated" { // RFC 3834 section 5
		t.Errorf("Auto-Submitted: %s", got)
	}
	for _, want := range []string{"You are told as the postmaster", "The message was NOT delivered to:", "NOT KNOWN whether the message was delivered to:"} {
		if !strings.Contains(strings.Join(strings.Fields(p.human), " "), want) {
			t.Errorf("no %q in\n%s", want, p.human)
		}
	}
	if strings.Contains(strings.ToLower(p.human), "your message was") {
		t.Errorf("the postmaster has sent nothing:\n%s", p.human)
	}
	if !strings.Contains(string(n.Content()), "\r\n\r\n"+string(inner)) {
		t.Error("the report that nobody gets is not there as it was")
	}
}
