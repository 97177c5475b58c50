package resolve

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec"
)

// begin is a start that the bubble runs at instants of their own.
func begin(f func()) { time.AfterFunc(time.Microsecond, f) }

const soa = "net. 600 IN SOA ns.net. admin.net. 1 1 1 1 "

// TestAnswersAreBelievedAsLongAsTheySay asks at once, at the last second of
// what an answer may live, and after it.
func TestAnswersAreBelievedAsLongAsTheySay(t *testing.T) {
	mx := func(ttl string) string { return "example.net. " + ttl + " IN MX 10 mx.example.net." }
	for _, tt := range []struct {
		name, answer, authority string
		life                    time.Duration
		rcode                   int
	}{
		{name: "records", answer: mx("300"), life: 300 * time.Second},
		{name: "the shortest of several", answer: mx("300") + "\n" + mx("60"), life: time.Minute},
		{name: "an alias that lives shorter than its target", life: 30 * time.Second,
			answer: "example.net. 30 IN CNAME m.net.\nm.net. 300 IN MX 10 mx.example.net."},
		{name: "a TTL of nothing", answer: mx("0")},
		{name: "a TTL with the highest bit", answer: mx("2147483648")},
		{name: "a TTL of a month", answer: mx("2592000"), life: maxTTL},
		{name: "no such name", rcode: dns.RcodeNameError, authority: soa + "120", life: 120 * time.Second},
		{name: "no such record", authority: soa + "120", life: 120 * time.Second},
		{name: "no such record, as long as the SOA itself", authority: soa + "86400", life: 600 * time.Second},
		{name: "no such record, for a day", authority: strings.Replace(soa, "600", "86400", 1) + "86400", life: maxNegativeTTL},
		{name: "no such record, nobody knows how long"},
		{name: "an alias of what has no such record", answer: "example.net. 30 IN CNAME example.net.x.", authority: soa + "120", life: 30 * time.Second},
		{name: "a server that cannot say", rcode: dns.RcodeServerFailure, authority: soa + "120"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				client := &Client{Cache: NewCache(begin), Exchange: func(_ context.Context, q *dns.Msg) (*dns.Msg, error) {
					asked++
					reply := new(dns.Msg).SetRcode(q, tt.rcode)
					reply.RecursionAvailable = true
					for line := range strings.Lines(tt.answer) {
						reply.Answer = append(reply.Answer, rr(t, line))
					}
					if tt.authority != "" {
						reply.Ns = []dns.RR{rr(t, tt.authority)}
					}
					return reply, nil
				}}
				ask := func() { client.ask(t.Context(), "example.net.", dns.TypeMX) }
				ask()
				if tt.life > 0 {
					time.Sleep(tt.life - 1)
					ask()
					if asked != 1 {
						t.Errorf("asked %d times within %v", asked, tt.life)
					}
					time.Sleep(time.Nanosecond)
				}
				if ask(); asked != 2 {
					t.Errorf("asked %d times, and want 2 after %v", asked, tt.life)
				}
			})
		})
	}
}

// TestOneQueryIsUnderWayPerQuestion also shows that those who wait are released
// one at a time, in the order in which they came, with trouble like with an
// answer.
func TestOneQueryIsUnderWayPerQuestion(t *testing.T) {
	for _, tt := range []struct{ record, why string }{{"mx.example.net. 60 IN A 192.0.2.1", ""}, {"SERVFAIL", "SERVFAIL"}} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{t: t, answers: map[string]string{"mx.example.net. A": tt.record}}
			var turns []func()
			client := &Client{Cache: NewCache(func(f func()) { turns = append(turns, f) })}
			client.Exchange = func(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
				time.Sleep(time.Second)
				return s.exchange(ctx, q)
			}
			var got []string
			for i := range 4 {
				time.Sleep(time.Millisecond)
				go func() {
					_, why := client.ask(t.Context(), "mx.example.net.", dns.TypeA)
					got = append(got, fmt.Sprint(i, " ", why))
				}()
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			for len(turns) > 0 {
				next := turns[0]
				turns = turns[1:]
				next()
				synctest.Wait()
			}
			want := []string{"0 " + tt.why, "1 " + tt.why, "2 " + tt.why, "3 " + tt.why}
			if diff := cmp.Diff(want, got); diff != "" || len(s.asked) != 1 {
				t.Errorf("asked %v; (-want +got):\n%s", s.asked, diff)
			}
		})
	}
}

// TestWhoWaitsForAQueryThatIsBrokenOffAsksAnew: that one delivery ends says
// nothing about the DNS.
func TestWhoWaitsForAQueryThatIsBrokenOffAsksAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, answers: map[string]string{"mx.example.net. A": "mx.example.net. 60 IN A 192.0.2.1"}}
		client := &Client{Cache: NewCache(begin), Exchange: func(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(10 * time.Second):
				return s.exchange(ctx, q)
			}
		}}
		first, stop := context.WithCancel(t.Context())
		second, leave := context.WithCancel(t.Context())
		whys := make([]string, 3)
		for i, ctx := range []context.Context{first, second, t.Context()} {
			go func() { _, whys[i] = client.ask(ctx, "mx.example.net.", dns.TypeA) }()
			time.Sleep(time.Millisecond)
		}
		leave()
		synctest.Wait()
		if whys[1] != "context canceled" {
			t.Errorf("who left heard %q", whys[1])
		}
		stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"context canceled", "context canceled", ""}, whys); diff != "" || len(s.asked) != 1 {
			t.Errorf("asked %v; (-want +got):\n%s", s.asked, diff)
		}
	})
}

func TestWhatIsRememberedIsBoundedAndTheRecentStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := &Client{Cache: NewCache(begin), Exchange: func(_ context.Context, q *dns.Msg) (*dns.Msg, error) {
			asked++
			reply := new(dns.Msg).SetReply(q)
			reply.RecursionAvailable = true
			for range 9 {
				reply.Answer = append(reply.Answer, rr(t, q.Question[0].Name+" 600 IN MX 10 mx.example.net."))
			}
			return reply, nil
		}}
		for i := range maxCached / 5 {
			client.MX(t.Context(), fmt.Sprintf("d%d.net", i))
			client.MX(t.Context(), "often.net")
		}
		if asked != maxCached/5+1 {
			t.Errorf("%d queries: what is asked for often was forgotten", asked)
		}
		if n := len(client.Cache.entries); n != maxCached/10 || client.Cache.held != maxCached || client.Cache.recent.Len() != n {
			t.Errorf("%d answers of 10, %d held, %d in order", n, client.Cache.held, client.Cache.recent.Len())
		}
	})
}

func TestWhatIsRememberedIsWhatWasHeard(t *testing.T) {
	answers := map[string]string{
		"example.net. MX": "example.net. 60 IN CNAME m.net.\nm.net. 60 IN MX 5 a.net.\nm.net. 60 IN TXT x",
		"gone.net. MX":    "NXDOMAIN", "a.net. A": "a.net. 60 IN A 192.0.2.1", "a.net. AAAA": "SERVFAIL",
	}
	cached := &Client{Cache: NewCache(begin), Exchange: (&script{t: t, answers: answers}).exchange}
	plain := &Client{Exchange: cached.Exchange}
	for range 3 {
		for _, domain := range []string{"example.net", "gone.net", "none.net"} {
			if diff := cmp.Diff(plain.MX(t.Context(), domain), cached.MX(t.Context(), domain)); diff != "" {
				t.Errorf("%s (-plain +cached):\n%s", domain, diff)
			}
		}
		if got, _, problem := cached.Addresses(t.Context(), "a.net"); problem != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, problem)
		}
	}
	if _, _, problem := cached.Addresses(t.Context(), "none.net"); problem == nil || problem.Event != spec.NoAddress {
		t.Errorf("%v", problem)
	}
}
