package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// StartGoSMTP runs a server of package go-smtp in this process. It keeps all mail,
// of every domain.
func StartGoSMTP(c Config) (Server, error) {
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, err
	}
	return ServeGoSMTP(l, c)
}

// ServeGoSMTP is StartGoSMTP on a listener that is there already.
func ServeGoSMTP(l net.Listener, c Config) (Server, error) {
	g := &goSMTP{ended: make(chan error, 1)}
	g.server = smtp.NewServer(g)
	g.server.Domain = Host
	g.server.EnableSMTPUTF8, g.server.EnableDSN, g.server.EnableREQUIRETLS = true, true, true
	if len(c.Certificate) > 0 {
		pair, err := tls.X509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, err
		}
		g.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	go func() { g.ended <- g.server.Serve(l) }()
	return g, nil
}

type goSMTP struct {
	server *smtp.Server
	ended  chan error

	mu       sync.Mutex
	stored   [][]byte
	sessions []Session
	log      strings.Builder
}

// Stored implements Server.
func (g *goSMTP) Stored() ([][]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored, nil
}

// Sessions implements Server.
func (g *goSMTP) Sessions() ([]Session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions, nil
}

// Log implements Server.
func (g *goSMTP) Log() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log.String()
}

// Close implements Server.
func (g *goSMTP) Close() error {
	if err := g.server.Close(); err != nil {
		return err
	}
	if err := <-g.ended; !errors.Is(err, smtp.ErrServerClosed) {
		return err
	}
	return nil
}

// NewSession implements smtp.Backend.
func (g *goSMTP) NewSession(conn *smtp.Conn) (smtp.Session, error) {
	return &goSession{server: g, conn: conn, heard: Session{}}, nil
}

// A goSession is one session, or what is left of it after STARTTLS, which begins a new
// one. What is heard goes at the head of the mail, as other servers do it.
type goSession struct {
	server *goSMTP
	conn   *smtp.Conn
	heard  Session
	head   strings.Builder
}

func (s *goSession) hear(command, text string) {
	s.heard[command]++
	fmt.Fprintf(&s.head, "X-Heard: %s %s\r\n", command, text)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	fmt.Fprintf(&s.server.log, "%s %s\n", command, text)
}

// AuthMechanisms implements smtp.AuthSession.
func (s *goSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *goSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, secret string) error {
		if user != User || secret != Secret {
			return smtp.ErrAuthFailed
		}
		s.hear("auth", user)
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *goSession) Mail(from string, opts *smtp.MailOptions) error {
	s.hear("mail", fmt.Sprintf("%s body=%s size=%d ret=%s envid=%s utf8=%v", from, opts.Body, opts.Size, opts.Return, opts.EnvelopeID, opts.UTF8))
	return nil
}

// Rcpt implements smtp.Session.
func (s *goSession) Rcpt(to string, opts *smtp.RcptOptions) error {
	s.hear("rcpt", fmt.Sprintf("%s notify=%v orcpt=%s;%s", to, opts.Notify, opts.OriginalRecipientType, opts.OriginalRecipient))
	return nil
}

// Data implements smtp.Session.
func (s *goSession) Data(r io.Reader) error {
	if _, secure := s.conn.TLSConnectionState(); secure {
		s.hear("starttls", "")
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.stored = append(s.server.stored, append([]byte(s.head.String()), text...))
	s.head.Reset()
	return nil
}

// Reset implements smtp.Session.
func (s *goSession) Reset() {}

// Logout implements smtp.Session.
func (s *goSession) Logout() error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.sessions = append(s.server.sessions, s.heard)
	return nil
}
