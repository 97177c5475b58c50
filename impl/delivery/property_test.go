package delivery

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/impl/smtpclient/smtptest"
	"github.com/postonce/postonce/spec"
)

// Whatever honest servers do, one attempt gives every recipient exactly one
// result, the result is true, and nobody gets the message twice.
func TestOneAttemptNeverDeliversTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &mxs{accepted: map[string]int{}}
		behaviour := rapid.SliceOfN(rapid.SampledFrom([]string{
			"ok", "ok", "ok", "ok", "ok", "ok", "ok",
			"450 later\r\n", "550 no\r\n", "421 bye\r\n", "what\r\n", "250-a\r\n550 b\r\n", "cut", "silence",
		}), 1, 40)
		m.acts = behaviour.Draw(rt, "acts")
		m.hosts = rapid.IntRange(1, 4).Draw(rt, "hosts")
		m.pipelining = rapid.Bool().Draw(rt, "pipelining")
		recipients := []string{"b@y", "c@y", "d@y", "e@y", "f@y"}[:rapid.IntRange(1, 5).Draw(rt, "recipients")]
		per := rapid.IntRange(1, 5).Draw(rt, "per transaction")
		synctest.Test(t, func(t *testing.T) { m.deliver(recipients, per) })
		m.check(rt, recipients)
	})
}

// mxs are the servers of one domain, and the ledger.
type mxs struct {
	hosts      int
	pipelining bool
	// acts say what is done about one command after another, over and over.
	acts     []string
	act      int
	accepted map[string]int
	intended []string
	results  []Result
	lasts    int
	early    int // how many results there were after a settling that was neither a dot's nor the last
	wrong    []string
}

func (m *mxs) deliver(recipients []string, per int) {
	policy := spec.DefaultPolicy("relay.test")
	policy.Limits.RecipientsPerTransaction = per
	var served []chan struct{}
	d := &Deliverer{
		Policy: policy, Resolver: &resolve.Client{Exchange: m.exchange}, Ledger: m, Note: m.note,
		Dial: func(context.Context, netip.Addr, string) (net.Conn, error) {
			if m.next() == "cut" {
				return nil, syscall.ECONNREFUSED
			}
			near, far := smtptest.Pipe()
			done := make(chan struct{})
			served = append(served, done)
			go func() { defer close(done); m.serve(far) }()
			return near, nil
		},
		Open: func(context.Context, spec.QueueID) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("hello\r\n")), nil
		},
		Random: func(string) *rand.Rand { return nil },
	}
	d.Deliver(context.Background(), Job{ID: "j", Queue: "q", Dest: "y", Sender: "a@x", Recipients: recipients})
	for _, done := range served {
		<-done
	}
}

func (m *mxs) next() string {
	m.act++
	return m.acts[m.act%len(m.acts)]
}

func (m *mxs) exchange(_ context.Context, q *dns.Msg) (*dns.Msg, error) {
	answer := new(dns.Msg).SetReply(q)
	name := q.Question[0].Name
	add := func(text string) {
		rr, _ := dns.NewRR(text)
		answer.Answer = append(answer.Answer, rr)
	}
	switch q.Question[0].Qtype {
	case dns.TypeMX:
		for i := range m.hosts {
			add(fmt.Sprintf("%s MX %d mx%d.y.", name, i, i))
		}
	case dns.TypeA:
		add(name + " A 192.0.2.1")
	}
	return answer, nil
}

// serve is an honest server: 2yz to the dot means that it accepted, 4yz and
// 5yz that it did not, and anything else may mean either.
func (m *mxs) serve(conn *smtptest.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 mx\r\n")
	r := bufio.NewReader(conn)
	var to []string
	content := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		if content && line != "." {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		good := "250 ok\r\n"
		switch {
		case verb == "EHLO" && m.pipelining:
			good = "250-mx\r\n250 PIPELINING\r\n"
		case verb == "DATA" && len(to) == 0:
			good = "554 nobody\r\n"
		case verb == "DATA":
			good = "354 go\r\n"
		case verb == "QUIT":
			return
		}
		act := m.next()
		switch {
		case act == "ok" && verb == "MAIL":
			to = nil
		case act == "ok" && verb == "RCPT":
			to = append(to, strings.Trim(rest, "TO:<>"))
		case act == "ok" && verb == "DATA":
			content = len(to) > 0
		}
		if verb == "." {
			content = false
			if act == "ok" || !strings.HasPrefix(act, "4") && !strings.HasPrefix(act, "5") && m.next() == "ok" {
				for _, recipient := range to {
					m.accepted[recipient]++
				}
			}
			to = nil
		}
		switch act {
		case "ok":
			fmt.Fprint(conn, good)
		case "cut":
			return
		case "silence":
			_, _ = io.Copy(io.Discard, r)
			return
		default:
			fmt.Fprint(conn, act)
		}
	}
}

func (m *mxs) Intend(_ context.Context, _ Job, host string, recipients []string) error {
	m.intended = append([]string{host}, recipients...)
	return nil
}

func (m *mxs) Settle(_ context.Context, _ Job, results []Result, last bool) error {
	m.results = append(m.results, results...)
	if last {
		m.lasts++
	} else if m.intended == nil {
		m.early = len(m.results)
	}
	m.intended = nil
	return nil
}

func (m *mxs) note(f spec.Fact) {
	if f.Kind == spec.FactDot && !slices.Equal(m.intended, append([]string{f.Host}, f.To...)) {
		m.wrong = append(m.wrong, fmt.Sprintf("a dot for %v at %s, but the intent is %v", f.To, f.Host, m.intended))
	}
}

func (m *mxs) check(t *rapid.T, recipients []string) {
	for _, wrong := range m.wrong {
		t.Error(wrong)
	}
	if m.early > 0 && m.early != len(recipients) {
		t.Errorf("results without a dot were settled when %d of %d were known", m.early, len(recipients))
	}
	if m.lasts != 1 || len(m.results) != len(recipients) {
		t.Fatalf("%d results for %d recipients, %d times the last", len(m.results), len(recipients), m.lasts)
	}
	for _, recipient := range recipients {
		i := slices.IndexFunc(m.results, func(r Result) bool { return r.Recipient == recipient })
		if i < 0 {
			t.Fatalf("%s has no result", recipient)
		}
		verdict, n := m.results[i].Verdict, m.accepted[recipient]
		most, least := 0, 0
		switch verdict {
		case spec.Proceed:
			most, least = 1, 1
		case spec.InDoubt:
			most = 1
		case spec.Defer, spec.FailRecipient, spec.FailMessage:
		default:
			t.Errorf("%s: %v is no result", recipient, verdict)
		}
		if n > most || n < least {
			t.Errorf("%s was accepted %d times, and the result is %v", recipient, n, m.results[i])
		}
	}
}
