package wire

import (
	"strconv"
	"strings"
)

// Limits are what a server says that it takes of one client (RFC 9422). 0 is no
// limit.
type Limits struct {
	// Mails is how many MAIL it takes in a connection (MAILMAX).
	Mails int
	// Recipients is how many RCPT it takes in a transaction (RCPTMAX).
	Recipients int
	// Domains is how many different domains of recipients it takes in a
	// connection (RCPTDOMAINMAX).
	Domains int
}

// parseLimits reads the parameters of LIMITS. One that is unknown or malformed
// says nothing (RFC 9422 section 3): a guess could have nobody get mail. Of one that is
// repeated, the first that is well formed counts.
func parseLimits(params []string) Limits {
	var l Limits
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		var field *int
		switch strings.ToUpper(name) {
		case "MAILMAX":
			field = &l.Mails
		case "RCPTMAX":
			field = &l.Recipients
		case "RCPTDOMAINMAX":
			field = &l.Domains
		default:
			continue
		}
		if *field == 0 {
			*field = limit(value)
		}
	}
	return l
}

// limit reads a number from 1 to 999999 without leading zeros (RFC 9422 section
// 3); anything else is 0.
func limit(value string) int {
	if len(value) > 6 || !allDigits(value) || value[0] == '0' {
		return 0
	}
	n, _ := strconv.Atoi(value) // it has six digits at most
	return n
}
