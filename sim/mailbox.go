package sim

import (
	"fmt"
	"io"
	"log"
	"net"
	"slices"

	"github.com/emersion/go-smtp"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// An smtpServer is what a host runs.
type smtpServer interface {
	Serve(l net.Listener) error
	Close() error
}

// newServer makes the server of a host.
func (w *world) newServer(h *host) smtpServer {
	note := func(f spec.Fact) { w.note(w.nature, f) }
	if h.Peer {
		return newMailbox(h.Name, note, w.keepReport)
	}
	s := fakesmtp.NewServer(h.Name, h.Script, note)
	s.Epoch, s.KeepContent = w.start, h.Name == scenarios.MailboxServer && w.readsReports()
	if h.healed {
		s.Heal()
	}
	return s
}

// A mailbox is a server that takes all mail: go-smtp's, so that client and
// server are not both ours.
type mailbox struct {
	*smtp.Server
	name string
	note func(spec.Fact)
	// keep takes the reports that arrive.
	keep func(content []byte)
}

// keepReport keeps a report for what is expected of it.
func (w *world) keepReport(content []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readsReports() {
		w.reports = append(w.reports, content)
	}
}

// readsReports reports whether anything is expected of what reports say.
func (w *world) readsReports() bool {
	return slices.ContainsFunc(w.scenario.Expect, func(e scenarios.Expectation) bool { return e.Report+e.NoReport != "" })
}

// gatherReports adds the reports that a scripted server has taken where senders live.
func (w *world) gatherReports() {
	h := w.network.host(scenarios.MailboxServer)
	if s, scripted := h.server.(*fakesmtp.Server); scripted {
		for _, a := range s.Accepted() {
			if len(readReport(a.Content)) > 0 {
				w.reports = append(w.reports, a.Content)
			}
		}
	}
}

// mailboxBytes is the size of the largest message that a mailbox takes.
const mailboxBytes = 64 << 20

func newMailbox(name string, note func(spec.Fact), keep func([]byte)) *mailbox {
	m := &mailbox{name: name, note: note, keep: keep}
	m.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailboxSession{mailbox: m, conn: c.Conn().(*mailboxConn)}, nil
	}))
	m.Domain, m.MaxMessageBytes, m.EnableSMTPUTF8 = name, mailboxBytes, true
	m.ErrorLog = log.New(io.Discard, "", 0)
	return m
}

// Serve shadows that of go-smtp, to see what is written.
func (m *mailbox) Serve(l net.Listener) error { return m.Server.Serve(&mailboxListener{l}) }

type mailboxListener struct{ net.Listener }

// Accept implements net.Listener.
func (l *mailboxListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &mailboxConn{Conn: c}, nil
}

// A mailboxConn calls written once after the next write: go-smtp does not say
// when a reply has gone out.
type mailboxConn struct {
	net.Conn
	written func()
}

// Write implements net.Conn.
func (c *mailboxConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if written := c.written; written != nil && err == nil {
		c.written = nil
		written()
	}
	return n, err
}

// A mailboxSession is one connection to a mailbox. It implements smtp.Session.
type mailboxSession struct {
	mailbox *mailbox
	conn    *mailboxConn
	from    string
	to      []string
}

func (s *mailboxSession) fact(f spec.Fact) {
	f.Actor, f.Host, f.Session = spec.ServerActor(s.mailbox.name), s.mailbox.name, s.conn.RemoteAddr().String()
	s.mailbox.note(f)
}

// Mail implements smtp.Session.
func (s *mailboxSession) Mail(from string, opts *smtp.MailOptions) error {
	s.from, s.to = from, nil
	said := fmt.Sprintf("MAIL FROM:<%s>", from)
	if opts.UTF8 {
		said += " SMTPUTF8"
	}
	s.fact(spec.Fact{Kind: spec.FactCommand, Stage: spec.StageMAIL, Text: said})
	return nil
}

// Rcpt implements smtp.Session.
func (s *mailboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	s.fact(spec.Fact{Kind: spec.FactCommand, Stage: spec.StageRCPT, Text: fmt.Sprintf("RCPT TO:<%s>", to)})
	return nil
}

// Data implements smtp.Session.
func (s *mailboxSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r) // go-smtp bounds it
	if err != nil {
		return err
	}
	hash := spec.NewContentHash()
	hash.Write(content)
	id, to := messageID(content), s.to
	s.fact(spec.Fact{Kind: spec.FactAccepted, Stage: spec.StageDot, Message: id, From: path(s.from), To: to, Hash: hash.Sum()})
	said := readReport(content)
	if len(said) > 0 {
		s.mailbox.keep(content)
	}
	for _, r := range said {
		s.fact(spec.Fact{
			Kind: spec.FactReportSeen, Stage: spec.StageDot, Message: id, To: []string{r.recipient}, Reply: r.action, Text: r.about, State: r.state,
		})
	}
	s.conn.written = func() { s.fact(spec.Fact{Kind: spec.FactReplied, Stage: spec.StageDot, Message: id, To: to}) }
	return nil
}

// Reset implements smtp.Session.
func (s *mailboxSession) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *mailboxSession) Logout() error { return nil }
