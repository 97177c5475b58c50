package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// reserved are the words that a line may have where a message's name stands.
var reserved = []string{"at", "stage", "nth", "spool", "rules", "violates", "no", "licence", "8bit", "size", "again", "smtputf8", "requiretls"}

// badName says why w cannot name a message; empty when it can.
func badName(w string) string {
	for _, r := range reserved {
		if w == r {
			return "it is a word of the language"
		}
	}
	for i := range len(w) {
		c := w[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return "it takes small letters, then digits and hyphens too"
		}
	}
	if w == "" || len(w) > 64 {
		return "it has 1 to 64 letters"
	}
	return ""
}

// validHost reports whether w is a host name as it stands in this language:
// letters, digits, hyphens and underscores between single dots; a label begins
// and ends with no hyphen (RFC 1123 section 2.1).
func validHost(w string) bool {
	if w == "" || len(w) > 253 {
		return false
	}
	for _, label := range strings.Split(w, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, hostBytes) != "" || strings.Trim(label, "-") != label {
			return false
		}
	}
	return true
}

const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// hint says what to write instead of w: the nearest of choices, or all.
func hint(w string, choices []string) string {
	if n := nearest(w, choices); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	var all []string
	for _, c := range choices {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	if len(all) == 1 {
		return "write " + all[0]
	}
	return "write one of " + strings.Join(all, ", ")
}

// nearest returns the choice that takes the fewest typing errors to become w,
// the first of equals; empty when all are too far off to be meant.
func nearest(w string, choices []string) string {
	best, least := "", 1+max(len(w)/3, 1)
	if w == "" || len(w) > 100 {
		return ""
	}
	for _, c := range choices {
		if d := typos(strings.ToLower(w), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// typos counts how many bytes must be put in, left out, changed or swapped
// with their neighbour to turn a into b (optimal string alignment).
func typos(a, b string) int {
	var before, row, next []int
	for j := range len(b) + 1 {
		row = append(row, j)
	}
	for i := range len(a) {
		next = append(make([]int, 0, len(b)+1), i+1)
		for j := range len(b) {
			change := row[j]
			if a[i] != b[j] {
				change++
			}
			d := min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next = append(next, d)
		}
		before, row = row, next
	}
	return row[len(b)]
}

// A term is a word of the language with what it means, for the reference.
type term struct{ word, meaning string }

// wordsOf returns the words of terms, in order.
func wordsOf(terms []term) []string {
	words := make([]string, len(terms))
	for i, t := range terms {
		words[i] = t.word
	}
	return words
}

// ruleTerms returns the names that "rules:" may hold, besides references to an
// RFC.
func ruleTerms() []term {
	var all []term
	for _, r := range spec.Rules() {
		all = append(all, term{string(r), r.Text()})
	}
	return all
}

// needs are the words of "needs:".
var needs = []term{
	{"crash", "the relay can be killed at a chosen moment, and its disk loses what was not synced"},
	{"stop", "the relay can be told to stop, and started again"},
	{"doubt", "the relay has the state unknown and the policies report, hold and retry"},
	{"operator", "an operator can decide what is in doubt, and hold, release, retry, bounce and delete what waits"},
	{"damage", "an entry of the spool can be overwritten"},
	{"time", "time can be made to pass: the story takes hours or days"},
	{"clock", "the wall clock of the relay's machine can be set"},
	{"dns", "the DNS can be made to answer wrongly, late or not at all"},
	{"tls", "the relay speaks STARTTLS, and trusts the authority of the servers here"},
	{"auth", "the relay logs in at smart hosts"},
	{"chunking", "the relay can be told to say BDAT where CHUNKING is offered"},
	{"limits", "the relay heeds LIMITS"},
	{"config", "the relay can be configured: relay hosts, limits, schedule, time-outs"},
}
