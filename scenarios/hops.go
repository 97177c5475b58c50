package scenarios

import (
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// port takes a port number.
func (l *line) port() uint16 {
	l.space()
	at := l.pos
	n := l.number("a port", 1)
	if n > math.MaxUint16 {
		l.fail(at, "", "%d is not a port", n)
	}
	return uint16(n)
}

// hops takes a list of hosts, each with or without a port.
func (l *line) hops() []string {
	var all []string
	for first := true; first || l.comma(); first = false {
		l.space()
		at := l.pos
		w := l.word("a host")
		if l.err == nil && !validHop(w) {
			l.fail(at, "a relay is written smart.example.net, smart.example.net:587 or [192.0.2.1]:587", "%q is not a host with an optional port", w)
		}
		for _, before := range all {
			if strings.EqualFold(before, w) {
				l.fail(at, "a host that is tried twice is tried too often", "%s stands here twice", w)
			}
		}
		all = append(all, w)
	}
	return all
}

// validHop reports whether w is a host name, or an address in brackets, with
// an optional port.
func validHop(w string) bool {
	host, port, found := w, "", false
	if at := strings.LastIndexByte(w, ':'); at > strings.LastIndexByte(w, ']') {
		host, port, found = w[:at], w[at+1:], true
	}
	if found {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Zone() == "" && strings.HasSuffix(host, "]")
	}
	return validHost(host)
}

// readRoute reads the route of a domain, or of all below it.
func readRoute(l *line, p *spec.Policy) {
	l.space()
	at := l.pos
	name := strings.ToLower(l.word("the domain"))
	if l.err == nil && !validHost(strings.TrimPrefix(name, ".")) {
		l.fail(at, "write example.net, or .example.net for all domains below it", "%q is not a domain", name)
	}
	if p.Routes == nil {
		p.Routes = make(map[string][]string)
	}
	p.Routes[name] = l.hops()
}

func showRoutes(p, _ spec.Policy) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.Routes)) {
		out = append(out, name+" "+strings.Join(p.Routes[name], ", "))
	}
	return out
}

// readSenderRoute reads the route of a sender. What is wrong with its name, the
// policy says.
func readSenderRoute(l *line, p *spec.Policy) {
	name := l.word("the sender")
	at := strings.LastIndexByte(name, '@')
	if p.SenderRoutes == nil {
		p.SenderRoutes = make(map[string][]string)
	}
	p.SenderRoutes[name[:at+1]+strings.ToLower(name[at+1:])] = l.hops()
}

func showSenderRoutes(p, _ spec.Policy) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.SenderRoutes)) {
		out = append(out, name+" "+strings.Join(p.SenderRoutes[name], ", "))
	}
	return out
}

// owns takes a list of names and addresses.
func (l *line) owns() []string {
	var all []string
	for first := true; first || l.comma(); first = false {
		l.space()
		at := l.pos
		w := l.word("a name or an address")
		if _, err := netip.ParseAddr(w); l.err == nil && err != nil && !validHost(w) {
			l.fail(at, "", "%q is neither a host name nor an address", w)
		}
		all = append(all, w)
	}
	return all
}

// percent takes a share such as 10%.
func (l *line) percent(what string) int {
	l.space()
	at := l.pos
	w := l.word(what)
	number, found := strings.CutSuffix(w, "%")
	n, err := strconv.ParseInt(number, 10, 32)
	if l.err == nil && (!found || err != nil || n < 0) {
		l.fail(at, "a share is written 10%", "%q is not a share", w)
	}
	return int(n)
}

// ratio takes two numbers with a slash between them, such as 3/2.
func (l *line) ratio() (numerator, denominator int64) {
	l.space()
	at := l.pos
	w := l.word("the factor")
	above, below, found := strings.Cut(w, "/")
	n, err1 := strconv.ParseInt(above, 10, 32)
	d, err2 := strconv.ParseInt(below, 10, 32)
	if l.err == nil && (!found || err1 != nil || err2 != nil || n < 1 || d < 1) {
		l.fail(at, "a factor is written 2/1 or 3/2", "%q is not a factor", w)
	}
	return n, d
}
