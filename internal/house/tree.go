package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Finding is one place where a rule does not hold.
type Finding struct {
	// File is the path from the root of the tree, with slashes.
	File string
	Line int
	Rule string
	// Instead says what is wrong and what to write instead.
	Instead string
}

// String formats the finding as compilers do.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Instead)
}

// A Tree is the source of one Go module, parsed.
type Tree struct {
	// Dir is where it lies on disk; Module is its path, from go.mod.
	Dir, Module string
	// Files are those of Go and of text, in the order of their paths. Those
	// under testdata, and in directories that begin with a dot other than
	// .ci, are not among them.
	Files []*File

	fset *token.FileSet
}

// A File is one file of a Tree.
type File struct {
	// Path is the path from the root of the tree, with slashes; Dir is its
	// directory, "." at the root.
	Path, Dir string
	Source    []byte
	// Syntax is nil when the file is not Go.
	Syntax *ast.File
}

// Go reports whether the file is Go but not a test.
func (f *File) Go() bool { return f.Syntax != nil && !f.Test() }

// Test reports whether the file is a Go test.
func (f *File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Load reads and parses the module at dir.
func Load(dir string) (*Tree, error) {
	t := &Tree{Dir: dir, fset: token.NewFileSet()}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(name)
		}
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(name):
			return fs.SkipDir
		case d.IsDir() || !read(name):
			return nil
		}
		return t.add(name)
	})
	return t, err
}

// skipped reports whether a directory is not read: hidden ones, and testdata,
// which the go command does not read either.
func skipped(dir string) bool {
	base := path.Base(dir)
	return base == "testdata" || (strings.HasPrefix(base, ".") && dir != "." && dir != ".ci")
}

// read reports whether a file is Go or text that people write.
func read(name string) bool {
	return slices.Contains([]string{".go", ".md", ".yaml", ".yml", ".sh"}, path.Ext(name)) || path.Dir(name) == ".ci"
}

func (t *Tree) add(name string) error {
	source, err := os.ReadFile(filepath.Join(t.Dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	f := &File{Path: name, Dir: path.Dir(name), Source: source}
	if path.Ext(name) == ".go" {
		if f.Syntax, err = parser.ParseFile(t.fset, name, source, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
	}
	t.Files = append(t.Files, f)
	return nil
}

// line returns the line of a position.
func (t *Tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }
