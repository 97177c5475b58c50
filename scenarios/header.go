package scenarios

import (
	"errors"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A headerLine is one of the lines between the prose and the first section.
type headerLine struct {
	word, form, meaning string
	read                func(p *parser, l *line)
	// show returns what is written after the colon; empty for no line.
	show func(s *Scenario) string
}

// headerLines returns the header lines in canonical order.
func headerLines() []headerLine {
	return []headerLine{
		{"source:", "source: ADDRESS", "where it was seen in the field",
			func(p *parser, l *line) { p.s.Source = l.source() },
			func(s *Scenario) string { return s.Source }},
		{"bugs:", "bugs: NAME ...", "the field bugs it is the story of, as the list of them in scenarios/README.md names them: DUP-01",
			func(p *parser, l *line) { p.s.Bugs = l.list("bug", nil, bugName) },
			func(s *Scenario) string { return strings.Join(s.Bugs, " ") }},
		{"rules:", "rules: RULE ...", "the rules the story is about, and sections such as rfc5321#4.2.5",
			func(p *parser, l *line) { p.s.Rules = l.list("rule", wordsOf(ruleTerms()), (*line).reference) },
			func(s *Scenario) string { return strings.Join(s.Rules, " ") }},
		{"needs:", "needs: WORD ...", "what it takes beyond any relay",
			func(p *parser, l *line) { p.s.Needs = l.list("need", append(wordsOf(needs), wordsOf(later)...), nil) },
			func(s *Scenario) string { return strings.Join(s.Needs, " ") }},
		{"seed:", "seed: NUMBER", "what seeds latencies and all that is left open; 1 unless said",
			func(p *parser, l *line) { p.s.Seed = l.seed() },
			func(s *Scenario) string { return formatSeed(s.Seed) }},
	}
}

// The most characters of a title: it stands in a list, on one line.
const maxTitle = 200

// header reads the prose and the header lines.
func (p *parser) header(comment string) {
	var prose []string
	seen := make(map[string]bool)
	kinds := headerLines()
	for i, text := range strings.Split(comment, "\n") {
		if text == "#" || strings.HasPrefix(text, "# ") {
			if len(seen) > 0 {
				p.fail(i+1, "#", "put all prose first", "prose stands after a header line")
			}
			prose = append(prose, strings.TrimRight(strings.TrimPrefix(text[1:], " "), " \t"))
			continue
		}
		if strings.TrimSpace(text) != "" {
			l := &line{file: p.file, row: i + 1, text: text}
			if l.noMarker(); text[0] == '#' {
				l.fail(0, "write a blank after the #", "a line of prose begins with # and a blank")
			}
			if len(prose)+len(seen)+len(p.errs) == 0 {
				l.begins()
			}
			p.headerLine(l, kinds, seen)
			if l.err != nil {
				p.add(l.err)
			}
		}
	}
	p.s.Prose = strings.Trim(strings.Join(prose, "\n"), "\n")
	p.s.Title = firstSentence(p.s.Prose)
	if n := utf8.RuneCountInString(p.s.Title); n > maxTitle {
		p.fail(1, "", "begin with one short sentence, and end it with a full stop", "the title has %d characters, more than %d", n, maxTitle)
	}
	if p.s.Title == "" && len(p.errs) == 0 {
		p.fail(1, "", `begin with "# " and one sentence that says what holds`, "the scenario has no prose")
	}
}

// begins demands that the first line of a file is a header line, since it is no
// prose: what else stands there was most likely meant to be.
func (l *line) begins() {
	if l.done() {
		return
	}
	var words []string
	for _, h := range headerLines() {
		words = append(words, h.word)
	}
	if w := l.peek(); nearest(w, words) == "" {
		l.fail(l.pos, `begin with "# " and one sentence that says what holds`, "the file does not begin with prose")
	}
}

// headerLine reads one header line.
func (p *parser) headerLine(l *line, kinds []headerLine, seen map[string]bool) {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = k.word
	}
	l.space()
	at := l.pos
	word := l.choose("header line", words)
	if seen[word] {
		l.fail(at, "", "%q stands here twice", word)
	}
	if l.err != nil {
		return
	}
	seen[word] = true
	for _, k := range kinds {
		if k.word == word {
			k.read(p, l)
		}
	}
	l.end()
}

// firstSentence returns the prose up to the end of its first sentence, on one
// line, without the full stop.
func firstSentence(prose string) string {
	paragraph, _, _ := strings.Cut(prose, "\n\n")
	text := strings.Join(strings.Fields(paragraph), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// source takes the address of a report: one that a browser opens.
func (l *line) source() string {
	l.space()
	at := l.pos
	text := l.word("the address")
	u, err := url.Parse(text)
	if l.err == nil && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		l.fail(at, "write the whole address: source: https://example.org/bug/1", "%q is not an address", text)
	}
	return text
}

// bugPattern is how a field bug is named: its class and a number.
var bugPattern = regexp.MustCompile(`^[A-Z]+-[0-9]{2}$`)

// bugName reports whether w is the name of a field bug.
func bugName(l *line, w string) bool {
	if !bugPattern.MatchString(w) {
		l.fail(l.pos, "write its class and its number: DUP-01", "%q is not the name of a field bug", w)
	}
	return true
}

// list takes one or more words separated by blanks, each one of known or taken
// by also, none of them twice.
func (l *line) list(what string, known []string, also func(*line, string) bool) []string {
	var all []string
	for first := true; first || !l.done(); first = false {
		l.space()
		at, w := l.pos, l.peek()
		if also != nil && also(l, w) {
			l.pos += len(w)
		} else {
			w = l.choose(what, known)
		}
		for _, before := range all {
			if before == w {
				l.fail(at, "", "%q stands here twice", w)
			}
		}
		all = append(all, w)
	}
	return all
}

// seed takes any 64-bit number.
func (l *line) seed() uint64 {
	l.space()
	at := l.pos
	w := l.word("the seed")
	n, err := strconv.ParseUint(w, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		l.fail(at, "", "the seed %s is too big: at most %d", w, uint64(math.MaxUint64))
	}
	if err != nil {
		l.fail(at, "write a whole number", "%q is not a seed", w)
	}
	return n
}

// formatSeed writes a seed, or nothing for the default.
func formatSeed(seed uint64) string {
	if seed == DefaultSeed {
		return ""
	}
	return strconv.FormatUint(seed, 10)
}
