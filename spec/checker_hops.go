package spec

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
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
		a.found = a.found || err == nil
		if err == nil && !slices.Contains(c.hops.addrs[name], ip) && len(c.hops.addrs[name]) < 256 {
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

// hop takes what the relay says of its way to a server.
func (c *Checker) hop(e *event) {
	c.mailOf(e)
	j := c.fair.jobs[e.Job]
	host := hostName(e.Host)
	if e.Kind == FactDial {
		c.hops.dialled[e.Addr]++
		c.hops.lastDial = e.seq
	}
	if j == nil || host == "" {
		return
	}
	if e.Kind == FactDial && len(j.hops.dials) < 1000 {
		c.judgeDials(j, e)
		c.judgeDial(j, e, host)
		j.hops.dials = append(j.hops.dials, e)
	}
	if e.Kind == FactTrouble {
		c.tlsTrouble(j, e, host)
	}
	// Words alone are no try: it was dialled, or its address was asked for.
	tried := e.Kind == FactDial || e.Stage == StageResolve && (c.hops.sought[host] > j.start.seq || c.hops.knownAbsent(host, j.start))
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
		if lost == 0 || d.seq > lost {
			round++
		}
	}
	if most := c.policy.Limits.NextHops; again == 0 && j.hops.addresses() == most {
		c.violate(FairAndBounded, "hops "+e.Job, []*event{j.start, e}, "one attempt for %s tries more than %d addresses", j.dest, most)
	}
	if len(j.to) > 0 && round == len(j.to) {
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
		c.violate(NextHopOrder, "dial "+e.Job, facts[max(0, len(facts)-6):], "the relay dialled %s for %s: %s", e.Host, j.dest, why)
	}
	if ip := address(e); ip.IsValid() && len(c.hops.addrs[host]) > 0 && !slices.Contains(c.hops.addrs[host], ip) {
		tell(nil, fmt.Sprintf("%s is none of its addresses", ip))
		return
	}
	if ip, is := address(e), literalAddress(host); ip.IsValid() && is.IsValid() && ip != is {
		tell(nil, fmt.Sprintf("it dialled %s", ip))
		return
	}
	if c.inClear(j, e) {
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
