package fakesmtp

import (
	"slices"
	"strconv"
	"strings"
)

// extensions are the keywords that IANA has registered for EHLO, so that one
// that is mistyped is found.
var extensions = [...]string{
	"8BITMIME", "ATRN", "AUTH", "BINARYMIME", "BURL", "CHECKPOINT", "CHUNKING", "CONNEG", "CONPERM", "DELIVERBY", "DSN",
	"ENHANCEDSTATUSCODES", "ETRN", "EXPN", "FUTURERELEASE", "HELP", "LIMITS", "MT-PRIORITY", "MTRK", "NO-SOLICITING",
	"PIPELINING", "REQUIRETLS", "RRVS", "SAML", "SEND", "SIZE", "SMTPUTF8", "SOML", "STARTTLS", "SUBMITTER", "TURN",
	"UTF8SMTP", "VERB", "VRFY",
}

// known reports whether a keyword is registered, or of local use: those begin
// with X (RFC 5321 section 2.2.2).
func known(keyword string) bool {
	keyword = strings.ToUpper(keyword)
	return strings.HasPrefix(keyword, "X") || slices.Contains(extensions[:], keyword)
}

// inScript writes an extension as it stands in a script.
func (e Extension) inScript() string {
	if known(e.Keyword) && !(upper(e.Keyword) == "LIMITS" && e.oddLimits()) {
		return e.String()
	}
	return strconv.Quote(e.String())
}
