package delivery

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/impl/smtpclient/smtptest"
	"github.com/postonce/postonce/spec"
)

// A world is a zone, servers, and a record of what a delivery did in it. All
// of it happens in the goroutine of Deliver, so nothing is locked.
type world struct {
	// zone has a record a line; a name with SERVFAIL instead of a record is
	// answered so, and a name without a line is NXDOMAIN.
	zone string
	// servers have the scripts of their connections, one after another, by
	// address without port: as for smtptest.Play, or "refused", "silent",
	// "reset". An address without any left refuses.
	servers map[string][]string
	policy  func(*spec.Policy)
	// tracking and asked are what the sender wants to be told.
	tracking spec.Tracking
	asked    []spec.Asked
	needs    spec.Needs
	// intend and settle are what the ledger answers.
	intend func() error
	settle func() error
	open   func() (io.ReadCloser, error)
	// facts, when not nil, gets every fact.
	facts *[]string
	// pool, when not nil, is the deliveries'.
	pool *Pool

	// log has a line for each step, in order.
	log   []string
	lasts int
	// missed counts the results that say that nobody was reached.
	missed int
	played []chan error
}

// deliver runs one job for the recipients to the destination of the first.
func (w *world) deliver(t *testing.T, ctx context.Context, recipients ...string) {
	t.Helper()
	policy := spec.DefaultPolicy("relay.test")
	if w.policy != nil {
		w.policy(&policy)
	}
	d := &Deliverer{
		Policy: policy, Dial: w.dial, Resolver: &resolve.Client{Exchange: w.exchange, Timeout: policy.Timeouts.Resolve},
		Open: func(context.Context, spec.QueueID) (io.ReadCloser, error) {
			if w.open != nil {
				return w.open()
			}
			return io.NopCloser(strings.NewReader("hello\r\n")), nil
		},
		Ledger: ledger{w},
		Note:   w.note,
		Alarm:  func(f spec.Fact) { w.say("alarm %s: %v", f.Host, f.Event) },
		Random: func(string) *rand.Rand { return nil },
		Pool:   w.pool,
	}
	job := Job{
		ID: "j1", Queue: "q1", Message: "m1@x", Dest: policy.Destination("alice@example.org", recipients[0]), Attempt: 1,
		Sender: "a@x", Recipients: recipients, Size: 7, Needs: w.needs, Tracking: w.tracking, Asked: w.asked,
	}
	d.Deliver(ctx, job)
	if w.lasts != 1 {
		t.Errorf("%d calls of Settle had last set, want 1", w.lasts)
	}
	w.lasts = 0
	if w.pool != nil {
		return // what is kept is played on
	}
	w.ends(t)
}

// ends waits for the servers, and says what they did not like.
func (w *world) ends(t *testing.T) {
	t.Helper()
	for _, played := range w.played {
		if err := <-played; err != nil {
			t.Error("a server:", err)
		}
	}
}

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) dial(ctx context.Context, _ netip.Addr, addr string) (net.Conn, error) {
	host, _, _ := strings.Cut(addr, ":")
	script := "refused"
	if scripts := w.servers[host]; len(scripts) > 0 {
		script, w.servers[host] = scripts[0], scripts[1:]
	}
	switch script {
	case "refused":
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case "reset":
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNRESET}
	case "silent":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	near, far := smtptest.Pipe()
	played := make(chan error, 1)
	w.played = append(w.played, played)
	go func() { played <- smtptest.Play(far, script) }()
	return near, nil
}

func (w *world) exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	question := q.Question[0]
	w.say("ask %s %s", strings.TrimSuffix(question.Name, "."), dns.TypeToString[question.Qtype])
	answer := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
	answer.RecursionAvailable = true
	for line := range strings.Lines(w.zone) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.EqualFold(name+".", question.Name) {
			continue
		}
		answer.Rcode = dns.RcodeSuccess
		switch rest {
		case "SERVFAIL":
			answer.Rcode = dns.RcodeServerFailure
			return answer, nil
		case "SILENT":
			<-ctx.Done()
			return nil, ctx.Err()
		case "EXISTS":
			continue
		}
		rr, err := dns.NewRR(name + ". " + rest)
		if err != nil {
			return nil, err
		}
		if rr.Header().Rrtype == question.Qtype {
			answer.Answer = append(answer.Answer, rr)
		}
	}
	return answer, nil
}

// note logs the facts of the attempt. The order of hosts is in the dials.
func (w *world) note(f spec.Fact) {
	if f.Queue != "q1" || f.Message != "m1@x" || f.Job != "j1" || f.Dest == "" {
		w.say("a fact that does not say whose it is: %+v", f)
	}
	if w.facts != nil {
		*w.facts = append(*w.facts, factLine(f))
	}
	switch f.Kind {
	case spec.FactRoute:
	case spec.FactDial:
		w.say("dial %s %s", f.Host, f.Addr)
	case spec.FactTrouble:
		if f.Stage == 0 || f.Event == 0 || f.Verdict == 0 {
			w.say("a trouble that does not say what it is: %+v", f)
		}
	case spec.FactLogin:
		w.say("login %s %s", f.Host, f.Text)
	case spec.FactReuse:
		w.say("reuse %s %s", f.Host, f.Addr)
	case spec.FactIdle:
		w.say("idle %s after %d", f.Host, f.Count)
	case spec.FactDot:
		w.say("dot %s %s", f.Host, strings.Join(f.To, " "))
	default:
		w.say("a fact that is not the delivery's: %s", f.Kind)
	}
}

type ledger struct{ w *world }

func (l ledger) Intend(_ context.Context, _ Job, host string, recipients []string) error {
	l.w.say("intend %s %s", host, strings.Join(recipients, " "))
	if l.w.intend != nil {
		return l.w.intend()
	}
	return nil
}

func (l ledger) Settle(ctx context.Context, _ Job, results []Result, last bool) error {
	if ctx.Err() != nil {
		l.w.say("settle with a context that is done")
	}
	for _, r := range results {
		if r.Unreached {
			l.w.missed++
		}
		line := strings.TrimSpace(fmt.Sprintf("%v: %v %v %s", r.Verdict, r.Stage, r.Event, r.Host))
		if len(l.w.asked) > 0 && r.Relayed {
			line += " relayed"
		}
		l.w.say("settle %s %s", r.Recipient, line)
	}
	if last {
		l.w.lasts++
		l.w.say("last")
	}
	if l.w.settle != nil {
		return l.w.settle()
	}
	return nil
}

// Servers, as scripts.

// hello greets without any extension.
const hello = `
	S: 220 mx
	C: EHLO relay.test
	S: 250 mx
`

const quit = `
	C: QUIT
	S: 221 bye
`

// envelope asks for recipients; replies are to RCPT.
func envelope(replies ...string) string {
	script := "C: MAIL FROM:<a@x>\nS: 250 ok\n"
	for i := 0; i < len(replies); i += 2 {
		script += "C: RCPT TO:<" + replies[i] + ">\nS: " + replies[i+1] + "\n"
	}
	return script
}

// data takes the content and replies to the dot with reply, a step.
func data(reply string) string {
	return "C: DATA\nS: 354 go\nC: hello\nC: .\n" + reply + "\n"
}

// takes is a server that accepts the recipients.
func takes(recipients ...string) string {
	var replies []string
	for _, r := range recipients {
		replies = append(replies, r, "250 ok")
	}
	return envelope(replies...) + data("S: 250 taken")
}

// bubble runs f in one.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	start := time.Now()
	synctest.Test(t, f)
	if time.Since(start) > time.Minute {
		t.Error("real time passed")
	}
}
