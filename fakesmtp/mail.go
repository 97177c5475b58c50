package fakesmtp

import (
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

func (c *session) doMail(args string) error {
	const stage = spec.StageMAIL
	path, params, problem := parsePath(args, "FROM:")
	switch {
	case !c.hello:
		return c.outOfOrder(stage, "503 5.5.1 EHLO first", "MAIL before EHLO or HELO (RFC 5321 section 4.1.4)")
	case c.mail != nil:
		return c.outOfOrder(stage, "503 5.5.1 One at a time", "MAIL within a transaction (RFC 5321 section 4.1.4)")
	case problem != "":
		return c.bad(stage, "501 5.5.4 Syntax error", "MAIL: %s", problem)
	}
	values, problem := c.parameters("MAIL", params)
	_, utf8 := values["SMTPUTF8"]
	switch {
	case problem != "":
		return c.bad(stage, "555 5.5.4 Parameter not known", "%s", problem)
	case !utf8 && !isASCII(path):
		return c.bad(stage, "553 5.6.7 Not ASCII", "the sender is not ASCII and SMTPUTF8 was not said (RFC 6531 section 3.2)")
	}
	c.mailSaid = true
	c.messages++
	normal := c.worded("250 2.1.0 Sender ok")
	if size, err := strconv.ParseInt(values["SIZE"], 10, 64); values["SIZE"] != "" && (err != nil || size > c.limit()) {
		normal = c.worded("552 5.3.4 Message too big") // RFC 1870 section 6.1
	}
	if c.server.script.Auth.asked() && !c.known {
		normal = c.worded("530 5.7.0 Log in first") // RFC 4954 section 6
	}
	if c.overMails() {
		normal = c.worded("452 4.5.3 Too many messages")
	}
	said, err := c.answer(occasion{stage: stage, from: bracket(path), parameters: len(params) > 0}, normal, nil)
	if err == nil && codeOf(said)/100 == 2 {
		c.mail = &transaction{from: path, body8: strings.EqualFold(values["BODY"], "8BITMIME"), utf8: utf8, size: values["SIZE"]}
	}
	return err
}

// limit is the size of the largest message: what SIZE announced, or the
// server's own.
func (c *session) limit() int64 {
	limit := c.server.MaxContent
	if n, err := strconv.ParseInt(c.offered["SIZE"], 10, 64); err == nil && n > 0 {
		limit = min(limit, n)
	}
	return limit
}

func (c *session) doRcpt(args string) error {
	const stage = spec.StageRCPT
	if c.mail == nil {
		return c.noMail(stage)
	}
	path, params, problem := parsePath(args, "TO:")
	switch {
	case problem == "" && path == "":
		problem = "the recipient is empty (RFC 5321 section 4.1.1.3)"
		fallthrough
	case problem != "":
		return c.bad(stage, "501 5.5.4 Syntax error", "RCPT: %s", problem)
	}
	_, problem = c.parameters("RCPT", params)
	switch {
	case problem != "":
		return c.bad(stage, "555 5.5.4 Parameter not known", "%s", problem)
	case !c.mail.utf8 && !isASCII(path):
		return c.bad(stage, "553 5.6.7 Not ASCII", "the recipient is not ASCII and SMTPUTF8 was not said (RFC 6531 section 3.2)")
	}
	c.mail.rcptSaid = true
	o := occasion{
		stage: stage, from: bracket(c.mail.from), to: []string{path},
		parameters: len(params) > 0, recipients: len(c.mail.to) + 1,
	}
	normal := c.worded("250 2.1.5 Recipient ok")
	if c.overRecipients(path) {
		normal = c.worded("452 4.5.3 Too many recipients")
	}
	said, err := c.answer(o, normal, &deed{decide: func(said string) {
		if class := codeOf(said) / 100; class == 4 || class == 5 {
			c.note(spec.Fact{Kind: spec.FactRefusedRecipient, Stage: stage, From: o.from, To: o.to, Reply: oneLine(said)})
		}
	}})
	if err == nil && codeOf(said)/100 == 2 {
		c.mail.to = append(c.mail.to, path)
	}
	return err
}

// noMail answers RCPT and DATA when no transaction is open. That is lawful
// only when MAIL was refused and its reply had not to be waited for.
func (c *session) noMail(stage spec.Stage) error {
	const reply = "503 5.5.1 MAIL first"
	switch {
	case !c.mailSaid:
		return c.outOfOrder(stage, reply, "%s without MAIL (RFC 5321 section 4.1.4)", c.verb)
	case !c.offers("PIPELINING"):
		return c.outOfOrder(stage, reply, "%s though MAIL was refused (RFC 5321 section 3.3)", c.verb)
	}
	return c.refuse(stage, reply)
}

func (c *session) data(args string) error {
	const stage = spec.StageDATA
	switch {
	case args != "":
		return c.bad(stage, "501 5.5.4 DATA takes nothing", "DATA with an argument (RFC 5321 section 4.1.1.4)")
	case c.mail == nil:
		return c.noMail(stage)
	case !c.mail.rcptSaid:
		return c.outOfOrder(stage, "503 5.5.1 RCPT first", "DATA without RCPT (RFC 5321 section 4.1.4)")
	case c.mail.chunks != nil || c.mail.failed:
		return c.outOfOrder(stage, "503 5.5.1 One or the other", "DATA after BDAT in one transaction (RFC 3030 section 2)")
	}
	c.mail.dataSaid = true
	normal := "354 Go ahead"
	if len(c.mail.to) == 0 {
		if !c.offers("PIPELINING") && !c.muddled {
			c.unlawful(stage, "DATA though every recipient was refused (RFC 5321 section 3.3)")
		}
		normal = c.worded("554 5.5.1 No valid recipients") // RFC 2920 section 3.1
	}
	o := occasion{stage: stage, recipients: len(c.mail.to)}
	said, err := c.answer(o, normal, nil)
	if err != nil || codeOf(said)/100 != 3 {
		return err
	}
	return c.content()
}
