package submission

import (
	"io"
	"strings"
	"testing"
)

// FuzzSession sends anything at all to a server. Whatever it takes must be
// lawful to send on, with addresses that can stand in a command.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + hello + ".\r\nQUIT\r\n",
		"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<\"a b\"@d>\r\nRCPT TO:<c@[192.0.2.1]>\r\nBDAT 3\r\na\r\nBDAT 2 LAST\r\n\xff\xffNOOP\r\n",
		"HELO c\r\nMAIL FROM:<a@b> SIZE=9 BODY=8BITMIME\r\nRSET\r\nVRFY x\r\nSTARTTLS\r\nAUTH PLAIN\r\n",
		"EHLO c\r\nMAIL FROM:<a@b> RET=HDRS ENVID=a+20b\r\nRCPT TO:<c@d> NOTIFY=DELAY ORCPT=rfc822;e@f\r\nDATA\r\n" + hello + ".\r\n",
		"EHLO c\r\nMAIL FROM:<ä@b> SMTPUTF8\r\nRCPT TO:<\"c ü\"@d>\r\nRCPT TO:<c@ü>\r\nDATA\r\nA: ä\r\n\r\n.\r\n",
		"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r.\r\n.\n\r\n.\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r := newRig(t, func(c *Config) { c.MaxMessageBytes = 10_000 })
		c := r.dial()
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, c.in)
		}()
		_, _ = c.conn.Write(input) // The server may close at any point.
		c.close()
		<-drained
		r.shutdownThen(func() {
			for _, m := range r.queue.taken() {
				_, body := r.body(m)
				if err := lawful(body); err != nil {
					t.Errorf("taken: %q: %v", body, err)
				}
				if len(m.Envelope.Recipients) == 0 {
					t.Errorf("taken without recipients: %+v", m)
				}
				for _, address := range append(m.Envelope.Recipients, m.Envelope.Sender) {
					if got, err := ParseMailbox(address); address != m.Envelope.Sender && (err != nil || got.String() != address) {
						t.Errorf("taken with address %q: %v", address, err)
					}
				}
				if strings.ContainsAny(m.MessageID, "\r\n") {
					t.Errorf("taken with Message-ID %q", m.MessageID)
				}
			}
			if left := r.left(); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
		})
	})
}
