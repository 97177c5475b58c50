package smtpclient

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/impl/wire"
)

func TestWhoDoesNotFitIsLeftForLater(t *testing.T) {
	for _, tt := range []struct {
		name, queue string
		limits      wire.Limits
		used        used
		now, later  string
	}{
		{"no limit but one's own", "a@x b@x c@y d@x", wire.Limits{}, used{}, "a@x b@x c@y", "d@x"},
		{"RCPTMAX", "a@x b@x c@y", wire.Limits{Recipients: 2}, used{}, "a@x b@x", "c@y"},
		{"RCPTMAX above one's own", "a@x b@x c@y d@y", wire.Limits{Recipients: 9}, used{}, "a@x b@x c@y", "d@y"},
		{"what was learnt", "a@x b@x", wire.Limits{Recipients: 2}, used{learnt: 1}, "a@x", "b@x"},
		{"one domain, the others over another connection", "a@x b@y c@X d@z", wire.Limits{Domains: 1}, used{}, "a@x c@X", "b@y d@z"},
		{"two domains", "a@x b@y c@z d@y", wire.Limits{Domains: 2}, used{}, "a@x b@y d@y", "c@z"},
		{"a domain used before", "a@x b@y", wire.Limits{Domains: 1}, used{domains: []string{"y"}}, "b@y", "a@x"},
		{"nobody fits any more", "a@x b@z", wire.Limits{Domains: 1}, used{domains: []string{"y"}}, "", "a@x b@z"},
	} {
		c := &Client{ext: wire.Extensions{Limits: tt.limits}, used: tt.used}
		now, later := c.Fit(strings.Fields(tt.queue), 3)
		if diff := cmp.Diff([]string{tt.now, tt.later}, []string{strings.Join(now, " "), strings.Join(later, " ")}); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// A server that takes one message a connection is not asked for a second one,
// nor for RSET.
func TestAConnectionThatIsSpentIsNotReady(t *testing.T) {
	script := strings.Replace(hello, "250 mx.test", "250-mx.test\nS: 250 LIMITS MAILMAX=2 RCPTDOMAINMAX=1", 1)
	for range 2 {
		script += "\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 550 no\nC: RSET\nS: 250 ok"
	}
	script = strings.TrimSuffix(script, "\nC: RSET\nS: 250 ok") + quit
	meet(t, script, func(t *testing.T, c *Client) {
		deliver(t.Context(), c, testTransaction(1))
		if now, _ := c.Fit([]string{"c@z", "d@y"}, 9); len(now) != 1 || now[0] != "d@y" {
			t.Errorf("%v fit", now)
		}
		if ready, _ := c.Ready(t.Context()); !ready {
			t.Error("not ready after the first")
		}
		c.Send(t.Context(), testTransaction(1))
		if ready, _ := c.Ready(t.Context()); ready {
			t.Error("ready after the second")
		}
	})
}

func TestHowManyAreTooManyIsLearnt(t *testing.T) {
	script := helloPipelining + `
		C: MAIL FROM:<a@x>
		C: RCPT TO:<b@y>
		C: RCPT TO:<c@y>
		C: RCPT TO:<d@y>
		C: RCPT TO:<e@y>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 452 4.5.3 too many
		S: 250 ok
		S: 452 too many
		S: 354 go` + content + `
		C: .
		S: 250 taken` + quit
	meet(t, script, func(t *testing.T, c *Client) {
		got := show(deliver(t.Context(), c, testTransaction(4)))
		if diff := cmp.Diff([]string{"dot 2yz", "rcpt too-many", "dot 2yz", "rcpt too-many"}, got); diff != "" {
			t.Error(diff)
		}
		if now, _ := c.Fit([]string{"1@y", "2@y", "3@y"}, 9); len(now) != 2 {
			t.Errorf("%v fit", now)
		}
	})
}
