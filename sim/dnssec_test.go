package sim

import (
	"crypto/x509"
	"testing"

	"github.com/foxcpp/go-mockdns"
	"github.com/miekg/dns"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// signedZone is a zone with an alias that leads out of it.
func signedZone() *dnsServer {
	d := &dnsServer{zones: map[string]mockdns.Zone{}, ttls: map[string]uint32{}}
	for _, r := range []scenarios.Record{
		{Name: "example.net.", Type: "SIGNED"},
		{Name: "a.example.net.", Type: "A", Value: "192.0.2.1"},
		{Name: "b.example.net.", Type: "CNAME", Value: "b.example.com."},
		{Name: "b.example.com.", Type: "A", Value: "192.0.2.2"},
		{Name: "_25._tcp.a.example.net.", Type: "TLSA", Value: "3 1 1 self-signed"},
	} {
		d.record(r)
	}
	return d
}

// TestOnlyWhatIsSignedThroughoutIsSecure: an alias into a zone that is not signed
// makes an answer as good as one from there.
func TestOnlyWhatIsSignedThroughoutIsSecure(t *testing.T) {
	d := signedZone()
	for _, c := range []struct {
		name, fault string
		kind        uint16
		secure      bool
	}{
		{"a.example.net.", "", dns.TypeA, true},
		{"none.example.net.", "", dns.TypeA, true},
		{"a.example.net.", "SERVFAIL", dns.TypeA, false},
		{"b.example.net.", "", dns.TypeA, false},
		{"b.example.com.", "", dns.TypeA, false},
		{"_25._tcp.a.example.net.", "", dns.TypeTLSA, true},
	} {
		reply := d.answer(new(dns.Msg).SetQuestion(c.name, c.kind), c.name, c.fault)
		if reply.AuthenticatedData != c.secure {
			t.Errorf("%s %s is secure: %v in\n%v", c.name, c.fault, reply.AuthenticatedData, reply)
		}
	}
}

// TestATLSARecordFitsTheCertificateThatItNames: that, and no other.
func TestATLSARecordFitsTheCertificateThatItNames(t *testing.T) {
	const name = "_25._tcp.a.example.net."
	reply := signedZone().answer(new(dns.Msg).SetQuestion(name, dns.TypeTLSA), name, "")
	if len(reply.Answer) != 1 {
		t.Fatalf("the answer is\n%v", reply)
	}
	for _, host := range []string{"a.example.net", "b.example.net"} {
		shown, err := fakesmtp.NewCertificate(fakesmtp.SelfSigned, host)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(shown.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if fits := reply.Answer[0].(*dns.TLSA).Verify(certificate) == nil; fits != (host == "a.example.net") {
			t.Errorf("it fits the certificate of %s: %v", host, fits)
		}
	}
}
