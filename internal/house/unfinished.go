package house

import (
	"fmt"
	"regexp"
	"strings"
)

// marks are the words that promise work. They are spelt in halves so that this
// file does not break its own rule.
var marks = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// unfinished finds promises of work in comments and in text. In Go code it
// looks at comments alone: a server may say anything in a string.
func unfinished(t *Tree) []Finding {
	var found []Finding
	scan := func(f *File, first int, text string) {
		for i, line := range strings.Split(text, "\n") {
			if mark := marks.FindString(line); mark != "" {
				found = append(found, Finding{f.Path, first + i, "unfinished",
					fmt.Sprintf("%s: do it, or say in an issue what is missing and in a comment what holds today", mark)})
			}
		}
	}
	for _, f := range t.Files {
		if f.Syntax == nil {
			scan(f, 1, string(f.Source))
			continue
		}
		for _, group := range f.Syntax.Comments {
			for _, c := range group.List {
				scan(f, t.line(c.Pos()), c.Text)
			}
		}
	}
	return found
}
