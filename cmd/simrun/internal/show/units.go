package show

import (
	"fmt"
	"strings"
	"time"
)

// span writes a duration in two units at most, for a column.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d.%d s", d/time.Second, d%time.Second/(100*time.Millisecond))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
}

// long writes a duration in its largest whole unit, in words, for a sentence.
func long(d time.Duration) string {
	for _, u := range [...]struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.unit {
			return number(int(d/u.unit), u.name)
		}
	}
	return number(int(d.Milliseconds()), "millisecond")
}

// years formats a time in seconds that may be longer than a Duration holds.
func years(seconds int64) string {
	const year = 365 * 24 * 3600
	if seconds >= 2*year {
		return number(int(seconds/year), "year")
	}
	return long(time.Duration(seconds) * time.Second)
}

// number writes a count with its noun.
func number(n int, noun string) string {
	text := thousands(n)
	if n == 1 {
		return text + " " + noun
	}
	if strings.HasSuffix(noun, "ch") || strings.HasSuffix(noun, "sh") {
		return text + " " + noun + "es"
	}
	return text + " " + noun + "s"
}

// thousands writes a number that is not negative with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// indent puts a margin before every line that is not empty.
func indent(margin, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(margin)
		}
		b.WriteString(line)
	}
	return b.String()
}
