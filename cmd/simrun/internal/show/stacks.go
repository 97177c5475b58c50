package show

import (
	"regexp"
	"slices"
	"strings"
)

// What differs in the stacks of equal runs.
var (
	goroutineNumber = regexp.MustCompile(`\bgoroutine \d+`)
	bubbleNumber    = regexp.MustCompile(`\bsynctest bubble \d+`)
	waitingTime     = regexp.MustCompile(`, \d+ minutes\b`)
	callArguments   = regexp.MustCompile(`\([^()]*(0x|\.\.\.)[^()]*\)$`)
	codeOffset      = regexp.MustCompile(` \+0x[0-9a-f]+$`)
	address         = regexp.MustCompile(`0x[0-9a-f]+`)
)

// stacks takes from a panic's text what differs between equal runs: numbers of
// goroutines, addresses, and the order of the stacks after the first paragraph.
func stacks(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = goroutineNumber.ReplaceAllString(line, "goroutine")
		line = bubbleNumber.ReplaceAllString(line, "synctest bubble")
		line = waitingTime.ReplaceAllString(line, "")
		line = callArguments.ReplaceAllString(codeOffset.ReplaceAllString(line, ""), "()")
		lines = append(lines, address.ReplaceAllString(line, "0x…"))
	}
	paragraphs := strings.Split(strings.Join(lines, "\n"), "\n\n")
	slices.Sort(paragraphs[1:])
	return strings.Join(paragraphs, "\n\n") + "\n"
}
