package submission

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// What a message needs is decided by what it has, not by the word alone: mail that
// is all ASCII can go anywhere (RFC 6531 section 3.7).
func TestWhatAMessageNeedsIsWhatItHas(t *testing.T) {
	for _, tt := range []struct {
		name, parameters, content string
		want                      spec.Needs
	}{
		{"nothing, though SMTPUTF8 was said", " SMTPUTF8", "Subject: x\r\n\r\nx\r\n", 0},
		{"SMTPUTF8 for its header", " SMTPUTF8", "Subject: ä\r\n\r\nx\r\n", spec.NeedUTF8},
		{"SMTPUTF8 for a folded line", " SMTPUTF8", "Subject: x\r\n ä\r\n\r\nx\r\n", spec.NeedUTF8},
		{"nothing for its text", " SMTPUTF8 BODY=8BITMIME", "Subject: x\r\n\r\nä: ä\r\n", 0},
		{"nothing for a text without a header", " SMTPUTF8", "\u00e4 is no field\r\n", 0},
		{"nothing for another encoding", " SMTPUTF8", "Subject: \xe4\r\n\r\nx\r\n", 0},
		{"nothing where nothing was said", "", "Subject: ä\r\n\r\nx\r\n", 0},
		{"REQUIRETLS for the word", " requiretls", "Subject: x\r\n\r\nx\r\n", spec.NeedTLS},
		{"both", " REQUIRETLS SMTPUTF8", "Subject: ä\r\n\r\nx\r\n", spec.NeedTLS | spec.NeedUTF8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Private = true })
				c := r.hello()
				c.say("MAIL FROM:<alice@example.org>"+tt.parameters, "250 ")
				c.say("RCPT TO:<bob@example.net>", "250 ")
				c.say("DATA", "354 ")
				c.send(tt.content + ".\r\n")
				c.expect("250 ")
				m := r.queue.taken()[0]
				if m.Envelope.Needs != tt.want {
					t.Errorf("it needs %q, want %q", m.Envelope.Needs.Keywords(), tt.want.Keywords())
				}
				trace, _ := r.body(m)
				if got := strings.Contains(trace, "with UTF8SMTP id"); got != strings.Contains(tt.parameters, "SMTPUTF8") {
					t.Errorf("its trace is %q", trace)
				}
				c.close()
				r.shutdown()
			})
		})
	}
}

func TestAddressesInUTF8AreTakenWhereItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<älice@exämple.org> SMTPUTF8", "250 ")
		c.say("RCPT TO:<böb@example.net>", "250 ")
		c.say("RCPT TO:<bob@münchen.example>", "250 ")
		c.say("RCPT TO:<bob@XN--MNCHEN-3YA.example>", "250 ")
		c.say("RCPT TO:<bob@ü..example>", "501 5.1.3 ")
		c.say("DATA", "354 ")
		c.send(hello + ".\r\n")
		c.expect("250 ")
		e := r.queue.taken()[0].Envelope
		want := spec.Envelope{Sender: "älice@xn--exmple-cua.org", Recipients: []string{"böb@example.net", "bob@xn--mnchen-3ya.example"}}
		if d := cmp.Diff(want, e); d != "" {
			t.Error(d)
		}
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<böb@example.net>", "553 5.6.7 ")
		c.close()
		r.shutdown()
	})
}

func TestRequireTLSIsOfferedWhereTheOperatorVouchesForTheWay(t *testing.T) {
	for _, private := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Private = private })
			c := r.dial()
			c.expect("220 ")
			c.send("EHLO client.example\r\n")
			var offer []string
			for line := ""; !strings.HasPrefix(line, "250 "); {
				line, _ = c.in.ReadString('\n')
				offer = append(offer, strings.TrimSpace(line))
			}
			if got := slices.Contains(offer, "250-REQUIRETLS"); got != private {
				t.Errorf("private %v: offered is %q", private, offer)
			}
			if !slices.ContainsFunc(offer, func(l string) bool { return strings.HasSuffix(l, "SMTPUTF8") }) {
				t.Errorf("SMTPUTF8 is not among %q", offer)
			}
			c.close()
			r.shutdown()
		})
	}
}
