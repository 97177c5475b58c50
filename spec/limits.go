package spec

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultLimits returns limits that suit one machine with an ordinary uplink.
func DefaultLimits() Limits {
	return Limits{
		Deliveries:               500,
		DeliveriesPerDestination: 20,
		FirstPerDestination:      5,
		DeadAfter:                3,
		ReportsPerHour:           200,
		RecipientsPerTransaction: 100,
		RecipientsPerMessage:     1000,
		MessageBytes:             50 << 20,
		WindowGroups:             10_000,
		NextHops:                 20,
		ReplyBytes:               64 << 10,
		ChunkBytes:               1 << 20,
	}
}

// First is how many deliveries a destination gets at once at first.
func (l Limits) First() int { return min(l.FirstPerDestination, l.DeliveriesPerDestination) }

// Pace is the least time between the beginnings of two deliveries to one
// destination; 0 is none.
func (l Limits) Pace() time.Duration {
	if l.PerMinute <= 0 {
		return 0
	}
	return time.Minute / time.Duration(l.PerMinute)
}

// Validate returns an error when a limit is not positive, or so small that
// lawful mail could not pass.
func (l Limits) Validate() error {
	for _, x := range [...]struct {
		name  string
		value int64
		least int64
	}{
		{"deliveries", int64(l.Deliveries), 1},
		{"deliveries per destination", int64(l.DeliveriesPerDestination), 1},
		{"first deliveries per destination", int64(l.FirstPerDestination), 1},
		{"attempts until a destination is dead", int64(l.DeadAfter), 0},
		{"deliveries per minute", int64(l.PerMinute), 0},
		{"reports per hour", int64(l.ReportsPerHour), 0},
		{"recipients per transaction", int64(l.RecipientsPerTransaction), 1},
		// RFC 5321 section 4.5.3.1.8: a server must take 100 recipients.
		{"recipients per message", int64(l.RecipientsPerMessage), 100},
		// RFC 5321 section 4.5.3.1.7: a server must take 64 KiB of content.
		{"message bytes", l.MessageBytes, 64 << 10},
		{"window groups", int64(l.WindowGroups), 1},
		{"next hops", int64(l.NextHops), 1},
		// RFC 5321 section 4.5.3.1.5: one reply line may have 512 octets.
		{"reply bytes", int64(l.ReplyBytes), 512},
		{"chunk bytes", l.ChunkBytes, 1},
	} {
		if x.value < x.least {
			return fmt.Errorf("limit on %s: %d is less than %d", x.name, x.value, x.least)
		}
	}
	return nil
}

// DefaultTimeouts returns the least times of RFC 5321 section 4.5.3.2, and
// half a minute where it names none.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Resolve:  30 * time.Second,
		Connect:  30 * time.Second,
		Greeting: 5 * time.Minute,  // RFC 5321 section 4.5.3.2.1
		EHLO:     5 * time.Minute,  // as for any command: section 4.5.3.2
		STARTTLS: 5 * time.Minute,  // RFC 3207 names none
		AUTH:     5 * time.Minute,  // RFC 4954 names none
		MAIL:     5 * time.Minute,  // section 4.5.3.2.2
		RCPT:     5 * time.Minute,  // section 4.5.3.2.3
		DATA:     2 * time.Minute,  // section 4.5.3.2.4
		Block:    3 * time.Minute,  // section 4.5.3.2.5
		Dot:      10 * time.Minute, // section 4.5.3.2.6
		QUIT:     30 * time.Second,
	}
}

// LeastDot is the least time to wait for the reply to the final dot (RFC 5321
// section 4.5.3.2.6). A shorter wait is refused: a server that took the
// message but was given up on is how mail is delivered twice (RFC 1047).
const LeastDot = 10 * time.Minute

// Validate returns an error when a time-out is not positive, or when the one
// for the final dot is less than LeastDot. Other values below those of RFC
// 5321 only cost retries, and are the operator's business.
func (t Timeouts) Validate() error {
	for _, x := range [...]struct {
		name  string
		value time.Duration
	}{
		{"resolve", t.Resolve}, {"connect", t.Connect}, {"greeting", t.Greeting}, {"ehlo", t.EHLO}, {"starttls", t.STARTTLS}, {"auth", t.AUTH}, {"mail", t.MAIL},
		{"rcpt", t.RCPT}, {"data", t.DATA}, {"block", t.Block}, {"dot", t.Dot}, {"quit", t.QUIT},
	} {
		if x.value <= 0 {
			return fmt.Errorf("time-out for %s: %v is not positive", x.name, x.value)
		}
	}
	if t.Dot < LeastDot {
		return fmt.Errorf("time-out for dot: %v is less than the %v of RFC 5321 section 4.5.3.2.6", t.Dot, LeastDot)
	}
	return nil
}

// nameTrouble says why name is no domain name as RFC 5321 section 4.1.2 has it,
// or nothing. The underscore is not in it, but in names that exist.
func nameTrouble(name string) string {
	if name == "" {
		return "it is empty"
	}
	if len(name) > 253 {
		return "it is longer than 253 octets"
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		switch {
		case label == "" || len(label) > 63:
			return "a part of it is empty or longer than 63 octets"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "a part of it has a hyphen at its end"
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return fmt.Sprintf("%q is not in any name", rune(c))
			}
		}
	}
	return ""
}

// literal reports whether name is an address literal, and whether it is written
// as it is sent: an IPv6 address has a tag (RFC 5321 section 4.1.3), which a
// configuration need not give. A zone is for this machine alone (RFC 4007
// section 11.2), and may hold anything.
func literal(name string) (ok, sendable bool) {
	inner, opened := strings.CutPrefix(name, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, tagged := strings.CutPrefix(strings.ToLower(inner), "ipv6:")
	ip, err := netip.ParseAddr(address)
	ok = opened && closed && err == nil && ip.Zone() == "" && (ip.Is6() || !tagged)
	return ok, ok && tagged == ip.Is6()
}

// hostTrouble says why an entry is no host with or without a port, or nothing.
func hostTrouble(entry string) string {
	if _, err := netip.ParseAddr(entry); err == nil && !strings.Contains(entry, ":") {
		return ""
	}
	if ok, _ := literal(entry); ok {
		return ""
	}
	host, port := entry, ""
	if colon := strings.LastIndexByte(entry, ':'); colon >= 0 {
		host, port = entry[:colon], entry[colon+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "the port is not a number from 1 to 65535"
		}
	}
	if ok, _ := literal(host); ok {
		return ""
	}
	return nameTrouble(host)
}

// choiceTrouble returns an error when a choice is none of the names, or is made
// for a destination or a host under a name by which it is never looked up.
func choiceTrouble[C fmt.Stringer](what string, valid func(C) bool, global C, at map[string]C) error {
	if !valid(global) {
		return fmt.Errorf("%s: there is no %v", what, global)
	}
	for _, key := range slices.Sorted(maps.Keys(at)) {
		if err := keyTrouble(what, key); err != nil {
			return err
		}
		if !valid(at[key]) {
			return fmt.Errorf("%s at %.100q: there is no %v", what, key, at[key])
		}
	}
	return nil
}

// keyTrouble returns an error when something is said of a destination or a host
// under a name by which it is never looked up.
func keyTrouble(what, key string) error {
	switch want := hostName(key); want {
	case "":
		return fmt.Errorf("%s at %.100q: it is no name of a destination or a host", what, key)
	case key:
		return nil
	default:
		return fmt.Errorf("%s at %.100q: it would never be found; write %.100q", what, key, want)
	}
}

// Validate returns the first error of the names, choices, schedule, limits,
// time-outs and reuse.
func (p Policy) Validate() error {
	if why := nameTrouble(p.Hostname); why != "" {
		if _, ok := literal(p.Hostname); !ok {
			return fmt.Errorf("hostname %.100q: %s; write a domain name, or an address literal: [192.0.2.1] or [IPv6:2001:db8::1]", p.Hostname, why)
		}
	}
	if err := p.validateWay(); err != nil {
		return err
	}
	if err := p.validateLogins(); err != nil {
		return err
	}
	if err := choiceTrouble("in_doubt policy", func(q InDoubtPolicy) bool { return int(q) < len(doubtNames) }, p.InDoubt, p.InDoubtAt); err != nil {
		return err
	}
	if err := choiceTrouble("TLS level", func(l TLSLevel) bool { return int(l) < len(tlsNames) }, p.TLS, p.TLSAt); err != nil {
		return err
	}
	if err := p.validateSchedules(); err != nil {
		return err
	}
	if err := p.PostmasterTrouble(); err != nil {
		return fmt.Errorf("postmaster %w", err)
	}
	if err := p.Limits.Validate(); err != nil {
		return err
	}
	if err := p.Reuse.Validate(); err != nil {
		return err
	}
	return p.Timeouts.Validate()
}
