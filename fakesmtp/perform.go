package fakesmtp

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// How long the client has to close its side after an orderly end, and how long
// a silent server reads nothing of a body. Both are far beyond what a client
// waits (RFC 5321 section 4.5.3.2).
const (
	lingerFor = time.Minute
	deafFor   = time.Hour
)

// A manner says how the next reply is sent.
type manner struct {
	drip   time.Duration
	repeat int
	// cut is after how many bytes the connection is cut; -1 is not.
	cut int
	// muddles is true when the client cannot know afterwards which reply belongs
	// to which command.
	muddles bool
}

var plainly = manner{repeat: 1, cut: -1}

// A deed is what the handler of a stage has to do when the answer is decided.
type deed struct {
	// decide is called before the first byte of the answer, with all of it.
	decide func(said string)
	// accept takes the message.
	accept func()
	// whole is called when the first reply of the answer is written whole.
	whole func()
}

// answer carries out the first rule that matches, or else replies normally; an
// empty normal is no reply. It returns all that the answer says, also what was
// cut off, in bytes.
func (c *session) answer(o occasion, normal string, d *deed) (string, error) {
	o.number, o.messages = c.number, c.messages
	o.pipelined, o.torn = c.in.Buffered() > 0, c.pieces.torn(c.length, c.in.Buffered())
	if c.mail != nil && o.from == "" {
		o.from, o.to = bracket(c.mail.from), c.mail.to
	}
	rule, ok := c.server.match(o)
	if ok && rule.IsFault() {
		c.note(spec.Fact{Kind: spec.FactFault, Stage: o.stage, Faults: rule.Faults(), Text: rule.String()})
	}
	return c.perform(o.stage, complete(rule.Actions, o.stage, normal), rule.manner(), d)
}

// manner is how the first reply of a rule is sent.
func (r Rule) manner() manner {
	how := plainly
	for _, f := range r.Faults() {
		how.muddles = how.muddles || f == spec.FaultExtraReply || f == spec.FaultMalformed || f == spec.FaultEarly
	}
	return how
}

// complete adds the normal reply to actions that neither reply nor end.
func complete(actions []Action, stage spec.Stage, normal string) []Action {
	for _, a := range actions {
		if a.speaks() || a.ends(stage) {
			return actions
		}
	}
	if normal == "" {
		return actions
	}
	return append(actions[:len(actions):len(actions)], Action{Do: Reply, Text: normal})
}

// perform carries out actions; how says how the first reply is sent.
func (c *session) perform(stage spec.Stage, actions []Action, how manner, d *deed) (string, error) {
	if d == nil {
		d = &deed{}
	}
	var all strings.Builder
	for _, a := range actions {
		if a.speaks() {
			all.WriteString(a.bytes())
		}
	}
	said, sent := all.String(), ""
	for _, a := range actions {
		var err error
		switch a.Do {
		case Delay:
			err = c.pause(stage, a.Wait)
		case Drip:
			how.drip = a.Wait
		case Repeat:
			how.repeat = a.Count
		case Accept:
			call(d.accept)
		case Reply, Raw:
			if sent == "" && d.decide != nil {
				d.decide(said)
			}
			err = c.say(stage, a.bytes(), how)
			before := isComplete(sent)
			if sent += a.bytes(); err == nil && !before && isComplete(sent) {
				call(d.whole)
			}
			how = plainly
		case CutAfter:
			if stage == spec.StageBody {
				return said, c.cutInBody(a.Count)
			}
			if stage == spec.StageHandshake {
				c.most = a.Count
				continue
			}
			how.cut = a.Count
		case Present:
			shown := a.certificate(c.server.name)
			c.shown.kind, c.shown.name = shown.kind, shown.name
		case Demand:
			c.shown.demands = true
		case Cut:
			return said, c.cut()
		case Fin:
			return said, c.fin()
		case Lose:
			call(d.accept)
			return said, c.cut()
		case Silence:
			return said, c.silence(stage)
		}
		if err != nil {
			return said, err
		}
	}
	return said, nil
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// say sends text.
func (c *session) say(stage spec.Stage, text string, how manner) error {
	c.ahead(stage)
	c.muddled = c.muddled || how.muddles
	if how.cut >= 0 {
		text = text[:min(how.cut, len(text))]
	}
	if text != "" {
		c.note(spec.Fact{Kind: spec.FactReply, Stage: stage, Reply: oneLine(text)})
	}
	for range how.repeat {
		if err := c.write(stage, text, how.drip); err != nil {
			return err
		}
	}
	if how.cut >= 0 {
		return c.cut()
	}
	return nil
}

// write writes text, with a pause after each byte but the last.
func (c *session) write(stage spec.Stage, text string, drip time.Duration) error {
	if drip == 0 {
		_, err := io.WriteString(c.conn, text)
		return err
	}
	for i := range len(text) {
		if i > 0 {
			if err := c.pause(stage, drip); err != nil {
				return err
			}
			c.ahead(stage)
		}
		if _, err := io.WriteString(c.conn, text[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// pause waits for d. While it waits it reads, to see whether the client goes
// or speaks out of turn. When the client goes the session ends at once; but
// not at the dot, where real servers go on and take a message for which
// nobody waits any more (RFC 1047).
func (c *session) pause(stage spec.Stage, d time.Duration) error {
	end := time.Now().Add(d)
	if c.in.Buffered() == 0 {
		err := c.listen(end)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil && stage != spec.StageDot:
			return err
		}
	}
	return c.server.wait(time.Until(end))
}

// listen waits until the client sends something, which stays unread, or until
// end.
func (c *session) listen(end time.Time) error {
	if err := c.conn.SetReadDeadline(end); err != nil {
		return err
	}
	if _, err := c.in.Peek(1); err != nil {
		return errors.Join(err, c.conn.SetReadDeadline(time.Time{}))
	}
	return c.conn.SetReadDeadline(time.Time{})
}

// cut ends the connection abruptly: with RST where there is such a thing.
func (c *session) cut() error {
	if l, ok := c.raw.(interface{ SetLinger(seconds int) error }); ok {
		_ = l.SetLinger(0) // it only matters while the connection lives
	}
	_ = c.raw.Close()
	return errOver
}

// fin ends the connection in an orderly way: closed with unread input, TCP
// would send RST, and the client might never see the last reply.
func (c *session) fin() error {
	if t, ok := c.conn.(*tls.Conn); ok {
		_ = t.CloseWrite() // the client's TLS hears of the end, too
	}
	if w, ok := c.raw.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
		_ = c.raw.SetReadDeadline(time.Now().Add(lingerFor))
		_, _ = io.Copy(io.Discard, c.in)
	}
	_ = c.raw.Close()
	return errOver
}

// silence reads until the client goes.
func (c *session) silence(stage spec.Stage) error {
	if stage == spec.StageBody {
		if err := c.server.wait(deafFor); err != nil {
			return err
		}
	}
	_, _ = io.Copy(io.Discard, c.in)
	return errOver
}

// codeOf returns the code of the first reply in text: that of its last line
// when lines differ. It is 0 when text does not begin with a code; empty lines
// before it do not count.
func codeOf(text string) int {
	text, code := strings.TrimLeft(text, "\r\n"), 0
	for line := range strings.SplitAfterSeq(text, "\r\n") {
		if len(line) < 3 || !isCode(line[:3]) {
			return code
		}
		code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
		if len(line) == 3 || line[3] != '-' {
			return code
		}
	}
	return code
}

// isComplete reports whether text begins with a whole reply, after any empty
// lines.
func isComplete(text string) bool {
	text = strings.TrimLeft(text, "\r\n")
	for line := range strings.SplitAfterSeq(text, "\r\n") {
		if !strings.HasSuffix(line, "\r\n") {
			return false
		}
		if len(line) < 4 || line[3] != '-' {
			return true
		}
	}
	return false
}

// oneLine shows what was sent as a spec.Reply prints itself, if it is one
// reply, with or without empty lines before it, or else as it is.
func oneLine(text string) string {
	body, ok := strings.CutSuffix(strings.TrimLeft(text, "\r\n"), "\r\n")
	if !ok || !isComplete(text) {
		return show(text)
	}
	lines := strings.Split(body, "\r\n")
	code := lines[0][:min(3, len(lines[0]))]
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, code)
		if !ok || len(code) < 3 {
			return show(text)
		}
		lines[i] = strings.TrimLeft(rest, " -")
	}
	return show(strings.TrimSpace(code + " " + strings.Join(lines, " ")))
}
