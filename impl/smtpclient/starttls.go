package smtpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// TLS is how far a conversation must be encrypted. The zero value never says
// STARTTLS.
type TLS struct {
	Level spec.TLSLevel
	// Names are those of which the certificate must have one under TLSVerified
	// (spec.Policy.TLSNames). Under the other levels it is only told whether it
	// has.
	Names []string
	// Roots returns the authorities that are trusted; nil, and nil returned, are
	// the system's.
	Roots func() *x509.CertPool
	// Done, when not nil, is called when the connection is encrypted.
	Done func(Secured)
}

// Secured is what is known of an encrypted connection.
type Secured struct {
	// Version is that of TLS, such as "TLS 1.3".
	Version string
	// ServerName is what the server was asked for (SNI).
	ServerName string
	// Verified is the name of TLS.Names for which the certificate is valid;
	// empty when it is for none.
	Verified string
}

// secure encrypts the connection, as far as the level asks for it and the
// server offers it. The result is that of EHLO again, of the first EHLO when
// the conversation stays in clear, or of the stage at which it ended; that of the
// handshake also when nothing comes under TLS.
func (c *Client) secure(ctx context.Context, hello Result) Result {
	switch {
	case c.opts.TLS.Level == spec.TLSOff:
		return hello
	case !c.ext.STARTTLS && c.opts.TLS.Level >= spec.TLSRequired:
		return Result{Stage: spec.StageSTARTTLS, Event: spec.NotOffered, Text: "STARTTLS is not offered, and policy requires TLS"}
	case !c.ext.STARTTLS:
		return hello
	}
	if r := c.command(ctx, spec.StageSTARTTLS, []byte(wire.STARTTLS)); !r.OK() {
		return r
	}
	// What came with the reply came in clear, and would be taken for replies to
	// what is said under TLS (RFC 3207 section 6, CVE-2011-0411). What comes
	// later than the reply is no handshake, and breaks that.
	if n := c.r.Buffered(); n > 0 {
		c.broken = true
		return Result{Stage: spec.StageSTARTTLS, Event: spec.Malformed, Text: fmt.Sprintf("%d bytes in clear after the reply to STARTTLS", n)}
	}
	if r, ok := c.handshake(ctx); !ok {
		return r
	}
	// All that was learnt before may have been an attacker's words (RFC 3207
	// section 4.2).
	c.ext = wire.Extensions{}
	r := c.hello(ctx)
	if unproved(r) {
		r.Stage = spec.StageHandshake
	}
	return r
}

// unproved reports whether the first EHLO under TLS has brought no reply at all,
// so that there is no TLS to speak of. Under TLS 1.3 the client's handshake is
// over before the server has looked at what the client showed (RFC 8446 section
// 4.4.2.4): one that wants a certificate says so only now.
func unproved(r Result) bool {
	if r.Err != nil || r.Stage != spec.StageEHLO {
		return false
	}
	return r.Event == spec.Cut || r.Event == spec.Malformed || r.Event == spec.Timeout
}

// handshake carries out the TLS handshake, within the time-out of STARTTLS all
// together.
func (c *Client) handshake(ctx context.Context) (Result, bool) {
	const stage = spec.StageHandshake
	if err := c.arm(ctx, c.limit(stage)); err != nil {
		return c.fault(ctx, stage, err), false
	}
	done := Secured{ServerName: serverName(c.opts.Host)}
	s := newSecured(c.conn, c.config(&done))
	// The context is watched already; a handshake with it would start a
	// goroutine that nobody waits for.
	if err := s.Handshake(); err != nil {
		c.abort()
		return c.handshakeFault(ctx, err, s.records.err), false
	}
	c.stream, c.r, c.verified = s, s.plain, done.Verified != ""
	if c.opts.TLS.Done != nil {
		done.Version = tls.VersionName(s.ConnectionState().Version)
		c.opts.TLS.Done(done)
	}
	return Result{}, true
}

// serverName is the host's name as SNI has it: without a final dot, and not
// when it is an address (RFC 6066 section 3).
func serverName(host string) string {
	if strings.HasPrefix(host, "[") {
		return ""
	}
	return strings.TrimSuffix(host, ".")
}

// config returns what the handshake goes by. Less than TLS 1.2 is not spoken at
// any level: Go has given up what is older (RFC 8996), so under TLSOpportunistic
// mail for a server that is as old as that goes in clear.
//
// Whether the certificate is trusted is decided here and not by crypto/tls,
// which would always ask for the name of SNI: an MX host is to be asked for by
// its name, and judged by another.
func (c *Client) config(done *Secured) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: done.ServerName, InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			name, err := verify(state.PeerCertificates, c.opts.TLS)
			if err != nil && c.opts.TLS.Level >= spec.TLSVerified {
				return &untrusted{err}
			}
			done.Verified = name
			return nil
		},
	}
}

// untrusted says why a certificate is not the one that is required.
type untrusted struct{ err error }

func (u *untrusted) Error() string { return u.err.Error() }

// verify returns the first of the names for which a chain of certificates is
// valid, or why it is for none.
func verify(chain []*x509.Certificate, want TLS) (string, error) {
	if len(chain) == 0 {
		return "", errors.New("no certificate")
	}
	how := x509.VerifyOptions{Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		how.Intermediates.AddCert(c)
	}
	if want.Roots != nil {
		how.Roots = want.Roots()
	}
	if _, err := chain[0].Verify(how); err != nil {
		return "", fmt.Errorf("certificate not trusted: %w", err)
	}
	for _, name := range want.Names {
		if chain[0].VerifyHostname(name) == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("certificate is not for %s", strings.Join(want.Names, " or "))
}

// handshakeFault classifies why there was no handshake. The server ends it with
// an alert, or breaks the connection off, or says what is no TLS.
func (c *Client) handshakeFault(ctx context.Context, err, lost error) Result {
	r := Result{Stage: spec.StageHandshake, Event: spec.Malformed, Text: "no TLS handshake: " + plain(err)}
	var bad *untrusted
	var alert *net.OpError
	switch {
	case errors.As(err, &bad):
		r.Event, r.Text = spec.Untrusted, bad.Error()
	case errors.As(err, &alert) && alert.Op == "remote error":
		r.Event, r.Text = spec.Cut, "the server ended the handshake: "+plain(err)
	case lost != nil:
		return c.fault(ctx, spec.StageHandshake, lost)
	}
	return r
}
