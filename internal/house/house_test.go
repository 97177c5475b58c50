package house

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var rewrite = flag.Bool("rewrite", false, "write what is found into the testdata; read the difference before committing it")

// TestEveryRuleFindsWhatBreaksIt gives each rule a small tree, which it has in
// testdata under its name, and compares what it finds with the file "want".
func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			name := filepath.Join("testdata", rule.Name+".txtar")
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			if want < 0 {
				t.Fatalf("%s has no file called want", name)
			}
			found, err := rule.Check(unpack(t, archive))
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range found {
				got.WriteString(f.String() + "\n")
			}
			if got.Len() == 0 {
				t.Error("the rule finds nothing, so it proves nothing")
			}
			if *rewrite {
				archive.Files[want].Data = []byte(got.String())
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(archive.Files[want].Data), got.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// unpack writes an archive to disk, as a module called example.org/m, and
// loads it.
func unpack(t *testing.T, archive *txtar.Archive) *Tree {
	t.Helper()
	dir := t.TempDir()
	files := slices.Concat(archive.Files, []txtar.File{{Name: "go.mod", Data: []byte("module example.org/m\n\ngo 1.26.0\n")}})
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// The trees are made here: what is too long to read is too long to keep.
func TestTheLargestThatIsAllowedIsAllowed(t *testing.T) {
	function := func(lines int) string { return "func f() {\n" + strings.Repeat("\tg()\n", lines-2) + "}\n" }
	for _, c := range []struct {
		name, file, source string
		found              int
	}{
		{"file of 500 lines", "a/a.go", "package a\n" + strings.Repeat("\n", 499), 0},
		{"file of 501 lines", "a/a.go", "package a\n" + strings.Repeat("\n", 500), 1},
		{"function of 70 lines", "a/a.go", "package a\n" + function(70), 0},
		{"function of 71 lines", "a/a.go", "package a\n" + function(71), 1},
		{"test of 100 lines", "a/a_test.go", "package a\n" + function(100), 0},
		{"test of 101 lines", "a/a_test.go", "package a\n" + function(101), 1},
		{"test of 100 lines and a table", "a/a_test.go", "package a\n" + strings.Replace(function(100), "g()", "g([]int{\n1,\n})", 1), 0},
		{"line of 160 characters", "a/a.go", "package a\n// " + strings.Repeat("ä", 157) + "\n", 0},
		{"line of 161 characters", "a/a.go", "package a\n// " + strings.Repeat("ä", 158) + "\n", 1},
	} {
		tree := unpack(t, &txtar.Archive{Files: []txtar.File{{Name: c.file, Data: []byte(c.source)}}})
		if found := sizes(tree); len(found) != c.found {
			t.Errorf("%s: %v", c.name, found)
		}
	}
}

func TestTheTableOfImportsIsAPartialOrder(t *testing.T) {
	table := parseArrows(arrows)
	under := func(pattern string) []string {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(table)) {
			if matches([]string{pattern}, name) {
				names = append(names, name)
			}
		}
		return names
	}
	// depth is how far above the leaves a package stands; it has none when
	// arrows go round.
	var depth func(name string, path []string) int
	depth = func(name string, path []string) int {
		if slices.Contains(path, name) {
			t.Fatalf("arrows go round: %v", append(path, name))
		}
		d := 0
		for _, pattern := range table[name].code {
			for _, below := range under(pattern) {
				if below != "." && below != name {
					d = max(d, 1+depth(below, append(path, name)))
				}
			}
		}
		return d
	}
	for name, a := range table {
		depth(name, nil)
		for _, pattern := range slices.Concat(a.code, a.tests) {
			if len(under(pattern)) == 0 {
				t.Errorf("%s may import %s, which is not in the table", name, pattern)
			}
		}
	}
}

func TestRelayAndWorldMeetOnlyInCommandsAndTests(t *testing.T) {
	for name, a := range parseArrows(arrows) {
		if strings.HasPrefix(name, "cmd/") {
			continue
		}
		if matches(a.code, "impl") && matches(a.code, "sim") {
			t.Errorf("the table lets %s import both impl and sim", name)
		}
	}
}

func TestLoadReadsNeitherTestdataNorHiddenDirectories(t *testing.T) {
	archive := txtar.Parse([]byte("-- a/a.go --\npackage a\n-- a/testdata/b.go --\nbroken\n-- .git/c.go --\nbroken\n-- .ci/run --\ntext\n"))
	var names []string
	for _, f := range unpack(t, archive).Files {
		names = append(names, f.Path)
	}
	if d := cmp.Diff([]string{".ci/run", "a/a.go"}, names); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestCheckingTypesFailsOnATreeThatDoesNotCompile(t *testing.T) {
	tree := unpack(t, txtar.Parse([]byte("-- spec/a.go --\npackage spec\n\nvar x int = \"text\"\n")))
	if found, err := pure(tree); err == nil {
		t.Errorf("found %v, and no error", found)
	}
}
