package submission

import (
	"errors"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A request is what MAIL or RCPT asks for by the parameters of RFC 3461 and RFC
// 8689. They are read here: go-smtp takes a parameter that stands twice, and decodes before
// anything bounds it.
type request struct {
	tracking spec.Tracking
	asked    spec.Asked
	// requireTLS is REQUIRETLS.
	requireTLS bool
	// quoted is true when the local part is in quotes.
	quoted bool
}

// takeRequest returns a command line, its CRLF included, without the parameters
// of RFC 3461 and 8689, and what they ask for; or a refusal.
func takeRequest(line string) (string, request, *Refusal) {
	var r request
	verb, _, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	end := pathEnd(line)
	if verb != "MAIL" && verb != "RCPT" || end < 0 {
		return line, r, nil
	}
	left := line[:end]
	r.quoted = isQuoted(left)
	seen := map[string]bool{}
	for parameter := range strings.FieldsSeq(line[end:]) {
		name, value, _ := strings.Cut(parameter, "=")
		name = strings.ToUpper(name)
		read, ok := r.readers()[name]
		switch {
		case !ok:
			left += " " + parameter
			continue
		case read.verb != verb:
			return "", r, refuseParameter(errors.New(name + " is a parameter of " + read.verb))
		case seen[name]:
			return "", r, refuseParameter(errors.New(name + " stands twice"))
		}
		seen[name] = true
		if err := read.value(value); err != nil {
			return "", r, refuseParameter(err)
		}
	}
	if err := errors.Join(r.tracking.Validate(), r.asked.Validate()); err != nil {
		return "", r, refuseParameter(err)
	}
	return left + "\r\n", r, nil
}

// refuseParameter refuses the value of a parameter, as RFC 3461 section 5.1 (d)
// and (e) have it.
func refuseParameter(why error) *Refusal { return refuse(501, "5.5.4", why.Error()) }

// A reader reads the value of a parameter that belongs to a command.
type reader struct {
	verb  string
	value func(string) error
}

// readers returns how each parameter is read into r.
func (r *request) readers() map[string]reader {
	return map[string]reader{
		"RET": {"MAIL", func(v string) (err error) {
			r.tracking.Return, err = spec.ParseReturn(v)
			return err
		}},
		"ENVID": {"MAIL", func(v string) (err error) {
			r.tracking.EnvelopeID, err = spec.ParseXText(v)
			if err == nil && v == "" {
				err = errors.New("ENVID is empty")
			}
			return err
		}},
		"REQUIRETLS": {"MAIL", func(v string) error {
			r.requireTLS = true
			if v != "" {
				return errors.New("REQUIRETLS has no value")
			}
			return nil
		}},
		"NOTIFY": {"RCPT", func(v string) (err error) {
			r.asked.Notify, err = spec.ParseKeywords(v)
			return err
		}},
		"ORCPT": {"RCPT", func(v string) error {
			kind, address, _ := strings.Cut(v, ";")
			address, err := spec.ParseXText(address)
			r.asked.Original = kind + ";" + address
			return err
		}},
	}
}

// isQuoted reports whether the local part of a path is in quotes, which go-smtp
// takes away. A source route may stand before it.
func isQuoted(path string) bool {
	_, path, _ = strings.Cut(path, "<")
	if strings.HasPrefix(path, "@") {
		_, path, _ = strings.Cut(path, ":")
	}
	return strings.HasPrefix(path, `"`)
}

// pathEnd returns where the path of MAIL or RCPT ends, behind its bracket; -1
// when it has no end. A quoted local part may have brackets of its own.
func pathEnd(line string) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == '>' && !quoted:
			return i + 1
		}
	}
	return -1
}
