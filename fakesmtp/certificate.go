package fakesmtp

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// A CertificateKind says what is right or wrong about a certificate.
type CertificateKind string

// The kinds. All but WrongName are for the server's own name, unless a script
// says another.
const (
	// Trusted is issued by an authority of Authorities, and valid.
	Trusted CertificateKind = "trusted"
	// SelfSigned is its own authority.
	SelfSigned CertificateKind = "self-signed"
	// UnknownAuthority is issued by an authority that nobody knows.
	UnknownAuthority CertificateKind = "unknown-authority"
	// Expired and NotYetValid are as Trusted, but for another time.
	Expired     CertificateKind = "expired"
	NotYetValid CertificateKind = "not-yet-valid"
	// WrongName is as Trusted, for the name wrong.example.
	WrongName CertificateKind = "wrong-name"
	// ByName is as Trusted for a client that asks for the server's name (SNI), and
	// as WrongName for any other.
	ByName CertificateKind = "by-name"
)

// certificateKinds are all kinds, and what they mean.
var certificateKinds = [...]struct {
	kind    CertificateKind
	meaning string
}{
	{Trusted, "valid, by an authority that clients trust"},
	{SelfSigned, "by itself"},
	{UnknownAuthority, "by an authority that nobody knows"},
	{Expired, "no longer valid"},
	{NotYetValid, "not valid yet"},
	{WrongName, "valid, for wrong.example"},
	{ByName, "valid, for the name that the client asks for (SNI), if it is this one; else for wrong.example"},
}

// CertificateKinds returns all kinds.
func CertificateKinds() []CertificateKind {
	var all []CertificateKind
	for _, k := range certificateKinds {
		all = append(all, k.kind)
	}
	return all
}

func certificateWords() []string {
	var words []string
	for _, k := range certificateKinds {
		words = append(words, string(k.kind))
	}
	return words
}

// When certificates are valid: from before the time at which a
// testing/synctest bubble begins, which is the year 2000, to long after today.
const (
	longAgo = 1990
	past    = 1999
	someDay = 2120
	farOff  = 2140
)

// newYear is the beginning of a year.
func newYear(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// A certificateOf names a certificate that a server can show.
type certificateOf struct {
	kind CertificateKind
	name string
	// demands is true when the client has to show one too.
	demands bool
}

// wrongName is for which WrongName is valid.
const wrongName = "wrong.example"

// certificate reads what an action of the verb Present shows: a kind, and the
// name when it is not the server's.
func (a Action) certificate(server string) certificateOf {
	kind, name, named := strings.Cut(a.Text, " for ")
	switch {
	case named:
	case CertificateKind(kind) == WrongName:
		name = wrongName
	default:
		name = server
	}
	return certificateOf{kind: CertificateKind(kind), name: name}
}

// to is what is shown to a client that asks for a name.
func (c certificateOf) to(asked string) certificateOf {
	switch {
	case c.kind != ByName:
	case strings.EqualFold(asked, c.name):
		c.kind = Trusted
	default:
		c.kind, c.name = WrongName, wrongName
	}
	return c
}

// validFor are the names for which the certificate is truly valid.
func (c certificateOf) validFor() []string {
	if c.kind == Trusted || c.kind == WrongName {
		return []string{c.name}
	}
	return nil
}

// key returns a key that hangs on its name alone: it is no secret. It is an
// Ed25519 key, whose signatures have one length and are the same every time, so
// that a conversation under TLS takes the same bytes in every run.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("fakesmtp " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// authority returns the certificate of an authority.
func authority(name string) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: newYear(longAgo), NotAfter: newYear(farOff),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	k := key(name)
	der, err := x509.CreateCertificate(nil, template, template, k.Public(), k)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

const (
	knownAuthority   = "fakesmtp authority"
	unknownAuthority = "fakesmtp authority that nobody knows"
)

// Authorities returns the authorities that a client has to trust so that
// Trusted certificates are valid. Everybody knows their keys: they are for
// tests alone.
func Authorities() (*x509.CertPool, error) {
	a, err := authority(knownAuthority)
	if err != nil {
		return nil, fmt.Errorf("the test authority: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a)
	return pool, nil
}

// NewCertificate makes a certificate for a name, the same every time. Its key
// is no secret.
func NewCertificate(kind CertificateKind, name string) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: newYear(longAgo), NotAfter: newYear(someDay), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	issuer := knownAuthority
	switch kind {
	case Trusted, WrongName, SelfSigned, ByName:
	case UnknownAuthority:
		issuer = unknownAuthority
	case Expired:
		template.NotAfter = newYear(past)
	case NotYetValid:
		template.NotBefore, template.NotAfter = newYear(someDay), newYear(farOff)
	default:
		return tls.Certificate{}, fmt.Errorf("there is no kind of certificate %q", kind)
	}
	own := key(name)
	parent, signer := template, own
	if kind != SelfSigned {
		var err error
		if parent, err = authority(issuer); err != nil {
			return tls.Certificate{}, err
		}
		signer = key(issuer)
	}
	der, err := x509.CreateCertificate(nil, template, parent, own.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own}, nil
}
