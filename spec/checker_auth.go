package spec

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Logins: that the relay makes itself known where it has credentials, and
// nowhere else; that nobody hears them who should not; and that the operator
// hears when they are refused.

// AlarmEvery is how often the relay raises an alarm about a host and an event
// at most.
const AlarmEvery = time.Hour

// An authBook is what a server saw of a login on one connection.
type authBook struct {
	// said is AUTH; in is the server's yes.
	said, in *event
}

// An alarmKey names what alarms are counted by.
type alarmKey struct {
	host  string
	event Event
}

// alarm takes the relay's word that somebody has to see to a login.
func (c *Checker) alarm(e *event) {
	key := alarmKey{hostName(e.Host), e.Event}
	if last := c.alarms[key]; last != nil && !c.stoppedSince(last) && e.At.Sub(last.At) < AlarmEvery {
		c.violate(FairAndBounded, "alarm "+e.Host+e.At.String(), []*event{last, e},
			"the relay raises an alarm about %s twice within %s", e.Host, ago(e.At.Sub(last.At)))
	}
	if len(c.alarms) < 1000 {
		c.alarms[key] = e
	}
}

// authTrouble takes the relay's word that a login failed. An operator must have
// heard of it, since nothing else mends it, and the mail is late meanwhile. An
// attempt that ends says once more what deferred it: that was heard when it was
// met.
func (c *Checker) authTrouble(e *event) {
	code, _ := strconv.Atoi(e.Reply[:min(3, len(e.Reply))])
	if e.Stage != StageAUTH || e.Verdict == Defer || !Alarming(e.Event, code) {
		return
	}
	last := c.alarms[alarmKey{hostName(e.Host), e.Event}]
	if last == nil || c.stoppedSince(last) || e.At.Sub(last.At) > AlarmEvery+leeway {
		c.violate(NothingLost, "no alarm "+e.Job+e.Host, []*event{last, e},
			"the login at %s fails, and the relay raises no alarm", e.Host)
	}
}

// loginAt returns the login that policy has for the host of a session; it may be
// named by its address.
func (c *Checker) loginAt(s *session, host string) (Login, bool) {
	if l, ok := c.policy.Logins[hostName(host)]; ok {
		return l, true
	}
	at, err := netip.ParseAddrPort(s.addr)
	for name, l := range c.policy.Logins { // any order: an address stands there once
		if ip, bad := netip.ParseAddr(unbracketed(name)); err == nil && bad == nil && ip == at.Addr().Unmap() {
			return l, true
		}
	}
	return Login{}, false
}

// authCommand follows what a client says, and judges what a login has to do with
// it.
func (c *Checker) authCommand(s *session, e *event) {
	switch e.Stage {
	case StageAUTH:
		if verb, rest, _ := strings.Cut(e.Text, " "); strings.EqualFold(verb, "AUTH") {
			s.auth.said = e
			mechanism, _, _ := strings.Cut(rest, " ")
			c.judgeAuth(s, e, mechanism)
		}
	case StageRCPT:
		c.judgeLogin(s, e)
	default: // a login has nothing to do with it
	}
}

// judgeAuth judges that credentials go to whom they are for, as policy wants it.
func (c *Checker) judgeAuth(s *session, e *event, mechanism string) {
	tell := func(format string, args ...any) {
		c.violate(WireLawful, "auth "+e.Session+e.At.String(), []*event{s.began, e}, format, args...)
	}
	l, ok := c.loginAt(s, e.Host)
	_, allowed := l.Choose([]string{mechanism})
	switch {
	case !ok:
		tell("the relay logs in at %s, for which it has no credentials", e.Host)
	case !allowed:
		tell("the relay logs in at %s by %s, which policy does not allow", e.Host, mechanism)
	case !l.Clear && s.tls.secured == nil:
		tell("the relay logs in at %s in clear, which policy does not allow", e.Host)
	}
}

// judgeLogin judges, when a recipient is named, that the host has let the relay
// in, where policy has a login.
func (c *Checker) judgeLogin(s *session, e *event) {
	to := path(e.Text)
	dest, known := c.destFor(s, to)
	if _, ok := c.policy.LoginFor(dest, e.Host); !known || !ok || s.auth.in != nil || s.muddled || c.byTheDNS(s, dest, e.Host) {
		return
	}
	c.violate(WireLawful, "login "+e.Session+e.At.String(), []*event{s.began, s.auth.said, e},
		"the relay names %s to %s before it has logged in there", to, e.Host)
}

// byTheDNS reports whether mail for a destination may have come to a host though
// the operator had not given it: as an MX, as the domain itself, or by its
// address. Then it is asked as anybody's, without credentials.
func (c *Checker) byTheDNS(s *session, dest, host string) bool {
	if _, given := c.policy.Given(dest); len(given) > 0 {
		return false
	}
	at, err := netip.ParseAddrPort(s.addr)
	if ip := literalAddress(dest); dest == hostName(host) || ip.IsValid() && (err != nil || at.Addr().Unmap() == ip.Unmap()) {
		return true
	}
	for _, answers := range c.hops.mx { // any order: one is enough
		for _, a := range answers {
			for _, mx := range a.mx {
				if mx.host == hostName(host) {
					return true
				}
			}
		}
	}
	return false
}

// authReply follows what a server says.
func (s *session) authReply(e *event) {
	if e.Stage == StageAUTH && strings.HasPrefix(e.Reply, "2") {
		s.auth.in = e
	}
}

// ownAffair reports whether a reply speaks of the relay's login and not of the
// mail: 530 from a host that the operator gave (RFC 4954 section 6).
func (c *Checker) ownAffair(e *event) bool {
	early := e.Stage == StageMAIL || e.Stage == StageRCPT || e.Stage == StageDATA
	return early && strings.HasPrefix(e.Reply, "530") && c.policy.Gives(e.Host)
}
