package spec

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the DNS answered, and for how long that may be believed.

// dns takes what the relay asked and was answered: "NAME TYPE", and
// "NAME TYPE: RCODE TYPE DATA; TYPE DATA; ...".
func (c *Checker) dns(e *event) {
	c.hops.asked = true
	question, rest, _ := strings.Cut(e.Text, ": ")
	name, kind, _ := strings.Cut(question, " ")
	kind = strings.TrimSuffix(kind, ":")
	if kind == "A" || kind == "AAAA" {
		c.hops.sought[hostName(name)] = e.seq
	}
	if e.Kind == FactQuery {
		if _, given := c.policy.Given(hostName(name)); kind == "MX" && len(given) > 0 && !c.hops.isAlias(hostName(name)) {
			c.violate(NextHopOrder, "mx of "+name, []*event{e},
				"the relay asked for the MX of %s, though all its mail goes to %s", name, strings.Join(given, ", "))
		}
		return
	}
	c.hops.lastAnswer = e.seq
	rcode, records, _ := strings.Cut(rest, " ")
	a := &answer{at: e, rcode: rcode}
	for record := range strings.SplitSeq(records, ";") {
		c.record(a, hostName(name), strings.Fields(record))
	}
	what := hostName(name) + " " + kind
	if l, ok := c.hops.failed[what]; ok && l.until > e.At {
		c.hops.failed[what] = lapse{l.seq, e.At} // whoever began before this may have waited for it
	}
	if kind == "A" || kind == "AAAA" {
		c.hops.heard(hostName(name), kind, a)
	}
	if kind == "MX" {
		const few = 8
		all := append(c.hops.mx[hostName(name)], a)
		c.hops.mx[hostName(name)] = all[max(0, len(all)-few):]
	}
}

// heard takes an answer about the addresses of a host.
func (b *hopBook) heard(host, kind string, a *answer) {
	said := cannotSay
	switch {
	case a.rcode != "NOERROR" && a.rcode != "NXDOMAIN":
	case a.found:
		said = someSuch
	case a.alias != "" && a.alias != host && a.rcode == "NOERROR":
		b.alias[host+" "+kind] = a.alias // its addresses are asked for, if they did not come along
		b.latest[a.alias+" "+kind] = max(b.latest[a.alias+" "+kind], noSuch)
		b.latest[host+" "+kind] = elsewhere
		return
	default:
		said = noSuch
		b.denied[host+" "+kind] = lapse{a.at.seq, a.until}
	}
	if a.rcode == "NXDOMAIN" { // then there is nothing of any kind (RFC 8020)
		for _, kind := range [...]string{"A", "AAAA"} {
			b.latest[host+" "+kind], b.denied[host+" "+kind] = noSuch, lapse{a.at.seq, a.until}
		}
	}
	delete(b.alias, host+" "+kind)
	b.latest[host+" "+kind] = said
}

// lookupFault takes a fault of the DNS, "NAME TYPE FAULT" or "NAME TYPE: why". Who
// begins while the question waits for its answer may share it: as long as the
// relay waits when none comes, and else a moment.
func (c *Checker) lookupFault(e *event) {
	wait := time.Second
	if has(e.Faults, FaultDNSMute) {
		wait = c.policy.Timeouts.Resolve
	}
	if f := strings.Fields(e.Text); len(f) > 1 {
		c.hops.failed[hostName(f[0])+" "+strings.TrimSuffix(f[1], ":")] = lapse{e.seq, e.At.Add(wait)}
	}
}

// record takes one record of an answer about name.
func (c *Checker) record(a *answer, name string, f []string) {
	for len(f) > 0 && f[0] != "MX" && f[0] != "CNAME" && f[0] != "A" && f[0] != "AAAA" {
		if ttl, err := strconv.ParseInt(f[0], 10, 32); err == nil && ttl >= 0 {
			a.lives(time.Duration(ttl) * time.Second)
		}
		f = f[1:] // an owner, a time to live, a class
	}
	switch {
	case len(f) >= 3 && f[0] == "MX":
		if preference, err := strconv.Atoi(f[1]); err == nil {
			a.mx = append(a.mx, mxRecord{preference, hostName(f[2])})
		}
	case len(f) >= 2 && f[0] == "CNAME":
		a.alias = hostName(f[1])
	case len(f) >= 2 && (f[0] == "A" || f[0] == "AAAA"):
		ip, err := netip.ParseAddr(f[1])
		if err != nil || c.policy.NoMailHost(ip) {
			return // as if it were not there
		}
		a.found = true
		if !slices.Contains(c.hops.addrs[name], ip) && len(c.hops.addrs[name]) < 256 {
			c.hops.addrs[name] = append(c.hops.addrs[name], ip)
		}
	}
}

// lives says how long one record of the answer may be remembered: the first
// that may not be takes all with it (RFC 2181 section 5.2).
func (a *answer) lives(ttl time.Duration) {
	if until := a.at.At.Add(ttl); a.until == 0 || until < a.until {
		a.until = until
	}
}
