package spec

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// InDoubtPolicy says what becomes of a recipient whose reply to the final dot
// was lost.
type InDoubtPolicy uint8

const (
	// DoubtReport ends the recipient as Unknown and tells the sender. It is
	// the default and keeps NEVER-TWICE.
	DoubtReport InDoubtPolicy = iota
	// DoubtHold parks the recipient until an operator decides.
	DoubtHold
	// DoubtRetry sends again, as other MTAs do; a duplicate is possible.
	DoubtRetry
)

var doubtNames = [...]string{DoubtReport: "report", DoubtHold: "hold", DoubtRetry: "retry"}

// String returns the policy's name as it stands in configuration files.
func (p InDoubtPolicy) String() string {
	if int(p) < len(doubtNames) {
		return doubtNames[p]
	}
	return fmt.Sprintf("InDoubtPolicy(%d)", uint8(p))
}

// ParseInDoubtPolicy is the inverse of String.
func ParseInDoubtPolicy(name string) (InDoubtPolicy, error) {
	for i, n := range doubtNames {
		if n == name {
			return InDoubtPolicy(i), nil
		}
	}
	return 0, fmt.Errorf("no in_doubt policy is called %q: choose report, hold or retry", name)
}

// A TLSLevel says how far a conversation with a server must be encrypted
// (RFC 3207). Each level asks for more than the one before.
type TLSLevel uint8

const (
	// TLSOff never says STARTTLS.
	TLSOff TLSLevel = iota
	// TLSOpportunistic encrypts where it can, with any certificate, and sends
	// in clear where it cannot (RFC 7435). It is the default.
	TLSOpportunistic
	// TLSRequired never sends in clear; any certificate will do.
	TLSRequired
	// TLSVerified requires a certificate that is valid for a name of
	// Policy.TLSNames, too.
	TLSVerified
)

var tlsNames = [...]string{TLSOff: "off", TLSOpportunistic: "opportunistic", TLSRequired: "required", TLSVerified: "verified"}

// String returns the level's name as it stands in configuration files.
func (l TLSLevel) String() string {
	if int(l) < len(tlsNames) {
		return tlsNames[l]
	}
	return fmt.Sprintf("TLSLevel(%d)", uint8(l))
}

// TLSLevels lists all levels in order.
func TLSLevels() []TLSLevel { return []TLSLevel{TLSOff, TLSOpportunistic, TLSRequired, TLSVerified} }

// ParseTLSLevel is the inverse of String.
func ParseTLSLevel(name string) (TLSLevel, error) {
	for i, n := range tlsNames {
		if n == name {
			return TLSLevel(i), nil
		}
	}
	return 0, fmt.Errorf("no TLS level is called %q: choose off, opportunistic, required or verified", name)
}

// A Policy is everything that decides what happens to a message: the part of
// the relay's configuration that the rules speak about. Both the relay and
// the Checker are given the same one.
type Policy struct {
	// Hostname is the relay's own name: in EHLO, in Received, and the name at
	// which an MX list is cut off (RFC 5321 section 5.1).
	Hostname string
	// Relays, when not empty, puts the relay in relay mode: these smart hosts
	// are tried in order and no MX is looked up. Each is host or host:port.
	Relays []string
	// Fallback hosts are tried after every other next hop failed. As Relays.
	Fallback []string
	// Routes are the hosts, as Relays, for the mail of single domains. A name
	// is a domain, in lower case, or begins with a dot and means all domains
	// below it; the nearest one counts. A route goes before Relays and the DNS.
	Routes map[string][]string
	// SenderRoutes are the hosts, as Relays, for the mail of single senders. A name
	// is an address, "@" and a domain, or "<>" for the null sender; the address
	// counts before its domain. A route of the recipient's domain goes before it.
	SenderRoutes map[string][]string
	// Own are more names and addresses at which this relay takes mail: an MX
	// list is cut off there, as at Hostname.
	Own []string
	// PrivateIntake says that nobody else is on the network between the relay and
	// its clients: then it offers them REQUIRETLS, which RFC 8689 section 2 allows
	// over TLS alone.
	PrivateIntake bool
	// PreferIPv6 has the addresses of a host tried in turn of IPv6 and IPv4,
	// instead of IPv4 and IPv6.
	PreferIPv6 bool
	// Port is where MX hosts are spoken to; 25 unless a test says otherwise.
	Port uint16
	// InDoubt is the global policy; InDoubtAt overrides it per destination.
	InDoubt   InDoubtPolicy
	InDoubtAt map[string]InDoubtPolicy
	// TLS is the global level; TLSAt overrides it for destinations, and for
	// the hosts of relays, routes, sender routes and fallback by their names. See TLSFor.
	TLS   TLSLevel
	TLSAt map[string]TLSLevel
	// Logins are the credentials for hosts of Relays, Routes, SenderRoutes and Fallback, by
	// their names in lower case. See LoginFor.
	Logins map[string]Login
	// Chunking has content sent by BDAT to servers that offer CHUNKING (RFC
	// 3030); it is off unless said. ChunkingAt overrides it for destinations, and
	// for the hosts of relays, routes, sender routes and fallback by their names. See
	// ChunkingFor.
	Chunking   bool
	ChunkingAt map[string]bool
	// Source are addresses of this machine, one of a family at most, from which mail
	// leaves: for a destination, for a host of the operator's choice, or, where the
	// name is empty, for all the rest. See SourceFor.
	Source map[string][]netip.Addr
	// Schedule is the global schedule; ScheduleAt overrides the whole of it for
	// destinations. See ScheduleFor.
	Schedule   Schedule
	ScheduleAt map[string]Schedule
	// Backoffs are the intervals after some causes, in place of those of any schedule.
	// See IntervalFor.
	Backoffs Backoffs
	// DelayWarning is how long after its submission a message that is still not
	// delivered is reported as delayed, to a sender who asked for that (RFC 3461
	// section 5.2.5); 0 is never. DelayWarningAt overrides it for destinations.
	DelayWarning   time.Duration
	DelayWarningAt map[string]time.Duration
	// Postmaster is the address that is told when mail of the null sender, such as
	// a report, fails; empty is nobody. See Policy.Reader.
	Postmaster string
	Limits     Limits
	Timeouts   Timeouts
	Reuse      Reuse
}

// DefaultPolicy returns the policy of a relay called hostname that was told
// nothing else.
func DefaultPolicy(hostname string) Policy {
	return Policy{
		Hostname: hostname, Port: 25, TLS: TLSOpportunistic,
		Schedule: DefaultSchedule(), DelayWarning: 4 * time.Hour, Limits: DefaultLimits(), Timeouts: DefaultTimeouts(),
		Reuse: DefaultReuse(),
	}
}

// RelayDestination is the one destination of a relay in relay mode: all mail
// that has no route, neither by domain nor by sender, leaves through the same hosts and shares their limits.
const RelayDestination = "relay"

// Destination returns the destination that a recipient of mail from sender
// belongs to: recipients of one message at one destination share a transaction,
// and limits hold per destination. It is a domain, RelayDestination, or the hosts
// of a sender, see Via. The null sender is empty, or "<>".
func (p Policy) Destination(sender, recipient string) string {
	domain := Domain(recipient)
	if _, routed := p.Route(domain); len(routed) > 0 {
		return domain
	}
	if _, hosts := p.SenderRoute(sender); len(hosts) > 0 {
		return Via(hosts)
	}
	if len(p.Relays) > 0 {
		return RelayDestination
	}
	return domain
}

// InDoubtFor returns the in_doubt policy for a destination.
func (p Policy) InDoubtFor(destination string) InDoubtPolicy {
	if q, ok := p.InDoubtAt[strings.ToLower(destination)]; ok {
		return q
	}
	return p.InDoubt
}

// TLSFor returns the level at which mail for a destination is spoken of with a
// host. Where an entry of TLSAt names the destination and another the host,
// which is one that the operator gave then, the stricter one holds: neither
// takes back what the other one asks for.
//
// At a host with a login it is TLSRequired at least, unless that may be said in
// clear: a secret that is not to be heard must not be said to everybody.
func (p Policy) TLSFor(destination, host string) TLSLevel {
	at, ok := p.TLSAt[strings.ToLower(destination)]
	if p.configured(destination, host) {
		if by, named := p.TLSAt[hostName(host)]; named {
			at, ok = max(at, by), true
		}
	}
	if !ok {
		at = p.TLS
	}
	if l, ok := p.LoginFor(destination, host); ok && !l.Clear {
		at = max(at, TLSRequired)
	}
	return at
}

// ChunkingFor reports whether BDAT may be said to a host in mail for a
// destination. Where one entry of ChunkingAt names the destination and another
// the host, both must allow it: one of the two cannot do it.
func (p Policy) ChunkingFor(destination, host string) bool {
	at, ok := p.ChunkingAt[strings.ToLower(destination)]
	if p.configured(destination, host) {
		if by, named := p.ChunkingAt[hostName(host)]; named {
			at, ok = by && (at || !ok), true
		}
	}
	if ok {
		return at
	}
	return p.Chunking
}

// TLSLevelFor is TLSFor for a message from a sender: one that needs REQUIRETLS goes
// only to who has proved to be the one that is meant, whatever the level (RFC 8689
// section 4.2.1). From the null sender it goes without (section 5 there).
func (p Policy) TLSLevelFor(sender string, needs Needs, destination, host string) TLSLevel {
	if needs.Has(NeedTLS) && sender != "" {
		return TLSVerified
	}
	return p.TLSFor(destination, host)
}

// TLSNames returns the names of which a host's certificate must have one under
// TLSVerified: the reference identities of RFC 9525 section 6.1. They come
// from the sender's address and the configuration, never from the DNS: without
// DNSSEC, whoever can forge an MX record can name a host of his own, for which
// he has an honest certificate. So of an MX host it is the domain that counts,
// and the host's own name only when it lies below the domain, where nobody
// else gets certificates (as "secure" in Postfix, with nexthop and dot-nexthop).
func (p Policy) TLSNames(destination, host string) []string {
	dest, name := hostName(destination), hostName(host)
	switch {
	case p.configured(destination, host):
		return []string{unbracketed(name)}
	case strings.HasSuffix(name, "."+dest):
		return []string{dest, name}
	}
	return []string{unbracketed(dest)}
}

// unbracketed returns the address of an address literal (RFC 5321 section
// 4.1.3), or the name as it is.
func unbracketed(name string) string {
	inner, literal := strings.CutPrefix(strings.TrimSuffix(name, "]"), "[")
	if !literal {
		return name
	}
	return strings.TrimPrefix(inner, "ipv6:")
}

// configured reports whether host is the operator's choice for a destination.
func (p Policy) configured(destination, host string) bool {
	name := unbracketed(hostName(host))
	named := func(entry string) bool { return unbracketed(hostName(withoutPort(entry))) == name }
	_, given := p.Given(destination)
	return slices.ContainsFunc(given, named) || slices.ContainsFunc(p.Fallback, named)
}

// A Schedule says when a deferred recipient is attempted again. All arithmetic
// is in integers.
type Schedule struct {
	// First is the interval after the first attempt; each later one is the
	// one before times Numerator/Denominator, at most Max.
	First, Max             time.Duration
	Numerator, Denominator int64
	// Jitter is by up to how many percent an interval is shorter for one mail than
	// for another, so that what failed together is not tried together again.
	Jitter int
	// Lifetime is how long a message is retried after it was submitted; then
	// what is still deferred fails (RFC 5321 section 4.5.4.1: 4 to 5 days).
	Lifetime time.Duration
}

// Limits bounds what a relay does at once.
type Limits struct {
	// Deliveries at once, in all and per destination. Each holds at most one
	// connection; those that are kept for later count as well (Reuse).
	Deliveries, DeliveriesPerDestination int
	// FirstPerDestination is how many a destination gets at once as long as
	// nothing is known of it. It gets one more each time that as many attempts as
	// it has reached a server, up to DeliveriesPerDestination; an attempt that
	// reached none takes one away, down to one.
	FirstPerDestination int
	// DeadAfter is after how many attempts in a row that reached no server a
	// destination is dead for a time, see Schedule.Dead; 0 is never.
	DeadAfter int
	// PerMinute is how many deliveries to one destination begin in a minute, evenly
	// spaced; 0 is as many as come.
	PerMinute int
	// ReportsPerHour is how many attempts for mail of the null sender, such as
	// reports, to one mailbox begin in an hour, which begins with the first; 0 is as
	// many as come. What is due beyond that is held back.
	ReportsPerHour int
	// RecipientsPerTransaction caps RCPT per MAIL (RFC 5321 section
	// 4.5.3.1.8 obliges servers to take 100).
	RecipientsPerTransaction int
	// RecipientsPerMessage caps RCPT at submission.
	RecipientsPerMessage int
	// MessageBytes caps a submitted message.
	MessageBytes int64
	// WindowGroups caps how many (message, destination) pairs are held in
	// memory; the rest wait on disk.
	WindowGroups int
	// NextHops caps how many server addresses one attempt tries; a host whose
	// address is not found counts like one.
	NextHops int
	// ReplyBytes caps one reply, all lines together.
	ReplyBytes int
	// ChunkBytes caps what follows one BDAT (RFC 3030). It costs no memory.
	ChunkBytes int64
}

// Timeouts of the stages of a delivery; RFC 5321 section 4.5.3.2 gives the
// least values.
type Timeouts struct {
	Resolve, Connect, Greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, Block, Dot, QUIT time.Duration
}
