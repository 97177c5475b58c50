package resolve

import (
	"context"
	"testing"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec"
)

// FuzzAnswer gives any message that can be unpacked as the answer to every
// query, once as it is and once with the question echoed, so that the rest of
// it is looked at too.
func FuzzAnswer(f *testing.F) {
	for _, lines := range [][]string{
		{"example.net. MX 10 mx.example.net.", "mx.example.net. A 192.0.2.1"},
		{"b. CNAME example.net.", "example.net. CNAME b."},
		{"example.net. CNAME b.", "b. AAAA 2001:db8::1", `b. TXT "x"`},
	} {
		m := new(dns.Msg)
		m.SetQuestion("example.net.", dns.TypeMX)
		m.Response = true
		for _, line := range lines {
			m.Answer = append(m.Answer, rr(f, line))
		}
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "example.net", true)
		f.Add(raw, "example.net", false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, name string, echo bool) {
		queries := 0
		exchange := func(_ context.Context, query *dns.Msg) (*dns.Msg, error) {
			queries++
			m := new(dns.Msg)
			if err := m.Unpack(raw); err != nil {
				return nil, err
			}
			if echo {
				m.Response, m.Opcode, m.Truncated, m.Question = true, dns.OpcodeQuery, false, query.Question
			}
			return m, nil
		}
		c := &Client{Exchange: exchange}
		answer := c.MX(t.Context(), name)
		switch answer.Event {
		case 0:
			if n := len(answer.MX); n == 0 || n > maxRecords {
				t.Errorf("%d records and no event", n)
			}
		case spec.NoDomain, spec.DNSTrouble, spec.NoAddress:
			if len(answer.MX) > 0 || answer.Text == "" {
				t.Errorf("%+v", answer)
			}
		default:
			t.Errorf("event %v", answer.Event)
		}
		addrs, _, problem := c.Addresses(t.Context(), name)
		if (len(addrs) > 0) == (problem != nil) {
			t.Errorf("addresses %v and problem %v", addrs, problem)
		}
		for _, a := range addrs {
			if !a.IsValid() || !routable(a) {
				t.Errorf("address %v", a)
			}
		}
		if queries > 3*(1+maxAliases) {
			t.Errorf("%d queries", queries)
		}
	})
}
