package scenarios

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// languageFile is the reference with examples.
const languageFile = "../docs/scenario-language.md"

func TestTheLanguagePageIsFresh(t *testing.T) {
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(languageFile, []byte(Language()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(languageFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), Language()); d != "" {
		t.Errorf("run the test with UPDATE=1 in the environment:\n%s", d)
	}
}

// TestEveryWordHasAnExampleThatParses: by itself, since what the story around it
// lacks is no matter of the word.
func TestEveryWordHasAnExampleThatParses(t *testing.T) {
	examples, words := readExamples(examplesText), 0
	used := map[string]bool{}
	eachWord(Reference(), func(_, heading, word string) {
		if word == "" {
			return
		}
		words++
		example := examples.of(heading, word)
		if used[heading+example.text] = true; example.text == "" {
			t.Errorf("%q, below %q, has no example: write one into examples.txt", word, heading)
			return
		}
		if err := readAlone(example); err != nil {
			t.Errorf("the example of %q, below %q: %v", word, heading, err)
		}
	})
	if words < 250 {
		t.Errorf("only %d words were found", words)
	}
	for heading, all := range examples { // any order
		for _, e := range all {
			if !used[heading+e.example.text] && e.key != "*" {
				t.Errorf("there is no word %q below %q: take it out of examples.txt", e.key, heading)
			}
		}
	}
}

// readAlone reads an example as part of a file that is not checked as a whole.
func readAlone(example taught) error {
	text := strings.Join(example.lines(), "\n") + "\n"
	switch name := example.place; name {
	case "header", "file":
	case "server":
		text = "-- server mx1.example.net --\n" + text
	case "policy":
		text = "-- policy mta-sts.example.net --\n" + text
	default:
		text = "-- " + name + " --\n" + text
	}
	text = "# It holds.\n" + text
	p := &parser{file: "example", text: strings.Split(text, "\n"), s: &Scenario{Policy: DefaultPolicy()}, seen: map[string]int{}}
	archive := txtar.Parse([]byte(text))
	p.header(string(archive.Comment))
	for _, f := range archive.Files {
		p.section(f.Name, 2, string(f.Data))
	}
	if len(p.errs) > 0 {
		return p.errs[0]
	}
	return nil
}

func TestAWrongExampleIsFound(t *testing.T) {
	for _, wrong := range []taught{{"relay", "hostnam x"}, {"header", "seed: x"}, {"file", "-- plam --"}, {"server", "at rpt: cut"}} {
		if readAlone(wrong) == nil {
			t.Errorf("nothing is wrong with %v", wrong)
		}
	}
}
