package spec

import (
	"net/netip"
	"slices"
	"strings"
)

// TLS: what servers saw of it, held against the policy.

// A tlsBook is what a server saw of TLS on one connection.
type tlsBook struct {
	// asked is STARTTLS, unanswered while its reply has not come. secured is
	// the handshake.
	asked, secured *event
	unanswered     bool
	// before is where TLS had last failed at the address when this one asked.
	before int
	// offered is true when the latest reply to EHLO offers STARTTLS; past when
	// the client went on to a mail, or to QUIT, without it.
	offered, past bool
	// greeted is the first EHLO; nil from a server that does not speak of it.
	// greetedAgain is true when it was said after the handshake, answered when
	// there was a reply to that. Until then TLS may fail: under TLS 1.3 the
	// client's handshake is over before a server has seen its certificate.
	greeted                *event
	greetedAgain, answered bool
}

// tlsSeen takes a handshake that a server has completed.
func (c *Checker) tlsSeen(e *event) {
	s := c.session(e)
	if asked := s.tls.asked; asked != nil && c.wire.tlsFailed[s.addr] == asked.seq {
		c.wire.tlsFailed[s.addr] = s.tls.before // it has not failed
	}
	s.tls.secured, s.tls.offered, s.tls.greetedAgain = e, false, false
	s.auth = authBook{} // what was said in clear does not count (RFC 3207 section 4.2)
}

// tlsCommand follows what is said on a connection, and judges what TLS has to
// do with it.
func (c *Checker) tlsCommand(s *session, e *event) {
	t := &s.tls
	if t.unanswered && !s.muddled {
		c.violate(WireLawful, "hasty "+e.Session+t.asked.At.String(), []*event{t.asked, e},
			"the relay goes on at %s before STARTTLS was answered (RFC 3207 section 4)", e.Host)
	}
	switch e.Stage {
	case StageEHLO, StageHELO:
		if t.greetedAgain = true; t.greeted == nil {
			t.greeted = e
		}
	case StageSTARTTLS:
		t.asked, t.unanswered, t.before = e, true, c.wire.tlsFailed[s.addr]
		c.wire.tlsFailed[s.addr] = e.seq // as long as nobody has seen the handshake
	case StageMAIL:
		t.past = true
		if t.secured != nil && t.greeted != nil && !t.greetedAgain {
			c.violate(WireLawful, "ehlo "+e.Session+e.At.String(), []*event{t.secured, e},
				"the relay begins a mail at %s after the handshake without another EHLO (RFC 3207 section 4.2)", e.Host)
		}
	case StageRCPT:
		c.judgeTLS(s, e)
	case StageQUIT:
		t.past = true
	default: // TLS has nothing to do with it
	}
}

// tlsReply follows what a server says.
func (s *session) tlsReply(e *event) {
	switch e.Stage {
	case StageEHLO:
		s.tls.answered = s.tls.secured != nil && strings.ContainsAny(e.Reply[:min(1, len(e.Reply))], "245")
		s.tls.offered = strings.HasPrefix(e.Reply, "2") && strings.Contains(strings.ToUpper(e.Reply), "STARTTLS")
	case StageSTARTTLS:
		s.tls.unanswered = false
	default: // TLS has nothing to do with it
	}
}

// tlsClosed takes the end of a connection, or a fault on it. One that offered
// STARTTLS and broke may have broken before it was said, and one that was
// secured before the first command under TLS was answered.
func (c *Checker) tlsClosed(s *session, e *event) {
	if !s.tls.past && (s.tls.offered || s.tls.secured != nil && !s.tls.answered) {
		c.wire.tlsFailed[s.addr] = e.seq
	}
}

// judgeTLS judges, when a recipient is named, whether the connection is as safe
// as the policy wants it for him: even his address is not for everybody.
func (c *Checker) judgeTLS(s *session, e *event) {
	to := path(e.Text)
	dest, ok := c.destFor(s, to)
	if !ok {
		return
	}
	var m *mail
	if r := c.resolve(s.from, to); r != nil && r.given <= 1 {
		m = r.mail
	}
	level, t := c.levelFor(m, dest, e.Host), s.tls
	// Who writes to an address literal means the host that is there, under no name.
	if at, err := netip.ParseAddrPort(s.addr); err == nil && at.Addr().Unmap() == literalAddress(dest) {
		level = min(level, c.levelFor(m, dest, dest))
	}
	tell := func(facts []*event, format string, args ...any) {
		c.violate(WireLawful, "tls "+e.Session+e.At.String(), append(facts, e), format, args...)
	}
	switch {
	case level >= TLSRequired && t.secured == nil:
		tell([]*event{s.began, t.asked}, "the relay names %s to %s in clear, though policy says %s", to, e.Host, level)
	case level == TLSVerified && !certified(t.secured.Names, c.policy.TLSNames(dest, e.Host)):
		tell([]*event{t.secured}, "the relay names %s to %s, whose certificate is valid for none of %s", to, e.Host,
			strings.Join(c.policy.TLSNames(dest, e.Host), ", "))
	case slices.ContainsFunc(s.faults, func(f *event) bool { return f.Stage == StageSTARTTLS && muddles(f) }):
		tell([]*event{t.asked, s.faults[0]}, "the relay names %s to %s in a session in which more than a reply to STARTTLS came in clear", to, e.Host)
	case level == TLSOpportunistic && t.offered && t.secured == nil && t.greeted != nil && c.wire.connected && !s.muddled:
		since := 0
		// A server that reads late may hear an attempt that is over.
		if r := c.resolve(s.from, to); r != nil && r.begun != nil && r.begun.seq < t.greeted.seq {
			since = r.begun.seq
		}
		if c.wire.tlsFailed[s.addr] <= since {
			tell([]*event{s.began}, "the relay names %s to %s in clear, though it offers STARTTLS and has not failed at it", to, e.Host)
		}
	}
}

// certified reports whether one of the names that a certificate has fits one
// that is wanted. "*." stands for one part of a name (RFC 9525 section 6.3).
func certified(has, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(want string) bool {
		_, parent, _ := strings.Cut(want, ".")
		return slices.ContainsFunc(has, func(name string) bool {
			under, any := strings.CutPrefix(hostName(name), "*.")
			return hostName(name) == want || any && under == parent
		})
	})
}

// A lostTLS is an address of a next hop at which TLS failed, as the relay says,
// and where in the history it was dialled.
type lostTLS struct {
	host, addr string
	dial       int
}

// tlsTrouble takes the relay's word that TLS failed at the address dialled
// last.
func (c *Checker) tlsTrouble(j *job, e *event, host string) {
	if e.Stage != StageSTARTTLS && e.Stage != StageHandshake || len(j.hops.dials) == 0 {
		return
	}
	last := j.hops.dials[len(j.hops.dials)-1]
	if c.levelFor(j.mail, j.dest, host) == TLSOpportunistic && len(j.hops.lost) < 1000 {
		j.hops.lost = append(j.hops.lost, lostTLS{host, last.Addr, last.seq})
	}
}

// inClear reports whether a dial is one after TLS has failed there: the one
// that may be in clear. What servers and networks saw must bear the relay's
// word out, where they are heard of.
func (c *Checker) inClear(j *job, e *event) bool { return c.lostAt(j, e) > 0 }

// lostAt is the dial with which TLS failed where another one goes now; 0 when it
// has not.
func (c *Checker) lostAt(j *job, e *event) int {
	for _, l := range j.hops.lost {
		if l.host == hostName(e.Host) && l.addr == e.Addr && (!c.wire.connected || c.wire.tlsFailed[l.addr] > l.dial) {
			return l.dial
		}
	}
	return 0
}

// judgeClear judges a dial in clear: only when no next hop is left may it be.
func (c *Checker) judgeClear(j *job, e *event) {
	var why string
	for _, list := range c.nextHops(j) {
		if why = c.untried(list, j); why == "" {
			return
		}
	}
	if why != "" {
		facts := append(slices.Clone(j.hops.dials), e)
		c.violate(NextHopOrder, "clear "+e.Job, facts[max(0, len(facts)-6):],
			"the relay dialled %s for %s again in clear: %s was not tried", e.Host, j.dest, why)
	}
}

// nextHops returns the hosts that the attempt j has, for each answer of the DNS
// that it may have used.
func (c *Checker) nextHops(j *job) [][]string {
	if given := c.given(j.dest); len(given) > 0 {
		return [][]string{slices.Concat(given, c.hops.fallback)}
	}
	if ip := literalAddress(j.dest); ip.IsValid() {
		return [][]string{append([]string{literalOf(ip)}, c.hops.fallback...)}
	}
	var all [][]string
	for _, a := range c.answers(j) {
		mx, _ := c.hosts(a, j.dest)
		var list []string
		for _, r := range mx {
			list = append(list, r.host)
		}
		all = append(all, append(list, c.hops.fallback...))
	}
	return all
}

// untried names a host of a list that the attempt j still has to try.
func (c *Checker) untried(list []string, j *job) string {
	if j.hops.tried() >= c.policy.Limits.NextHops {
		return ""
	}
	for _, host := range list {
		if !has(j.hops.met, host) && c.hops.usable(host) && !c.hops.failing(host, j.start) {
			return host
		}
	}
	return ""
}
