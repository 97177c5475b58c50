package deliverylist

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxBytes is the greatest control message that is read: some hundred thousand
// recipients.
const MaxBytes = 16 << 20

// MediaType is that of a control message. Types are compared without regard to
// case (RFC 2045 section 5.1).
const MediaType = "application/x-citadel-delivery-list"

// lastSecond bounds times and intervals, so that they can be counted in
// nanoseconds: the year 2255.
const lastSecond = 9_000_000_000

// Parse reads a control message. Its errors are a *SyntaxError.
func Parse(text []byte) (*List, error) {
	if len(text) > MaxBytes {
		return nil, &SyntaxError{1, fmt.Sprintf("%d bytes", len(text)), fmt.Sprintf("at most %d", MaxBytes)}
	}
	p := parser{rest: string(text), list: &List{}, seen: map[string]int{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	for p.next() {
		if err := p.instruction(); err != nil {
			return nil, err
		}
	}
	if p.list.MsgID == 0 {
		return nil, p.expected("msgid|NUMBER, the number of the stored mail, as the first instruction")
	}
	return p.list, nil
}

// A parser reads line by line.
type parser struct {
	rest string
	// line is the current one without its end, number counts it from 1.
	line   string
	number int
	list   *List
	// seen are the lines of instructions that may stand only once.
	seen map[string]int
}

// next goes to the next line; false when there is none. A line ends in LF or
// CRLF; no line of this format ends in a CR of its own.
func (p *parser) next() bool {
	p.number++
	if p.rest == "" {
		p.line = ""
		return false
	}
	line, rest, _ := strings.Cut(p.rest, "\n")
	p.line, p.rest = strings.TrimRight(line, "\r"), rest
	return true
}

func (p *parser) expected(what string) error { return &SyntaxError{p.number, p.line, what} }

// header reads the fields down to the empty line.
func (p *parser) header() error {
	const wanted = "Content-type: " + MediaType
	var fields []Line
	for p.next() && p.line != "" {
		folded := p.line[0] == ' ' || p.line[0] == '\t'
		switch {
		case folded && len(fields) > 0:
			fields[len(fields)-1].Text += "\n" + p.line
		case folded || strings.IndexByte(p.line, ':') < 1:
			return p.expected("a header with " + wanted + ", and an empty line after it")
		default:
			fields = append(fields, Line{p.line, p.number})
		}
	}
	typed := false
	for _, f := range fields {
		name, value, _ := strings.Cut(f.Text, ":")
		if typed || !strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			p.list.Header = append(p.list.Header, f)
			continue
		}
		typed = true
		media, _, _ := strings.Cut(value, ";")
		if !strings.EqualFold(strings.TrimSpace(media), MediaType) {
			return &SyntaxError{f.Number, f.Text, wanted}
		}
	}
	if !typed {
		return p.expected("the field " + wanted + " before it")
	}
	return nil
}

// instruction reads the current line.
func (p *parser) instruction() error {
	if p.line == "" {
		return nil
	}
	name, value, _ := strings.Cut(p.line, "|")
	name = strings.ToLower(name)
	if (name == "msgid") != (p.list.MsgID == 0) {
		return p.expected("msgid|NUMBER as the first instruction, and only there")
	}
	l := p.list
	switch name {
	case "msgid":
		if err := p.integer(&l.MsgID, value, math.MaxInt64); err != nil || l.MsgID > 0 {
			return err
		}
		return p.expected("msgid|NUMBER, with a number from 1")
	case "submitted":
		return p.once(name, p.integer(&l.Submitted, value, lastSecond))
	case "attempted":
		var at int64
		err := p.integer(&at, value, lastSecond)
		if at > 0 {
			l.Attempted = append(l.Attempted, at)
		}
		return err
	case "retry":
		return p.once(name, p.integer(&l.Retry, value, lastSecond))
	case "bounceto":
		return p.once(name, p.text(&l.BounceTo, value))
	case "envelope_from":
		l.EnvelopeFrom = new(string)
		return p.once(name, p.text(l.EnvelopeFrom, value))
	case "source_room":
		return p.once(name, p.text(&l.SourceRoom, value))
	case "remote":
		return p.remote(value)
	}
	l.Foreign = append(l.Foreign, Line{p.line, p.number})
	return nil
}

// once returns err, or an error when the instruction stood before.
func (p *parser) once(name string, err error) error {
	if before := p.seen[name]; before > 0 {
		return p.expected(fmt.Sprintf("no second %s: the first is in line %d", name, before))
	}
	p.seen[name] = p.number
	return err
}

// integer reads the only field of an instruction, a number from 0 to most; a
// missing one is 0.
func (p *parser) integer(into *int64, value string, most int64) error {
	value = strings.TrimSpace(strings.TrimSuffix(value, "|"))
	if value == "" {
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > most {
		return p.expected(fmt.Sprintf("one number after the |, from 0 to %d", most))
	}
	*into = n
	return nil
}

// text reads the only field of an instruction.
func (p *parser) text(into *string, value string) error {
	*into = strings.TrimSuffix(value, "|")
	if strings.Contains(*into, "|") {
		return p.expected("one field after the instruction's name")
	}
	return nil
}

// remote reads a recipient. The text is the last field and may hold "|".
func (p *parser) remote(value string) error {
	fields := append(strings.SplitN(value, "|", 3), "", "")
	r := Remote{Address: fields[0], Text: strings.TrimSuffix(fields[2], "|"), Line: p.number}
	if r.Address == "" {
		return p.expected("remote|ADDRESS|STATUS|TEXT")
	}
	if status := strings.TrimSpace(fields[1]); status != "" {
		n, err := strconv.Atoi(status)
		r.Status = Status(n)
		if err != nil || !r.Status.Valid() {
			return p.expected("remote|ADDRESS|STATUS|TEXT with a status of 0, 2, 3, 4 or 5")
		}
	}
	p.list.Remotes = append(p.list.Remotes, r)
	return nil
}
