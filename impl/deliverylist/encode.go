package deliverylist

import (
	"fmt"
	"strings"
)

// Encode writes the list as Citadel's event-driven generation did: LF at the
// end of lines, and no "|" before it. It fails when a field cannot be written,
// since it holds what separates fields or lines.
func (l *List) Encode() ([]byte, error) {
	if l.MsgID < 1 {
		return nil, fmt.Errorf("delivery list: msgid is %d, and must be a number from 1", l.MsgID)
	}
	w := writer{}
	w.line("Content-type: " + MediaType)
	for _, f := range l.Header {
		w.header(f.Text)
	}
	w.line("")
	w.number("msgid", l.MsgID)
	w.number("submitted", l.Submitted)
	for _, at := range l.Attempted {
		w.number("attempted", at)
	}
	w.number("retry", l.Retry)
	if l.BounceTo != "" {
		w.text("bounceto", l.BounceTo)
	}
	if l.EnvelopeFrom != nil {
		w.text("envelope_from", *l.EnvelopeFrom)
	}
	if l.SourceRoom != "" {
		w.text("source_room", l.SourceRoom)
	}
	for _, r := range l.Remotes {
		w.remote(r)
	}
	for _, f := range l.Foreign {
		w.foreign(f.Text)
	}
	if w.err != nil {
		return nil, fmt.Errorf("delivery list: %w", w.err)
	}
	return []byte(w.String()), nil
}

// A writer writes lines, and keeps the first error.
type writer struct {
	strings.Builder
	err error
}

// line writes a line. No line may hold what ends one.
func (w *writer) line(text string) {
	if strings.Contains(text, "\n") || strings.HasSuffix(text, "\r") {
		w.fail("%.80q holds the end of a line", text)
	}
	w.WriteString(text)
	w.WriteByte('\n')
}

func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// header writes a field of the header, which may be folded.
func (w *writer) header(field string) {
	for i, line := range strings.Split(field, "\n") {
		folded := line != "" && (line[0] == ' ' || line[0] == '\t')
		if folded != (i > 0) || i == 0 && strings.IndexByte(line, ':') < 1 {
			w.fail("%.80q is no field of a header", field)
		}
		w.line(line)
	}
}

// number writes an instruction, unless its number is 0.
func (w *writer) number(name string, n int64) {
	switch {
	case n < 0 || n > lastSecond && name != "msgid":
		w.fail("%s is %d, and must be a number from 0 to %d", name, n, lastSecond)
	case n > 0:
		w.line(fmt.Sprintf("%s|%d", name, n))
	}
}

// text writes an instruction with one field.
func (w *writer) text(name, value string) {
	w.field(name, value)
	w.line(name + "|" + last(value))
}

// last returns the last field of a line. A "|" behind it keeps what would be
// taken for a separator, or for the end of the line.
func last(value string) string {
	if strings.HasSuffix(value, "|") || strings.HasSuffix(value, "\r") {
		return value + "|"
	}
	return value
}

// field checks a field that may not hold a separator.
func (w *writer) field(name, value string) {
	if strings.Contains(value, "|") {
		w.fail("%s %.80q holds a |, which separates fields", name, value)
	}
}

func (w *writer) remote(r Remote) {
	w.field("the address", r.Address)
	if r.Address == "" || !r.Status.Valid() {
		w.fail("a recipient %q with status %d: an address and a status of 0, 2, 3, 4 or 5 are needed", r.Address, r.Status)
	}
	w.line(fmt.Sprintf("remote|%s|%d|%s", r.Address, r.Status, last(r.Text)))
}

// foreign writes a line as it stands.
func (w *writer) foreign(text string) {
	name, _, _ := strings.Cut(text, "|")
	switch strings.ToLower(name) {
	case "msgid", "submitted", "attempted", "retry", "bounceto", "envelope_from", "source_room", "remote":
		w.fail("%.80q is not foreign", text)
	}
	if text == "" {
		w.fail("an empty line is no instruction")
	}
	w.line(text)
}
