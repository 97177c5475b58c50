package fakesmtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/postonce/postonce/spec"
)

// errOver ends a session whose script has come to its end.
var errOver = errors.New("the session is over")

// A session is one connection. It lives in one goroutine.
type session struct {
	server *Server
	// conn is what is read and written: raw, the connection, or TLS over it.
	conn, raw net.Conn
	in        *bufio.Reader
	// pieces is what in reads, where a rule asks for it; else nil. length is how
	// many bytes what is answered has.
	pieces *pieces
	length int
	// id is the client's address; number counts connections from 1.
	id     string
	number int

	// refused is true when the greeting was not positive.
	refused bool
	// hello is true once EHLO or HELO was answered well; offered is what the
	// reply to EHLO said, by upper-case keyword.
	hello   bool
	offered map[string]string
	// secure is true under TLS. In a handshake, shown is the certificate, and
	// most how many bytes are sent before the connection is cut; -1 is all.
	secure bool
	shown  certificateOf
	most   int
	// known is true once a login was answered well, loginSaid once one was begun.
	known, loginSaid bool
	// muddled is true once the server has said more than it was asked, or what
	// is no reply: from then on the client cannot know which reply belongs to
	// which command, and is not blamed for their order.
	muddled bool
	// verb is the command in hand, for which ahead was complained of at most
	// once: complained.
	verb       string
	complained bool
	// mailSaid is true when MAIL was said in this transaction, whatever was
	// replied; messages counts MAIL in this connection.
	mailSaid bool
	messages int
	// domains are those of the recipients named in this connection.
	domains map[string]bool
	// mail is the open transaction, nil for none; body is its content while
	// that is read.
	mail *transaction
	body *body
}

// A transaction is what MAIL begins.
type transaction struct {
	// from is the sender, empty for the null sender; to the recipients taken.
	from string
	to   []string
	// body8 is BODY=8BITMIME, utf8 is SMTPUTF8.
	body8, utf8 bool
	// rcptSaid is true when RCPT was said, whatever was replied.
	rcptSaid bool
	// early is the reply given before the final dot, empty for none.
	early string
	// size is what SIZE said, empty for nothing.
	size string
	// named counts RCPT.
	named int
	// dataSaid is true when DATA was said, whatever was replied. chunks is what
	// came by BDAT, failed is true when a chunk was refused.
	dataSaid, failed bool
	chunks           *body
}

func newSession(s *Server, conn net.Conn, number int) *session {
	c := &session{server: s, conn: conn, raw: conn, id: conn.RemoteAddr().String(), number: number}
	var in io.Reader = conn
	if s.matcher.torn {
		c.pieces = &pieces{conn: conn}
		in = c.pieces
	}
	c.in = bufio.NewReaderSize(in, readSize)
	return c
}

// serve holds the conversation.
func (c *session) serve() {
	defer c.server.end(c.raw)
	defer c.raw.Close()
	// The error only says that the connection is over, which the client
	// knows as well as we do.
	_ = c.converse()
}

func (c *session) converse() error {
	if _, err := c.answer(occasion{stage: spec.StageConnect}, "", nil); err != nil {
		return err
	}
	said, err := c.answer(occasion{stage: spec.StageGreeting}, "220 "+c.server.hostname()+" ESMTP", nil)
	if err != nil {
		return err
	}
	c.refused = codeOf(said)/100 != 2
	for {
		if err := c.idle(); err != nil {
			return err
		}
		line, problem, err := c.readCommand()
		if err != nil {
			return err
		}
		if err := c.command(line, problem); err != nil {
			return err
		}
	}
}

// note makes a fact of this session.
func (c *session) note(f spec.Fact) {
	f.Actor, f.Host, f.Session = spec.ServerActor(c.server.name), c.server.name, c.id
	c.server.note(f)
}

// unlawful says that the client broke WIRE-LAWFUL. A command without a stage
// of its own counts for the command that could have come instead.
func (c *session) unlawful(stage spec.Stage, format string, args ...any) {
	switch {
	case stage != 0:
	case !c.hello:
		stage = spec.StageEHLO
	case c.mail == nil:
		stage = spec.StageMAIL
	default:
		stage = spec.StageRCPT
	}
	c.note(spec.Fact{Kind: spec.FactUnlawful, Stage: stage, Text: fmt.Sprintf(format, args...)})
}

// offers reports whether the reply to EHLO offered keyword.
func (c *session) offers(keyword string) bool {
	_, ok := c.offered[keyword]
	return ok
}

// reset ends a transaction.
func (c *session) reset() { c.mail, c.mailSaid = nil, false }

// ahead complains when the client has sent more than it may before the reply
// to the command in hand. What it has sent is known only as far as it has
// arrived by now, so this never blames wrongly but can miss.
func (c *session) ahead(stage spec.Stage) {
	if c.in.Buffered() == 0 || c.complained || c.muddled || stage == spec.StageBody || stage == spec.StageHandshake || stage == spec.StageIdle {
		return
	}
	switch {
	case stage == spec.StageConnect || stage == spec.StageGreeting:
		c.unlawful(stage, "the client spoke before the greeting was complete (RFC 5321 section 3.1)")
	case stage == spec.StageSTARTTLS:
		c.unlawful(stage, "the client did not wait for the reply to STARTTLS (RFC 3207 section 4)")
	case !c.offers("PIPELINING"):
		c.unlawful(stage, "the client did not wait for the reply to %s, though PIPELINING was not offered (RFC 5321 section 4.1.4)", c.verb)
	case c.verb == "MAIL" || c.verb == "RCPT" || c.verb == "RSET" || c.verb == "." || c.verb == "BDAT":
		return // RFC 2920 section 3.1, RFC 3030 section 4.2; content may be followed by the next group
	default:
		c.unlawful(stage, "%s must be the last command of a group (RFC 2920 section 3.1)", c.verb)
	}
	c.complained = true
}

// show bounds the text of a fact.
func show(text string) string {
	const most = 1024 // the longest lawful command line, and a reply of a screen
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
