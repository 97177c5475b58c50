package delivery

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

// TestWhatTheSenderWantsToBeToldGoesWithItsRecipient: also when the recipients go
// in several transactions, and to servers of which only one offers DSN (RFC 3461
// sections 5.2.1 and 5.2.2).
func TestWhatTheSenderWantsToBeToldGoesWithItsRecipient(t *testing.T) {
	asked := []spec.Asked{{}, {Notify: spec.NotifyNever}, {Notify: spec.NotifySuccess, Original: "rfc822;d+@y"}}
	tracking := spec.Tracking{Return: spec.ReturnFull, EnvelopeID: "a b"}
	runCases(t, []testCase{{
		name: "two servers", recipients: []string{"b@y", "c@y", "d@y"},
		world: world{
			zone: zone2, asked: asked, tracking: tracking,
			policy: func(p *spec.Policy) { p.Limits.RecipientsPerTransaction = 2 },
			servers: map[string][]string{
				"192.0.2.1": {`
					S: 220 mx
					C: EHLO relay.test
					S: 250-mx
					S: 250 dsn
					C: MAIL FROM:<a@x> RET=FULL ENVID=a+20b
					S: 250 ok
					C: RCPT TO:<b@y>
					S: 250 ok
					C: RCPT TO:<c@y> NOTIFY=NEVER
					S: 250 ok
					C: DATA
					S: 354 go
					C: hello
					C: .
					S: 250 taken
					C: MAIL FROM:<a@x> RET=FULL ENVID=a+20b
					S: 250 ok
					C: RCPT TO:<d@y> NOTIFY=SUCCESS ORCPT=rfc822;d+2B@y
					S: 421 enough`},
				"192.0.2.2": {hello + takes("d@y") + quit},
			},
		},
		want: []string{
			"dial mx1.y 192.0.2.1:25",
			"intend mx1.y b@y c@y", "dot mx1.y b@y c@y",
			"settle b@y proceed: dot 2yz mx1.y", "settle c@y proceed: dot 2yz mx1.y",
			"dial mx1.y [2001:db8::1]:25",
			"dial mx2.y 192.0.2.2:25",
			"intend mx2.y d@y", "dot mx2.y d@y",
			"settle d@y proceed: dot 2yz mx2.y relayed",
			"last",
		},
	}})
}
