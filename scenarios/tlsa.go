package scenarios

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postonce/postonce/fakesmtp"
)

// signed marks names whose answers are secure. It is no record.
const signed = "SIGNED"

// tlsaName is the name of a TLSA record: a port of a host (RFC 6698 section 3).
var tlsaName = regexp.MustCompile(`^_[0-9]+\._tcp\.[^.]`)

// tlsa takes what a TLSA record holds: usage, selector and matching type, and
// their data, in hexadecimal or as the certificate of the host that they fit.
func (l *line) tlsa(r *Record) {
	if !tlsaName.MatchString(r.Name) {
		l.fail(0, "write _25._tcp. before the name of the host", "%q is no name for TLSA", r.Name)
	}
	var numbers [3]int64
	for i, what := range []string{"the certificate usage", "the selector", "the matching type"} {
		l.space()
		at := l.pos
		if numbers[i] = l.number(what, 0); numbers[i] > 255 {
			l.fail(at, "", "%s is at most 255", what)
		}
	}
	l.space()
	at := l.pos
	data := l.word("the data")
	if _, err := hex.DecodeString(data); err != nil && l.err == nil && !slices.Contains(certificates(), data) {
		l.fail(at, "write hexadecimal digits, or "+strings.Join(certificates(), ", "), "%q is no data of a TLSA record", data)
	}
	r.Value = fmt.Sprintf("%d %d %d %s", numbers[0], numbers[1], numbers[2], data)
}

// certificates are the words for certificates.
func certificates() []string {
	var words []string
	for _, kind := range fakesmtp.CertificateKinds() {
		words = append(words, string(kind))
	}
	return words
}
