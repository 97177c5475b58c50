package scenarios

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentsNameStoriesThatExist holds every `theme/name` of the documents
// against the library.
func TestDocumentsNameStoriesThatExist(t *testing.T) {
	library, err := All()
	if err != nil {
		t.Fatal(err)
	}
	themes := map[string]bool{}
	names := map[string]bool{}
	for _, sc := range library {
		theme, _, _ := strings.Cut(sc.Name, "/")
		themes[theme], names[sc.Name] = true, true
	}
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil || len(documents) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	documents = append(documents, "../README.md", "../ARCHITECTURE.md", "../CHANGELOG.md", "README.md")
	quoted := regexp.MustCompile("`([a-z0-9]+)/([a-z0-9-]+)`")
	named := map[string]bool{}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range quoted.FindAllStringSubmatch(string(text), -1) {
			if name := found[1] + "/" + found[2]; themes[found[1]] {
				if named[name] = true; !names[name] {
					t.Errorf("%s names %s, which is not in the library", document, name)
				}
			}
		}
	}
	for name := range names { // any order: each theme once
		theme, _, _ := strings.Cut(name, "/")
		themes[theme] = false
	}
	for name := range named { // any order
		theme, _, _ := strings.Cut(name, "/")
		themes[theme] = true
	}
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		if !themes[theme] {
			t.Errorf("no document names a story of the theme %s: see docs/extensions.md", theme)
		}
	}
}
