package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

var compareAddrs = cmpopts.EquateComparable(netip.Addr{})

// A script maps "name. TYPE" to an answer: records one per line, or an RCODE
// in capitals on a line of its own, before records. What is not in it has no
// records. It counts the queries.
type script struct {
	t       testing.TB
	answers map[string]string
	asked   []string
}

func (s *script) exchange(_ context.Context, query *dns.Msg) (*dns.Msg, error) {
	q := query.Question[0]
	key := q.Name + " " + dns.TypeToString[q.Qtype]
	s.asked = append(s.asked, key)
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.RecursionAvailable = true
	for line := range strings.Lines(s.answers[key]) {
		switch line = strings.TrimSpace(line); line {
		case "":
		case "ERROR":
			return nil, errors.New("network is unreachable")
		case "TIMEOUT":
			return nil, context.DeadlineExceeded
		case "NIL":
			return nil, nil
		case "TRUNCATED":
			reply.Truncated = true
		case "OTHER":
			reply.Question[0].Name = "other.example."
		case "QUERY":
			reply.Response = false
		case "REFERRAL":
			reply.RecursionAvailable = false
			reply.Ns = []dns.RR{rr(s.t, "example.net. 60 IN NS ns.example.net.")}
		default:
			if code, ok := dns.StringToRcode[line]; ok {
				reply.Rcode = code
				continue
			}
			reply.Answer = append(reply.Answer, rr(s.t, line))
		}
	}
	return reply, nil
}

func rr(t testing.TB, line string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// chainOf returns n aliases from example.net, the last one to end.example.net.
func chainOf(n int) string {
	var b strings.Builder
	for i := range n {
		from, to := fmt.Sprintf("a%d.example.net.", i), fmt.Sprintf("a%d.example.net.", i+1)
		if i == 0 {
			from = "example.net."
		}
		if i == n-1 {
			to = "end.example.net."
		}
		fmt.Fprintf(&b, "%s CNAME %s\n", from, to)
	}
	return b.String()
}

func TestMX(t *testing.T) {
	mx := func(host string, preference uint16) []route.MX {
		return []route.MX{{Host: host, Preference: preference}}
	}
	const one = "example.net. MX 10 mx.example.net."
	tests := []struct {
		name    string
		domain  string
		answers map[string]string
		want    route.Answer
	}{
		{name: "records", answers: map[string]string{"example.net. MX": one}, want: route.Answer{MX: mx("mx.example.net.", 10)}},
		{name: "case and final dot do not matter", domain: "Example.NET.",
			answers: map[string]string{"example.net. MX": "EXAMPLE.net. MX 10 mx.example.net."},
			want:    route.Answer{MX: mx("mx.example.net.", 10)}},
		{name: "the best come first", answers: map[string]string{"example.net. MX": "example.net. MX 20 b.\nexample.net. MX 10 a."},
			want: route.Answer{MX: []route.MX{{Host: "a.", Preference: 10}, {Host: "b.", Preference: 20}}}},
		{name: "null MX", answers: map[string]string{"example.net. MX": "example.net. MX 0 ."}, want: route.Answer{MX: mx(".", 0)}},
		{name: "no records", want: route.Answer{Event: spec.NoAddress, Text: "MX example.net: no such record"}},
		{name: "NXDOMAIN", answers: map[string]string{"example.net. MX": "NXDOMAIN"},
			want: route.Answer{Event: spec.NoDomain, Text: "MX example.net: NXDOMAIN"}},
		{name: "SERVFAIL", answers: map[string]string{"example.net. MX": "SERVFAIL\n" + one},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: SERVFAIL"}},
		{name: "REFUSED", answers: map[string]string{"example.net. MX": "REFUSED"},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: REFUSED"}},
		{name: "an error", answers: map[string]string{"example.net. MX": "ERROR"},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: network is unreachable"}},
		{name: "a time-out", answers: map[string]string{"example.net. MX": "TIMEOUT"},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: time-out"}},
		{name: "no answer and no error", answers: map[string]string{"example.net. MX": "NIL"},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: no answer"}},
		{name: "another question", answers: map[string]string{"example.net. MX": "OTHER\n" + one},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the answer is to another question"}},
		{name: "a query as answer", answers: map[string]string{"example.net. MX": "QUERY\n" + one},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the answer is to another question"}},
		{name: "truncated", answers: map[string]string{"example.net. MX": "TRUNCATED\n" + one},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the answer is truncated"}},
		{name: "a referral is not the absence of records", answers: map[string]string{"example.net. MX": "REFERRAL"},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the server does not know and does not ask others"}},
		{name: "records of others do not count",
			answers: map[string]string{"example.net. MX": "example.org. MX 10 mx.evil.\nexample.net. A 192.0.2.1"},
			want:    route.Answer{Event: spec.NoAddress, Text: "MX example.net: no such record"}},
		{name: "records of another class do not count", answers: map[string]string{"example.net. MX": "example.net. CH MX 10 mx.evil."},
			want: route.Answer{Event: spec.NoAddress, Text: "MX example.net: no such record"}},
		{name: "an alias",
			answers: map[string]string{"example.net. MX": "example.net. CNAME b.\nb. MX 10 mx."}, want: route.Answer{Alias: "b", MX: mx("mx.", 10)}},
		{name: "aliases in reverse order", answers: map[string]string{"example.net. MX": "c. MX 10 mx.\nb. CNAME c.\nexample.net. CNAME B."},
			want: route.Answer{Alias: "c", MX: mx("mx.", 10)}},
		{name: "a missing end is asked for",
			answers: map[string]string{"example.net. MX": "example.net. CNAME b.", "b. MX": "b. CNAME c.", "c. MX": "c. MX 10 mx."},
			want:    route.Answer{Alias: "c", MX: mx("mx.", 10)}},
		{name: "an alias to nothing", answers: map[string]string{"example.net. MX": "NXDOMAIN\nexample.net. CNAME b."},
			want: route.Answer{Event: spec.NoDomain, Text: "MX example.net: NXDOMAIN"}},
		{name: "an alias to a name without MX", answers: map[string]string{"example.net. MX": "example.net. CNAME b."},
			want: route.Answer{Event: spec.NoAddress, Text: "MX example.net: no such record"}},
		{name: "eight aliases",
			answers: map[string]string{"example.net. MX": chainOf(8) + "end.example.net. MX 10 mx."}, want: route.Answer{Alias: "end.example.net", MX: mx("mx.", 10)}},
		{name: "nine aliases", answers: map[string]string{"example.net. MX": chainOf(9) + "end.example.net. MX 10 mx."},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: more than 8 aliases in a row"}},
		{name: "a circle within one answer", answers: map[string]string{"example.net. MX": "example.net. CNAME b.\nb. CNAME example.net."},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the aliases go round in a circle"}},
		{name: "a circle over two answers",
			answers: map[string]string{"example.net. MX": "example.net. CNAME b.", "b. MX": "b. CNAME example.net."},
			want:    route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: the aliases go round in a circle"}},
		{name: "an alias to the root", answers: map[string]string{"example.net. MX": "example.net. CNAME ."},
			want: route.Answer{Event: spec.DNSTrouble, Text: "MX example.net: an alias points nowhere"}},
		{name: "U-labels are asked for as A-labels", domain: "Bücher.example",
			answers: map[string]string{"xn--bcher-kva.example. MX": "xn--bcher-kva.example. MX 10 mx."}, want: route.Answer{MX: mx("mx.", 10)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{t: t, answers: tt.answers}
			domain := tt.domain
			if domain == "" {
				domain = "example.net"
			}
			got := (&Client{Exchange: s.exchange}).MX(t.Context(), domain)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(s.asked) > 1+maxAliases {
				t.Errorf("%d queries", len(s.asked))
			}
		})
	}
}

func TestNamesThatAreNoneAreNotAskedFor(t *testing.T) {
	names := []string{"", ".", "a..b", ".a", "a b", "a\x00b", `a\000b`, "[192.0.2.1]", "a@b", "ü\u200d.example", "\r\nevil",
		strings.Repeat("a", 64) + ".net", strings.Repeat("a.", 127) + "net"}
	for _, name := range names {
		s := &script{t: t}
		got := (&Client{Exchange: s.exchange}).MX(t.Context(), name)
		if got.Event != spec.NoDomain || len(s.asked) > 0 {
			t.Errorf("%q: %v, asked %q; want NoDomain without a query", name, got, s.asked)
		}
		if len(got.Text) > 400 || strings.ContainsFunc(got.Text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: text %q", name, got.Text)
		}
	}
}

func TestHugeAnswersKeepTheBest(t *testing.T) {
	var records strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&records, "example.net. MX %d mx%d.\n", 1000-i, i)
	}
	s := &script{t: t, answers: map[string]string{"example.net. MX": records.String()}}
	got := (&Client{Exchange: s.exchange}).MX(t.Context(), "example.net")
	if len(got.MX) != maxRecords || got.MX[0].Preference != 1 || got.MX[maxRecords-1].Preference != maxRecords {
		t.Errorf("%d records, first %v", len(got.MX), got.MX[0])
	}
}

func TestAddresses(t *testing.T) {
	const a, aaaa = "mx.example.net. A", "mx.example.net. AAAA"
	tests := []struct {
		name    string
		answers map[string]string
		want    string
		event   spec.Event
		text    string
		asked   int
	}{
		{name: "IPv4", answers: map[string]string{a: a + " 192.0.2.1"}, want: "192.0.2.1"},
		{name: "IPv6", answers: map[string]string{aaaa: aaaa + " 2001:db8::1"}, want: "2001:db8::1"},
		{name: "the families alternate, IPv4 first",
			answers: map[string]string{a: a + " 192.0.2.1\n" + a + " 192.0.2.2\n" + a + " 192.0.2.1\n" + a + " 192.0.2.3",
				aaaa: aaaa + " 2001:db8::1\n" + aaaa + " 2001:db8::2"},
			want: "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 192.0.2.3"},
		{name: "addresses of no host are dropped",
			answers: map[string]string{a: a + " 0.0.0.0\n" + a + " 224.0.0.1\n" + a + " 255.255.255.255\n" + a + " 192.0.2.1",
				aaaa: aaaa + " ::\n" + aaaa + " ff02::1"},
			want: "192.0.2.1"},
		{name: "mapped IPv4 is IPv4 and counts once",
			answers: map[string]string{a: a + " 192.0.2.1", aaaa: aaaa + " ::ffff:192.0.2.1"}, want: "192.0.2.1"},
		{name: "an alias", answers: map[string]string{a: "mx.example.net. CNAME x.\nx. A 192.0.2.1"}, want: "192.0.2.1"},
		{name: "trouble with one family is passed over",
			answers: map[string]string{a: "SERVFAIL", aaaa: aaaa + " 2001:db8::1"}, want: "2001:db8::1"},
		{name: "trouble with the other, too", answers: map[string]string{a: a + " 192.0.2.1", aaaa: "TIMEOUT"}, want: "192.0.2.1"},
		{name: "none and trouble is trouble",
			answers: map[string]string{aaaa: "SERVFAIL"}, event: spec.DNSTrouble, text: "AAAA mx.example.net: SERVFAIL"},
		{name: "trouble outweighs NXDOMAIN",
			answers: map[string]string{a: "SERVFAIL", aaaa: "NXDOMAIN"}, event: spec.DNSTrouble, text: "A mx.example.net: SERVFAIL"},
		{name: "NXDOMAIN holds for all types",
			answers: map[string]string{a: "NXDOMAIN"}, event: spec.NoDomain, text: "A mx.example.net: NXDOMAIN", asked: 1},
		{name: "NXDOMAIN for one", answers: map[string]string{aaaa: "NXDOMAIN"}, event: spec.NoDomain, text: "AAAA mx.example.net: NXDOMAIN"},
		{name: "none", event: spec.NoAddress, text: "mx.example.net has no usable address"},
		{name: "only addresses of no host",
			answers: map[string]string{a: a + " 0.0.0.0"}, event: spec.NoAddress, text: "mx.example.net has no usable address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{t: t, answers: tt.answers}
			got, _, problem := (&Client{Exchange: s.exchange}).Addresses(t.Context(), "mx.example.net")
			var want []netip.Addr
			for _, text := range strings.Fields(tt.want) {
				want = append(want, netip.MustParseAddr(text))
			}
			if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.event == 0 && problem != nil || tt.event != 0 && (problem == nil || *problem != route.Problem{Event: tt.event, Text: tt.text}) {
				t.Errorf("problem %+v", problem)
			}
			if tt.asked > 0 && len(s.asked) != tt.asked {
				t.Errorf("asked %q", s.asked)
			}
		})
	}
}

func TestEachQueryHasItsOwnTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queries := 0
		silent := func(ctx context.Context, _ *dns.Msg) (*dns.Msg, error) {
			queries++
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begin := time.Now()
		_, _, problem := (&Client{Exchange: silent, Timeout: 7 * time.Second}).Addresses(t.Context(), "mx.example.net")
		if problem == nil || problem.Text != "A mx.example.net: time-out" || queries != 2 {
			t.Errorf("problem %v after %d queries", problem, queries)
		}
		if took := time.Since(begin); took != 14*time.Second {
			t.Errorf("took %v, want twice the limit", took)
		}
	})
}

func TestAfterTheContextIsDoneNothingMoreIsAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	queries := 0
	exchange := func(ctx context.Context, _ *dns.Msg) (*dns.Msg, error) {
		queries++
		cancel()
		return nil, ctx.Err()
	}
	_, _, problem := (&Client{Exchange: exchange}).Addresses(ctx, "mx.example.net")
	if queries != 1 || problem == nil || problem.Event != spec.DNSTrouble {
		t.Errorf("%d queries, %v", queries, problem)
	}
}

func TestThePreferredFamilyComesFirst(t *testing.T) {
	s := &script{t: t, answers: map[string]string{
		"mx. A": "mx. A 192.0.2.1\nmx. A 192.0.2.2", "mx. AAAA": "mx. AAAA 2001:db8::1\nmx. AAAA 2001:db8::2\nmx. AAAA 2001:db8::3",
	}}
	for prefer, want := range map[bool]string{
		false: "[192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 2001:db8::3]",
		true:  "[2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3]",
	} {
		got, _, problem := (&Client{Exchange: s.exchange, PreferIPv6: prefer}).Addresses(t.Context(), "mx")
		if problem != nil || fmt.Sprint(got) != want {
			t.Errorf("%v, %v, want %s", got, problem, want)
		}
	}
}
