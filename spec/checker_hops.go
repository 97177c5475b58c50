package spec

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// NEXT-HOP-ORDER: which servers are dialled, and in which order, held against
// what the DNS answered.

// A hopBook holds what the DNS answered.
type hopBook struct {
	self             string
	relays, fallback []string
	// mx are the MX answers by domain, the latest few, in order.
	mx map[string][]*answer
	// addrs are all addresses ever answered for a host.
	addrs map[string][]netip.Addr
	// sought are the hosts whose addresses were asked for, found or not, and
	// where in the history that was last.
	sought map[string]int
	// failed are the hosts of which a question went wrong, and when last.
	failed map[string]int
	// latest says of "HOST A" and "HOST AAAA" what was answered last; alias
	// where such an address is to be found instead.
	latest map[string]int
	alias  map[string]string
	// denied is where in the history "HOST A" was last answered with nothing.
	denied map[string]int
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
}

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
	b.self = hostName(p.Hostname)
	for _, r := range p.Relays {
		b.relays = append(b.relays, hostName(withoutPort(r)))
	}
	for _, r := range p.Fallback {
		b.fallback = append(b.fallback, hostName(withoutPort(r)))
	}
	b.mx, b.addrs, b.sought = map[string][]*answer{}, map[string][]netip.Addr{}, map[string]int{}
	b.latest, b.alias, b.failed, b.denied = map[string]int{}, map[string]string{}, map[string]int{}, map[string]int{}
	b.dialled, b.connects, b.lastConnect = map[string]int{}, map[string]int{}, map[string]int{}
}

// hostName returns a host name in the form in which names are compared.
func hostName(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }

// withoutPort removes the port from host:port.
func withoutPort(s string) string {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || strings.Contains(s[:colon], ":") && !strings.HasSuffix(s[:colon], "]") {
		return s
	}
	if _, err := strconv.ParseUint(s[colon+1:], 10, 16); err != nil {
		return s
	}
	return s[:colon]
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
		if kind == "MX" && len(c.hops.relays) > 0 {
			c.violate(NextHopOrder, "mx of "+name, []*event{e},
				"the relay asked for the MX of %s, though all its mail goes to %s", name, strings.Join(c.policy.Relays, ", "))
		}
		return
	}
	c.hops.lastAnswer = e.seq
	rcode, records, _ := strings.Cut(rest, " ")
	a := &answer{at: e, rcode: rcode}
	for record := range strings.SplitSeq(records, ";") {
		c.record(a, hostName(name), strings.Fields(record))
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
		b.denied[host+" "+kind] = a.at.seq
	}
	if a.rcode == "NXDOMAIN" { // then there is nothing of any kind (RFC 8020)
		for _, kind := range [...]string{"A", "AAAA"} {
			b.latest[host+" "+kind], b.denied[host+" "+kind] = noSuch, a.at.seq
		}
	}
	delete(b.alias, host+" "+kind)
	b.latest[host+" "+kind] = said
}

// record takes one record of an answer about name.
func (c *Checker) record(a *answer, name string, f []string) {
	for len(f) > 0 && f[0] != "MX" && f[0] != "CNAME" && f[0] != "A" && f[0] != "AAAA" {
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
	tried := e.Kind == FactDial || e.Stage == StageResolve && c.hops.sought[host] > j.start.seq
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
	if c.inClear(j, e) {
		c.judgeClear(j, e)
		return
	}
	if len(c.hops.relays) > 0 {
		if why := inOrder(slices.Concat(c.hops.relays, c.hops.fallback), j, host); why != "" {
			tell(nil, why)
		}
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
	}
	tell(about, why)
}

// answers returns the MX answers that the attempt j may have used.
func (c *Checker) answers(j *job) []*answer { return c.answersFor(j.dest, j.start.seq) }

// answersFor returns the MX answers that an attempt for dest may have used
// that began at since: those from then on, and one from before.
func (c *Checker) answersFor(dest string, since int) []*answer {
	all := c.hops.mx[dest]
	first := 0
	for i, a := range all {
		if a.at.seq < since {
			first = i
		}
	}
	all = all[first:]
	for _, a := range all {
		if len(a.mx) == 0 && a.alias != "" && a.alias != dest {
			all = append(slices.Clip(all), c.hops.mx[a.alias]...)
		}
	}
	return all
}

// hosts returns the hosts that an MX answer for dest names, sorted; or why it
// names none.
func (b *hopBook) hosts(a *answer, dest string) (mx []mxRecord, why string) {
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
	if self := slices.IndexFunc(mx, func(r mxRecord) bool { return r.host == b.self }); self >= 0 {
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
	mx, why := c.hops.hosts(a, j.dest)
	if c.hops.failed[j.dest] > j.start.seq && inOrder(c.hops.fallback, j, host) == "" {
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
		if better && !has(j.hops.met, r.host) && c.hops.usable(r.host) && c.hops.failed[r.host] < j.start.seq && j.hops.addresses() < c.policy.Limits.NextHops {
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
