package house

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// A checked package is one with its types, without its tests.
type checked struct {
	files []*File
	info  *types.Info
}

// typeCheck finds the types of those of the packages that the tree has. Only
// they are checked from source: what they import is read as the go command
// compiled it, which takes no time when nothing changed.
func (t *Tree) typeCheck(dirs []string) ([]checked, error) {
	var all []checked
	var names []string
	for _, dir := range dirs {
		var files []*File
		for _, f := range t.Files {
			if f.Dir == dir && f.Go() {
				files = append(files, f)
			}
		}
		if len(files) > 0 {
			all = append(all, checked{files: files})
			names = append(names, "./"+dir)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	compiled, err := t.compile(names)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := t.check(&all[i], compiled); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// compile has the go command compile what the packages import, and returns
// where the result lies, by import path.
func (t *Tree) compile(names []string) (map[string]string, error) {
	cmd := exec.Command("go", slices.Concat([]string{"list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}"}, names)...)
	cmd.Dir = t.Dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("go list: %w\n%s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return nil, err
	}
	compiled := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		compiled[name] = file
	}
	return compiled, nil
}

func (t *Tree) check(c *checked, compiled map[string]string) error {
	config := types.Config{
		Importer: importer.ForCompiler(t.fset, "gc", func(name string) (io.ReadCloser, error) {
			if compiled[name] == "" {
				return nil, fmt.Errorf("%s was not compiled", name)
			}
			return os.Open(compiled[name])
		}),
	}
	var syntax []*ast.File
	for _, f := range c.files {
		syntax = append(syntax, f.Syntax)
	}
	c.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	_, err := config.Check(t.Module+"/"+c.files[0].Dir, t.fset, syntax, c.info)
	return err
}
