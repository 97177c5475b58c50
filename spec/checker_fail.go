package spec

import (
	"net/netip"
	"strings"
)

// RETRY-ON-TIME: when a recipient may fail. Before its lifetime ends that
// takes a reason which a server or the DNS gave; when it has ended, it is time.

// judgeGivenUp judges a failure.
func (c *Checker) judgeGivenUp(r *rcpt, e *event) {
	end, latest := c.expires(r)
	if end == 0 || r.mail.twins {
		return
	}
	if c.bounced(r, e) {
		return
	}
	if e.reckoned() >= end {
		c.judgeExpiry(r, e, c.truly(latest))
		return
	}
	early := ago(end.Sub(e.reckoned()))
	no := r.no.at
	switch {
	case strings.HasPrefix(e.Reply, "4"):
	case r.no.now && !r.no.good && c.lastNo(r) < no.seq && c.hops.lastAnswer < no.seq && (r.begun == nil || r.begun.seq < no.seq):
	case c.believes && c.silent(r), c.reason(r, e):
		return
	default:
		c.violate(RetryOnTime, "given up "+r.name(), []*event{r.begun, c.clock.jump, e},
			"the relay gave up on %s %s before its lifetime ended, though neither a server nor the DNS had refused it for good", r.name(), early)
		return
	}
	c.violate(RetryOnTime, "given up "+r.name(), []*event{r.begun, no, c.clock.jump, e},
		"the relay gave up on %s %s before its lifetime ended, though it was refused only for now", r.name(), early)
}

// judgeExpiry judges how long after the end of its lifetime a recipient failed
// that was not being attempted. With its last attempt it may have had to wait.
func (c *Checker) judgeExpiry(r *rcpt, e *event, end Wall) {
	_, by := r.dueBy()
	if r.state != Queued || c.fair.since == 0 || by == nil || r.begun != nil && by.seq < r.begun.seq {
		return
	}
	here := c.fair.dest(r.dest)
	since := max(end, c.dueTill(r), by.At, c.fair.since, r.idle, here.full, c.fair.total.full, here.paced, here.touched)
	if c.maybePaused(here) {
		since = since.Add(c.policy.Longest(r.dest)) // it is looked for now and then
	}
	if !c.full(here) && e.At.Sub(since) > promptly {
		c.violate(RetryOnTime, "expired "+r.name(), []*event{r.mail.queued, r.outcome, c.clock.jump, e},
			"the relay let %s fail %s after its lifetime had ended", r.name(), ago(e.At.Sub(end)))
	}
}

// silent reports whether nothing is known of what the last attempt for r met,
// because the run has no facts of servers, or none of the DNS and the attempt
// did not get as far as a server.
func (c *Checker) silent(r *rcpt) bool {
	since := 0
	if r.begun != nil {
		since = r.begun.seq
	}
	return c.wire.lastPeer < since && (!c.hops.asked || c.hops.lastDial > since)
}

// reason reports whether there was a reason to fail r for good, in truth: a
// 5yz, or an answer of the DNS that leaves no hope. The relay's own refusal
// counts where what the server offered bears it out, or where nothing could.
func (c *Checker) reason(r *rcpt, e *event) bool {
	since := 0
	if r.begun != nil {
		since = r.begun.seq
	}
	own, _, _ := strings.Cut(e.Text, " ")
	if own == "5.3.4" || own == "5.6.3" || own == "5.6.7" || own == "5.7.30" {
		if right, known := c.lacking(r, own); known {
			return right
		}
	}
	switch own {
	case "5.6.3": // RFC 6152
		if c.wire.no8Bit > since {
			return true
		}
	case "5.3.4": // RFC 1870
		if c.wire.sizes > since {
			return true
		}
	case "5.6.0", "5.5.4", "5.6.7", "5.7.30": // what cannot be sent lawfully
		return true
	}
	return r.no.good || c.lastNo(r) > since || c.hopeless(r.dest, r.begun)
}

// lastNo is where a server last said 5yz, to other than RCPT, that may have
// failed r.
func (c *Checker) lastNo(r *rcpt) int { return max(r.lastNo, c.marked(&c.wire.lastNo, r)) }

// deniable reports whether a mail that nobody has to be told of may have
// failed: then it may be gone without a trace.
func (c *Checker) deniable(r *rcpt) bool {
	end, _ := c.expires(r)
	return r.no.at != nil || r.dotNo != nil || c.lastNo(r) > 0 || c.hopeless(r.dest, nil) || end != 0 && c.farthest() >= end
}

// hopeless reports whether an answer of the DNS, of those that an attempt
// beginning with start (nil: any) can have used, says that mail for dest cannot be
// delivered, now or later.
func (c *Checker) hopeless(dest string, start *event) bool {
	if given := c.given(dest); len(given) > 0 {
		return c.hops.homeless(append(given, c.hops.fallback...), start)
	}
	if strings.HasPrefix(dest, "[") || !lookable(dest) {
		return true
	}
	for _, a := range c.answersFor(dest, start) {
		mx, why := c.hosts(a, dest)
		var hosts []string
		for _, r := range mx {
			hosts = append(hosts, r.host)
		}
		if why != "" && (a.rcode == "NOERROR" || a.rcode == "NXDOMAIN") || why == "" && (c.hops.homeless(hosts, start) || c.ownBest(mx)) {
			return true
		}
	}
	return false
}

// lookable reports whether the DNS can be asked about a domain.
func lookable(domain string) bool {
	if domain == "" || len(domain) > 253 {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}

// homeless reports whether the DNS denies that any of some hosts has an
// address, or did so that an attempt which began with start may go by it:
// several attempts at once hear several answers. Of the two kinds of addresses
// the newer one may never be asked for.
func (b *hopBook) homeless(hosts []string, start *event) bool {
	for _, host := range hosts {
		if !b.deniesAlong(host, "A", start) || !b.deniesAlong(host, "AAAA", start) && b.latest[host+" AAAA"] != 0 {
			return false
		}
	}
	return len(hosts) > 0
}

// end returns where the aliases of a host lead that the DNS has given for
// addresses of a kind.
func (b *hopBook) end(host, kind string) string {
	for range 16 { // as long as a chain of aliases may be
		next := b.alias[host+" "+kind]
		if next == "" {
			break
		}
		host = next
	}
	return host
}

// deniesAlong reports whether the DNS denies, of a host or of what it is an
// alias for, that it has an address of a kind. What cannot be looked up is no
// host.
func (b *hopBook) deniesAlong(host, kind string, start *event) bool {
	for range 16 { // as long as a chain of aliases may be
		if _, err := netip.ParseAddr(host); err == nil || !lookable(host) || b.denies(host+" "+kind, start) {
			return true
		}
		host = b.alias[host+" "+kind]
		if host == "" {
			return false
		}
	}
	return false
}

// denies reports whether the DNS says that a host has no address of a kind, or
// said so that an attempt which began with start may go by it.
func (b *hopBook) denies(what string, start *event) bool {
	return b.latest[what] == noSuch || start != nil && b.denied[what].covers(start)
}

// What the DNS said last of the addresses of a host.
const (
	noSuch = 1 + iota
	someSuch
	elsewhere
	cannotSay
)
