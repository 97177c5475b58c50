package scenarios

import (
	"math"
	"strconv"
	"strings"
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
			l.fail(at, "a relay is written smart.example.net or smart.example.net:587", "%q is not a host with an optional port", w)
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

// validHop reports whether w is a host name with an optional port.
func validHop(w string) bool {
	host, port, found := strings.Cut(w, ":")
	if found {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return false
		}
	}
	return validHost(host)
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
