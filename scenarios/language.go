package scenarios

import (
	_ "embed" // for the examples
	"strings"
)

//go:embed examples.txt
var examplesText string

// A taught is an example of a word: where it stands in a file, as the word for the
// section, "header", or "file" for one that is a section itself.
type taught struct{ place, text string }

// Language is Reference with an example of every word. docs/scenario-language.md
// holds it; tests keep that fresh, and have every example parsed.
func Language() string {
	var b strings.Builder
	examples := readExamples(examplesText)
	eachWord(Reference(), func(line, heading, word string) {
		b.WriteString(line + "\n")
		if word == "" {
			return
		}
		for i, text := range examples.of(heading, word).lines() {
			if i == 0 {
				b.WriteString("  e.g. ")
			} else {
				b.WriteString(" and ")
			}
			b.WriteString("`" + text + "`")
		}
		b.WriteString("\n")
	})
	return strings.Replace(b.String(), "Generated from the parser's tables; do not edit. README.md tells how to write a scenario.",
		"Generated from the parser's tables and `scenarios/examples.txt`; do not edit. Below each word stands an example.\n"+
			"[scenarios/README.md](../scenarios/README.md) tells how to write a scenario.", 1)
}

// lines are those of an example.
func (t taught) lines() []string { return strings.Split(t.text, " / ") }

// eachWord goes through the lines of a reference; word is what an item is about,
// and empty for any other line.
func eachWord(reference string, use func(line, heading, word string)) {
	heading, over := "", false
	for line := range strings.SplitSeq(strings.TrimSuffix(reference, "\n"), "\n") {
		title := strings.TrimLeft(line, "# ")
		item, isItem := strings.CutPrefix(line, "- `")
		word, _, _ := strings.Cut(item, "` – ")
		switch over = over || title == "A whole file"; {
		case over:
			word = ""
		case isItem:
		case strings.HasPrefix(line, "##"), strings.HasSuffix(line, ":") && !strings.Contains(line, ". "):
			heading, word = title, ""
		case strings.HasPrefix(line, "Needs of what"):
			heading, word = line[:strings.Index(line, ".")+1], ""
		default:
			word = ""
		}
		use(line, heading, word)
	}
}

// An exampleTable has examples by heading.
type exampleTable map[string][]struct {
	key     string
	example taught
}

// readExamples reads the table of examples: "== HEADING @PLACE", then lines
// "WORD | EXAMPLE", in which WORD is how the word begins, or * for all others of
// the heading. " / " ends a line of an example.
func readExamples(text string) exampleTable {
	all := exampleTable{}
	heading, place := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "== "); ok {
			heading, place, _ = strings.Cut(title, " @")
			continue
		}
		key, example, _ := strings.Cut(line, " | ")
		all[heading] = append(all[heading], struct {
			key     string
			example taught
		}{key, taught{place, example}})
	}
	return all
}

// of returns the example of a word; empty for none. Of several that fit, the
// longest begins as the word does.
func (all exampleTable) of(heading, word string) taught {
	var best taught
	longest := -1
	for _, e := range all[heading] {
		switch rest, begins := strings.CutPrefix(word, e.key); {
		case e.key == "*" && longest < 0:
			best, longest = taught{e.example.place, strings.ReplaceAll(e.example.text, "*", word)}, 0
		case begins && len(e.key) > longest && (rest == "" || strings.IndexAny(rest, " ,|:[") == 0):
			best, longest = e.example, len(e.key)
		}
	}
	return best
}
