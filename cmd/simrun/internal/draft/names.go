package draft

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/postonce/postonce/scenarios"
)

// Names gives everybody another name: the same one each time, of those set aside
// for documentation (RFC 2606, RFC 5737, RFC 3849). The zero Names knows nobody.
type Names struct {
	recipients, senders, domains, hosts, addresses map[string]string
}

var (
	people   = [...]string{"bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim"}
	senders  = [...]string{"alice", "anna", "arthur", "amy"}
	domains  = [...]string{"example.net", "example.com"}
	elsewho  = "somebody@example.com"
	elsehost = "host.example"
)

// named returns what key is called in all, and calls it by next when it is new.
func named(all *map[string]string, key string, next func(n int) string) string {
	if *all == nil {
		*all = map[string]string{}
	}
	key = strings.ToLower(key)
	if (*all)[key] == "" {
		(*all)[key] = next(len(*all))
	}
	return (*all)[key]
}

// Recipient names a recipient, at a domain that has another name, too.
func (n *Names) Recipient(address string) string {
	_, domain, _ := cutAddress(address)
	at := n.Domain(domain)
	return named(&n.recipients, address, func(i int) string {
		if i < len(people) {
			return people[i] + "@" + at
		}
		return fmt.Sprintf("user%d@%s", i-len(people)+1, at)
	})
}

// Sender names a sender, who lives where reports arrive; the null sender stays.
func (n *Names) Sender(address string) string {
	if address == "" {
		return ""
	}
	return named(&n.senders, address, func(i int) string {
		if i < len(senders) {
			return senders[i] + "@" + scenarios.MailboxDomain
		}
		return fmt.Sprintf("sender%d@%s", i-len(senders)+1, scenarios.MailboxDomain)
	})
}

// Domain names a recipient's domain.
func (n *Names) Domain(domain string) string {
	return named(&n.domains, domain, func(i int) string {
		if i < len(domains) {
			return domains[i]
		}
		return fmt.Sprintf("d%d.example", i+1)
	})
}

// Host names a server, after the first domain.
func (n *Names) Host(host string) string {
	return named(&n.hosts, host, func(i int) string { return fmt.Sprintf("mx%d.%s", i+1, domains[0]) })
}

// address names an IP address that somebody speaks of.
func (n *Names) address(a netip.Addr) string {
	return named(&n.addresses, a.String(), func(i int) string {
		if a.Is4() {
			return fmt.Sprintf("203.0.113.%d", i%250+1)
		}
		return fmt.Sprintf("2001:db8::%x", i+1)
	})
}

// cutAddress splits an address at its last @.
func cutAddress(address string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return address, "", false
	}
	return address[:i], address[i+1:], true
}

var (
	mailbox  = regexp.MustCompile(`[^\s<>()"',;:@|]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*`)
	ipv4     = regexp.MustCompile(`\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b`)
	ipv6     = regexp.MustCompile(`\b[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{0,4}){2,7}\b`)
	hostname = regexp.MustCompile(`\b[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}\b`)
)

// Text gives everybody in a text his other name: addresses, hosts and domains that
// nobody has met, too, and the bare local parts of those who were.
func (n *Names) Text(text string) string {
	text = mailbox.ReplaceAllStringFunc(text, func(m string) string {
		key := strings.ToLower(m)
		for _, known := range []map[string]string{n.recipients, n.senders} {
			if known[key] != "" {
				return known[key]
			}
		}
		return elsewho
	})
	swap := func(s string) string {
		if a, err := netip.ParseAddr(s); err == nil {
			return n.address(a)
		}
		return s
	}
	text = ipv4.ReplaceAllStringFunc(text, swap)
	text = ipv6.ReplaceAllStringFunc(text, swap)
	text = hostname.ReplaceAllStringFunc(text, func(m string) string {
		key := strings.ToLower(m)
		switch {
		case n.hosts[key] != "":
			return n.hosts[key]
		case n.domains[key] != "":
			return n.domains[key]
		case n.ours(key):
			return m
		}
		return elsehost
	})
	for _, known := range []map[string]string{n.recipients, n.senders} {
		for _, real := range slices.Sorted(maps.Keys(known)) {
			text = bare(text, real, known[real])
		}
	}
	return text
}

// ours reports whether a name is one that was given here.
func (n *Names) ours(host string) bool {
	for _, known := range []map[string]string{n.hosts, n.domains} {
		for _, other := range known { // any order
			if other == host {
				return true
			}
		}
	}
	return host == scenarios.MailboxDomain || strings.HasSuffix(host, ".example") || host == "example.com" || host == "example.net"
}

// bare replaces the local part of an address where it stands as a word. One of
// less than four letters may be any word.
func bare(text, real, other string) string {
	local, _, _ := cutAddress(real)
	if len(local) < 4 {
		return text
	}
	word, err := regexp.Compile(`(?i)\b` + regexp.QuoteMeta(local) + `\b`)
	if err != nil {
		return text
	}
	with, _, _ := cutAddress(other)
	return word.ReplaceAllLiteralString(text, with)
}
