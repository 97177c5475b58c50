package impl_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// certificates returns an authority and a certificate of its for an address,
// with ECDSA keys as the field has them.
func certificates(t *testing.T, ip net.IP) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	make := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, signer := make(root, root, nil)
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	leaf, key := make(&x509.Certificate{SerialNumber: big.NewInt(2), IPAddresses: []net.IP{ip}, NotAfter: time.Now().Add(time.Hour)}, authority, signer)
	return pool, tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key}
}

// An inbox is a session of go-smtp's server that says how each mail came.
type inbox struct {
	conn *smtp.Conn
	took chan<- string
}

func (inbox) Mail(string, *smtp.MailOptions) error { return nil }
func (inbox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (inbox) Reset()                               {}
func (inbox) Logout() error                        { return nil }

func (s inbox) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	how := "in clear"
	if state, ok := s.conn.TLSConnectionState(); ok {
		how = tls.VersionName(state.Version)
	}
	s.took <- how
	return err
}

// Over TCP, with a server that is not ours.
func TestMailGoesUnderTLSToARealServer(t *testing.T) {
	loopback := net.IPv4(127, 0, 0, 1)
	roots, certificate := certificates(t, loopback)
	strangers, _ := certificates(t, loopback)
	for _, tt := range []struct {
		name  string
		roots *x509.CertPool
		most  uint16
		want  string // how it came, or what the relay met
	}{
		{"TLS 1.3", roots, 0, "TLS 1.3"},
		{"TLS 1.2", roots, tls.VersionTLS12, "TLS 1.2"},
		{"an authority that is not trusted", strangers, 0, "handshake untrusted"},
		{"the system's authorities", nil, 0, "handshake untrusted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := make(chan string, 2)
			server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return inbox{c, said}, nil }))
			server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: tt.most}
			server.ErrorLog = log.New(io.Discard, "", 0)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = server.Serve(l) }() // until it is closed
			defer server.Close()
			relayed(t, l.Addr().String(), tt.roots, func(f spec.Fact) {
				if f.Kind == spec.FactTrouble && f.Stage == spec.StageHandshake {
					said <- f.Stage.String() + " " + f.Event.String()
				}
			})
			if got := <-said; got != tt.want {
				t.Errorf("it went %s, want %s", got, tt.want)
			}
		})
	}
}

// relayed runs a relay, for as long as the test lasts, that has one mail for a
// smart host which it is to verify.
func relayed(t *testing.T, smart string, roots *x509.CertPool, note func(spec.Fact), changes ...func(*spec.Policy, *seam.Host)) {
	t.Helper()
	store, err := new(seamtest.Memory).Open()
	if err != nil {
		t.Fatal(err)
	}
	host, err := hostos.New(hostos.Config{Store: store, Resolvers: []string{"127.0.0.1"}, Note: note})
	if err != nil {
		t.Fatal(err)
	}
	host.Roots = func() *x509.CertPool { return roots }
	policy := spec.DefaultPolicy("relay.example")
	policy.Relays, policy.TLS = []string{smart}, spec.TLSVerified
	for _, change := range changes {
		change(&policy, &host)
	}
	relay, err := impl.New(impl.Config{Policy: policy}, host)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = store.Close()
	})
	envelope := spec.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.net"}}
	if _, err := relay.Submit(ctx, envelope, "m1@example.org", strings.NewReader("Message-ID: <m1@example.org>\r\n\r\nHello\r\n")); err != nil {
		t.Fatal(err)
	}
}
