package scenarios

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/postonce/postonce/fakesmtp"
)

// DefaultHostname is the relay's name in a file that does not say one.
const DefaultHostname = "relay.example"

// DefaultSeed is the seed of a file that does not say one.
const DefaultSeed = 1

// MailboxDomain and MailboxServer are the domain and the server that every
// world has unless the file describes them: there senders live, and there
// reports arrive.
const (
	MailboxDomain = "example.org"
	MailboxServer = "mail.example.org"
)

// MaxBytes is the size of the largest file that Parse reads.
const MaxBytes = 8 << 20

// The most errors that Parse reports of one file.
const maxErrors = 20

// A SyntaxError says where a scenario file is wrong, why, and what to write. It
// is that of package fakesmtp, whose rules stand in the same file.
type SyntaxError = fakesmtp.SyntaxError

// Parse reads a scenario file called name: its path, by which errors name it
// and from which Scenario.Name is made. The error joins a *SyntaxError for
// every line that is wrong.
func Parse(name string, data []byte) (*Scenario, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: the file has %d bytes, more than %d", name, len(data), MaxBytes)
	}
	p := &parser{
		file: name,
		text: strings.Split(string(data), "\n"),
		s:    &Scenario{Name: storyName(name), Seed: DefaultSeed, Policy: DefaultPolicy()},
		seen: make(map[string]int),
	}
	if err := noText(name, data); err != nil {
		return nil, err
	}
	if i := bytes.IndexByte(data, '\r'); i >= 0 {
		p.fail(1+bytes.Count(data[:i], []byte("\n")), "\r", "save the file with LF line ends; messages are given CRLF when read",
			"the line has a carriage return")
		return nil, p.errs[0]
	}
	archive := txtar.Parse(data)
	p.header(string(archive.Comment))
	next := 1 + bytes.Count(archive.Comment, []byte("\n"))
	for _, f := range archive.Files {
		p.section(f.Name, next, string(f.Data))
		next += 1 + bytes.Count(f.Data, []byte("\n"))
	}
	if len(p.errs) == 0 {
		p.check()
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(inOrder(p.errs)...)
	}
	return p.s, nil
}

// noText refuses what is no text, or no plain one. It shows nothing of it.
func noText(name string, data []byte) error {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	i := bytes.IndexByte(data, 0)
	switch {
	case bytes.HasPrefix(data, []byte("\uFEFF")):
		return &SyntaxError{File: name, Line: 1, Col: 1, Reason: "the file begins with a byte order mark", Hint: "save it as UTF-8 without one"}
	case i < 0 && utf8.Valid(first):
		return nil
	case i < 0:
		i = 0
	}
	line := 1 + bytes.Count(data[:i], []byte("\n"))
	return &SyntaxError{File: name, Line: line, Col: 1, Reason: "the file is not text", Hint: "a scenario is a text file: simrun help scenario"}
}

// inOrder returns each of the errors that errs join, by line.
func inOrder(errs []error) []error {
	var all []error
	for _, err := range errs {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = append(all, joined.Unwrap()...)
		} else {
			all = append(all, err)
		}
	}
	line := func(err error) int {
		var at *SyntaxError
		if errors.As(err, &at) {
			return at.Line
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b error) int { return cmp.Compare(line(a), line(b)) })
	return all
}

// storyName makes a scenario's name of its file's path.
func storyName(path string) string {
	path = strings.TrimSuffix(filepath.ToSlash(path), Ending)
	if _, below, ok := strings.Cut(path, "library/"); ok {
		return below
	}
	return path
}

// A parser reads one file. It goes on after an error, to report others too.
type parser struct {
	file string
	text []string
	s    *Scenario
	// seen tells in which line each section begins.
	seen map[string]int
	errs []error
}

// add records an error.
func (p *parser) add(err error) {
	if err != nil && len(p.errs) < maxErrors {
		p.errs = append(p.errs, err)
	}
}

// fail records an error in a line, with the caret below word.
func (p *parser) fail(number int, word, hint, format string, args ...any) {
	text := ""
	if number >= 1 && number <= len(p.text) {
		text = p.text[number-1]
	}
	col := 1 + max(strings.Index(text, word), 0)
	p.add(&SyntaxError{
		File: p.file, Line: number, Col: col, Text: strings.TrimRight(text, "\r"),
		Reason: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// each calls parse for every line of a section that is not blank, and reports
// the line's error.
func (p *parser) each(first int, data string, parse func(l *line)) {
	for i, text := range strings.Split(data, "\n") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		l := &line{file: p.file, row: first + i, text: text}
		l.noComment()
		parse(l)
		l.end()
		if l.err != nil {
			p.add(l.err)
		}
	}
}

// noComment refuses a comment: prose has one place, and in a section Format could
// not keep it.
func (l *line) noComment() {
	if l.noMarker(); !l.done() && l.text[l.pos] == '#' {
		l.fail(l.pos, "say it in the prose at the top, where everybody reads it", "a section has no comments")
	}
}

// noMarker refuses what looks like a marker and is none.
func (l *line) noMarker() {
	if !l.done() && strings.HasPrefix(l.text[l.pos:], "--") {
		l.fail(l.pos, markerHint, "this is no section marker")
	}
}

const markerHint = "a marker has a line of its own, with one blank after and before the hyphens: -- plan --"

// almostMarker is a line of a message that was meant to be a marker. Others may
// begin with hyphens: signatures do, and the parts of a MIME message.
var almostMarker = regexp.MustCompile(`(?m)^[ \t]*--` +
	`([ \t]+(relay|dns|server|policy|message|raw|plan|expect|trace)\b.*--|(relay|dns|plan|expect|trace)[ \t]+--)[ \t]*$`)

// A sectionKind is one kind of section and who reads it: arg is what follows
// the kind in the marker, first the number of the first line.
type sectionKind struct {
	word, form, meaning string
	// named is true when the marker has a name after the kind.
	named bool
	read  func(p *parser, arg string, first int, data string)
}

// sectionKinds returns the kinds of sections in canonical order.
func sectionKinds() []sectionKind {
	return []sectionKind{
		{"relay", "relay", "the relay's policy; without it, the default", false, (*parser).relaySection},
		{"dns", "dns", "the records and faults of the DNS", false, (*parser).dnsSection},
		{"server", "server NAME", "an SMTP server, by host name", true, (*parser).serverSection},
		{"policy", "policy HOST", "the MTA-STS policy that mta-sts.DOMAIN tells over HTTPS", true, (*parser).policySection},
		{"message", "message NAME", "the content of a message, as .eml; LF becomes CRLF", true, (*parser).messageSection},
		{"raw", "raw NAME", "the content of a message, byte for byte", true, (*parser).rawSection},
		{"plan", "plan", "what happens", false, (*parser).planSection},
		{"expect", "expect", "what must have become of it", false, (*parser).expectSection},
		{"trace", "trace", "the golden trace, if the story has one", false, (*parser).traceSection},
	}
}

// section reads one section, whose marker stands in line number.
func (p *parser) section(marker string, number int, data string) {
	word, arg, _ := strings.Cut(marker, " ")
	arg = strings.TrimSpace(arg)
	var forms, words []string
	for _, k := range sectionKinds() {
		forms, words = append(forms, k.form), append(words, k.word)
		if k.word != word {
			continue
		}
		key := strings.TrimSpace(word + " " + strings.ToLower(arg))
		switch before := p.seen[key]; {
		case before > 0:
			p.fail(number, word, "put both into one section", "the section %q stands in line %d already", key, before)
		case k.named != (arg != ""):
			p.fail(number, word, fmt.Sprintf("write -- %s --", k.form), "the section's name is not complete, or too long")
		default:
			p.seen[key] = number
			k.read(p, arg, number+1, data)
		}
		return
	}
	h := "write one of " + strings.Join(forms, ", ")
	if nearest(word, words) != "" {
		h = hint(word, words)
	}
	p.fail(number, word, h, "there is no section %q", word)
}

// messageSection reads the content of a message.
func (p *parser) messageSection(arg string, first int, data string) {
	if reason := badName(arg); reason != "" {
		p.fail(first-1, arg, "names are short words such as m1 or newsletter", "%q cannot name a message: %s", arg, reason)
		return
	}
	if at := almostMarker.FindStringIndex(data); at != nil {
		p.fail(first+strings.Count(data[:at[0]], "\n"), "--", markerHint, "this is no section marker")
		return
	}
	content := []byte(strings.ReplaceAll(data, "\n", "\r\n"))
	p.s.Messages = append(p.s.Messages, Message{Name: arg, Content: content})
}

// traceSection reads the golden trace; an empty one is there to be filled in.
func (p *parser) traceSection(_ string, first int, data string) {
	p.s.Trace, p.s.TraceLine = []byte(data), first-1
}
