package fakesmtp

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// An Auth says who may send mail, and how he proves who he is (RFC 4954). The
// zero Auth is a server that asks nobody.
type Auth struct {
	User, Secret string
	// Mechanisms are offered in this order; none are all that take a password.
	Mechanisms []string
	// Clear lets clients log in without TLS though STARTTLS is offered, too.
	Clear bool
}

// asked reports whether the server asks who is there.
func (a Auth) asked() bool { return a.User != "" }

// mechanisms lists those that are offered.
func (a Auth) mechanisms() []string {
	if len(a.Mechanisms) > 0 {
		return a.Mechanisms
	}
	return []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}
}

// String returns what stands after "auth" in a script.
func (a Auth) String() string {
	user := a.User
	if strings.ContainsAny(user, " \t,:;<\"") {
		user = strconv.Quote(user)
	}
	words := []string{user, strconv.Quote(a.Secret)}
	if len(a.Mechanisms) > 0 {
		words = append(words, strings.Join(a.Mechanisms, ", "))
	}
	if a.Clear {
		words = append(words, inClear)
	}
	return strings.Join(words, " ")
}

const inClear = "in clear"

// response stands in facts for what a client says in a login.
const response = "(response)"

// offersAuth reports whether the reply to EHLO offers a login: not in clear to
// who could have TLS (RFC 4954 section 4).
func (c *session) offersAuth() bool {
	s := &c.server.script
	named := func(keyword string) bool {
		return slices.ContainsFunc(s.Offer, func(e Extension) bool { return strings.EqualFold(e.Keyword, keyword) })
	}
	return s.Auth.asked() && !named("AUTH") && (c.secure || s.Auth.Clear || !named("STARTTLS"))
}

// veiled is a command as it stands in a fact: a login without the response.
func veiled(verb, line string) string {
	mechanism, _, has := strings.Cut(strings.TrimPrefix(line[min(len(verb), len(line)):], " "), " ")
	if has {
		return strings.TrimSpace(verb + " " + mechanism + " " + response)
	}
	return strings.TrimSpace(verb + " " + mechanism)
}

// auth answers AUTH (RFC 4954 section 4).
func (c *session) auth(args string) error {
	const stage = spec.StageAUTH
	mechanism, initial, has := strings.Cut(args, " ")
	mechanism = upper(mechanism)
	switch {
	case !c.hello:
		return c.outOfOrder(stage, "503 5.5.1 EHLO first", "AUTH before EHLO (RFC 4954 section 4)")
	case !c.offers("AUTH") && c.server.script.Auth.asked() && !c.secure:
		return c.outOfOrder(stage, "538 5.7.11 Not in clear", "AUTH in clear, which was not offered (RFC 4954 section 6)")
	case !c.offers("AUTH"):
		return c.outOfOrder(stage, "502 5.5.1 Not offered", "AUTH was not offered (RFC 5321 section 2.2.1)")
	case c.known:
		return c.outOfOrder(stage, "503 5.5.1 You are in", "AUTH after a login (RFC 4954 section 4)")
	case c.mail != nil:
		return c.outOfOrder(stage, "503 5.5.1 Not now", "AUTH within a transaction (RFC 4954 section 4)")
	case !slices.Contains(strings.Fields(upper(c.offered["AUTH"])), mechanism):
		return c.outOfOrder(stage, "504 5.5.4 Not this way", "AUTH by %q, which was not offered (RFC 4954 section 4)", show(mechanism))
	}
	c.loginSaid = true
	var first []byte // nil is no initial response
	if has {
		var ok bool
		if first, ok = fromBase64(strings.TrimPrefix(initial, "=")); !ok || initial == "" {
			return c.bad(stage, "501 5.5.2 No base64", "the initial response is no base64 (RFC 4954 section 4)")
		}
	}
	return c.exchange(c.mechanism(mechanism), first)
}

// fromBase64 reads base64; of nothing it is empty and not nil.
func fromBase64(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return append([]byte{}, b...), err == nil
}

// exchange holds a login: each reply is one that rules may be for.
func (c *session) exchange(m mechanism, answer []byte) error {
	const stage = spec.StageAUTH
	for {
		reply := m.reply(answer)
		if !strings.HasPrefix(reply, "334") {
			reply = c.worded(reply) // a challenge has no enhanced code
		}
		said, err := c.answer(occasion{stage: stage}, reply, nil)
		if err != nil {
			return err
		}
		switch codeOf(said) / 100 {
		case 2:
			c.known = true
			return nil
		case 3:
		default:
			return nil
		}
		line, problem, err := c.readLine(func(string) int { return maxResponse })
		if err != nil {
			return err
		}
		text := response
		if line == "*" {
			text = line
		}
		c.complained = false
		c.note(spec.Fact{Kind: spec.FactCommand, Stage: stage, Text: text})
		var ok bool
		switch answer, ok = fromBase64(line); {
		case line == "*":
			return c.refuse(stage, "501 5.7.0 Cancelled") // RFC 4954 section 4
		case problem != "":
			return c.bad(stage, "500 5.5.6 Too long", "%s", problem)
		case !ok:
			return c.bad(stage, "501 5.5.2 No base64", "a response that is no base64 (RFC 4954 section 4)")
		}
	}
}
