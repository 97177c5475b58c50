package mutants

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
)

// deliver makes one attempt: it iterates over the servers until one of them
// ends it. A time-out or a cut is always "try later", also after the final
// dot: that is how Citadel sends twice when a reply is lost.
func (r *citadelRelay) deliver(ctx context.Context, c *control, to string) (status int, text string) {
	hosts, problem := r.hosts(ctx, spec.Domain(to))
	if problem != nil {
		if spec.Decide(spec.StageResolve, problem.Event).Verdict == spec.FailMessage {
			return statusFailed, problem.Text
		}
		return statusTransient, problem.Text
	}
	status, text = statusTransient, "no server could be reached"
	for _, addr := range hosts {
		result, connected := r.converse(ctx, c, to, addr)
		if !connected {
			continue
		}
		switch result.Event {
		case spec.Reply2:
			return statusDelivered, result.Reply.String()
		case spec.Reply5:
			return statusFailed, result.Reply.String()
		}
		return statusTransient, result.Reply.String() + result.Text
	}
	return status, text
}

// hosts lists the addresses of a domain's servers in order.
func (r *citadelRelay) hosts(ctx context.Context, domain string) ([]string, *route.Problem) {
	var answer route.Answer
	if _, given := r.cfg.Policy.Given(domain); len(given) == 0 {
		answer = r.resolver.MX(ctx, domain)
	}
	hosts, problem := route.Hosts(r.cfg.Policy, domain, answer, r.host.Random("mx"))
	if problem != nil {
		return nil, problem
	}
	var all []string
	for _, h := range hosts {
		var addrs []netip.Addr
		if addrs, _, problem = r.resolver.Addresses(ctx, h.Name); problem != nil {
			continue
		}
		for _, a := range addrs {
			all = append(all, net.JoinHostPort(a.String(), strconv.Itoa(int(h.Port))))
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, problem
}

// converse holds one conversation.
func (r *citadelRelay) converse(ctx context.Context, c *control, to, addr string) (smtpclient.Result, bool) {
	dialing, cancel := context.WithTimeout(ctx, r.cfg.Policy.Timeouts.Connect)
	defer cancel()
	conn, err := r.host.Dial(dialing, netip.Addr{}, addr)
	if err != nil {
		return smtpclient.Result{}, false
	}
	if r.conversation > 0 {
		conn = limited{conn, time.Now().Add(r.conversation)}
	}
	client := smtpclient.New(conn, smtpclient.Options{
		Hostname: r.cfg.Policy.Hostname, Host: addr, Timeouts: r.cfg.Policy.Timeouts, ReplyBytes: r.cfg.Policy.Limits.ReplyBytes,
	})
	defer client.Quit(ctx)
	if hello := client.Hello(ctx); !hello.OK() {
		return hello, hello.Event == spec.Reply5 // a 5yz greeting fails the recipient at once
	}
	results := client.Send(ctx, smtpclient.Transaction{
		Sender: c.sender, Recipients: []string{to}, Size: c.size, Body: spool.Body(r.host.Store, c.id, c.size),
		Commit: func([]int) error { return nil },
	})
	result := results[0]
	if r.conversation > 0 && result.Event == spec.Timeout {
		result.Text = fmt.Sprintf("the conversation took more than %v", r.conversation)
	}
	return result, true
}
