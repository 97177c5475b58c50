package dsn

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// A report is internationalised only where its reader's address is (RFC 6533).
func TestAReportIsInternationalisedForWhoCanReadIt(t *testing.T) {
	for _, tt := range []struct {
		to       string
		has, not []string
	}{
		{"alice@example.org", []string{
			"message/delivery-status", `Final-Recipient: utf-8; b\x{F6}b\x{2B}x@example.net`, `<b\x{F6}b\x{2B}x@example.net>`, "donn?es refus?es",
		}, []string{"global", "utf-8\r\n"}},
		{"älice@example.org", []string{
			"To: <älice@example.org>", "text/plain; charset=utf-8", "message/global-delivery-status", "Final-Recipient: utf-8; böb+x@example.net",
			"<böb+x@example.net>", "données refusées",
		}, []string{`\x{`}},
	} {
		r := &Report{ID: "q2", Hostname: "relay.example.org", To: tt.to, Original: Original{Queue: "q1"}, Recipients: []Recipient{
			{Address: "böb+x@example.net", State: spec.Failed, Status: "5.7.1", Diagnostic: "smtp; 550 5.7.1 données refusées"},
		}}
		content := string(r.Content())
		parse(t, []byte(content))
		for _, want := range tt.has {
			if !strings.Contains(content, want) {
				t.Errorf("to %s: %q is missing in\n%s", tt.to, want, content)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(content, not) {
				t.Errorf("to %s: %q stands in\n%s", tt.to, not, content)
			}
		}
		if r.International() != (tt.to[0] != 'a') {
			t.Errorf("to %s: international is %v", tt.to, r.International())
		}
	}
}

func TestALongWordIsCutBetweenCharacters(t *testing.T) {
	r := &Report{To: "ä@example.org", Recipients: []Recipient{
		{Address: strings.Repeat("ö", 900), State: spec.Failed, Diagnostic: "smtp; 550 a" + strings.Repeat("ü", 1500)},
	}}
	parse(t, r.Content())
}
