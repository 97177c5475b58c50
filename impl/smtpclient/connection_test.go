package smtpclient

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

func TestSeveralTransactionsOnOneConnection(t *testing.T) {
	const transaction = `
		C: MAIL FROM:<a@x>
		S: 250 ok
		C: RCPT TO:<b@y>`
	const taken = `
		S: 250 ok
		C: DATA
		S: 354 go` + content + `
		C: .
		S: 250 taken`
	tests := []struct {
		name, script string
		want         []string
	}{
		{"a dot clears the way", hello + transaction + taken + transaction + taken + quit, []string{"dot 2yz", "dot 2yz"}},
		{
			"a refused dot clears the way too",
			hello + transaction + strings.Replace(taken, "250 taken", "554 spam", 1) + transaction + taken + quit,
			[]string{"dot 5yz", "dot 2yz"},
		},
		{
			"without a dot RSET does", hello + transaction + "\nS: 550 no\nC: RSET\nS: 250 ok" + transaction + taken + quit,
			[]string{"rcpt 5yz", "dot 2yz"},
		},
		{"a server that refuses RSET is left", hello + transaction + "\nS: 550 no\nC: RSET\nS: 502 what\neof", []string{"rcpt 5yz", "not ready"}},
		{"a server that drops at RSET is left", hello + transaction + "\nS: 550 no\nC: RSET\nclose", []string{"rcpt 5yz", "not ready"}},
		{"a server that said 421 is left", hello + transaction + "\nS: 421 bye\neof", []string{"rcpt 421", "not ready"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			meet(t, tt.script, func(t *testing.T, c *Client) {
				got := show(deliver(t.Context(), c, testTransaction(1)))
				if ready, _ := c.Ready(t.Context()); ready {
					got = append(got, show(c.Send(t.Context(), testTransaction(1)))...)
				} else {
					got = append(got, "not ready")
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestQuitClosesWhateverTheServerDoes(t *testing.T) {
	tests := []struct {
		name, script string
		takes        time.Duration
	}{
		{"221", "S: 221 bye\neof", 0},
		{"5yz", "S: 500 what\neof", 0},
		{"garbage", "S: what\neof", 0},
		{"silence", "eof", testTimeouts.QUIT},
		{"close", "close", 0},
		{"reset", "reset", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			meet(t, hello+"\nC: QUIT\n"+tt.script, func(t *testing.T, c *Client) {
				c.Hello(t.Context())
				start := time.Now()
				c.Quit(t.Context())
				if took := time.Since(start); took != tt.takes {
					t.Errorf("it took %v, want %v", took, tt.takes)
				}
			})
		})
	}
}

// A large envelope goes in groups that the network can hold.
func TestPipeliningIsBounded(t *testing.T) {
	tx := testTransaction(0)
	script := helloPipelining + "\nC: MAIL FROM:<a@x>\n"
	const each = 200 // bytes a command: 20 fit in a group beside MAIL
	for i := range 30 {
		recipient := fmt.Sprintf("%0*d@y", each-len("RCPT TO:<@y>\r\n"), i)
		tx.Recipients = append(tx.Recipients, recipient)
		script += "C: RCPT TO:<" + recipient + ">\n"
		if i == 19 {
			script += "quiet 1m\n" + strings.Repeat("S: 250 ok\n", 21)
		}
	}
	script += "C: DATA\n" + strings.Repeat("S: 250 ok\n", 10) + "S: 354 go" + content + "\nC: .\nS: 250 taken" + quit
	meet(t, script, func(t *testing.T, c *Client) {
		for i, r := range deliver(t.Context(), c, tx) {
			if r.Stage != spec.StageDot || !r.OK() {
				t.Errorf("recipient %d: %+v", i, r)
			}
		}
	})
}
