package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// A setting is one kind of line of the relay section.
type setting struct {
	word, form, meaning string
	read                func(l *line, p *spec.Policy)
	// show returns what is written after the word, one string for each line,
	// where p differs from the default d.
	show func(p, d spec.Policy) []string
}

// settings returns the kinds of lines in canonical order.
func settings() []setting {
	return []setting{
		{"hostname", "hostname NAME", "the relay's own name; " + DefaultHostname + " unless said",
			func(l *line, p *spec.Policy) { p.Hostname = l.host("the relay's name") },
			func(p, d spec.Policy) []string { return oneIf(p.Hostname != d.Hostname, p.Hostname) }},
		{"port", "port NUMBER", "where MX hosts are spoken to; 25 unless said",
			func(l *line, p *spec.Policy) { p.Port = l.port() },
			func(p, d spec.Policy) []string { return oneIf(p.Port != d.Port, fmt.Sprint(p.Port)) }},
		{"in_doubt", "in_doubt report|hold|retry [DOMAIN]", "what becomes of a recipient whose reply was lost, everywhere or at one domain",
			readInDoubt, showInDoubt},
		{"tls", "tls off|opportunistic|required|verified [DOMAIN|HOST]",
			"how far mail must be encrypted, everywhere, for one domain, or at one of relays and fallback; opportunistic unless said", readTLS, showTLS},
		{"source", "source ADDRESS [ADDRESS] [for DOMAIN|HOST]", "from which address of the relay's machine mail leaves, one of IPv4 and one of IPv6 at most: " +
			"for a domain, for a host that the relay was given, or for all the rest; the machine has all of 198.51.100.0/24",
			readSource, showSource},
		{"chunking", "chunking on|off [DOMAIN|HOST]",
			"whether BDAT is said where CHUNKING is offered, everywhere, for one domain, or at one of relays and fallback; off unless said",
			readChunking, showChunking},
		{"relays", "relays HOST[:PORT], ...", "relay mode: only these hosts, in order, and no MX look-up",
			func(l *line, p *spec.Policy) { p.Relays = l.hops() },
			func(p, _ spec.Policy) []string { return oneIf(len(p.Relays) > 0, strings.Join(p.Relays, ", ")) }},
		{"fallback", "fallback HOST[:PORT], ...", "hosts that are tried after every other one failed",
			func(l *line, p *spec.Policy) { p.Fallback = l.hops() },
			func(p, _ spec.Policy) []string { return oneIf(len(p.Fallback) > 0, strings.Join(p.Fallback, ", ")) }},
		{"route", "route DOMAIN HOST[:PORT], ...", "only these hosts for the mail of one domain, or with .DOMAIN of all below it; before relays and the DNS",
			readRoute, showRoutes},
		{"sender_route", "sender_route ADDRESS|@DOMAIN|<> HOST[:PORT], ...", "only these hosts for the mail of one sender, of a domain's, or of the null sender; " +
			"after route, before relays and the DNS", readSenderRoute, showSenderRoutes},
		{"login", loginForm, "the relay's credentials for one of relays, route, sender_route and fallback (RFC 4954); " +
			"by all mechanisms that take a password unless said; tls is required there unless in clear", readLogin, showLogins},
		{"own", "own NAME|ADDRESS, ...", "more names and addresses of the relay: an MX list ends there",
			func(l *line, p *spec.Policy) { p.Own = l.owns() },
			func(p, _ spec.Policy) []string { return oneIf(len(p.Own) > 0, strings.Join(p.Own, ", ")) }},
		{"prefer", "prefer ipv4|ipv6", "which address of a host is tried first; they take turns from there; ipv4 unless said",
			func(l *line, p *spec.Policy) { p.PreferIPv6 = l.choose("family", []string{"ipv4", "ipv6"}) == "ipv6" },
			func(p, _ spec.Policy) []string { return oneIf(p.PreferIPv6, "ipv6") }},
		{"intake", "intake private", "nobody else is on the network between the relay and its clients, so it offers them REQUIRETLS without TLS",
			func(l *line, p *spec.Policy) {
				p.PrivateIntake = l.choose("kind of network", []string{"private"}) != ""
			},
			func(p, _ spec.Policy) []string { return oneIf(p.PrivateIntake, "private") }},
		{"schedule", "schedule first TIME, factor N/M, max TIME, jitter N%, lifetime TIME",
			"when to try again; what is left out stays as it is; jitter, 0% unless said, is by how much intervals may be shorter",
			readSchedule, showSchedule},
		{"schedule_at", "schedule_at DOMAIN first TIME, factor N/M, max TIME, jitter N%, lifetime TIME, delay_warning TIME",
			"the same for the mail of one domain; what is left out is as everywhere", readScheduleAt, showSchedulesAt},
		{"backoff", "backoff greylisted|mailbox_full|unreached first TIME, factor N/M, max TIME",
			"the intervals after attempts that end so, counted from the first in a row, in place of those of any schedule; " +
				"what is left out is as in schedule", readBackoff, showBackoffs},
		{"delay_warning", "delay_warning TIME", "how long after its submission a message is reported as delayed, to who asked for that; 0s is never",
			func(l *line, p *spec.Policy) { p.DelayWarning = l.duration("the time", 0) },
			func(p, d spec.Policy) []string {
				return oneIf(p.DelayWarning != d.DelayWarning, formatDuration(p.DelayWarning))
			}},
		{"postmaster", "postmaster ADDRESS", "who is told when mail of the null sender fails; nobody unless said",
			func(l *line, p *spec.Policy) { p.Postmaster = l.mailbox("the postmaster") },
			func(p, _ spec.Policy) []string { return oneIf(p.Postmaster != "", p.Postmaster) }},
		{"connections", "connections messages N, age TIME, idle TIME, kept N, per-destination N",
			"how connections are used again: how many messages one carries, how old and how long idle it may be, and how many are kept; what is left out stays as it is",
			readReuse, showReuse},
		{"limit", "limit WHAT NUMBER", "a bound on what the relay does at once", readLimit, showLimits},
		{"timeout", "timeout WHAT TIME", "how long a stage of a delivery may take", readTimeout, showTimeouts},
	}
}

// DefaultPolicy is what a story's relay does that is told nothing else: what every
// relay does, but for jitter. A story says to the second when things happen, and
// what its author writes down must not hang on a hash of a queue ID.
func DefaultPolicy() spec.Policy {
	p := spec.DefaultPolicy(DefaultHostname)
	p.Schedule.Jitter = 0
	return p
}

// A bound is one limit by its name in the language.
type bound struct {
	word, meaning string
	get           func(spec.Limits) int64
	set           func(*spec.Limits, int64)
	// least is the smallest number that makes sense.
	least int64
}

var bounds = []bound{
	{"deliveries", "deliveries at once, in all",
		func(l spec.Limits) int64 { return int64(l.Deliveries) }, func(l *spec.Limits, n int64) { l.Deliveries = int(n) }, 1},
	{"per-destination", "deliveries at once to one destination",
		func(l spec.Limits) int64 { return int64(l.DeliveriesPerDestination) },
		func(l *spec.Limits, n int64) { l.DeliveriesPerDestination = int(n) }, 1},
	{"first-per-destination", "deliveries at once to one destination, as long as nothing is known of it",
		func(l spec.Limits) int64 { return int64(l.FirstPerDestination) }, func(l *spec.Limits, n int64) { l.FirstPerDestination = int(n) }, 1},
	{"dead-after", "attempts in a row that reach no server, until a destination is dead for a time; 0 is never",
		func(l spec.Limits) int64 { return int64(l.DeadAfter) }, func(l *spec.Limits, n int64) { l.DeadAfter = int(n) }, 0},
	{"per-minute", "deliveries to one destination that begin in a minute, evenly spaced; 0, as many as come, unless said",
		func(l spec.Limits) int64 { return int64(l.PerMinute) }, func(l *spec.Limits, n int64) { l.PerMinute = int(n) }, 0},
	{"reports-per-hour", "attempts for mail of the null sender to one mailbox that begin in an hour; 0 is as many as come",
		func(l spec.Limits) int64 { return int64(l.ReportsPerHour) }, func(l *spec.Limits, n int64) { l.ReportsPerHour = int(n) }, 0},
	{"recipients-per-transaction", "RCPT per MAIL",
		func(l spec.Limits) int64 { return int64(l.RecipientsPerTransaction) },
		func(l *spec.Limits, n int64) { l.RecipientsPerTransaction = int(n) }, 1},
	{"recipients-per-message", "RCPT at submission",
		func(l spec.Limits) int64 { return int64(l.RecipientsPerMessage) }, func(l *spec.Limits, n int64) { l.RecipientsPerMessage = int(n) }, 1},
	{"message-bytes", "the size of a submitted message",
		func(l spec.Limits) int64 { return l.MessageBytes }, func(l *spec.Limits, n int64) { l.MessageBytes = n }, 1},
	{"window", "pairs of message and destination held in memory",
		func(l spec.Limits) int64 { return int64(l.WindowGroups) }, func(l *spec.Limits, n int64) { l.WindowGroups = int(n) }, 1},
	{"next-hops", "server addresses that one attempt tries",
		func(l spec.Limits) int64 { return int64(l.NextHops) }, func(l *spec.Limits, n int64) { l.NextHops = int(n) }, 1},
	{"reply-bytes", "the size of one reply",
		func(l spec.Limits) int64 { return int64(l.ReplyBytes) }, func(l *spec.Limits, n int64) { l.ReplyBytes = int(n) }, 1},
	{"chunk-bytes", "what follows one BDAT",
		func(l spec.Limits) int64 { return l.ChunkBytes }, func(l *spec.Limits, n int64) { l.ChunkBytes = n }, 1},
}

// A wait is one time-out by its name in the language.
type wait struct {
	word, meaning string
	field         func(*spec.Timeouts) *time.Duration
}

var waits = []wait{
	{"resolve", "one look-up of a route", func(t *spec.Timeouts) *time.Duration { return &t.Resolve }},
	{"connect", "connecting", func(t *spec.Timeouts) *time.Duration { return &t.Connect }},
	{"greeting", "the greeting", func(t *spec.Timeouts) *time.Duration { return &t.Greeting }},
	{"ehlo", "the reply to EHLO or HELO", func(t *spec.Timeouts) *time.Duration { return &t.EHLO }},
	{"starttls", "the reply to STARTTLS, and then the handshake", func(t *spec.Timeouts) *time.Duration { return &t.STARTTLS }},
	{"auth", "the reply to each step of a login", func(t *spec.Timeouts) *time.Duration { return &t.AUTH }},
	{"mail", "the reply to MAIL", func(t *spec.Timeouts) *time.Duration { return &t.MAIL }},
	{"rcpt", "the reply to RCPT", func(t *spec.Timeouts) *time.Duration { return &t.RCPT }},
	{"data", "the reply to DATA", func(t *spec.Timeouts) *time.Duration { return &t.DATA }},
	{"block", "sending one block of the body", func(t *spec.Timeouts) *time.Duration { return &t.Block }},
	{"dot", "the reply to the final dot; at least 10m", func(t *spec.Timeouts) *time.Duration { return &t.Dot }},
	{"quit", "the reply to QUIT", func(t *spec.Timeouts) *time.Duration { return &t.QUIT }},
}

// oneIf returns text as the only line, or none.
func oneIf(differs bool, text string) []string {
	if !differs {
		return nil
	}
	return []string{text}
}

// relaySection reads the policy. After every line the whole of it must still
// make sense, so that the error stands at the line that breaks it.
func (p *parser) relaySection(_ string, first int, data string) {
	var words []string
	for _, s := range settings() {
		words = append(words, s.word)
	}
	seen := make(map[string]bool)
	p.each(first, data, func(l *line) {
		l.space()
		at := l.pos
		word := l.choose("setting", words)
		for _, s := range settings() {
			if s.word == word {
				s.read(l, &p.s.Policy)
			}
		}
		key := settingKey(l.text)
		if seen[key] {
			l.fail(at, "", "%q is set twice", key)
		}
		seen[key] = true
		if l.err == nil {
			if err := p.s.Policy.Validate(); err != nil {
				l.fail(at, "", "%v", err)
			}
		}
	})
}

// settingKey is what a line of the relay section sets: "timeout dot" is not
// "timeout mail", but a line with any other word sets one thing only.
func settingKey(text string) string {
	f := strings.Fields(text)
	switch {
	case len(f) > 1 && (f[0] == "limit" || f[0] == "timeout" || f[0] == "backoff"):
		return f[0] + " " + f[1]
	case len(f) > 1 && (f[0] == "route" || f[0] == "sender_route" || f[0] == "login" || f[0] == "schedule_at"):
		return f[0] + " for " + strings.ToLower(f[1])
	case f[0] == "source" && slices.Contains(f, "for"):
		return f[0] + " for " + strings.ToLower(f[len(f)-1])
	case len(f) > 2 && (f[0] == "in_doubt" || f[0] == "tls" || f[0] == "chunking"):
		return f[0] + " for " + strings.ToLower(f[2])
	}
	return f[0]
}

func readInDoubt(l *line, p *spec.Policy) {
	word := l.choose("policy", []string{"report", "hold", "retry"})
	if l.err != nil {
		return
	}
	policy, err := spec.ParseInDoubtPolicy(word)
	if err != nil {
		l.fail(l.pos, "", "%v", err)
	}
	if l.done() {
		p.InDoubt = policy
		return
	}
	domain := strings.ToLower(l.host("the domain"))
	if p.InDoubtAt == nil {
		p.InDoubtAt = make(map[string]spec.InDoubtPolicy)
	}
	p.InDoubtAt[domain] = policy
}

func showInDoubt(p, d spec.Policy) []string {
	out := oneIf(p.InDoubt != d.InDoubt, p.InDoubt.String())
	for _, domain := range slices.Sorted(maps.Keys(p.InDoubtAt)) {
		out = append(out, p.InDoubtAt[domain].String()+" "+domain)
	}
	return out
}

func readTLS(l *line, p *spec.Policy) {
	var words []string
	for _, level := range spec.TLSLevels() {
		words = append(words, level.String())
	}
	level, err := spec.ParseTLSLevel(l.choose("TLS level", words))
	if l.err != nil || err != nil {
		return // there are no other words
	}
	if l.done() {
		p.TLS = level
		return
	}
	at := strings.ToLower(l.host("the domain or host"))
	if p.TLSAt == nil {
		p.TLSAt = make(map[string]spec.TLSLevel)
	}
	p.TLSAt[at] = level
}

func showTLS(p, d spec.Policy) []string {
	out := oneIf(p.TLS != d.TLS, p.TLS.String())
	for _, at := range slices.Sorted(maps.Keys(p.TLSAt)) {
		out = append(out, p.TLSAt[at].String()+" "+at)
	}
	return out
}

func readLimit(l *line, p *spec.Policy) {
	var words []string
	for _, b := range bounds {
		words = append(words, b.word)
	}
	word := l.choose("limit", words)
	for _, b := range bounds {
		if b.word != word {
			continue
		}
		if n := l.number("the limit", b.least); l.err == nil {
			b.set(&p.Limits, n)
		}
	}
}

func showLimits(p, d spec.Policy) []string {
	var out []string
	for _, b := range bounds {
		if n := b.get(p.Limits); n != b.get(d.Limits) {
			out = append(out, fmt.Sprintf("%s %d", b.word, n))
		}
	}
	return out
}

func readTimeout(l *line, p *spec.Policy) {
	var words []string
	for _, w := range waits {
		words = append(words, w.word)
	}
	word := l.choose("stage", words)
	d := l.duration("the time-out", 1)
	for _, w := range waits {
		if w.word == word && l.err == nil {
			*w.field(&p.Timeouts) = d
		}
	}
}

func showTimeouts(p, d spec.Policy) []string {
	var out []string
	for _, w := range waits {
		if t := *w.field(&p.Timeouts); t != *w.field(&d.Timeouts) {
			out = append(out, w.word+" "+formatDuration(t))
		}
	}
	return out
}
