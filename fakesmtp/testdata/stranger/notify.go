// Package notify sends short notes by mail.
package notify

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
)

// ErrTemporary is a refusal for now.
var ErrTemporary = errors.New("refused for now")

// A Sender sends notes through one server.
type Sender struct {
	Addr, From string
	// TLS, unless nil, is demanded of the server.
	TLS *tls.Config
	// Tries is how often a refusal for now is borne.
	Tries int
}

// Send sends a note to somebody.
func (s *Sender) Send(to, note string) error {
	var err error
	for range max(s.Tries, 1) {
		if err = s.once(to, note); !errors.Is(err, ErrTemporary) {
			return err
		}
	}
	return err
}

func (s *Sender) once(to, note string) error {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, "mx.test")
	if err != nil {
		return classified(errors.Join(err, conn.Close()))
	}
	if err := s.talk(c, to, note); err != nil {
		return classified(errors.Join(err, c.Close()))
	}
	return c.Quit()
}

func (s *Sender) talk(c *smtp.Client, to, note string) error {
	if s.TLS != nil {
		if err := c.StartTLS(s.TLS); err != nil {
			return err
		}
	}
	if err := c.Mail(s.From); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "From: %s\r\nTo: %s\r\nMessage-ID: <1@notify>\r\n\r\n%s\r\n", s.From, to, note); err != nil {
		return err
	}
	return w.Close()
}

// classified marks a refusal for now.
func classified(err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) && reply.Code/100 == 4 {
		return fmt.Errorf("%w: %w", ErrTemporary, err)
	}
	return err
}
