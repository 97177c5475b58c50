// Package resolve asks the DNS where mail goes: MX records and addresses. It
// speaks DNS messages through an exchanger and believes little: an answer must
// belong to the question, to the name asked for, or to the end of a short
// chain of aliases that leads from it. Whatever else comes is DNSTrouble, which
// is retried; only a clear answer fails mail.
package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

const (
	// maxAliases bounds a chain of CNAMEs. RFC 1034 section 3.6.2 wants
	// chains followed and loops signalled as an error, and sets no length.
	maxAliases = 8
	// maxRecords caps the records taken from one answer.
	maxRecords = 200
)

// A Client asks for MX and address records. It keeps nothing but what is in
// its cache, and may be used by many goroutines at once.
type Client struct {
	// Exchange is seam.Host.Exchange. The ID of a query is its to choose.
	Exchange func(context.Context, *dns.Msg) (*dns.Msg, error)
	// Cache remembers answers; without one every question is asked.
	Cache *Cache
	// PreferIPv6 has lists of addresses begin with IPv6 instead of IPv4.
	PreferIPv6 bool
	// Timeout limits each query; 0 leaves that to the context.
	Timeout time.Duration
}

// MX returns the MX records of domain, an absolute name without or with its
// trailing dot, possibly with non-ASCII labels (RFC 5890 U-labels).
func (c *Client) MX(ctx context.Context, domain string) route.Answer {
	records, alias, problem := c.lookup(ctx, domain, dns.TypeMX)
	if problem != nil {
		return route.Answer{Event: problem.Event, Text: problem.Text}
	}
	answer := route.Answer{Alias: alias, MX: make([]route.MX, 0, len(records))}
	for _, rr := range records {
		if mx, ok := rr.(*dns.MX); ok {
			answer.MX = append(answer.MX, route.MX{Host: mx.Mx, Preference: mx.Preference})
		}
	}
	// Of a huge answer the least preferred go.
	slices.SortStableFunc(answer.MX, func(a, b route.MX) int { return int(a.Preference) - int(b.Preference) })
	answer.MX = answer.MX[:min(len(answer.MX), maxRecords)]
	return answer
}

// Addresses returns the addresses of host, or why there are none; never both,
// and never neither; and the name that they belong to, when host is an alias. One address family is enough: trouble with the other is
// passed over.
//
// The families alternate, each in the order answered: so a limit on addresses
// tried cuts off neither (RFC 8305 section 4). IPv4 comes first unless IPv6 is
// preferred: a machine without a way to IPv6 addresses, which is common among
// mail relays, loses no time first.
func (c *Client) Addresses(ctx context.Context, host string) (addrs []netip.Addr, alias string, problem *route.Problem) {
	return c.AddressesBut(ctx, host, func(netip.Addr) bool { return false })
}

// AddressesBut is Addresses as if those that unfit reports were not in the DNS.
func (c *Client) AddressesBut(ctx context.Context, host string, unfit func(netip.Addr) bool) (addrs []netip.Addr, alias string, problem *route.Problem) {
	four, alias4, problem4 := c.family(ctx, host, dns.TypeA, unfit)
	if problem4 != nil && (problem4.Event == spec.NoDomain || ctx.Err() != nil) {
		// A name that does not exist has no records of any type (RFC 8020).
		return nil, "", problem4
	}
	six, alias6, problem6 := c.family(ctx, host, dns.TypeAAAA, unfit)
	first, second := four, six
	if c.PreferIPv6 {
		first, second = six, four
	}
	if all := alternate(first, second); len(all) > 0 {
		return all, cmp.Or(alias4, alias6), nil
	}
	for _, event := range []spec.Event{spec.DNSTrouble, spec.NoDomain} {
		for _, problem := range []*route.Problem{problem4, problem6} {
			if problem != nil && problem.Event == event {
				return nil, "", problem
			}
		}
	}
	return nil, "", &route.Problem{Event: spec.NoAddress, Text: fmt.Sprintf("%s has no usable address", shown(host))}
}

// family returns the usable addresses of one record type. With a nil problem
// there can still be none.
func (c *Client) family(ctx context.Context, host string, qtype uint16, unfit func(netip.Addr) bool) (
	addrs []netip.Addr, alias string, problem *route.Problem) {
	records, alias, problem := c.lookup(ctx, host, qtype)
	if problem != nil {
		return nil, "", problem
	}
	for _, rr := range records {
		var raw []byte
		switch rr := rr.(type) {
		case *dns.A:
			raw = rr.A
		case *dns.AAAA:
			raw = rr.AAAA
		}
		addr, ok := netip.AddrFromSlice(raw)
		addr = addr.Unmap()
		if ok && routable(addr) && !unfit(addr) && !slices.Contains(addrs, addr) && len(addrs) < maxRecords {
			addrs = append(addrs, addr)
		}
	}
	return addrs, alias, nil
}

// routable reports whether addr can be one server's. Private and loopback
// addresses can: they are how closed networks are built.
func routable(addr netip.Addr) bool {
	return !addr.IsUnspecified() && !addr.IsMulticast() && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// alternate merges two lists, taking from each in turn.
func alternate(a, b []netip.Addr) []netip.Addr {
	all := make([]netip.Addr, 0, len(a)+len(b))
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			all = append(all, a[i])
		}
		if i < len(b) && !slices.Contains(a, b[i]) {
			all = append(all, b[i])
		}
	}
	return all
}

// errNoName is why a name is not asked for at all.
var errNoName = errors.New("not a domain name")

// absolute returns name as the DNS is asked for it: ASCII, with the final dot.
func absolute(name string) (string, error) {
	if strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", errors.New("not a valid internationalised domain name")
		}
		name = ascii
	}
	name = strings.TrimSuffix(name, ".")
	// The backslash is the escape of presentation form, and the others would
	// not come back as they went. An address literal is not for the DNS.
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`\"();@$[]`, r) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return "", errNoName
	}
	fqdn := dns.Fqdn(strings.ToLower(name))
	if _, ok := dns.IsDomainName(fqdn); !ok || len(fqdn) > 254 || strings.Contains(fqdn, "..") || fqdn[0] == '.' {
		return "", errNoName
	}
	return fqdn, nil
}

// shown is a name or a reason as it stands in texts: on one line and of
// bounded length, whatever a client wrote behind the "@".
func shown(text string) string {
	quoted := strconv.QuoteToASCII(strings.TrimSuffix(text, "."))
	return strings.ReplaceAll(fmt.Sprintf("%.253s", quoted[1:len(quoted)-1]), `\"`, `"`)
}
