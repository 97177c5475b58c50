package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// rfcWord is how "rules:" names an RFC, or a section of one.
var rfcWord = regexp.MustCompile(`^rfc[1-9][0-9]{2,4}(#([1-9][0-9]*|[A-Z])(\.[1-9][0-9]*)*)?$`)

// sections5321 says how many sections there are below each of RFC 5321 that has
// any: most references are to it, and a section that is not there is a typing
// error.
var sections5321 = map[string]int{
	"": 10, "1": 3, "2": 4, "2.2": 3, "2.3": 11, "3": 9, "3.4": 2, "3.5": 3, "3.6": 3, "3.7": 5, "3.9": 2,
	"4": 5, "4.1": 5, "4.1.1": 11, "4.2": 5, "4.3": 2, "4.5": 5, "4.5.3": 2, "4.5.3.1": 10, "4.5.3.2": 7, "4.5.4": 2,
	"5": 2, "6": 4, "7": 9, "10": 2, "D": 4, "F": 7,
}

// reference reports whether w, the next word, names an RFC, and refuses one
// that is misshapen or names a section that is not there.
func (l *line) reference(w string) bool {
	if !strings.HasPrefix(strings.ToLower(w), "rfc") {
		return false
	}
	const form = "an RFC is written rfc5321, a section of it rfc5321#4.2.5"
	if !rfcWord.MatchString(w) {
		l.fail(l.pos, form, "%q names no RFC", w)
		return true
	}
	section, ok := strings.CutPrefix(w, "rfc5321#")
	if !ok {
		return true
	}
	above := ""
	for i, part := range strings.Split(section, ".") {
		if n, err := strconv.Atoi(part); err == nil && n > sections5321[above] || err != nil && (i > 0 || part > "G") {
			l.fail(l.pos, lastSection(above), "RFC 5321 has no section %s", section)
			return true
		}
		above = strings.TrimPrefix(above+"."+part, ".")
	}
	return true
}

// lastSection says which is the last one below a section of RFC 5321.
func lastSection(above string) string {
	switch n := sections5321[above]; {
	case above == "":
		return fmt.Sprintf("its sections are 1 to %d, and A to G", n)
	case n == 0:
		return "section " + above + " has none below it"
	default:
		return fmt.Sprintf("the last one there is %s.%d", above, n)
	}
}
