package smtpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/impl/smtpclient/smtptest"
	"github.com/postonce/postonce/spec"
)

// shown is a server's side of handshakes, with a certificate.
func shown(t *testing.T, kind fakesmtp.CertificateKind, name string) *tls.Config {
	t.Helper()
	certificate, err := fakesmtp.NewCertificate(kind, name)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// at is a client's side.
func at(t *testing.T, level spec.TLSLevel, names ...string) TLS {
	t.Helper()
	roots, err := fakesmtp.Authorities()
	if err != nil {
		t.Fatal(err)
	}
	return TLS{Level: level, Names: names, Roots: func() *x509.CertPool { return roots }}
}

// meetTLS is meet with a server that can do handshakes.
func meetTLS(t *testing.T, config *tls.Config, want TLS, script string, client func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		played := make(chan error, 1)
		go func() { played <- smtptest.PlayTLS(far, config, script) }()
		c := New(near, testOptions)
		c.opts.TLS = want
		client(t, c)
		c.Quit(t.Context())
		if err := <-played; err != nil {
			t.Error("the server:", err)
		}
		if _, err := near.Write(nil); err == nil {
			t.Error("the connection is still open")
		}
	})
}

const (
	offered = `
		S: 220 mx.test ESMTP
		C: EHLO relay.test
		S: 250-mx.test
		S: 250-PIPELINING
		S: 250-SIZE 1000
		S: 250 STARTTLS`
	encrypted = offered + `
		C: STARTTLS
		quiet 1m
		S: 220 go
		tls
		C: EHLO relay.test
		S: 250 mx.test`
	inTurn = `
		C: MAIL FROM:<a@x>
		S: 250 ok
		C: RCPT TO:<b@y>
		S: 250 ok
		C: DATA
		S: 354 go
		C: hello
		C: .
		S: 250 taken`
)

func TestTLSTranscripts(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		level        spec.TLSLevel
		want         string
	}{
		{"what was offered before the handshake is forgotten", encrypted + inTurn + quit, spec.TLSRequired, "dot 2yz"},
		{"and by a server that knows HELO only under TLS", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			S: 502 what
			C: HELO relay.test
			S: 250 mx.test` + inTurn + quit, spec.TLSRequired, "dot 2yz"},
		{"a certificate for nobody will do where it is not verified", encrypted + inTurn + quit, spec.TLSOpportunistic, "dot 2yz"},
		{"without STARTTLS mail goes in clear", hello + inTurn + quit, spec.TLSOpportunistic, "dot 2yz"},
		{"without STARTTLS no mail goes where TLS is required", hello + quit, spec.TLSRequired, "starttls not-offered"},
		{"HELO offers nothing", `
			S: 220 mx.test
			C: EHLO relay.test
			S: 502-what
			S: 502 STARTTLS
			C: HELO relay.test
			S: 250 mx.test` + quit, spec.TLSRequired, "starttls not-offered"},
		{"where TLS is off nobody says STARTTLS", strings.ReplaceAll(offered, "S: 250-PIPELINING", "") + `
			C: MAIL FROM:<a@x> SIZE=7
			S: 550 no` + quit, spec.TLSOff, "mail 5yz"},
		{"a refusal leaves the session for QUIT", offered + `
			C: STARTTLS
			S: 454 4.7.0 not now` + quit, spec.TLSOpportunistic, "starttls 4yz"},
		{"what comes in clear with the 220 is not believed", offered + `
			C: STARTTLS
			R: "220 go\r\n250-mx.test\r\n250 SIZE 1\r\n"
			eof`, spec.TLSOpportunistic, "starttls malformed"},
		{"what comes in clear after the 220 is no handshake", offered + `
			C: STARTTLS
			S: 220 go
			wait 1s
			S: 250 mx.test and so on
			close`, spec.TLSRequired, "handshake malformed"},
		{"the server goes in the handshake", offered + `
			C: STARTTLS
			S: 220 go
			close`, spec.TLSRequired, "handshake cut"},
		{"the server breaks the handshake off", offered + `
			C: STARTTLS
			S: 220 go
			wait 1s
			R: "\x15\x03\x03\x00\x02\x02\x28"
			wait 1s
			close`, spec.TLSRequired, "handshake cut"},
		{"the server is silent in the handshake", offered + `
			C: STARTTLS
			S: 220 go
			wait 1h
			close`, spec.TLSRequired, "handshake timeout"},
		{"a server that says nothing under TLS has none", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			eof`, spec.TLSRequired, "handshake timeout"},
		{"nor has one that goes", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			close`, spec.TLSRequired, "handshake cut"},
		{"one that closes for now says so under TLS", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			S: 421 busy
			eof`, spec.TLSRequired, "ehlo 421"},
		{"one that goes after HELO has spoken", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			S: 502 what
			C: HELO relay.test
			close`, spec.TLSRequired, "helo cut"},
		{"a reply is bounded under TLS, too", offered + `
			C: STARTTLS
			S: 220 go
			tls
			C: EHLO relay.test
			S: 250-` + strings.Repeat("x", 600) + `
			S: 250-` + strings.Repeat("x", 600) + `
			S: 250 end
			eof`, spec.TLSRequired, "handshake malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			meetTLS(t, shown(t, fakesmtp.SelfSigned, "nobody"), at(t, tt.level), tt.script, func(t *testing.T, c *Client) {
				start := time.Now()
				results := deliver(t.Context(), c, testTransaction(1))
				if diff := cmp.Diff([]string{tt.want}, show(results)); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(start); strings.HasSuffix(tt.script, "wait 1h\n			close") && took != testTimeouts.STARTTLS {
					t.Errorf("the handshake may take %v, want %v", took, testTimeouts.STARTTLS)
				}
			})
		})
	}
}

func TestACertificateIsJudgedByTheNamesThatAreTrusted(t *testing.T) {
	for _, tt := range []struct {
		kind  fakesmtp.CertificateKind
		name  string
		names []string
		valid string // the name found; empty is none
		why   string
	}{
		{fakesmtp.Trusted, "example.net", []string{"example.net"}, "example.net", ""},
		{fakesmtp.Trusted, "mx1.example.net", []string{"example.net", "mx1.example.net"}, "mx1.example.net", ""},
		{fakesmtp.Trusted, "*.example.net", []string{"example.net", "mx1.example.net"}, "mx1.example.net", ""},
		{fakesmtp.Trusted, "mx.test", []string{"example.net"}, "", "is not for example.net"},
		{fakesmtp.WrongName, "wrong.example", []string{"example.net", "mx1.example.net"}, "", "is not for example.net or mx1.example.net"},
		{fakesmtp.SelfSigned, "example.net", []string{"example.net"}, "", "unknown authority"},
		{fakesmtp.UnknownAuthority, "example.net", []string{"example.net"}, "", "unknown authority"},
		{fakesmtp.Expired, "example.net", []string{"example.net"}, "", "expired"},
		{fakesmtp.NotYetValid, "example.net", []string{"example.net"}, "", "expired or is not yet valid"},
	} {
		t.Run(string(tt.kind)+" for "+tt.name, func(t *testing.T) {
			want := at(t, spec.TLSRequired, tt.names...)
			var got Secured
			want.Done = func(s Secured) { got = s }
			meetTLS(t, shown(t, tt.kind, tt.name), want, encrypted+quit, func(t *testing.T, c *Client) {
				if r := c.Hello(t.Context()); !r.OK() {
					t.Errorf("where any certificate will do: %+v", r)
				}
			})
			if got != (Secured{"TLS 1.3", "mx.test", tt.valid}) {
				t.Errorf("it is told that %+v", got)
			}
			want.Level = spec.TLSVerified
			if tt.valid != "" {
				meetTLS(t, shown(t, tt.kind, tt.name), want, encrypted+quit, func(t *testing.T, c *Client) {
					if r := c.Hello(t.Context()); !r.OK() {
						t.Errorf("verified: %+v", r)
					}
				})
				return
			}
			refused(t, shown(t, tt.kind, tt.name), want, tt.why)
		})
	}
}

// refused demands that the client refuses the certificate, and tells the server
// so by an alert.
func refused(t *testing.T, config *tls.Config, want TLS, why string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		played := make(chan error, 1)
		go func() { played <- smtptest.PlayTLS(far, config, encrypted) }()
		c := New(near, testOptions)
		c.opts.TLS = want
		if r := c.Hello(t.Context()); r.Stage != spec.StageHandshake || r.Event != spec.Untrusted || !strings.Contains(r.Text, why) {
			t.Errorf("got %+v", r)
		}
		c.Quit(t.Context())
		if err := <-played; err == nil || !strings.Contains(err.Error(), "bad certificate") {
			t.Errorf("the server hears %v", err)
		}
	})
}

// Under TLS 1.3 the client's part of the handshake is over before the server has
// seen what it does not like (RFC 8446 section 4.4.2.4): it says so at EHLO.
func TestAServerThatWantsACertificateBreaksTheHandshake(t *testing.T) {
	config := shown(t, fakesmtp.SelfSigned, "mx.test")
	config.ClientAuth = tls.RequireAnyClientCert
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		played := make(chan error, 1)
		go func() { played <- smtptest.PlayTLS(far, config, encrypted) }()
		c := New(near, testOptions)
		c.opts.TLS = at(t, spec.TLSOpportunistic)
		// The text is the server's alert, or that the connection was reset when
		// EHLO was written: either may be first.
		if r := c.Hello(t.Context()); r.Stage != spec.StageHandshake || r.Event != spec.Cut {
			t.Errorf("got %+v", r)
		}
		c.Quit(t.Context())
		if err := <-played; err == nil || !strings.Contains(err.Error(), "didn't provide a certificate") {
			t.Errorf("the server says %v", err)
		}
	})
}

func TestAHandshakeIsBrokenOffWithItsContext(t *testing.T) {
	script := offered + `
		C: STARTTLS
		S: 220 go
		wait 1h
		close`
	meetTLS(t, nil, at(t, spec.TLSRequired), script, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if r := c.Hello(ctx); !errors.Is(r.Err, context.DeadlineExceeded) || r.Stage != spec.StageHandshake {
			t.Errorf("got %+v", r)
		}
	})
}

// What stands in the way of a reply to nothing being taken for the reply to the
// dot stands there under TLS, too; and when the commit has taken longer than
// sending the content may.
func TestAReplyBeforeTheDotIsSeenUnderTLS(t *testing.T) {
	for _, opening := range []string{hello, encrypted} {
		for _, took := range []time.Duration{time.Second, testTimeouts.Block + time.Second} {
			script := opening + strings.ReplaceAll(inTurn, "C: hello\n		C: .\n		S: 250 taken", `B: "hello"
				S: 250 taken before it came
				eof`)
			meetTLS(t, shown(t, fakesmtp.SelfSigned, "mx.test"), at(t, spec.TLSOpportunistic), script, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tx.Commit = func([]int) error {
					time.Sleep(took)
					return nil
				}
				tx.Dot = func([]int) { t.Error("the dot left") }
				if got := show(deliver(t.Context(), c, tx)); !cmp.Equal(got, []string{"body 2yz"}) {
					t.Errorf("after %v: got %v", took, got)
				}
			})
		}
	}
}

// A heldBack connection keeps the last byte of what is written.
type heldBack struct {
	net.Conn
	hold bool
	last []byte
}

func (h *heldBack) Write(p []byte) (int, error) {
	if !h.hold {
		return h.Conn.Write(p)
	}
	h.last = append(h.last, p[len(p)-1])
	_, err := h.Conn.Write(p[:len(p)-1])
	return len(p), err
}

func TestARecordIsReadableWhenItIsThereWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		held := &heldBack{Conn: far}
		server := tls.Server(held, shown(t, fakesmtp.SelfSigned, "mx.test"))
		done := make(chan error, 1)
		go func() { done <- server.Handshake() }()
		s := newSecured(near, &tls.Config{InsecureSkipVerify: true})
		if err := errors.Join(s.Handshake(), <-done); err != nil {
			t.Fatal(err)
		}
		readable := func(want bool, when string) {
			t.Helper()
			if got := s.Readable(); got != want {
				t.Errorf("%s: readable is %v", when, got)
			}
		}
		readable(false, "nothing was said")
		held.hold = true
		if _, err := server.Write([]byte("250 ok\r\n")); err != nil {
			t.Fatal(err)
		}
		readable(false, "a byte of the record is missing")
		if _, err := held.Conn.Write(held.last); err != nil {
			t.Fatal(err)
		}
		readable(true, "the record is there")
		readable(true, "it was looked at")
		buf := make([]byte, 8)
		if _, err := io.ReadFull(s, buf); err != nil || string(buf) != "250 ok\r\n" {
			t.Errorf("read %q, %v", buf, err)
		}
		readable(false, "all was read")
		far.Reset()
		readable(true, "the connection is gone")
	})
}
