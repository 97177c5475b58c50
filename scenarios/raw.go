package scenarios

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// leastRun is from how many equal bytes in a row on they are written short.
const leastRun = 32

// rawSection reads a content byte for byte: Go strings, each of which may stand
// for several of itself.
func (p *parser) rawSection(arg string, first int, data string) {
	if reason := badName(arg); reason != "" {
		p.fail(first-1, arg, "names are short words such as m1 or newsletter", "%q cannot name a message: %s", arg, reason)
		return
	}
	if before := p.seen["message "+arg]; before > 0 {
		p.fail(first-1, arg, "write one or the other", "the message %s has a content already, in line %d", arg, before)
		return
	}
	p.seen["message "+arg] = first - 1
	m := Message{Name: arg, Raw: true}
	p.each(first, data, func(l *line) {
		l.space()
		at := l.pos
		text, times := l.quoted("the bytes"), int64(1)
		if l.accept("*") {
			times = l.number("how often", 1)
		}
		if times > maxSize || int64(len(m.Content))+times*int64(len(text)) > maxSize {
			l.fail(at, "", "a message has at most %d bytes here", maxSize)
			return
		}
		m.Content = append(m.Content, strings.Repeat(text, int(times))...)
	})
	p.s.Messages = append(p.s.Messages, m)
}

// rawText writes a content as rawSection reads it: a string for each line, and
// one for each long row of equal bytes.
func rawText(content []byte) string {
	var b strings.Builder
	write := func(text []byte) {
		if len(text) > 0 {
			b.WriteString(strconv.Quote(string(text)) + "\n")
		}
	}
	for line := range bytes.SplitAfterSeq(content, []byte("\n")) {
		from := 0
		for i := 0; i < len(line); {
			n := len(line[i:]) - len(bytes.TrimLeft(line[i:], string(line[i:i+1])))
			if n = max(n, 1); n >= leastRun && line[i] < 0x80 {
				write(line[from:i])
				fmt.Fprintf(&b, "%s * %d\n", strconv.Quote(string(line[i:i+1])), n)
				from = i + n
			}
			i += n
		}
		write(line[from:])
	}
	return b.String()
}
