package smtpclient

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// What a server does not offer is not asked of it, and nothing is begun that cannot
// be had without.
func TestWhatIsNotOfferedIsNotBegun(t *testing.T) {
	taken := "\nC: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 taken"
	for _, tt := range []struct {
		name, offer, said string
		tx                func(*Transaction)
		want              []string
	}{
		{"8-bit content without 8BITMIME", "SIZE", "", func(tx *Transaction) { tx.Body8Bit = true }, []string{"mail not-offered 5.6.3"}},
		{"one byte too many", "SIZE 6", "", func(*Transaction) {}, []string{"mail not-offered 5.3.4"}},
		{"just enough room", "SIZE 7", "MAIL FROM:<a@x> SIZE=7 RCPT TO:<b@y>", func(*Transaction) {}, []string{"dot 2yz "}},
		{"SIZE 0 is no limit", "SIZE 0", "MAIL FROM:<a@x> SIZE=7 RCPT TO:<b@y>", func(*Transaction) {}, []string{"dot 2yz "}},
		{"UTF-8 in the header", "8BITMIME", "", func(tx *Transaction) { tx.Needs = spec.NeedUTF8 }, []string{"mail not-offered 5.6.7"}},
		{"a sender in UTF-8", "8BITMIME", "", func(tx *Transaction) { tx.Sender = "ü@x" }, []string{"mail not-offered 5.6.7"}},
		{"a recipient in UTF-8, but not the other one", "8BITMIME", "MAIL FROM:<a@x> RCPT TO:<b@y>",
			func(tx *Transaction) { tx.Recipients = []string{"ü@y", "b@y"} }, []string{"rcpt not-offered 5.6.7", "dot 2yz "}},
		{"SMTPUTF8 for ASCII is not said", "SMTPUTF8", "MAIL FROM:<a@x> RCPT TO:<b@y>", func(*Transaction) {}, []string{"dot 2yz "}},
		{"SMTPUTF8 for a header", "SMTPUTF8", "MAIL FROM:<a@x> SMTPUTF8 RCPT TO:<b@y>", func(tx *Transaction) { tx.Needs = spec.NeedUTF8 }, []string{"dot 2yz "}},
		{"SMTPUTF8 for a recipient", "SMTPUTF8", "MAIL FROM:<a@x> SMTPUTF8 RCPT TO:<ü@y>",
			func(tx *Transaction) { tx.Recipients = []string{"ü@y"} }, []string{"dot 2yz "}},
		{"REQUIRETLS, which is offered in clear", "REQUIRETLS", "", func(tx *Transaction) { tx.Needs = spec.NeedTLS }, []string{"mail not-offered 5.7.30"}},
		{"a report goes in clear all the same", "REQUIRETLS", "MAIL FROM:<> RCPT TO:<b@y>",
			func(tx *Transaction) { tx.Sender, tx.Needs = "", spec.NeedTLS }, []string{"dot 2yz "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := "S: 220 x\nC: EHLO relay.test\nS: 250-x\nS: 250 " + tt.offer + "\n"
			if mail, rcpt, ok := strings.Cut(tt.said, " RCPT"); ok {
				script += "C: " + mail + "\nS: 250 ok\nC: RCPT" + rcpt + "\nS: 250 ok" + taken
			}
			meet(t, script+quit, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tt.tx(&tx)
				if diff := cmp.Diff(tt.want, codes(deliver(t.Context(), c, tx))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// codes is show, with the status codes of our own.
func codes(rs []Result) []string {
	out := show(rs)
	for i, r := range rs {
		out[i] += " " + r.Reply.Enhanced
	}
	return out
}

func TestRequireTLSIsBelievedOfAVerifiedServerOnly(t *testing.T) {
	offers := strings.Replace(offered, "S: 250 STARTTLS", "S: 250-STARTTLS\n\t\tS: 250 REQUIRETLS", 1) + strings.TrimPrefix(encrypted, offered)
	for _, tt := range []struct {
		name, script string
		kind         fakesmtp.CertificateKind
		want         string
	}{
		{"it offers it over TLS", strings.TrimSuffix(offers, "S: 250 mx.test") + "S: 250-mx.test\n\t\tS: 250 REQUIRETLS" +
			strings.Replace(inTurn, "FROM:<a@x>", "FROM:<a@x> REQUIRETLS", 1) + quit, fakesmtp.Trusted, "dot 2yz "},
		{"it offered it in clear only", offers + quit, fakesmtp.Trusted, "mail not-offered 5.7.30"},
		{"anybody may be there", strings.TrimSuffix(offers, "S: 250 mx.test") + "S: 250-mx.test\n\t\tS: 250 REQUIRETLS" + quit,
			fakesmtp.SelfSigned, "mail not-offered 5.7.30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			meetTLS(t, shown(t, tt.kind, "mx.test"), at(t, spec.TLSOpportunistic, "mx.test"), tt.script, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tx.Needs = spec.NeedTLS
				if diff := cmp.Diff([]string{tt.want}, codes(deliver(t.Context(), c, tx))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
