package sim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A submission is one message on its way into the relay: a step of the plan.
// It is a plain SMTP client of its own making: go-smtp's always declares
// 8BITMIME, and cannot say whether the final dot was sent.
type submission struct {
	world   *world
	step    scenarios.Step
	content []byte
	conn    net.Conn
	text    *textproto.Conn
	// taken are the recipients that the relay accepted.
	taken []string
	// dotted is true from the moment from which the relay may have the mail.
	dotted bool
}

// errRefused ends a conversation in which the relay refused, and said so.
var errRefused = errors.New("refused")

// submit submits a message. While the relay cannot be reached, or when the
// connection ends before it can have taken the mail, it tries again.
func (w *world) submit(step scenarios.Step) {
	began := w.now()
	pause := submitFirst
	for {
		s := &submission{world: w, step: step, content: w.mail.content[step.Message]}
		err := s.connect()
		if err == nil {
			err = s.converse()
			s.conn.Close()
			if err == nil || s.dotted || errors.Is(err, errRefused) {
				return
			}
			s.note(spec.FactRefused, step.Recipients, "", "the connection ended before the final dot: "+failure(err))
		}
		if w.now()-began > submitPeriod {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.vain(step.Line, "%s could not be submitted: %s", step.Message, failure(err))
			return
		}
		w.mu.Lock()
		at := w.claim(w.now() + pause)
		w.mu.Unlock()
		if w.sleep(context.Background(), w.nature, at) != nil {
			return
		}
		pause = submitRetry
	}
}

func (s *submission) connect() error {
	conn, err := s.world.dial(context.Background(), s.world.nature, submitterIP, RelayAddr)
	if err != nil {
		return err
	}
	s.conn, s.text = conn, textproto.NewConn(conn)
	return nil
}

// note makes a fact of the submission.
func (s *submission) note(kind spec.FactKind, to []string, reply, text string) {
	f := spec.Fact{Actor: spec.ActorSubmitter, Kind: kind, Message: s.world.mail.id(s.step.Message), To: to, Reply: reply, Text: text}
	if kind == spec.FactSubmit {
		hash := spec.NewContentHash()
		hash.Write(s.content)
		f.From, f.Hash, f.Count = path(s.step.Sender), hash.Sum(), int64(len(s.content))
		f.Needs = spec.Needed(bytes.ContainsFunc(s.content, beyondASCII), s.needs())
		for i := range s.step.Asked {
			f.Notify = append(f.Notify, s.step.Asked[i].Notify.String())
		}
	}
	s.world.note(s.world.nature, f)
}

// converse holds the conversation. The error is nil when the relay took the
// mail; errRefused when it refused; else it says how the connection ended.
func (s *submission) converse() error {
	s.note(spec.FactSubmit, s.step.Recipients, "", "")
	if _, err := s.command(2, s.step.Recipients, ""); err != nil {
		return err
	}
	offer, err := s.command(2, s.step.Recipients, "EHLO %s", submitDomain)
	if err != nil {
		return err
	}
	parameters := ""
	if s.step.EightBit && strings.Contains(strings.ToUpper(offer), "8BITMIME") {
		parameters = " BODY=8BITMIME"
	}
	for _, word := range s.declared() {
		if !slices.Contains(strings.Fields(strings.ToUpper(offer)), word) {
			s.note(spec.FactRefused, s.step.Recipients, "", word+" is not offered")
			return errRefused
		}
		parameters += " " + word
	}
	parameters += tracking(s.step.Tracking)
	if _, err := s.command(2, s.step.Recipients, "MAIL FROM:<%s>%s", s.step.Sender, parameters); err != nil {
		return err
	}
	for i, to := range s.step.Recipients {
		switch _, err := s.command(2, []string{to}, "RCPT TO:<%s>%s", to, asked(spec.AskedOf(s.step.Asked, i))); {
		case err == nil:
			s.taken = append(s.taken, to)
		case !errors.Is(err, errRefused):
			return err
		}
	}
	if len(s.taken) == 0 {
		return errRefused
	}
	if _, err := s.command(3, s.taken, "DATA"); err != nil {
		return err
	}
	if err := s.body(); err != nil {
		return err
	}
	_, _ = s.command(0, nil, "QUIT") // the mail is delivered; nothing depends on it
	return nil
}

// needs is what a server has to offer for the message: what it has and was said to
// have (RFC 6531 section 3.7), and what was wished (RFC 8689).
func (s *submission) needs() spec.Needs {
	var needs spec.Needs
	header, _, _ := bytes.Cut(s.content, []byte("\r\n\r\n"))
	if s.step.UTF8 && bytes.ContainsFunc(header, beyondASCII) && utf8.Valid(header) {
		needs |= spec.NeedUTF8
	}
	if s.step.RequireTLS {
		needs |= spec.NeedTLS
	}
	return needs
}

func beyondASCII(r rune) bool { return r > 0x7f }

// declared are the parameters of MAIL without a value. A relay that does not offer
// one gets no mail.
func (s *submission) declared() []string {
	var words []string
	if s.step.UTF8 {
		words = append(words, "SMTPUTF8")
	}
	if s.step.RequireTLS {
		words = append(words, "REQUIRETLS")
	}
	return words
}

// tracking writes RET and ENVID (RFC 3461 sections 4.3 and 4.4). They are said to
// every relay: one that refuses them does not take the mail.
func tracking(t spec.Tracking) string {
	out := ""
	if t.Return != 0 {
		out += " RET=" + t.Return.String()
	}
	if t.EnvelopeID != "" {
		out += " ENVID=" + xtext(t.EnvelopeID)
	}
	return out
}

// asked writes NOTIFY and ORCPT (RFC 3461 sections 4.1 and 4.2).
func asked(a spec.Asked) string {
	out := ""
	if a.Notify != 0 {
		out += " NOTIFY=" + a.Notify.Keywords()
	}
	if kind, address, ok := strings.Cut(a.Original, ";"); ok {
		out += " ORCPT=" + kind + ";" + xtext(address)
	}
	return out
}

// xtext encodes more than has to be (RFC 3461 section 4), in its own way: the
// relay's encoder is on trial.
func xtext(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '@' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "+%02X", c)
		}
	}
	return b.String()
}

// body sends the content and waits for what the relay says to it.
func (s *submission) body() error {
	var w io.WriteCloser = &rawWriter{s.text.W}
	if !s.world.mail.raw[s.step.Message] {
		w = s.text.DotWriter()
	}
	if _, err := w.Write(s.content); err != nil {
		return err
	}
	s.dotted = true
	err := w.Close()
	reply := ""
	if err == nil {
		reply, err = s.command(2, s.taken, "")
	}
	switch {
	case err == nil:
		s.note(spec.FactSubmitted, s.taken, reply, "")
	case !errors.Is(err, errRefused):
		s.note(spec.FactSubmitUnknown, nil, "", failure(err))
	}
	return err
}

// A rawWriter sends a content, given whole, as it is: only after CRLF is a dot
// doubled, and nothing is made of a CR or LF that stands alone.
type rawWriter struct{ w *bufio.Writer }

// Write implements io.Writer.
func (r *rawWriter) Write(content []byte) (int, error) {
	stuffed := bytes.ReplaceAll(append([]byte("\r\n"), content...), []byte("\r\n."), []byte("\r\n.."))[len("\r\n"):]
	if !bytes.HasSuffix(content, []byte("\r\n")) {
		stuffed = append(stuffed, "\r\n"...)
	}
	_, err := r.w.Write(stuffed)
	return len(content), err
}

// Close ends the content.
func (r *rawWriter) Close() error {
	if _, err := r.w.WriteString(".\r\n"); err != nil {
		return err
	}
	return r.w.Flush()
}

// patience is how long the submitter waits for a reply (RFC 5321 section
// 4.5.3.2.6 has the longest).
const patience = 10 * time.Minute

// command sends a command, none when it is empty, and returns the reply on one
// line. Another class than want is a refusal of to.
func (s *submission) command(want int, to []string, format string, args ...any) (string, error) {
	if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if format != "" {
		if err := s.text.PrintfLine(format, args...); err != nil {
			return "", err
		}
	}
	code, text, err := s.text.ReadResponse(0)
	if err != nil {
		return "", err
	}
	reply := fmt.Sprintf("%d %s", code, strings.ReplaceAll(text, "\n", " "))
	if want > 0 && code/100 != want {
		s.note(spec.FactRefused, to, reply, "")
		return reply, errRefused
	}
	return reply, nil
}
