package fakesmtp

import (
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// limitNames are the limits that RFC 9422 section 4 defines.
var limitNames = [...]string{"MAILMAX", "RCPTMAX", "RCPTDOMAINMAX"}

// stated returns a limit that the reply to EHLO stated, 0 for none. One that is
// malformed was not stated (RFC 9422 section 3).
func (c *session) stated(name string) int {
	for _, p := range strings.Fields(c.offered["LIMITS"]) {
		if n, value, _ := strings.Cut(p, "="); upper(n) == name && isLimit(value) {
			limit, _ := strconv.Atoi(value) // it has six digits at most
			return limit
		}
	}
	return 0
}

// isLimit reports whether value is a number from 1 to 999999.
func isLimit(value string) bool {
	return value != "" && len(value) <= 6 && value[0] != '0' && strings.Trim(value, "0123456789") == ""
}

// overMails reports whether MAIL is one more than the server said that it takes.
func (c *session) overMails() bool {
	limit := c.stated("MAILMAX")
	over := limit > 0 && c.messages > limit
	if over && !c.muddled {
		c.unlawful(spec.StageMAIL, "MAIL number %d in a connection, though MAILMAX is %d (RFC 9422 section 4.1)", c.messages, limit)
	}
	return over
}

// overRecipients reports whether RCPT is one more than the server said that it
// takes, or of one domain more.
func (c *session) overRecipients(path string) bool {
	c.mail.named++
	if c.domains == nil {
		c.domains = make(map[string]bool)
	}
	c.domains[spec.Domain(path)] = true
	most, domains := c.stated("RCPTMAX"), c.stated("RCPTDOMAINMAX")
	problem := ""
	switch {
	case most > 0 && c.mail.named > most:
		problem = "RCPT number " + strconv.Itoa(c.mail.named) + " in a transaction, though RCPTMAX is " + strconv.Itoa(most) + " (RFC 9422 section 4.2)"
	case domains > 0 && len(c.domains) > domains:
		problem = "RCPT for domain number " + strconv.Itoa(len(c.domains)) + " in a connection, though RCPTDOMAINMAX is " +
			strconv.Itoa(domains) + " (RFC 9422 section 4.3)"
	default:
		return false
	}
	if !c.muddled {
		c.unlawful(spec.StageRCPT, "%s", problem)
	}
	return true
}

// oddLimits reports whether an offer of LIMITS is one that a well-behaved server
// would not make.
func (e Extension) oddLimits() bool {
	for _, p := range strings.Fields(e.Params) {
		name, value, _ := strings.Cut(p, "=")
		known := false
		for _, n := range limitNames {
			known = known || upper(name) == n
		}
		if !known || !isLimit(value) {
			return true
		}
	}
	return e.Params == ""
}
