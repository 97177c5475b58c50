package spec

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// NEXT-HOP-ORDER: which servers are dialled, and in which order, held against
// what the DNS answered.

// A hopBook holds what the DNS answered.
type hopBook struct {
	fallback []string
	// mx are the MX answers by domain, the latest few, in order.
	mx map[string][]*answer
	// addrs are all addresses ever answered for a host.
	addrs map[string][]netip.Addr
	// sought are the hosts whose addresses were asked for, found or not, and
	// where in the history that was last.
	sought map[string]int
	// failed are the questions, "HOST TYPE", that went wrong, and when last.
	failed map[string]lapse
	// latest says of "HOST A" and "HOST AAAA" what was answered last; alias
	// where such an address is to be found instead.
	latest map[string]int
	alias  map[string]string
	// denied is when "HOST A" was last answered with nothing, and until when
	// that may be believed.
	denied map[string]lapse
	// asked is true once the DNS was heard of; lastAnswer numbers the latest.
	asked      bool
	lastAnswer int
	lastDial   int
	// dialled counts by address how often the relay said that it dialled,
	// connects how often it was connected, and lastConnect when that was.
	dialled, connects, lastConnect map[string]int
}

// An answer is one answer of the DNS to an MX query.
type answer struct {
	at    *event
	rcode string
	mx    []mxRecord
	// alias is the last name of a CNAME chain; found is true when there was an
	// address.
	alias string
	found bool
	// until is how long it may be believed; 0 when it does not say.
	until Wall
}

// A lapse is where in the history something was not to be had, and until when
// an attempt may go by that.
type lapse struct {
	seq   int
	until Wall
}

// covers reports whether an attempt that began with start may go by it.
func (l lapse) covers(start *event) bool { return l.seq > start.seq || l.until >= start.At }

type mxRecord struct {
	preference int
	host       string
}

// jobHops is what one attempt did to find a server.
type jobHops struct {
	// dials are the addresses that it dialled, or took up a connection with.
	dials []*event
	// met are the hosts that it dialled, or could not look up.
	met []string
	// lost are the addresses at which TLS failed.
	lost []lostTLS
}

func (b *hopBook) init(p Policy) {
	b.fallback = hopNames(p.Fallback)
	b.mx, b.addrs, b.sought = map[string][]*answer{}, map[string][]netip.Addr{}, map[string]int{}
	b.latest, b.alias, b.failed, b.denied = map[string]int{}, map[string]string{}, map[string]lapse{}, map[string]lapse{}
	b.dialled, b.connects, b.lastConnect = map[string]int{}, map[string]int{}, map[string]int{}
}

// hop takes what the relay says of its way to a server.
func (c *Checker) hop(e *event) {
	c.mailOf(e)
	if e.Kind == FactTrouble {
		c.authTrouble(e)
	}
	j := c.fair.jobs[e.Job]
	host := hostName(e.Host)
	if e.Kind == FactDial {
		c.hops.dialled[e.Addr]++
		c.hops.lastDial = e.seq
	}
	if j == nil || host == "" {
		return
	}
	turned := e.Kind == FactDial || e.Kind == FactReuse
	if turned && len(j.hops.dials) < 1000 {
		if e.Kind == FactReuse {
			c.judgeReuse(j, e, host)
		}
		c.judgePlaces(j, e)
		c.judgeDials(j, e)
		c.judgeDial(j, e, host)
		j.hops.dials = append(j.hops.dials, e)
	}
	c.uses(e)
	if e.Kind == FactTrouble {
		c.tlsTrouble(j, e, host)
	}
	// Words alone are no try: it was dialled, or is connected, or its address was asked for.
	tried := turned || e.Stage == StageResolve && (c.hops.sought[host] > j.start.seq || c.hops.knownAbsent(host, j.start))
	if tried && !has(j.hops.met, host) && len(j.hops.met) < 1000 {
		j.hops.met = append(j.hops.met, host)
	}
}

// judgeDials judges how often an attempt dials. One whose session breaks may
// dial the same address again, for those who were not named yet: each dial is
// for one recipient at least. Where TLS failed, there is a second round, in clear.
func (c *Checker) judgeDials(j *job, e *event) {
	again, round := 0, 0
	lost := c.lostAt(j, e)
	for _, d := range j.hops.dials {
		if d.Host != e.Host || d.Addr != e.Addr {
			continue
		}
		again++
		if d.Kind == FactDial && (lost == 0 || d.seq > lost) {
			round++
		}
	}
	if most := c.policy.Limits.NextHops; again == 0 && j.hops.addresses() == most {
		c.violate(FairAndBounded, "hops "+e.Job, []*event{j.start, e}, "one attempt for %s tries more than %d addresses", j.dest, most)
	}
	if len(j.to) > 0 && round == len(j.to) && e.Kind == FactDial {
		c.violate(FairAndBounded, "again "+e.Job, []*event{j.start, e}, "one attempt for %s dials %s more often than it has recipients", j.dest, e.Addr)
	}
}

// addresses counts the addresses that were dialled, each as often as hosts
// have it.
func (h *jobHops) addresses() int {
	seen := map[[2]string]bool{}
	for _, d := range h.dials {
		seen[[2]string{d.Host, d.Addr}] = true
	}
	return len(seen)
}

// tried counts the addresses that an attempt has tried. A host that it could not
// look up, or that has none, counts like one.
func (h *jobHops) tried() int {
	n := h.addresses()
	for _, host := range h.met {
		if !slices.ContainsFunc(h.dials, func(d *event) bool { return hostName(d.Host) == host }) {
			n++
		}
	}
	return n
}

// judgeDial judges one dial after those before it.
func (c *Checker) judgeDial(j *job, e *event, host string) {
	tell := func(about *event, why string) {
		facts := append(append([]*event{about}, j.hops.dials...), e)
		how := "dialled"
		if e.Kind == FactReuse {
			how = "took up a connection with"
		}
		c.violate(NextHopOrder, "dial "+e.Job, facts[max(0, len(facts)-6):], "the relay %s %s for %s: %s", how, e.Host, j.dest, why)
	}
	if ip := address(e); ip.IsValid() && len(c.hops.addrs[host]) > 0 && !slices.Contains(c.hops.addrs[host], ip) {
		tell(nil, fmt.Sprintf("%s is none of its addresses", ip))
		return
	}
	if ip, is := address(e), literalAddress(host); ip.IsValid() && is.IsValid() && ip != is {
		tell(nil, fmt.Sprintf("it dialled %s", ip))
		return
	}
	if e.Kind == FactDial && c.inClear(j, e) {
		c.judgeClear(j, e)
		return
	}
	hosts := c.given(j.dest)
	if ip := literalAddress(j.dest); len(hosts) == 0 && ip.IsValid() {
		hosts = []string{literalOf(ip)}
	}
	if len(hosts) > 0 {
		if why := inOrder(slices.Concat(hosts, c.hops.fallback), j, host); why != "" {
			tell(nil, why)
		}
		return
	}
	if ip := address(e); c.policy.NoMailHost(ip) && !has(c.hops.fallback, host) {
		tell(nil, fmt.Sprintf("%s is a loopback address, at which no MX host can be", ip))
		return
	}
	if ip := address(e); c.policy.OwnAddress(ip) && !has(c.hops.fallback, host) {
		tell(nil, fmt.Sprintf("%s is this relay's own address", ip))
		return
	}
	if !c.hops.asked || strings.HasPrefix(j.dest, "[") || !ascii(j.dest) {
		return // nothing to hold it against
	}
	// The relay used one of the answers since the attempt began, or one from
	// before that it still had. It is in order when any of them allows it.
	var why string
	var about *event
	for _, a := range c.answers(j) {
		if why = c.allowedBy(a, j, host); why == "" {
			return
		}
		about = a.at
	}
	if about == nil {
		if why = inOrder(c.hops.fallback, j, host); why == "" {
			return // without an answer there are the fallback hosts
		}
		why = "the DNS never gave an MX answer for it"
		if len(c.hops.mx[j.dest]) > 0 {
			why = "what the DNS had said of it had run out before the attempt began"
		}
	}
	tell(about, why)
}

// isAlias reports whether the DNS said that a domain is to be found at name.
func (b *hopBook) isAlias(name string) bool {
	for _, all := range b.mx { // any order: one is enough
		if slices.ContainsFunc(all, func(a *answer) bool { return a.alias == name }) {
			return true
		}
	}
	return false
}

// answers returns the MX answers that the attempt j may have used.
func (c *Checker) answers(j *job) []*answer { return c.answersFor(j.dest, j.start) }

// answersFor returns the MX answers that an attempt for dest may have used
// that began with start: those from then on, and those from before that could
// still be believed then. Of those that do not say how long, one. All, when
// start is nil.
func (c *Checker) answersFor(dest string, start *event) []*answer {
	var all []*answer
	for _, a := range c.hops.mx[dest] {
		if start != nil && a.at.seq < start.seq {
			all = slices.DeleteFunc(all, func(before *answer) bool { return before.until == 0 })
			if a.until != 0 && a.until < start.At {
				continue
			}
		}
		all = append(all, a)
	}
	for _, a := range all {
		if len(a.mx) == 0 && a.alias != "" && a.alias != dest {
			all = append(slices.Clip(all), c.hops.mx[a.alias]...)
		}
	}
	return all
}

// hosts returns the hosts that an MX answer for dest names, sorted; or why it
// names none.
func (c *Checker) hosts(a *answer, dest string) (mx []mxRecord, why string) {
	mx = slices.Clone(a.mx)
	switch {
	case a.rcode == "NXDOMAIN":
		return nil, "the domain does not exist"
	case a.rcode != "NOERROR":
		return nil, "its MX could not be looked up: " + a.rcode
	case len(mx) == 1 && mx[0].host == "":
		return nil, "the domain takes no mail (null MX)"
	case len(mx) == 0:
		mx = []mxRecord{{0, dest}}
		if a.alias != "" {
			mx = append(mx, mxRecord{0, a.alias})
		}
	}
	slices.SortStableFunc(mx, func(x, y mxRecord) int { return x.preference - y.preference })
	if at := slices.IndexFunc(mx, func(r mxRecord) bool { return c.ownHost(r.host) }); at >= 0 {
		// Those of its own preference may be dialled before it is looked up.
		mx = slices.DeleteFunc(mx, func(r mxRecord) bool { return r.preference > mx[at].preference })
	}
	if self := slices.IndexFunc(mx, func(r mxRecord) bool { return c.policy.OwnName(r.host) }); self >= 0 {
		mx = slices.DeleteFunc(mx, func(r mxRecord) bool { return r.preference >= mx[self].preference })
		if len(mx) == 0 {
			return nil, "this relay is its best MX itself, so the mail would loop"
		}
	}
	return mx, ""
}

// allowedBy says why an MX answer does not allow the attempt j to dial host
// next; nothing when it does.
func (c *Checker) allowedBy(a *answer, j *job, host string) string {
	mx, why := c.hosts(a, j.dest)
	if c.hops.failed[j.dest+" MX"].covers(j.start) && inOrder(c.hops.fallback, j, host) == "" {
		return "" // the answer may be that to another attempt, and this one got none
	}
	if why != "" {
		known := a.rcode == "NOERROR" || a.rcode == "NXDOMAIN"
		if !known && inOrder(c.hops.fallback, j, host) == "" {
			return "" // nothing is known of the domain's own hosts
		}
		return why
	}
	named := func(r mxRecord) bool { return r.host == host }
	ours := func(r mxRecord) bool { return c.policy.OwnName(r.host) }
	if has(c.hops.fallback, host) && slices.ContainsFunc(a.mx, ours) && !slices.ContainsFunc(mx, named) {
		return "this relay is itself an MX, so its mail goes to better ones alone, and to no fallback host"
	}
	return c.ranked(mx, j, host)
}

// ranked says why a list of MX records, sorted, does not allow the attempt j
// to dial host next.
func (c *Checker) ranked(mx []mxRecord, j *job, host string) string {
	best := slices.IndexFunc(mx, func(r mxRecord) bool { return r.host == host })
	if best < 0 && !has(c.hops.fallback, host) {
		return "it is not among its next hops"
	}
	for _, r := range mx {
		better := best < 0 || r.preference < mx[best].preference
		if better && !has(j.hops.met, r.host) && c.hops.usable(r.host) && !c.hops.failing(r.host, j.start) && j.hops.addresses() < c.policy.Limits.NextHops {
			return fmt.Sprintf("%s comes first, and was not tried", r.host)
		}
		worse := best >= 0 && r.preference > mx[best].preference
		if worse && j.dialled(r.host) {
			return fmt.Sprintf("%s, which comes after it, was already tried", r.host)
		}
	}
	if best < 0 {
		return inOrder(c.hops.fallback, j, host)
	}
	for _, d := range j.hops.dials {
		if h := hostName(d.Host); has(c.hops.fallback, h) && !slices.ContainsFunc(mx, func(r mxRecord) bool { return r.host == h }) {
			return fmt.Sprintf("%s, a fallback, was already tried", d.Host)
		}
	}
	return ""
}

// failing reports whether an attempt that began with start may have been told
// nothing of a host's addresses.
func (b *hopBook) failing(host string, start *event) bool {
	return b.failed[host+" A"].covers(start) || b.failed[host+" AAAA"].covers(start)
}

// knownAbsent reports whether an attempt that began with start can know without
// asking that a host has no address.
func (b *hopBook) knownAbsent(host string, start *event) bool {
	return b.denied[b.end(host, "A")+" A"].covers(start)
}

// usable reports whether a host had to be tried: it has an address, or nobody
// looked whether it has one. A name that is an address itself is no host.
func (b *hopBook) usable(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return len(b.addrs[host]) > 0 || b.sought[host] == 0
}

// dialled reports whether the attempt has dialled host.
func (j *job) dialled(host string) bool {
	return slices.ContainsFunc(j.hops.dials, func(d *event) bool { return hostName(d.Host) == host })
}

// inOrder says why host may not be dialled after the dials of j, when the
// hosts of a list are to be tried in their order. Hosts that could not be
// looked up are passed over.
func inOrder(list []string, j *job, host string) string {
	at := slices.Index(list, host)
	if at < 0 {
		return "it is not among its next hops"
	}
	for _, d := range j.hops.dials {
		if i := slices.Index(list, hostName(d.Host)); i > at {
			return fmt.Sprintf("%s, which comes after it, was already tried", d.Host)
		}
	}
	return ""
}

// address returns the IP address that was dialled; invalid when not given.
func address(e *event) netip.Addr {
	ap, err := netip.ParseAddrPort(e.Addr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e })
}
