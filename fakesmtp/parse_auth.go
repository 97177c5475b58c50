package fakesmtp

import "slices"

// authMechanisms are those that a server knows.
var authMechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"}

// auth takes what stands after "auth".
func (c *cursor) auth() Auth {
	const form = `write auth relay "s3cret" PLAIN, LOGIN`
	var a Auth
	if c.done() {
		c.fail(c.pos, form, "the user is missing")
		return a
	}
	if c.text[c.pos] == '"' {
		a.User = c.quoted()
	} else {
		a.User = c.peek()
		c.pos += len(a.User)
	}
	if a.User == "" {
		c.fail(c.pos, form, "the user is empty")
	}
	if c.done() || c.text[c.pos] != '"' {
		c.fail(c.pos, form, "the secret is missing: it stands in double quotes")
		return a
	}
	at := c.pos
	if a.Secret = c.quoted(); a.Secret == "" {
		c.fail(at, form, "the secret is empty")
	}
	for first := true; !c.done() && c.peek() != "in" && (first || c.symbol(',')); first = false {
		c.done()
		at := c.pos
		name := c.choose("mechanism", authMechanisms)
		if slices.Contains(a.Mechanisms, name) {
			c.fail(at, "", "%s stands here twice", name)
		}
		a.Mechanisms = append(a.Mechanisms, name)
	}
	if c.accept("in") {
		if a.Clear = c.accept("clear"); !a.Clear {
			c.fail(c.pos, "write in clear", "clear is missing")
		}
	}
	return a
}
