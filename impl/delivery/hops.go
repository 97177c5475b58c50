package delivery

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

// hosts returns the next hops in order. When there are none, everybody has a
// result.
func (a *attempt) hosts(ctx context.Context) []route.Host {
	p, dest := a.d.Policy, a.job.Dest
	var answer route.Answer
	_, given := p.Given(dest)
	if a.given = len(given) > 0; !a.given && !strings.HasPrefix(dest, "[") {
		answer = a.d.Resolver.MX(ctx, dest)
	}
	if a.over(ctx) {
		return nil
	}
	hosts, problem := route.Hosts(p, dest, answer, a.d.Random("route "+a.job.ID))
	if problem != nil {
		return a.withoutRoute(problem)
	}
	a.note(spec.Fact{Kind: spec.FactRoute, Text: route.Why(p, dest, answer, hosts)})
	a.homeless, a.best = !a.given, hosts[0].Preference
	return hosts
}

// withoutRoute is for a destination whose next hops are not known. What the
// DNS says for good is final. When it says nothing, fallback hosts can still
// take the mail.
func (a *attempt) withoutRoute(problem *route.Problem) []route.Host {
	r := Result{Stage: spec.StageResolve, Event: problem.Event, Text: problem.Text}
	r.Verdict = spec.Decide(r.Stage, r.Event).Verdict
	fallback, err := route.RelayHosts(a.d.Policy.Fallback, a.port())
	if r.Verdict != spec.Defer || err != nil || len(fallback) == 0 {
		a.note(spec.Fact{Kind: spec.FactRoute, Text: problem.Text})
		a.conclude(r)
		return nil
	}
	a.remember(r)
	a.lack.unasked = true
	a.note(spec.Fact{Kind: spec.FactRoute, Text: fmt.Sprintf("%s; fallback: %s", problem.Text, names(fallback))})
	for i := range fallback {
		fallback[i].Preference += fallbackPreference
	}
	return fallback
}

// fallbackPreference is beyond every preference an MX can have, as
// route.Host.Preference has it.
const fallbackPreference = math.MaxUint16 + 1

// configured reports whether host is the operator's choice, not the DNS's.
func (a *attempt) configured(host route.Host) bool {
	return a.given || host.Preference >= fallbackPreference
}

func (a *attempt) port() uint16 {
	if a.d.Policy.Port == 0 {
		return 25
	}
	return a.d.Policy.Port
}

// addresses returns the addresses of a host in order; when it has none, that
// is remembered.
func (a *attempt) addresses(ctx context.Context, host route.Host) []netip.AddrPort {
	unfit := func(addr netip.Addr) bool { return !a.configured(host) && a.d.Policy.NoMailHost(addr) }
	found := []netip.Addr{host.Addr}
	if host.Addr.IsValid() && unfit(host.Addr) {
		a.noAddress(ctx, host, &route.Problem{Event: spec.NoAddress, Text: host.Name + " is this machine's own address, which is no mail host's"})
		return nil
	}
	if !host.Addr.IsValid() {
		var problem *route.Problem
		var alias string
		if found, alias, problem = a.d.Resolver.AddressesBut(ctx, host.Name, unfit); problem != nil {
			a.noAddress(ctx, host, problem)
			return nil
		}
		if alias != "" {
			// Forbidden for an MX host (RFC 2181 section 10.3), and common.
			a.note(spec.Fact{Kind: spec.FactRoute, Text: fmt.Sprintf("%s is an alias of %s, and followed", host.Name, alias)})
		}
	}
	a.homeless = false
	if slices.ContainsFunc(found, a.d.Policy.OwnAddress) && !a.configured(host) {
		a.ourselves(host)
		return nil
	}
	addrs := make([]netip.AddrPort, len(found))
	for i, addr := range found {
		addrs[i] = netip.AddrPortFrom(addr, host.Port)
	}
	return addrs
}

// ourselves takes that a host has one of our own addresses: it and what is no
// better are left out, and when nothing is better the mail would loop (RFC 5321
// section 5.1). A host of the same preference may have been tried before.
func (a *attempt) ourselves(host route.Host) {
	r := Result{
		Verdict: spec.NextHost, Stage: spec.StageResolve, Event: spec.Loop, Host: host.Name,
		Text: fmt.Sprintf("%s has an address of this relay itself; it and what is no better are left out", host.Name),
	}
	if host.Preference == a.best {
		r.Verdict = spec.Decide(r.Stage, r.Event).Verdict
		a.conclude(r)
		return
	}
	a.tell(r, a.open)
	a.limit = host.Preference
}

// beyond reports whether a host is left out, because this relay is one that is
// at least as good: a fallback host too, which would ask the DNS and find us.
func (a *attempt) beyond(host route.Host) bool {
	return a.limit > 0 && host.Preference >= a.limit
}

// noAddress takes the trouble with a host's addresses. That a configured host
// has none is a mistake of the operator or a fault of the DNS; neither must
// fail mail.
func (a *attempt) noAddress(ctx context.Context, host route.Host, problem *route.Problem) {
	if ctx.Err() != nil {
		return
	}
	r := Result{Verdict: spec.NextHost, Stage: spec.StageResolve, Event: problem.Event, Host: host.Name, Text: problem.Text}
	if r.Event != spec.DNSTrouble && a.configured(host) {
		r.Event, r.Text = spec.DNSTrouble, "configured host: "+r.Text
	}
	if r.Event == spec.DNSTrouble {
		a.homeless, a.lack.unasked = false, true
	}
	a.tell(r, a.open)
	a.remember(r)
}

// names lists hosts for a fact.
func names(hosts []route.Host) string {
	list := make([]string, len(hosts))
	for i, h := range hosts {
		list[i] = h.Name
	}
	return strings.Join(list, " ")
}
