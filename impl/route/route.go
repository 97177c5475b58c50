package route

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// MaxHosts caps the hosts of one MX list. The best preferences are kept.
const MaxHosts = 100

// fallbackPreference puts fallback hosts behind every MX, whose preference has
// 16 bits.
const fallbackPreference = 1 << 16

// defaultPort is SMTP's (RFC 5321 section 4.5.4.2).
const defaultPort = 25

// An MX is one MX record: its exchange, in presentation form, and preference.
type MX struct {
	Host       string
	Preference uint16
}

// An Answer is what the DNS said about the MX records of a domain.
type Answer struct {
	// Event is 0 when there are MX records, and else NoDomain, DNSTrouble, or
	// NoAddress for a domain that exists and has no MX record.
	Event spec.Event
	// MX are the records, in any order.
	MX []MX
	// Alias is the name whose records they are, when the domain is an alias.
	Alias string
	// Text says more about the Event, such as "MX example.net: SERVFAIL".
	Text string
}

// A Host is one next hop.
type Host struct {
	// Name is lower-cased and has no trailing dot. That of an address literal
	// is the literal with its brackets.
	Name string
	Port uint16
	// Preference never falls along a list. Relays count from 0; fallback
	// hosts come after every preference an MX can have.
	Preference int
	// Addr is valid when Name is an address: nothing is to be resolved.
	Addr netip.Addr
}

// A Problem is why there is no next hop. Its Event is one of NoDomain,
// NoAddress, DNSTrouble, NullMX and Loop, all at spec.StageResolve.
type Problem struct {
	Event spec.Event
	Text  string
}

// Error returns the text for a person.
func (p *Problem) Error() string { return p.Text }

// Hosts returns the next hops for destination dest (Policy.Destination) in the
// order in which they are to be tried, or why there are none; never both, and
// never neither. Hosts of equal preference are shuffled with shuffle; a nil
// shuffle leaves them in order of name. The order of the records in answer
// has no influence.
//
// Where the operator gave hosts (Policy.Given) answer is not looked at. Fallback hosts end every list but
// that of a domain of which this relay is an MX itself, and
// are not reached through a Problem: what the DNS says for good must fail, and
// what it does not say now is asked again later.
func Hosts(p spec.Policy, dest string, answer Answer, shuffle *rand.Rand) ([]Host, *Problem) {
	port := p.Port
	if port == 0 {
		port = defaultPort
	}
	if what, given := p.Given(dest); len(given) > 0 {
		return withFallback(p, port, func() ([]Host, *Problem) { return configured(what, given, port) })
	}
	ours := func(mx MX) bool { return p.OwnName(canonical(mx.Host)) }
	if slices.ContainsFunc(answer.MX, ours) {
		// A backup host passes mail on to better ones (RFC 5321 section 5.1). A
		// fallback host would ask the DNS, and find this relay.
		return direct(p, dest, port, answer, shuffle)
	}
	return withFallback(p, port, func() ([]Host, *Problem) { return direct(p, dest, port, answer, shuffle) })
}

// direct routes without a relay.
func direct(p spec.Policy, dest string, port uint16, answer Answer, shuffle *rand.Rand) ([]Host, *Problem) {
	dest = canonical(dest)
	switch {
	case dest == "":
		return nil, &Problem{spec.NoDomain, "the address has no domain"}
	case dest[0] == '[':
		return literal(dest, port)
	}
	switch answer.Event {
	case 0:
		if len(answer.MX) == 0 {
			return implicit(p, dest, port)
		}
		return fromMX(p, dest, port, answer.MX, shuffle)
	case spec.NoAddress:
		return implicit(p, dest, port)
	}
	text := answer.Text
	if text == "" {
		text = fmt.Sprintf("MX %s: %v", dest, answer.Event)
	}
	return nil, &Problem{answer.Event, text}
}

// implicit is the MX of preference 0 that a domain without MX records has in
// itself (RFC 5321 section 5.1).
func implicit(p spec.Policy, dest string, port uint16) ([]Host, *Problem) {
	if p.OwnName(dest) {
		return nil, &Problem{spec.Loop, fmt.Sprintf("%s has no MX record and is this relay itself", dest)}
	}
	return []Host{{Name: dest, Port: port}}, nil
}

// fromMX orders, cuts and bounds an MX list that is not empty.
func fromMX(p spec.Policy, dest string, port uint16, records []MX, shuffle *rand.Rand) ([]Host, *Problem) {
	hosts, skipped := usable(records, port)
	if len(hosts) == 0 {
		if len(skipped) == 0 {
			return nil, &Problem{spec.NullMX, fmt.Sprintf("%s takes no mail: it has a null MX record (RFC 7505)", dest)}
		}
		// "If MX records are present, but none of them are usable, [...] this
		// situation MUST be reported as an error": no implicit MX here.
		return nil, &Problem{spec.NoAddress, fmt.Sprintf("%s has no usable MX record: %s", dest, strings.Join(skipped, ", "))}
	}
	slices.SortFunc(hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(a.Name, b.Name))
	})
	hosts = once(hosts)
	best := hosts[0].Preference
	hosts, self := cut(hosts, p)
	if len(hosts) == 0 {
		return nil, &Problem{spec.Loop, fmt.Sprintf("the best MX of %s is this relay itself: MX %d %s (RFC 5321 section 5.1)", dest, best, self)}
	}
	shuffleEquals(hosts, shuffle)
	return hosts[:min(len(hosts), MaxHosts)], nil
}

// usable returns the hosts of the records that can be used, and the reasons
// against up to three of the others. The "." of a null MX is neither: alone it
// means that no mail is taken; beside others it means nothing, because RFC 7505
// section 3 forbids to publish it there.
func usable(records []MX, port uint16) (hosts []Host, skipped []string) {
	for _, r := range records {
		name := canonical(r.Host)
		if name == "" {
			continue
		}
		if why := notAHost(name); why == "" {
			hosts = append(hosts, Host{Name: name, Port: port, Preference: int(r.Preference)})
		} else if len(skipped) < 3 {
			skipped = append(skipped, fmt.Sprintf("MX %d %.100q %s", r.Preference, name, why))
		}
	}
	return hosts, skipped
}

// once keeps the first of the hosts that have the same name and port. It
// writes to hosts.
func once(hosts []Host) []Host {
	type door struct {
		name string
		port uint16
	}
	seen := make(map[door]bool, len(hosts))
	return slices.DeleteFunc(hosts, func(h Host) bool {
		d := door{h.Name, h.Port}
		again := seen[d]
		seen[d] = true
		return again
	})
}

// cut removes the relay itself, whose name it returns, and everything with its
// preference or a worse one: handing mail to a host no better than oneself
// makes a loop.
func cut(hosts []Host, p spec.Policy) ([]Host, string) {
	i := slices.IndexFunc(hosts, func(h Host) bool { return p.OwnName(h.Name) })
	if i < 0 {
		return hosts, ""
	}
	limit := hosts[i].Preference
	return hosts[:slices.IndexFunc(hosts, func(h Host) bool { return h.Preference >= limit })], hosts[i].Name
}

// shuffleEquals randomises the order within each run of equal preference, "to
// spread the load across multiple mail exchangers".
func shuffleEquals(hosts []Host, shuffle *rand.Rand) {
	for len(hosts) > 0 && shuffle != nil {
		n := 1
		for n < len(hosts) && hosts[n].Preference == hosts[0].Preference {
			n++
		}
		equals := hosts[:n]
		shuffle.Shuffle(n, func(i, j int) { equals[i], equals[j] = equals[j], equals[i] })
		hosts = hosts[n:]
	}
}

// withFallback appends the policy's fallback hosts to what hosts returns.
func withFallback(p spec.Policy, port uint16, hosts func() ([]Host, *Problem)) ([]Host, *Problem) {
	found, problem := hosts()
	if problem != nil || len(p.Fallback) == 0 {
		return found, problem
	}
	fallback, problem := configured("fallback hosts", p.Fallback, port)
	if problem != nil {
		return nil, problem
	}
	for i := range fallback {
		fallback[i].Preference += fallbackPreference
	}
	return once(append(found, fallback...)), nil
}

// configured is RelayHosts for a list that was checked when the configuration
// was read. Should it be wrong all the same, mail waits for the operator.
func configured(what string, list []string, port uint16) ([]Host, *Problem) {
	hosts, err := RelayHosts(list, port)
	if err != nil {
		return nil, &Problem{spec.DNSTrouble, fmt.Sprintf("the configured %s cannot be used: %v", what, err)}
	}
	return hosts, nil
}
