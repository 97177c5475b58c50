package fakesmtp

import (
	"os"
	"strings"
	"testing"
)

func TestDocumentationNamesEveryWord(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	words := append(append([]string{}, statements...), actionWords()...)
	for _, c := range conditions {
		words = append(words, c.word)
	}
	for _, s := range ruleStages {
		words = append(words, s.String())
	}
	for _, w := range words {
		if !strings.Contains(string(doc), w) {
			t.Errorf("doc.go does not mention %q", w)
		}
	}
}

func TestExamplesOfTheDocumentationAreScripts(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.SplitSeq(string(doc), "\n") {
		rule, ok := strings.CutPrefix(line, "//\tat ")
		if !ok || strings.Contains(rule, "STAGE") {
			continue
		}
		if i := strings.Index(rule, "   "); i >= 0 {
			rule = rule[:i] // what follows explains it
		}
		n++
		if _, err := ParseScript("doc.go", 1, "at "+rule); err != nil {
			t.Error(err)
		}
	}
	if n < 15 {
		t.Errorf("only %d examples were found", n)
	}
}

// TestReferenceNamesEveryWord: and each is followed by what it means.
func TestReferenceNamesEveryWord(t *testing.T) {
	text := Reference()
	for _, words := range [][]string{statements, actionWords(), personaNames()} {
		for _, w := range words {
			if !strings.Contains(text, "- `"+w) {
				t.Errorf("the reference does not explain %q", w)
			}
		}
	}
	for _, c := range conditions {
		if !strings.Contains(text, "- `"+c.form+"` – "+c.meaning) || c.meaning == "" {
			t.Errorf("the reference does not explain %q", c.form)
		}
	}
	for _, s := range ruleStages {
		if stageMeaning(s) == "" || !strings.Contains(text, "- `"+s.String()+"` – ") {
			t.Errorf("the reference does not explain the stage %v", s)
		}
	}
}
