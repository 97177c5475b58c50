package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/foxcpp/go-mockdns"
	"github.com/miekg/dns"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A dnsServer answers from zones, unless a fault says otherwise. The zones are
// go-mockdns's; but it writes CNAME chains backwards and never fails in time
// or by count, so answers are put together here.
type dnsServer struct {
	world  *world
	random *rand.Rand
	zones  map[string]mockdns.Zone
	// ttls has what a record says that differs from the default, by "NAME TYPE".
	ttls map[string]uint32
	// signed are the names below which answers are secure.
	signed []string
	faults []*dnsFault
	healed bool
}

// A dnsFault is a fault of the scenario and how often it was met.
type dnsFault struct {
	scenarios.Record
	met int
}

func newDNS(w *world) dnsServer {
	d := dnsServer{world: w, random: w.stream("dns"), zones: map[string]mockdns.Zone{}, ttls: map[string]uint32{}}
	for _, r := range w.scenario.DNS {
		if r.Fault != "" {
			d.faults = append(d.faults, &dnsFault{Record: r})
			continue
		}
		d.record(r)
	}
	// The senders' domain, unless the scenario has its own.
	if _, told := d.zones[scenarios.MailboxDomain+"."]; !told {
		d.record(scenarios.Record{Name: scenarios.MailboxDomain + ".", Type: "MX", Preference: 10, Value: scenarios.MailboxServer + "."})
	}
	if _, told := d.zones[scenarios.MailboxServer+"."]; !told {
		d.record(scenarios.Record{Name: scenarios.MailboxServer + ".", Type: "A", Value: mailboxIP.String()})
	}
	return d
}

// record adds a record to the zones.
func (d *dnsServer) record(r scenarios.Record) {
	name := strings.ToLower(dns.Fqdn(r.Name))
	z := d.zones[name]
	switch r.Type {
	case "MX":
		z.MX = append(z.MX, net.MX{Host: r.Value, Pref: r.Preference})
	case "A":
		z.A = append(z.A, r.Value)
	case "AAAA":
		z.AAAA = append(z.AAAA, r.Value)
	case "CNAME":
		z.CNAME = r.Value
	case "TXT":
		z.TXT = append(z.TXT, r.Value)
	case "TLSA":
		h := dns.RR_Header{Name: name, Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: ttl(r)}
		z.Misc = map[dns.Type][]dns.RR{dns.Type(dns.TypeTLSA): append(z.Misc[dns.Type(dns.TypeTLSA)], tlsa(h, r.Value))}
	case "SIGNED":
		d.signed = append(d.signed, name)
		return
	}
	d.zones[name] = z
	key := name + " " + r.Type
	if before, told := d.ttls[key]; r.TTL != 0 && (!told || ttl(r) < before) {
		d.ttls[key] = ttl(r) // records of one name and type have one TTL (RFC 2181 section 5.2)
	}
}

// dnsFaults are the words of a scenario as facts have them.
var dnsFaults = map[string]spec.Fault{
	"NXDOMAIN": spec.FaultNXDomain, "NODATA": spec.FaultNoData, "SERVFAIL": spec.FaultServFail,
	"REFUSED": spec.FaultDNSRefuse, "TIMEOUT": spec.FaultDNSMute, "TRUNCATED": spec.FaultTruncated,
}

// noAnswer is how long a query waits at most whose context has no end.
const noAnswer = time.Hour

// exchange answers a query of the relay.
func (w *world) exchange(ctx context.Context, p *process, query *dns.Msg) (*dns.Msg, error) {
	if len(query.Question) != 1 {
		return nil, fmt.Errorf("a DNS query with %d questions", len(query.Question))
	}
	name, kind := strings.ToLower(dns.Fqdn(query.Question[0].Name)), dns.TypeToString[query.Question[0].Qtype]
	question := name + " " + kind
	w.mu.Lock()
	if !w.record(p, spec.Fact{Actor: spec.ActorDNS, Kind: spec.FactQuery, Text: question}) {
		w.mu.Unlock()
		return nil, net.ErrClosed
	}
	fault, negative := w.dns.fault(name, kind)
	if fault != "" && !w.record(p, spec.Fact{
		Actor: spec.ActorDNS, Kind: spec.FactFault, Faults: []spec.Fault{dnsFaults[fault]}, Text: question + " " + fault,
	}) {
		w.mu.Unlock()
		return nil, net.ErrClosed
	}
	if w.failing(p, "lookup") != nil {
		fault = "ERROR"
		w.record(p, spec.Fact{
			Actor: spec.ActorDNS, Kind: spec.FactFault, Faults: []spec.Fault{spec.FaultLookup}, Text: question + ": the resolver cannot be reached",
		})
	}
	took := queryTime.draw(w.dns.random)
	switch fault {
	case "TIMEOUT":
		took = noAnswer
	case "TRUNCATED": // asked again over TCP, which takes two round trips more
		took += 2*queryTime.draw(w.dns.random) + time.Millisecond
	}
	at := w.claim(w.now() + took)
	w.mu.Unlock()
	if err := w.sleep(ctx, p, at); err != nil {
		return nil, err
	}
	switch fault {
	case "TIMEOUT":
		return nil, fmt.Errorf("no answer within %v", noAnswer)
	case "ERROR":
		return nil, errors.New("the resolver cannot be reached")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	reply := w.dns.answer(query, name, fault)
	if negative != nil && len(reply.Ns) > 0 {
		reply.Ns[0] = authority(negative.Record)
	}
	if !w.record(p, spec.Fact{Actor: spec.ActorDNS, Kind: spec.FactAnswer, Text: question + ": " + showAnswer(reply)}) {
		return nil, net.ErrClosed
	}
	return reply, nil
}

// fault returns the first fault that the query meets, empty and nil for none.
func (d *dnsServer) fault(name, kind string) (string, *dnsFault) {
	now := d.world.now()
	for _, f := range d.faults {
		switch {
		case d.healed, !strings.EqualFold(dns.Fqdn(f.Name), name), f.Type != "ANY" && f.Type != kind,
			now < f.From, f.Until > 0 && now >= f.Until, f.First > 0 && f.met >= f.First:
			continue
		}
		d.world.marks.changed()
		f.met++
		return f.Fault, f
	}
	return "", nil
}

// maxChain is how long a CNAME chain may be; resolvers give up on longer ones.
const maxChain = 16

// answer builds the answer to a query for name. One that denies has an SOA,
// which says how long (RFC 2308 section 3).
func (d *dnsServer) answer(query *dns.Msg, name, fault string) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	d.fill(reply, name, fault)
	reply.AuthenticatedData = d.secure(reply, name)
	kind := query.Question[0].Qtype
	found := slices.ContainsFunc(reply.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == kind })
	if !found && (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) {
		reply.Ns = []dns.RR{authority(scenarios.Record{})}
	}
	return reply
}

// authority is the SOA of an answer that denies.
func authority(r scenarios.Record) *dns.SOA {
	h := dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl(r)}
	return &dns.SOA{Hdr: h, Ns: ".", Mbox: ".", Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minttl: ttl(r)}
}

// fill puts the RCODE and the records into a reply.
func (d *dnsServer) fill(reply *dns.Msg, name, fault string) {
	switch fault {
	case "NXDOMAIN":
		reply.Rcode = dns.RcodeNameError
		return
	case "NODATA":
		return
	case "SERVFAIL":
		reply.Rcode = dns.RcodeServerFailure
		return
	case "REFUSED":
		reply.Rcode = dns.RcodeRefused
		return
	}
	kind := reply.Question[0].Qtype
	for range maxChain {
		zone, exists := d.zones[name]
		if !exists && !d.above(name) {
			reply.Rcode = dns.RcodeNameError // RFC 6604: that of the last name
		}
		if zone.CNAME == "" || kind == dns.TypeCNAME {
			reply.Answer = append(reply.Answer, records(d.header(name, kind), zone)...)
			return
		}
		target := dns.Fqdn(zone.CNAME)
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: d.header(name, dns.TypeCNAME), Target: target})
		name = strings.ToLower(target)
	}
	reply.Rcode, reply.Answer = dns.RcodeServerFailure, nil
}

// above reports whether a name exists only because names below it do: then it
// has no records, but is there (RFC 8020).
func (d *dnsServer) above(name string) bool {
	for below := range d.zones { // in any order: the answer is the same
		if name == "." || strings.HasSuffix(below, "."+name) {
			return true
		}
	}
	return false
}

// ttl is the time to live that a record says, in seconds.
func ttl(r scenarios.Record) uint32 {
	switch r.TTL {
	case 0:
		return uint32(scenarios.DefaultTTL / time.Second)
	case scenarios.NoTTL:
		return 0
	}
	return uint32(r.TTL / time.Second)
}

func (d *dnsServer) header(name string, kind uint16) dns.RR_Header {
	life, told := d.ttls[name+" "+dns.TypeToString[kind]]
	if !told {
		life = ttl(scenarios.Record{})
	}
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: life}
}

// records returns the records of a zone that have a header's name and kind.
func records(h dns.RR_Header, zone mockdns.Zone) []dns.RR {
	var all []dns.RR
	switch h.Rrtype {
	case dns.TypeMX:
		for _, mx := range zone.MX {
			all = append(all, &dns.MX{Hdr: h, Preference: mx.Pref, Mx: dns.Fqdn(mx.Host)})
		}
	case dns.TypeA:
		for _, a := range zone.A {
			all = append(all, &dns.A{Hdr: h, A: net.ParseIP(a).To4()})
		}
	case dns.TypeAAAA:
		for _, a := range zone.AAAA {
			all = append(all, &dns.AAAA{Hdr: h, AAAA: net.ParseIP(a)})
		}
	case dns.TypeTXT:
		for _, text := range zone.TXT {
			all = append(all, &dns.TXT{Hdr: h, Txt: []string{text}})
		}
	case dns.TypeTLSA:
		for _, rr := range zone.Misc[dns.Type(h.Rrtype)] {
			rr = dns.Copy(rr)
			*rr.Header() = h
			all = append(all, rr)
		}
	case dns.TypeCNAME:
		if zone.CNAME != "" {
			all = append(all, &dns.CNAME{Hdr: h, Target: dns.Fqdn(zone.CNAME)})
		}
	}
	return all
}

// showAnswer writes an answer as it stands in a fact: "RCODE TTL rr; TTL rr",
// and "RCODE TTL SOA" for one that says how long it may be denied.
func showAnswer(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	for i, rr := range slices.Concat(m.Answer, m.Ns) {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %d ", rr.Header().Ttl)
		switch rr := rr.(type) {
		case *dns.MX:
			fmt.Fprintf(&b, "MX %d %s", rr.Preference, strings.ToLower(rr.Mx))
		case *dns.A:
			b.WriteString("A " + rr.A.String())
		case *dns.AAAA:
			b.WriteString("AAAA " + rr.AAAA.String())
		case *dns.CNAME:
			b.WriteString("CNAME " + strings.ToLower(rr.Target))
		case *dns.TXT:
			fmt.Fprintf(&b, "TXT %q", strings.Join(rr.Txt, ""))
		case *dns.TLSA:
			fmt.Fprintf(&b, "TLSA %d %d %d %s", rr.Usage, rr.Selector, rr.MatchingType, rr.Certificate)
		case *dns.SOA:
			b.WriteString("SOA")
		}
	}
	return b.String()
}
