package fakesmtp

import (
	"fmt"
	"strings"
	"unicode"
)

// A SyntaxError says where a script is wrong, why, and what to write.
type SyntaxError struct {
	File string
	// Line and Col count from 1; Col counts bytes.
	Line, Col int
	// Text is the whole line, without its end.
	Text   string
	Reason string
	// Hint tells what to write instead; it may be empty.
	Hint string
}

// Error formats the error over several lines: place and reason, the line, a
// caret below the spot, and the hint.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Col, e.Reason)
	if e.Text != "" {
		fmt.Fprintf(&b, "\n\t%s\n\t%s^", visible(e.Text), margin(e.Text, e.Col))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n\t%s", e.Hint)
	}
	return b.String()
}

// visible returns text with question marks for control characters, which would
// upset a terminal, and move the caret away.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}

// margin returns white space as wide as what stands before column col of text:
// a tab stays one, so that the caret lines up however wide tabs are shown.
func margin(text string, col int) string {
	before := text[:min(max(col-1, 0), len(text))]
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
}

// hint says what to write instead of w: the nearest of choices, or all.
func hint(w string, choices []string) string {
	best, least := "", 2+len(w)/4
	if w != "" && len(w) <= 100 {
		for _, c := range choices {
			if d := typos(strings.ToLower(w), c); d < least {
				best, least = c, d
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "write one of: " + strings.Join(choices, ", ")
}

// typos is the Levenshtein distance: how many bytes must be put in, left out
// or changed to turn a into b.
func typos(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
