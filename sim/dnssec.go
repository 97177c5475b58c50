package sim

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/fakesmtp"
)

// secure reports whether an answer to a query for name is one that a validating
// resolver vouches for: all names in it are below signed ones (RFC 4035 section
// 3.2.3).
func (d *dnsServer) secure(reply *dns.Msg, name string) bool {
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return false
	}
	names := []string{name}
	for _, rr := range reply.Answer {
		names = append(names, rr.Header().Name)
		if alias, ok := rr.(*dns.CNAME); ok {
			names = append(names, strings.ToLower(alias.Target))
		}
	}
	return !slices.ContainsFunc(names, func(n string) bool {
		return !slices.ContainsFunc(d.signed, func(s string) bool { return dns.IsSubDomain(s, n) })
	})
}

// tlsa makes a TLSA record of its text, as package scenarios reads it. Data that
// is the word for a certificate is that of the host of the record.
func tlsa(h dns.RR_Header, text string) *dns.TLSA {
	rr := &dns.TLSA{Hdr: h}
	var data string
	if _, err := fmt.Sscanf(text, "%d %d %d %s", &rr.Usage, &rr.Selector, &rr.MatchingType, &data); err != nil {
		return rr // package scenarios lets none through
	}
	rr.Certificate = strings.ToLower(data)
	if !slices.Contains(fakesmtp.CertificateKinds(), fakesmtp.CertificateKind(data)) {
		return rr
	}
	host := strings.TrimSuffix(strings.SplitN(h.Name, ".", 3)[2], ".")
	if data == string(fakesmtp.WrongName) {
		host = "wrong.example" // as servers show it
	}
	made, err := fakesmtp.NewCertificate(fakesmtp.CertificateKind(data), host)
	if err != nil {
		return rr
	}
	certificate, err := x509.ParseCertificate(made.Certificate[0])
	if err != nil {
		return rr
	}
	rr.Certificate, _ = dns.CertificateToDANE(rr.Selector, rr.MatchingType, certificate)
	return rr
}
