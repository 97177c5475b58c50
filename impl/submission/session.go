package submission

import (
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
)

// A session is what go-smtp calls for one connection, in that connection's
// goroutine.
type session struct {
	server *Server
	conn   *conn
	helo   func() string
	open   *transaction
	// bare is conn's count of bare CRs when the last transaction ended.
	bare int
}

// A transaction is what MAIL and RCPT said.
type transaction struct {
	envelope spec.Envelope
	// utf8 is true after SMTPUTF8: addresses and header may be UTF-8 (RFC 6531).
	utf8 bool
	// seen holds the recipients in their one spelling: an address that is
	// given twice is one recipient, who gets the mail once.
	seen map[string]bool
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	if s.open != nil {
		return s.refused("MAIL", refuseNested)
	}
	if opts.Size > s.server.config.MaxMessageBytes {
		return s.refused("MAIL", refuseLarge)
	}
	// BODY= is not kept, and SMTPUTF8 alone is not: they are promises of the client's
	// that there may be octets above 127, and the content itself says whether there
	// are. Mail without any goes to a server that takes nothing else, too (RFC 6152
	// section 3, RFC 6531 section 3.7).
	t := &transaction{seen: map[string]bool{}, utf8: opts.UTF8}
	t.envelope.Tracking = s.conn.request.tracking
	if s.conn.request.requireTLS {
		if !s.server.config.Private {
			return s.refused("MAIL", refuseRequireTLS)
		}
		t.envelope.Needs |= spec.NeedTLS
	}
	if from != "" {
		sender, refusal := t.mailbox(from, s.conn.request.quoted)
		if refusal != nil {
			return s.refused("MAIL", refusal)
		}
		t.envelope.Sender = sender.String()
	}
	if !s.conn.begin() {
		return s.refused("MAIL", refuseDrain)
	}
	s.open = t
	return nil
}

// refused logs the refusal of a command, and returns it for go-smtp.
func (s *session) refused(command string, why *Refusal) error {
	s.server.log.Info("command refused", "command", command, "client", s.conn.RemoteAddr(), "reply", why.Error())
	return answer(why)
}

// Rcpt implements smtp.Session. go-smtp has counted the recipients. Of one that
// is named twice, the first word counts: RFC 3461 knows no other.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	recipient, refusal := s.open.mailbox(to, s.conn.request.quoted)
	if refusal != nil {
		return s.refused("RCPT", refusal)
	}
	if same := recipient.Same(); !s.open.seen[same] {
		s.open.seen[same] = true
		s.open.take(recipient.String(), s.conn.request.asked)
	}
	return nil
}

// take adds a recipient. What was asked for about those before it is filled up
// only once something is asked for.
func (t *transaction) take(recipient string, asked spec.Asked) {
	e := &t.envelope
	if asked != (spec.Asked{}) {
		for len(e.Asked) < len(e.Recipients) {
			e.Asked = append(e.Asked, spec.Asked{})
		}
		e.Asked = append(e.Asked, asked)
	}
	e.Recipients = append(e.Recipients, recipient)
}

// mailbox makes a Mailbox of a path, or refuses it. One beyond ASCII has no meaning
// where SMTPUTF8 was not said (RFC 6531 section 3.2).
func (t *transaction) mailbox(path string, quoted bool) (Mailbox, *Refusal) {
	if !t.utf8 && !isASCII(path) {
		return Mailbox{}, refuseUTF8
	}
	m, err := fromPath(path, quoted)
	if err != nil {
		return Mailbox{}, refuseAddress(err)
	}
	return m, nil
}

// fromPath makes a Mailbox of a path that go-smtp has parsed: without angle
// brackets, source route, and the quotes of a local-part, of which quoted tells.
// Without them "a@b"@example.org looks like a@b@example.org; but a domain has no
// "@", so that of the former is what follows the last one.
func fromPath(path string, quoted bool) (Mailbox, error) {
	at := strings.IndexByte(path, '@')
	if quoted {
		at = strings.LastIndexByte(path, '@')
	}
	if at < 0 {
		return Mailbox{}, errNoAt
	}
	return mailbox(path[:at], path[at+1:])
}

// Reset implements smtp.Session: it ends the transaction.
func (s *session) Reset() {
	s.open = nil
	s.bare = s.conn.bare
	s.conn.end()
}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Data implements smtp.Session. go-smtp sends the reply that the error holds,
// for a message that was taken too.
func (s *session) Data(r io.Reader) error {
	id := s.server.config.Queue.NewID()
	s.conn.content = true
	err := s.receive(id, r)
	// Whatever came of it, the dot ends the content, and then commands follow.
	// An error of the connection comes again with the next read.
	_, _ = io.Copy(io.Discard, r)
	s.conn.content = false
	if err != nil {
		s.server.log.Info("message refused", "queue", id, "client", s.conn.RemoteAddr(), "error", err)
		return answer(err)
	}
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "queued as " + string(id)}
}

// receive streams a message into the spool and submits it. When it returns nil
// the message is durable; after an error nothing of it is left.
func (s *session) receive(id spec.QueueID, r io.Reader) (err error) {
	body := spool.NewBodyWriter(s.server.config.Store, id)
	defer func() {
		if err != nil {
			err = errors.Join(err, body.Abandon())
		}
	}()
	c := content{messageID: string(id) + "@" + s.server.config.Hostname, limit: s.server.config.MaxMessageBytes}
	if _, err := io.WriteString(body, s.server.trace(s.helo(), s.conn.RemoteAddr(), id, s.open.utf8)); err != nil {
		return err
	}
	if err := c.copy(body, r); errors.Is(err, errRead) {
		return lost(err)
	} else if err != nil {
		return err
	}
	if s.conn.bare != s.bare {
		return refuseBare // c.copy cannot see them all; see conn.
	}
	envelope := s.open.envelope
	envelope.Body8Bit = c.eightBit
	if s.open.utf8 && c.utf8 {
		envelope.Needs |= spec.NeedUTF8
	}
	return s.server.config.Queue.Submit(s.server.life, Message{
		ID:        id,
		Envelope:  envelope,
		MessageID: c.messageID,
		Size:      body.Size(),
		Ops:       body.Ops(),
	})
}

// lost returns the refusal for content that cannot be read to its end: go-smtp
// gives its own for a message that is too large or has too long a line.
func lost(err error) error {
	var own *smtp.SMTPError
	switch {
	case errors.As(err, &own):
		return own
	}
	return errors.Join(refuseLost, err)
}
