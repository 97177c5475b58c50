package fakesmtp

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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
		text, col := excerpt(e.Text, e.Col)
		fmt.Fprintf(&b, "\n\t%s\n\t%s^", visible(text), margin(text, col))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n\t%s", e.Hint)
	}
	return b.String()
}

// excerpt cuts a line that is too long for a screen down to what stands around
// column col, and returns where that column is in it.
func excerpt(text string, col int) (string, int) {
	const most, before = 160, 80
	if len(text) <= most {
		return text, col
	}
	start := min(max(col-1-before, 0), len(text)-most)
	for start > 0 && !utf8.RuneStart(text[start]) {
		start--
	}
	end := start + most
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end++
	}
	text, col, rest := text[start:end], col-start, len(text)-end
	if start > 0 {
		text, col = "…"+text, col+len("…")
	}
	if rest > 0 {
		text += "…"
	}
	return text, col
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
			if d := typos(strings.ToLower(w), strings.ToLower(c)); d < least {
				best, least = c, d
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	var all []string
	for _, c := range choices {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return "write one of: " + strings.Join(all, ", ")
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
