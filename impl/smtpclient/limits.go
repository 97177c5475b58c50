package smtpclient

import (
	"slices"

	"github.com/postonce/postonce/spec"
)

// used is how much of what a server limits was used on a connection.
type used struct {
	// mails counts MAIL, domains are those of recipients that were named.
	mails   int
	domains []string
	// learnt is how many recipients a transaction had when the server said that
	// they were too many; 0 when it never did.
	learnt int
}

// spent reports whether the server takes no further transaction on the
// connection (RFC 9422 section 4.1).
func (c *Client) spent() bool { return c.ext.Limits.Mails > 0 && c.used.mails >= c.ext.Limits.Mails }

// Fit splits recipients into those whom the next transaction may name, at most
// most, and those who are left, both in order: by what the server says that it
// takes (RFC 9422), and by what it has shown. On a connection that was just made,
// there is always somebody; when nobody fits, it takes another one.
func (c *Client) Fit(recipients []string, most int) (now, later []string) {
	for _, limit := range []int{c.ext.Limits.Recipients, c.used.learnt} {
		if limit > 0 {
			most = min(most, limit)
		}
	}
	domains := slices.Clone(c.used.domains)
	for _, r := range recipients {
		known := slices.Contains(domains, spec.Domain(r))
		room := known || c.ext.Limits.Domains == 0 || len(domains) < c.ext.Limits.Domains
		if len(now) == most || !room {
			later = append(later, r)
			continue
		}
		if now = append(now, r); !known {
			domains = append(domains, spec.Domain(r))
		}
	}
	return now, later
}

// use notes that a command is about to be said.
func (t *transaction) use(cmd command) {
	c := t.c
	switch cmd.stage {
	case spec.StageMAIL:
		c.used.mails++
	case spec.StageRCPT:
		// Without a limit nobody asks, and a list of thousands would be long.
		if d := spec.Domain(t.Recipients[cmd.recipient]); c.ext.Limits.Domains > 0 && !slices.Contains(c.used.domains, d) {
			c.used.domains = append(c.used.domains, d)
		}
	default: // the server limits nothing else
	}
}
