package resolve

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

// lookup returns the records of type qtype that belong to name or to the end
// of its chain of aliases, which it returns when there is one. Answers need not hold the whole chain: what is
// missing is asked for.
func (c *Client) lookup(ctx context.Context, name string, qtype uint16) (records []dns.RR, alias string, problem *route.Problem) {
	trouble := func(event spec.Event, why string) *route.Problem {
		return &route.Problem{Event: event, Text: fmt.Sprintf("%s %s: %s", dns.TypeToString[qtype], shown(name), shown(why))}
	}
	owner, err := absolute(name)
	if err != nil {
		return nil, "", trouble(spec.NoDomain, err.Error())
	}
	chain := chain{name: owner, seen: map[string]bool{owner: true}}
	for {
		asked := chain.name
		answer, why := c.ask(ctx, asked, qtype)
		if why != "" {
			return nil, "", trouble(spec.DNSTrouble, why)
		}
		if err := chain.follow(answer.Answer); err != nil {
			return nil, "", trouble(spec.DNSTrouble, err.Error())
		}
		// In an answer with aliases the RCODE speaks of the chain's end
		// (RFC 6604 section 3).
		if answer.Rcode == dns.RcodeNameError {
			return nil, "", trouble(spec.NoDomain, "NXDOMAIN")
		}
		if records = owned(answer.Answer, chain.name, qtype); len(records) > 0 {
			if chain.name != owner {
				alias = shown(chain.name)
			}
			return records, alias, nil
		}
		if chain.name == asked {
			return nil, "", trouble(spec.NoAddress, "no such record")
		}
	}
}

// ask returns an answer whose RCODE is NOERROR or NXDOMAIN, or why there is
// none.
func (c *Client) ask(ctx context.Context, name string, qtype uint16) (*dns.Msg, string) {
	question := dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}
	if c.Cache == nil {
		return c.query(ctx, question)
	}
	return c.Cache.get(ctx, question, func() (*dns.Msg, string) { return c.query(ctx, question) })
}

// query sends one query.
func (c *Client) query(ctx context.Context, question dns.Question) (*dns.Msg, string) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	query := &dns.Msg{MsgHdr: dns.MsgHdr{RecursionDesired: true}, Question: []dns.Question{question}}
	answer, err := c.Exchange(ctx, query)
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return nil, "time-out"
	case err != nil:
		return nil, err.Error()
	case answer == nil:
		return nil, "no answer"
	}
	return answer, objection(question, answer)
}

// objection returns why answer is not to be believed as one to question, or
// "".
func objection(question dns.Question, answer *dns.Msg) string {
	if answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError {
		if text, ok := dns.RcodeToString[answer.Rcode]; ok {
			return text
		}
		return fmt.Sprintf("RCODE %d", answer.Rcode)
	}
	echoed := len(answer.Question) == 1 && strings.EqualFold(answer.Question[0].Name, question.Name) &&
		answer.Question[0].Qtype == question.Qtype && answer.Question[0].Qclass == question.Qclass
	switch {
	case !answer.Response || answer.Opcode != dns.OpcodeQuery || !echoed:
		return "the answer is to another question"
	case answer.Truncated:
		// Part of an MX list could hide a better host, or ourselves.
		return "the answer is truncated"
	case referral(answer):
		return "the server does not know and does not ask others"
	}
	return ""
}

// referral reports whether answer only names other servers, as a server does
// that does not recurse: that is not the absence of records (RFC 2308 section
// 2.2 tells the two apart by the SOA).
func referral(answer *dns.Msg) bool {
	if answer.Authoritative || answer.RecursionAvailable || len(answer.Answer) > 0 || answer.Rcode != dns.RcodeSuccess {
		return false
	}
	servers := false
	for _, rr := range answer.Ns {
		switch rr.(type) {
		case *dns.SOA:
			return false
		case *dns.NS:
			servers = true
		}
	}
	return servers
}

// A chain follows aliases from the name asked for first.
type chain struct {
	name string          // the end so far
	seen map[string]bool // every name it went through
}

// follow moves to the end of the chain within records, which may be in any
// order.
func (c *chain) follow(records []dns.RR) error {
	alias := make(map[string]string)
	for _, rr := range records {
		if cname, ok := rr.(*dns.CNAME); ok && cname.Hdr.Class == dns.ClassINET {
			owner := strings.ToLower(cname.Hdr.Name)
			if _, again := alias[owner]; !again {
				alias[owner] = strings.ToLower(cname.Target)
			}
		}
	}
	for {
		target, ok := alias[c.name]
		switch {
		case !ok:
			return nil
		case c.seen[target]:
			return errors.New("the aliases go round in a circle")
		case len(c.seen) > maxAliases:
			return fmt.Errorf("more than %d aliases in a row", maxAliases)
		case target == "" || target == ".":
			return errors.New("an alias points nowhere")
		}
		c.name = target
		c.seen[target] = true
	}
}

// owned returns the records of type qtype whose owner is name.
func owned(records []dns.RR, name string, qtype uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range records {
		if rr == nil {
			continue
		}
		h := rr.Header()
		if h.Rrtype == qtype && h.Class == dns.ClassINET && strings.EqualFold(h.Name, name) {
			found = append(found, rr)
		}
	}
	return found
}
