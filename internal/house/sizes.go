package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"unicode/utf8"
)

// What fits a reader: a file, a function on one screen, a line. A test may be
// longer, and its tables do not count: they are data.
const (
	mostFileLines         = 500
	mostFunctionLines     = 70
	mostTestFunctionLines = 100
	mostLineCharacters    = 160
)

// sizes finds files, functions and lines of Go that are too long.
func sizes(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		if f.Syntax == nil {
			continue
		}
		lines := bytes.Split(bytes.TrimSuffix(f.Source, []byte("\n")), []byte("\n"))
		if n := len(lines); n > mostFileLines {
			found = append(found, Finding{f.Path, mostFileLines + 1, "sizes",
				fmt.Sprintf("the file has %d lines, more than %d: give each idea a file", n, mostFileLines)})
		}
		for i, line := range lines {
			if n := utf8.RuneCount(line); n > mostLineCharacters {
				found = append(found, Finding{f.Path, i + 1, "sizes",
					fmt.Sprintf("the line has %d characters, more than %d: break it where the thought breaks", n, mostLineCharacters)})
			}
		}
		found = append(found, t.longFunctions(f)...)
	}
	return found
}

func (t *Tree) longFunctions(f *File) []Finding {
	most := mostFunctionLines
	if f.Test() {
		most = mostTestFunctionLines
	}
	var found []Finding
	for _, decl := range f.Syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := t.lines(fn)
		if f.Test() {
			n -= t.tableLines(fn)
		}
		if n > most {
			found = append(found, Finding{f.Path, t.line(fn.Pos()), "sizes",
				fmt.Sprintf("function %s has %d lines, more than %d: name its steps and make them functions", fn.Name.Name, n, most)})
		}
	}
	return found
}

// lines counts the lines of a node.
func (t *Tree) lines(n ast.Node) int { return t.line(n.End()) - t.line(n.Pos()) + 1 }

// tableLines counts the lines of a function that are composite literals, but
// for the one on which each begins.
func (t *Tree) tableLines(fn *ast.FuncDecl) int {
	sum := 0
	ast.Inspect(fn, func(n ast.Node) bool {
		table, ok := n.(*ast.CompositeLit)
		if ok {
			sum += t.lines(table) - 1
		}
		return !ok
	})
	return sum
}
