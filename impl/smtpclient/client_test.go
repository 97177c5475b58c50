package smtpclient

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/impl/smtpclient/smtptest"
	"github.com/postonce/postonce/spec"
)

// Every stage has a time-out of its own, so that a test sees which one it was.
var testTimeouts = spec.Timeouts{
	Greeting: 1 * time.Minute, EHLO: 2 * time.Minute, STARTTLS: 8 * time.Minute, AUTH: 9 * time.Minute, MAIL: 3 * time.Minute, RCPT: 4 * time.Minute,
	DATA: 5 * time.Minute, Block: 6 * time.Minute, Dot: 11 * time.Minute, QUIT: 7 * time.Minute,
}

var testOptions = Options{Hostname: "relay.test", Host: "mx.test", Timeouts: testTimeouts, ReplyBytes: 1000}

// testTransaction is one message of one line to b@y, c@y, ...
func testTransaction(recipients int) Transaction {
	tx := Transaction{Sender: "a@x", Size: 7, Body: strings.NewReader("hello\r\n"), Commit: func([]int) error { return nil }}
	for i := range recipients {
		tx.Recipients = append(tx.Recipients, string(rune('b'+i))+"@y")
	}
	return tx
}

// meet runs client against a server that follows script, in a bubble, and
// fails when the server saw something else.
func meet(t *testing.T, script string, client func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		played := make(chan error, 1)
		go func() { played <- smtptest.Play(far, script) }()
		c := New(near, testOptions)
		client(t, c)
		c.Quit(t.Context())
		if err := <-played; err != nil {
			t.Error("the server:", err)
		}
		if _, err := near.Write(nil); err == nil {
			t.Error("the connection is still open")
		}
	})
}

// deliver is the plain client: hello, and one transaction if that is OK.
func deliver(ctx context.Context, c *Client, tx Transaction) []Result {
	if r := c.Hello(ctx); !r.OK() {
		return []Result{r}
	}
	return c.Send(ctx, tx)
}

// show is a result as "stage event", with reply or text where asked for.
func show(rs []Result) []string {
	var out []string
	for _, r := range rs {
		out = append(out, fmt.Sprintf("%v %v", r.Stage, r.Event))
	}
	return out
}

// The beginnings of a conversation.
const (
	hello = `
		S: 220 mx.test ESMTP
		C: EHLO relay.test
		S: 250 mx.test`
	helloPipelining = `
		S: 220 mx.test ESMTP
		C: EHLO relay.test
		S: 250-mx.test
		S: 250 PIPELINING`
	content = `
		C: hello`
	// begun is the content without the end that leaves with the dot.
	begun = `
		B: "hello"`
	quit = `
		C: QUIT
		S: 221 bye`
)

func TestTranscripts(t *testing.T) {
	tests := []struct {
		name       string
		recipients int
		tx         func(*Transaction)
		script     string
		want       []string
	}{
		{
			name: "a message is delivered, one command at a time", recipients: 2,
			script: hello + `
				C: MAIL FROM:<a@x>
				quiet 1m
				S: 250 ok
				C: RCPT TO:<b@y>
				quiet 1m
				S: 250 ok
				C: RCPT TO:<c@y>
				quiet 1m
				S: 251 forwarded
				C: DATA
				quiet 1m
				S: 354 go
				C: hello
				C: .
				quiet 10m
				S: 250 taken` + quit,
			want: []string{"dot 2yz", "dot 2yz"},
		},
		{
			name: "commands go in one group where pipelining is offered", recipients: 2,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: DATA
				quiet 1m
				S: 250 ok
				S: 250 ok
				wait 3m
				S: 250 ok
				quiet 4m
				S: 354 go
				C: hello
				C: .
				S: 250 taken` + quit,
			want: []string{"dot 2yz", "dot 2yz"},
		},
		{
			name: "nothing is sent before the greeting is complete", recipients: 1,
			script: `
				quiet 10s
				R: "220-mx.test speaks\r\n"
				quiet 10s
				R: "220-at length\r\n220"
				quiet 10s
				R: "\r\n"
				C: EHLO relay.test
				S: 554 not you` + `
				C: HELO relay.test
				S: 554 really not` + quit,
			want: []string{"helo 5yz"},
		},
		{
			name: "a server that does not know EHLO gets HELO and no parameters", recipients: 1,
			script: `
				S: 220 mx.test
				C: EHLO relay.test
				S: 502-PIPELINING
				S: 502 SIZE 1
				C: HELO relay.test
				S: 250-mx.test
				S: 250 PIPELINING
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 250 ok
				C: DATA
				S: 354 go` + content + `
				C: .
				S: 250 taken` + quit,
			want: []string{"dot 2yz"},
		},
		{
			name: "parameters are used where they are offered", recipients: 1,
			tx: func(tx *Transaction) { tx.Sender, tx.Body8Bit = "", true },
			script: `
				S: 220 mx.test
				C: EHLO relay.test
				S: 250-mx.test
				S: 250-size 7
				S: 250 8BitMime
				C: MAIL FROM:<> SIZE=7 BODY=8BITMIME
				S: 550 no` + quit,
			want: []string{"mail 5yz"},
		},
		{
			name: "what the sender wants to be told is passed on where DSN is offered", recipients: 2,
			tx: func(tx *Transaction) {
				tx.Tracking = spec.Tracking{Return: spec.ReturnFull, EnvelopeID: "a=b"}
				tx.Asked = []spec.Asked{{Notify: spec.NotifyNever}}
			},
			script: `
				S: 220 mx.test
				C: EHLO relay.test
				S: 250-mx.test
				S: 250 DSN
				C: MAIL FROM:<a@x> RET=FULL ENVID=a+3Db
				S: 250 ok
				C: RCPT TO:<b@y> NOTIFY=NEVER
				S: 550 no
				C: RCPT TO:<c@y>
				S: 550 no` + quit,
			want: []string{"rcpt 5yz", "rcpt 5yz"},
		},
		{
			name: "dots are stuffed and the last line is completed", recipients: 1,
			tx: func(tx *Transaction) { tx.Body = strings.NewReader(".\r\n..a\r\n.b") },
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 250 ok
				C: DATA
				S: 354 go
				C: ..
				C: ...a
				C: ..b
				C: .
				S: 250 taken` + quit,
			want: []string{"dot 2yz"},
		},
		{
			name: "each recipient has its own result", recipients: 4,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 550 no
				C: RCPT TO:<c@y>
				S: 250 ok
				C: RCPT TO:<d@y>
				S: 450 later
				C: RCPT TO:<e@y>
				S: 250 ok
				C: DATA
				S: 354 go` + content + `
				C: .
				S: 250 taken` + quit,
			want: []string{"rcpt 5yz", "dot 2yz", "rcpt 4yz", "dot 2yz"},
		},
		{
			name: "552 may mean too many recipients, and then it is for now", recipients: 5,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: RCPT TO:<d@y>
				C: RCPT TO:<e@y>
				C: RCPT TO:<f@y>
				C: DATA
				S: 250 ok
				S: 552 mailbox full
				S: 250 ok
				S: 552 too many
				S: 552 5.2.2 mailbox full
				S: 552 5.5.3 too many
				S: 354 go` + content + `
				C: .
				S: 250 taken` + quit,
			want: []string{"rcpt 5yz", "dot 2yz", "rcpt too-many", "rcpt 5yz", "rcpt too-many"},
		},
		{
			name: "the reply to the dot is for those accepted only", recipients: 2,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: DATA
				S: 250 ok
				S: 550 no
				S: 250 ok
				S: 354 go` + content + `
				C: .
				close`,
			want: []string{"rcpt 5yz", "dot cut"},
		},
		{
			name: "no DATA when nobody was accepted", recipients: 2,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 550 no
				C: RCPT TO:<c@y>
				S: 450 later` + quit,
			want: []string{"rcpt 5yz", "rcpt 4yz"},
		},
		{
			name: "a lone dot ends content that nobody is to get, and accepts nobody", recipients: 2,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: DATA
				S: 250 ok
				S: 550 no
				S: 450 later
				S: 354 go
				C: .
				S: 250 taken` + quit,
			want: []string{"rcpt 5yz", "rcpt 4yz"},
		},
		{
			name: "no lone dot where it could make a message", recipients: 1,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: DATA
				S: 550 not from you
				S: 250 ok
				S: 354 go
				eof`,
			want: []string{"mail 5yz"},
		},
		{
			name: "421 ends it for all that are on the way", recipients: 3,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 550 no
				C: RCPT TO:<c@y>
				S: 250 ok
				C: RCPT TO:<d@y>
				S: 421 bye
				eof`,
			want: []string{"rcpt 5yz", "rcpt 421", "rcpt 421"},
		},
		{
			name: "a message that is too large is not offered", recipients: 2,
			tx: func(tx *Transaction) { tx.Size = 101 },
			script: `
				S: 220 mx.test
				C: EHLO relay.test
				S: 250-mx.test
				S: 250 SIZE 100` + quit,
			want: []string{"mail not-offered", "mail not-offered"},
		},
		{
			name: "8-bit content is not sent to a server without 8BITMIME", recipients: 1,
			tx:     func(tx *Transaction) { tx.Body8Bit = true },
			script: hello + quit,
			want:   []string{"mail not-offered"},
		},
		{
			name: "a sender that cannot be written is refused here", recipients: 1,
			tx:     func(tx *Transaction) { tx.Sender = "a@x>\r\nQUIT" },
			script: hello + quit,
			want:   []string{"mail 5yz"},
		},
		{
			name: "a recipient that cannot be written is refused here, the others go on", recipients: 2,
			tx: func(tx *Transaction) { tx.Recipients[0] = "b@y> NOTIFY=NEVER" },
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<c@y>
				S: 250 ok
				C: DATA
				S: 354 go` + content + `
				C: .
				S: 250 taken` + quit,
			want: []string{"rcpt 5yz", "dot 2yz"},
		},
		{
			name: "nothing is sent when no recipient can be written", recipients: 1,
			tx:     func(tx *Transaction) { tx.Recipients[0] = "b@y\x00" },
			script: hello + quit,
			want:   []string{"rcpt 5yz"},
		},
		{
			name: "content with a bare LF is taken back", recipients: 1,
			tx: func(tx *Transaction) { tx.Body = strings.NewReader("a\n.\r\nb\r\n") },
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 250 ok
				C: DATA
				S: 354 go
				eof`,
			want: []string{"body 5yz"},
		},
		{
			name: "a reply too many voids the transaction", recipients: 2,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				R: "550 no\r\n250 ok\r\n"
				eof`,
			want: []string{"rcpt malformed", "rcpt malformed"},
		},
		{
			name: "a reply too many voids a pipelined transaction", recipients: 2,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: DATA
				R: "250 ok\r\n550 no\r\n550 no\r\n250 ok\r\n354 go\r\n"
				eof`,
			want: []string{"data malformed", "data malformed"},
		},
		{
			name: "a reply of another command voids what was said before", recipients: 3,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: RCPT TO:<d@y>
				C: DATA
				R: "250 ok\r\n550 no\r\n354 go\r\n"
				eof`,
			want: []string{"rcpt 3yz", "rcpt 3yz", "rcpt 3yz"},
		},
		{
			name: "but not that MAIL was refused", recipients: 2,
			script: helloPipelining + `
				C: MAIL FROM:<a@x>
				C: RCPT TO:<b@y>
				C: RCPT TO:<c@y>
				C: DATA
				R: "550 no\r\n503 bad\r\n354 go\r\n"
				eof`,
			want: []string{"mail 5yz", "mail 5yz"},
		},
		{
			name: "421 may come unasked and voids nothing", recipients: 1,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				R: "550 no\r\n421 bye\r\n"
				eof`,
			want: []string{"rcpt 5yz"},
		},
		{
			name: "an acceptance before the dot is none", recipients: 1,
			script: hello + `
				C: MAIL FROM:<a@x>
				S: 250 ok
				C: RCPT TO:<b@y>
				S: 250 ok
				C: DATA
				R: "354 go\r\n250 taken\r\n"
				eof`,
			want: []string{"body 2yz"},
		},
		{
			name: "a server that talks before EHLO is given up", recipients: 1,
			script: `
				R: "220 mx.test\r\n250 mx.test\r\n"
				eof`,
			want: []string{"ehlo malformed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			meet(t, tt.script, func(t *testing.T, c *Client) {
				tx := testTransaction(tt.recipients)
				if tt.tx != nil {
					tt.tx(&tx)
				}
				if diff := cmp.Diff(tt.want, show(deliver(t.Context(), c, tx))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestOwnRefusalsSayWhy(t *testing.T) {
	tests := []struct {
		name, enhanced string
		tx             func(*Transaction)
	}{
		{"too large", "5.3.4", func(tx *Transaction) { tx.Size = 101 }},
		{"8-bit", "5.6.3", func(tx *Transaction) { tx.Body8Bit = true }},
		{"sender", "5.1.7", func(tx *Transaction) { tx.Sender = "a b@x" }},
		{"recipient", "5.1.3", func(tx *Transaction) { tx.Recipients[0] = "" }},
		{"needs SMTPUTF8", "5.6.7", func(tx *Transaction) { tx.Recipients[0] = "ü@y" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script := "S: 220 x\nC: EHLO relay.test\nS: 250-x\nS: 250 SIZE 100" + quit
			meet(t, script, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tt.tx(&tx)
				r := deliver(t.Context(), c, tx)[0]
				if r.Reply.Code != 0 || r.Reply.Enhanced != tt.enhanced || !strings.HasPrefix(r.Text, tt.enhanced+" ") || r.Err != nil {
					t.Errorf("got %+v", r)
				}
			})
		})
	}
}
