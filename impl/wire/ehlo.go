package wire

import (
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// Extensions are the service extensions that a server offers in its answer to
// EHLO (RFC 5321 section 4.1.1.1). The zero value offers nothing, as after
// HELO.
type Extensions struct {
	// Pipelining: commands may be sent in groups (RFC 2920).
	Pipelining bool
	// Size: MAIL may carry SIZE= (RFC 1870).
	Size bool
	// SizeLimit is the largest message in bytes; 0 when the server states no
	// fixed limit, or none that can be understood.
	SizeLimit int64
	// EightBitMIME: MAIL may carry BODY=8BITMIME (RFC 6152).
	EightBitMIME bool
	// SMTPUTF8: MAIL may carry SMTPUTF8, and addresses and header UTF-8 (RFC 6531).
	SMTPUTF8 bool
	// RequireTLS: MAIL may carry REQUIRETLS (RFC 8689).
	RequireTLS bool
	// STARTTLS: the connection can be encrypted (RFC 3207).
	STARTTLS bool
	// Auth are the mechanisms of a login (RFC 4954), in upper case. Older servers
	// have them after "AUTH=", as in drafts of it; some say both.
	Auth []string
	// Chunking: content may be sent by BDAT (RFC 3030).
	Chunking bool
	// Limits are those that the server states (RFC 9422).
	Limits Limits
	// DSN: MAIL may carry RET= and ENVID=, RCPT NOTIFY= and ORCPT= (RFC 3461).
	DSN bool
	// EnhancedStatusCodes: replies carry them (RFC 2034). It is for the
	// record: they are recognised in any case.
	EnhancedStatusCodes bool
	// Offered is every line in order, known or not.
	Offered []Extension
}

// An Extension is one line of an EHLO answer.
type Extension struct {
	// Keyword is upper case: keywords are compared without regard to case.
	Keyword string
	// Params are its parameters as the server wrote them.
	Params []string
}

// ParseEHLO reads what a positive reply to EHLO offers. The first line is a
// greeting and never an extension. Only the first word of a line is its
// keyword, so "XFOO PIPELINING" does not offer pipelining; when a keyword is
// repeated, its first line counts.
func ParseEHLO(reply spec.Reply) Extensions {
	var e Extensions
	if reply.Class() != 2 || len(reply.Lines) == 0 {
		return e
	}
	for _, line := range reply.Lines[1:] {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		x := Extension{Keyword: strings.ToUpper(words[0]), Params: words[1:]}
		e.Offered = append(e.Offered, x)
		e.note(x)
	}
	return e
}

func (e *Extensions) note(x Extension) {
	if first, ok := strings.CutPrefix(x.Keyword, "AUTH="); ok && first != "" {
		x.Keyword, x.Params = "AUTH", append([]string{first}, x.Params...)
	}
	switch x.Keyword {
	case "PIPELINING":
		e.Pipelining = true
	case "8BITMIME":
		e.EightBitMIME = true
	case "SMTPUTF8":
		e.SMTPUTF8 = true
	case "REQUIRETLS":
		e.RequireTLS = true
	case "STARTTLS":
		e.STARTTLS = true
	case "CHUNKING":
		e.Chunking = true
	case "LIMITS":
		if e.Limits == (Limits{}) {
			e.Limits = parseLimits(x.Params)
		}
	case "DSN":
		e.DSN = true
	case "AUTH":
		for _, mechanism := range x.Params {
			e.Auth = append(e.Auth, strings.ToUpper(mechanism))
		}
	case "ENHANCEDSTATUSCODES":
		e.EnhancedStatusCodes = true
	case "SIZE":
		if e.Size {
			return
		}
		e.Size = true
		// RFC 1870 section 4: up to 20 digits, more than an int64 holds. A
		// limit that large limits nothing.
		if len(x.Params) > 0 && allDigits(x.Params[0]) {
			e.SizeLimit, _ = strconv.ParseInt(x.Params[0], 10, 64)
			if len(x.Params[0]) > 18 {
				e.SizeLimit = 0
			}
		}
	}
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}
