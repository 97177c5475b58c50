package route

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// How much Why lists of hosts, and of what was left out.
const (
	mostShown = 10
	mostLeft  = 5
)

// Why says in a line where the hosts come from that Hosts returned for the same
// arguments: the operator, the DNS, or the address itself; and which records
// were left out, and why.
func Why(p spec.Policy, dest string, answer Answer, hosts []Host) string {
	dest = canonical(dest)
	n := slices.IndexFunc(hosts, func(h Host) bool { return h.Preference >= fallbackPreference })
	if n < 0 {
		n = len(hosts)
	}
	own, fallback := hosts[:n], hosts[n:]
	var text string
	what, given := p.Given(dest)
	switch {
	case len(given) > 0:
		text = what + ": " + show(p, own, false)
	case strings.HasPrefix(dest, "["):
		text = "an address literal: " + show(p, own, false)
	case len(answer.MX) == 0:
		text = fmt.Sprintf("%s has no MX record, so it is its own mail host (RFC 5321 section 5.1)", dest)
	default:
		text = show(p, own, true)
		if answer.Alias != "" {
			text = fmt.Sprintf("%s is an alias of %s: %s", dest, answer.Alias, text)
		}
		text += leftOut(p, answer.MX, own)
	}
	if len(fallback) > 0 {
		text += "; fallback: " + show(p, fallback, false)
	}
	return text
}

// show lists hosts, as MX records or not, with the port where it is not that
// of all.
func show(p spec.Policy, hosts []Host, mx bool) string {
	var list []string
	for i, h := range hosts {
		if i == mostShown {
			list = append(list, fmt.Sprintf("and %d more", len(hosts)-i))
			break
		}
		text := h.Name
		if h.Port != cmp.Or(p.Port, defaultPort) {
			text = fmt.Sprintf("%s:%d", h.Name, h.Port)
		}
		if mx {
			text = fmt.Sprintf("MX %d %s", h.Preference, text)
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// printable is the name of an MX host on one line, whatever it holds.
func printable(host string) string {
	quoted := strconv.QuoteToASCII(cmp.Or(canonical(host), "."))
	return quoted[1 : len(quoted)-1]
}

// leftOut says which MX records are not among hosts, and why.
func leftOut(p spec.Policy, records []MX, hosts []Host) string {
	records = slices.SortedFunc(slices.Values(records), func(a, b MX) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(canonical(a.Host), canonical(b.Host)))
	})
	var left []string
	for _, r := range records {
		name := canonical(r.Host)
		if slices.ContainsFunc(hosts, func(h Host) bool { return h.Name == name }) {
			continue
		}
		why := notAHost(name)
		switch {
		case name == "":
			why = "means no host (RFC 7505 section 3)"
		case why != "":
		case p.OwnName(name):
			why = "is this relay itself"
		case len(hosts) >= MaxHosts:
			why = fmt.Sprintf("is beyond the first %d", MaxHosts)
		default:
			why = "is no better than this relay"
		}
		left = append(left, fmt.Sprintf("MX %d %.100s %s", r.Preference, printable(r.Host), why))
	}
	if len(left) == 0 {
		return ""
	}
	if n := len(left) - mostLeft; n > 0 {
		left = append(left[:mostLeft], fmt.Sprintf("and %d more", n))
	}
	return "; left out: " + strings.Join(left, ", ")
}
