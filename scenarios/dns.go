package scenarios

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// recordTypes are the types of records.
var recordTypes = []term{
	{"MX", "NAME MX PREFERENCE HOST; a null MX (RFC 7505) is written 0 ."},
	{"A", "NAME A ADDRESS"},
	{"AAAA", "NAME AAAA ADDRESS"},
	{"CNAME", "NAME CNAME NAME"},
	{"TXT", `NAME TXT "text"`},
	{"TLSA", "NAME TLSA USAGE SELECTOR MATCHING HEX|CERTIFICATE; NAME is _25._tcp.HOST, and CERTIFICATE, such as trusted, one that a server of that name shows"},
	{signed, "NAME SIGNED: no record; answers about NAME and all below it are secure (DNSSEC)"},
}

// anyType in a fault stands for all types.
const anyType = "ANY"

// faults are the answers that go wrong.
var faults = []term{
	{"NXDOMAIN", "the name does not exist"},
	{"NODATA", "the name has no record of this type"},
	{"SERVFAIL", "the server cannot say"},
	{"REFUSED", "the server will not say"},
	{"TIMEOUT", "no answer comes"},
	{"TRUNCATED", "the answer does not fit and must be asked for again over TCP"},
}

// faultClauses limit a fault.
var faultClauses = []term{
	{"first", "first N: only the first N queries"},
	{"after", "after TIME: only from then on, since the start"},
	{"until", "until TIME: only up to then, since the start"},
	{"ttl", "ttl TIME: how long NXDOMAIN or NODATA may be remembered, 5m unless said; a record takes it too"},
}

// dnsSection reads the records and faults.
func (p *parser) dnsSection(_ string, first int, data string) {
	p.each(first, data, func(l *line) {
		r := Record{Line: l.row, Name: l.absolute("the name")}
		l.space()
		at := l.pos
		r.Type = l.choose("record type", append(wordsOf(recordTypes), anyType))
		if w := l.peek(); isFault(w) {
			l.fault(&r)
		} else if n := nearest(w, wordsOf(faults)); n != "" && strings.ToUpper(w) == w && strings.Trim(w, upperCase) == "" {
			l.fail(l.pos, hint(w, []string{n}), "unknown fault %q", w)
		} else if r.Type == anyType {
			l.fail(at, hint(w, wordsOf(faults)), "%s is only for a fault, and %q is none", anyType, w)
		} else {
			l.value(&r)
			if r.Type != signed && l.comma() {
				l.space()
				l.expect("ttl")
				r.TTL = l.ttl()
			}
		}
		if l.err == nil {
			p.s.DNS = append(p.s.DNS, r)
		}
	})
}

const upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isFault reports whether w is one of faults.
func isFault(w string) bool {
	for _, f := range faults {
		if f.word == w {
			return true
		}
	}
	return false
}

// absolute takes a domain name with its final dot: in a zone file a name
// without one is relative, and relative names are how zones go wrong.
func (l *line) absolute(what string) string {
	l.space()
	at := l.pos
	w := l.word(what)
	if l.err != nil {
		return ""
	}
	if !strings.HasSuffix(w, ".") {
		l.fail(at, fmt.Sprintf("write %q", w+"."), "the name %q does not end with a dot", w)
	} else if w != "." && !validHost(strings.TrimSuffix(w, ".")) {
		l.fail(at, "a name is written example.net.", "%q is not a domain name", w)
	}
	return w
}

// value takes what a record of r's type holds.
func (l *line) value(r *Record) {
	switch r.Type {
	case "MX":
		l.space()
		at := l.pos
		n := l.number("a preference", 0)
		if n > 0xffff {
			l.fail(at, "", "a preference is at most 65535")
		}
		r.Preference = uint16(n)
		r.Value = l.absolute("the host")
		if r.Value == "." && r.Preference != 0 {
			l.fail(at, "write MX 0 .", "a null MX has preference 0 (RFC 7505 section 3)")
		}
	case "A", "AAAA":
		r.Value = l.address(r.Type)
	case "CNAME":
		r.Value = l.absolute("the name")
	case "TXT":
		r.Value = l.quoted("the text")
	case "TLSA":
		l.tlsa(r)
	}
}

// address takes an IP address of the family that typ is for.
func (l *line) address(typ string) string {
	l.space()
	at := l.pos
	w := l.word("an address")
	if l.err != nil {
		return ""
	}
	a, err := netip.ParseAddr(w)
	if err != nil || a.Zone() != "" || a.Is4() != (typ == "A") {
		l.fail(at, "A takes 192.0.2.1, AAAA takes 2001:db8::1", "%q is not an address for %s", w, typ)
	}
	return w
}

// fault takes a fault and what limits it.
func (l *line) fault(r *Record) {
	r.Fault = l.choose("fault", wordsOf(faults))
	for l.comma() {
		l.space()
		at := l.pos
		switch l.choose("clause", wordsOf(faultClauses)) {
		case "first":
			r.First = int(l.number("the number of queries", 1))
		case "after":
			r.From = l.duration("the time", 1)
		case "until":
			r.Until = l.duration("the time", 1)
		case "ttl":
			if r.Fault != "NXDOMAIN" && r.Fault != "NODATA" {
				l.fail(at, "", "%s is not remembered", r.Fault)
			}
			r.TTL = l.ttl()
		}
		if r.Until > 0 && r.Until <= r.From {
			l.fail(at, "", "the fault ends before it begins")
		}
	}
}

// ttl takes how long an answer may be remembered.
func (l *line) ttl() time.Duration {
	l.space()
	at := l.pos
	d := l.duration("a TTL", 0)
	if d%time.Second != 0 || d/time.Second > math.MaxInt32 {
		l.fail(at, "", "a TTL is whole seconds, and less than 69 years")
	}
	switch d {
	case 0:
		return NoTTL
	case DefaultTTL:
		return 0
	}
	return d
}

// ttlText is the inverse.
func ttlText(d time.Duration) string {
	switch d {
	case 0:
		return ""
	case NoTTL:
		return ", ttl 0s"
	}
	return ", ttl " + formatDuration(d)
}

// recordText writes what follows the name and the type.
func recordText(r Record) string {
	if r.Fault != "" {
		out := r.Fault
		if r.First > 0 {
			out += fmt.Sprintf(", first %d", r.First)
		}
		return out + clause("after", r.From) + clause("until", r.Until) + ttlText(r.TTL)
	}
	text := r.Value
	switch r.Type {
	case "MX":
		text = fmt.Sprintf("%d %s", r.Preference, r.Value)
	case "TXT":
		text = strconv.Quote(r.Value)
	}
	return text + ttlText(r.TTL)
}

// clause writes ", word d", or nothing when there is no d.
func clause(word string, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return ", " + word + " " + formatDuration(d)
}
