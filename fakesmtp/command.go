package fakesmtp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

func plural(octets int) string { return strconv.Itoa(octets) + " octets" }

// stageOf maps verbs to stages; a verb that is not here has none.
var stageOf = map[string]spec.Stage{
	"EHLO": spec.StageEHLO, "HELO": spec.StageHELO, "MAIL": spec.StageMAIL, "RCPT": spec.StageRCPT,
	"DATA": spec.StageDATA, "BDAT": spec.StageBDAT, "STARTTLS": spec.StageSTARTTLS, "AUTH": spec.StageAUTH, "RSET": spec.StageRSET,
	"QUIT": spec.StageQUIT,
}

// wordOf are the commands that have no stage.
var wordOf = map[string]bool{"NOOP": true, "VRFY": true, "HELP": true, "EXPN": true}

// command answers one command.
func (c *session) command(line, problem string) error {
	verb := verbOf(line)
	stage := stageOf[verb]
	c.verb, c.complained = show(verb), false
	text := show(line)
	switch {
	case stage == spec.StageAUTH:
		text = show(veiled(verb, line))
	case stage == 0 && c.loginSaid && !wordOf[verb]:
		text, c.verb = response, response // it may be one that comes too late
	}
	c.note(spec.Fact{Kind: spec.FactCommand, Stage: stage, Text: text})
	if problem != "" {
		c.unlawful(stage, "%s", problem)
		return c.refuse(stage, "500 5.5.2 Syntax error")
	}
	_, args, _ := strings.Cut(line, " ")
	if c.refused && verb != "QUIT" {
		return c.refuse(stage, "503 5.5.1 No service here") // RFC 5321 section 3.1
	}
	switch verb {
	case "EHLO", "HELO":
		return c.ehlo(stage, verb, args)
	case "MAIL":
		return c.doMail(args)
	case "RCPT":
		return c.doRcpt(args)
	case "DATA":
		return c.data(args)
	case "BDAT":
		return c.bdat(args)
	case "STARTTLS":
		return c.starttls(args)
	case "AUTH":
		return c.auth(args)
	case "RSET":
		return c.rset(args)
	case "QUIT":
		return c.quit(args)
	}
	return c.other(verb, args)
}

// refuse replies without asking the rules: what was said makes no sense.
func (c *session) refuse(stage spec.Stage, reply string) error {
	return c.say(stage, c.worded(reply)+"\r\n", plainly)
}

// worded leaves out the enhanced code of a reply unless it was offered
// (RFC 2034 section 3).
func (c *session) worded(reply string) string {
	if c.offers("ENHANCEDSTATUSCODES") {
		return reply
	}
	code, rest, _ := strings.Cut(reply, " ")
	_, text, _ := strings.Cut(rest, " ")
	return code + " " + text
}

// bad says that a command is unlawful, and refuses it.
func (c *session) bad(stage spec.Stage, reply, format string, args ...any) error {
	c.unlawful(stage, format, args...)
	return c.refuse(stage, reply)
}

// outOfOrder is bad about a command that is right in itself.
func (c *session) outOfOrder(stage spec.Stage, reply, format string, args ...any) error {
	if c.muddled {
		return c.refuse(stage, reply)
	}
	return c.bad(stage, reply, format, args...)
}

func (c *session) ehlo(stage spec.Stage, verb, args string) error {
	if args == "" {
		return c.bad(stage, "501 5.5.4 Who are you?", "%s without a domain (RFC 5321 section 4.1.1.1)", verb)
	}
	if strings.ContainsAny(args, " \t") {
		return c.bad(stage, "501 5.5.4 Syntax error", "%s with more than a domain (RFC 5321 section 4.1.1.1)", verb)
	}
	lines := []string{c.server.hostname()}
	if verb == "EHLO" {
		for _, e := range c.offer() {
			lines = append(lines, e.String())
		}
	}
	for i := range lines {
		lines[i] = replyLine("250", lines[i], i == len(lines)-1)
	}
	said, err := c.answer(occasion{stage: stage}, strings.Join(lines, "|"), nil)
	if err != nil {
		return err
	}
	c.reset() // RFC 5321 section 4.1.4
	if codeOf(said)/100 == 2 {
		c.hello, c.offered = true, nil
		if verb == "EHLO" {
			c.offered = offeredIn(said)
		}
	}
	return nil
}

// offeredIn returns what the reply to EHLO offers.
func offeredIn(said string) map[string]string {
	offered := make(map[string]string)
	lines := strings.Split(said, "\r\n")
	for _, line := range lines[1:] {
		if len(line) < 5 {
			continue
		}
		keyword, params, _ := strings.Cut(line[4:], " ")
		offered[upper(keyword)] = params
		if line[3] == ' ' {
			break
		}
	}
	return offered
}

func (c *session) rset(args string) error {
	if args != "" {
		return c.bad(spec.StageRSET, "501 5.5.4 RSET takes nothing", "RSET with an argument (RFC 5321 section 4.1.1.5)")
	}
	_, err := c.answer(occasion{stage: spec.StageRSET}, c.worded("250 2.0.0 Forgotten"), nil)
	c.reset()
	return err
}

func (c *session) quit(args string) error {
	if args != "" {
		return c.bad(spec.StageQUIT, "501 5.5.4 QUIT takes nothing", "QUIT with an argument (RFC 5321 section 4.1.1.10)")
	}
	if _, err := c.answer(occasion{stage: spec.StageQUIT}, c.worded("221 2.0.0 Goodbye"), nil); err != nil {
		return err
	}
	return c.fin()
}

// other answers the commands that have no stage.
func (c *session) other(verb, args string) error {
	switch verb {
	case "NOOP":
		return c.refuse(0, "250 2.0.0 Nothing done")
	case "VRFY":
		return c.refuse(0, "252 2.1.5 Try and see") // RFC 5321 section 3.5.3
	case "HELP":
		return c.refuse(0, "214 2.0.0 See RFC 5321")
	case "EXPN":
		return c.refuse(0, "502 5.5.1 Not here")
	}
	if c.loginSaid {
		return c.outOfOrder(0, "500 5.5.1 Unknown command", "what is no command, or a response after the login was decided (RFC 4954 section 4)")
	}
	return c.bad(0, "500 5.5.1 Unknown command", "%q is no command that this server was told about", show(verb))
}

// parameterOf maps parameters to the extension that they belong to, where the
// names differ.
var parameterOf = map[string]string{
	"BODY": "8BITMIME", "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN", "ORCPT": "DSN", "BY": "DELIVERBY",
	"HOLDFOR": "FUTURERELEASE", "HOLDUNTIL": "FUTURERELEASE",
}

// only tells which of MAIL and RCPT a parameter belongs to, where it is known.
var only = map[string]string{
	"SIZE": "MAIL", "BODY": "MAIL", "SMTPUTF8": "MAIL", "REQUIRETLS": "MAIL", "RET": "MAIL", "ENVID": "MAIL", "AUTH": "MAIL", "NOTIFY": "RCPT", "ORCPT": "RCPT",
}

// parameters reads the parameters of MAIL or RCPT, and says what is unlawful.
func (c *session) parameters(verb string, params []string) (map[string]string, string) {
	values := make(map[string]string)
	for _, p := range params {
		name, value, has := strings.Cut(p, "=")
		name = upper(name)
		extension := parameterOf[name]
		if extension == "" {
			extension = name
		}
		_, twice := values[name]
		switch {
		case !c.offers(extension):
			return nil, fmt.Sprintf("%s has the parameter %s, though %s was not offered (RFC 5321 section 2.2.1)", verb, show(name), show(extension))
		case only[name] != "" && only[name] != verb:
			return nil, fmt.Sprintf("%s is no parameter of %s", name, verb)
		case twice:
			return nil, fmt.Sprintf("%s has the parameter %s twice", verb, show(name))
		case has && value == "":
			return nil, fmt.Sprintf("the parameter %s has an empty value (RFC 5321 section 4.1.2)", show(name))
		case has && (name == "SMTPUTF8" || name == "REQUIRETLS"):
			return nil, fmt.Sprintf("%s has a value (RFC 6531 section 3.1, RFC 8689 section 2)", name)
		case name == "BODY" && !slices.Contains([]string{"7BIT", "8BITMIME"}, strings.ToUpper(value)):
			return nil, "BODY is neither 7BIT nor 8BITMIME (RFC 6152 section 3)"
		case name == "SIZE" && (value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != ""):
			return nil, "SIZE is no number of octets (RFC 1870 section 5)"
		}
		values[name] = value
	}
	return values, ""
}

// parsePath splits what follows MAIL or RCPT into path and parameters.
func parsePath(args, keyword string) (path string, params []string, problem string) {
	if len(args) < len(keyword) || !strings.EqualFold(args[:len(keyword)], keyword) {
		return "", nil, "the command has no " + keyword + " (RFC 5321 section 4.1.2)"
	}
	rest := args[len(keyword):]
	if strings.HasPrefix(rest, " ") {
		return "", nil, "a blank stands before the path (RFC 5321 section 3.3)"
	}
	if !strings.HasPrefix(rest, "<") {
		return "", nil, "the path has no angle brackets (RFC 5321 section 4.1.2)"
	}
	end := closing(rest)
	if end < 0 {
		return "", nil, "the angle bracket of the path is not closed (RFC 5321 section 4.1.2)"
	}
	path, rest = rest[1:end], rest[end+1:]
	if rest != "" {
		if rest[0] != ' ' {
			return "", nil, "something stands right after the path (RFC 5321 section 4.1.2)"
		}
		params = strings.Split(rest[1:], " ")
		if slices.Contains(params, "") {
			return "", nil, "a blank too many stands before, between or after the parameters (RFC 5321 section 4.1.2)"
		}
	}
	return path, params, pathProblem(path)
}

// pathProblem says what is wrong with a path that is not empty.
func pathProblem(path string) string {
	at := strings.LastIndexByte(path, '@')
	switch {
	case path == "" || strings.EqualFold(path, "postmaster"):
		return ""
	case at <= 0 || at == len(path)-1:
		return "the path is no mailbox (RFC 5321 section 4.1.2)"
	case strings.ContainsAny(path[at:], " \t<>\""):
		return "the domain of the path has a character that it cannot have (RFC 5321 section 4.1.2)"
	case !strings.HasPrefix(path, `"`) && strings.ContainsAny(path[:at], " \t<>()[];:\"\\,") && path[0] != '@':
		return "the local part has a character that needs quotes (RFC 5321 section 4.1.2)"
	}
	return ""
}

// bracket writes a path as facts and rules have it.
func bracket(path string) string {
	if path == "" {
		return nullSender
	}
	return path
}
