package fakesmtp

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"

	"github.com/postonce/postonce/spec"
)

// starttls answers STARTTLS (RFC 3207 section 4).
func (c *session) starttls(args string) error {
	const stage = spec.StageSTARTTLS
	switch {
	case c.secure:
		return c.outOfOrder(stage, "503 5.5.1 TLS is on already", "STARTTLS under TLS (RFC 3207 section 4.2)")
	case !c.offers("STARTTLS"):
		return c.outOfOrder(stage, "502 5.5.1 Not offered", "STARTTLS was not offered (RFC 5321 section 2.2.1)")
	case args != "":
		return c.bad(stage, "501 5.5.4 STARTTLS takes nothing", "STARTTLS with an argument (RFC 3207 section 4)")
	}
	said, err := c.answer(occasion{stage: stage}, c.worded("220 2.0.0 Go ahead"), nil)
	if err != nil || codeOf(said)/100 != 2 {
		return err
	}
	return c.handshake()
}

// handshake is the TLS handshake, or what the script has in its place.
func (c *session) handshake() error {
	c.shown, c.most = certificateOf{kind: Trusted, name: c.server.name}, -1
	said, err := c.answer(occasion{stage: spec.StageHandshake}, "", nil)
	if err != nil {
		return err
	}
	if said != "" {
		return c.fin() // what is no handshake is the end
	}
	config, err := c.server.config(c.shown)
	if err != nil {
		return err
	}
	line := &plainLine{Conn: c.raw, session: c, in: c.in}
	t := tls.Server(line, config)
	if err := t.Handshake(); err != nil {
		return err
	}
	if c.most >= 0 {
		return c.cut() // all was sent, and it was not so much
	}
	c.conn, c.in, c.pieces, c.secure = t, bufio.NewReaderSize(t, readSize), nil, true
	// Nothing that was said in clear counts (RFC 3207 section 4.2).
	c.reset()
	c.hello, c.offered, c.known = false, nil, false
	state := t.ConnectionState()
	c.note(spec.Fact{
		Kind: spec.FactTLSSeen, Stage: spec.StageHandshake, Name: state.ServerName, Names: c.shown.to(state.ServerName).validFor(),
		Text: tls.VersionName(state.Version),
	})
	return nil
}

// A plainLine is the connection under TLS. It begins with what was read
// already: by a client that does not wait for the reply to STARTTLS.
type plainLine struct {
	net.Conn
	session *session
	in      io.Reader
}

// Read implements net.Conn.
func (l *plainLine) Read(p []byte) (int, error) { return l.in.Read(p) }

// Write implements net.Conn. It cuts where the script says so.
func (l *plainLine) Write(p []byte) (int, error) {
	c := l.session
	if c.secure || c.most < 0 {
		return l.Conn.Write(p)
	}
	part := p[:min(len(p), c.most)]
	c.most -= len(part)
	n, err := l.Conn.Write(part)
	if err == nil && len(part) < len(p) {
		err = c.cut()
	}
	return n, err
}

// config returns what a handshake goes by. Keys are exchanged in the way that
// takes the least time, and no tickets are given, for no session is resumed.
func (s *Server) config(show certificateOf) (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if config := s.configs[show]; config != nil {
		return config, nil
	}
	certificate, err := NewCertificate(show.kind, show.name)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate}, CurvePreferences: []tls.CurveID{tls.X25519}, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS12,
	}
	if show.kind == ByName {
		other, err := NewCertificate(WrongName, wrongName)
		if err != nil {
			return nil, err
		}
		config.Certificates = nil // or who asks for no name would be shown that one
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if show.to(hello.ServerName).kind == Trusted {
				return &certificate, nil
			}
			return &other, nil
		}
	}
	if show.demands {
		config.ClientAuth = tls.RequireAnyClientCert
	}
	if s.configs == nil {
		s.configs = map[certificateOf]*tls.Config{}
	}
	s.configs[show] = config
	return config, nil
}

// offer is that of a reply to EHLO: STARTTLS is offered in clear alone (RFC 3207
// section 4.2), REQUIRETLS under TLS alone (RFC 8689 section 2).
func (c *session) offer() []Extension {
	var all []Extension
	for _, e := range c.server.script.Offer {
		if c.secure && strings.EqualFold(e.Keyword, "STARTTLS") || !c.secure && strings.EqualFold(e.Keyword, "REQUIRETLS") {
			continue
		}
		all = append(all, e)
	}
	if c.offersAuth() {
		all = append(all, Extension{"AUTH", strings.Join(c.server.script.Auth.mechanisms(), " ")})
	}
	return all
}
