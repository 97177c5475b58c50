package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// stateless are the packages without variables that could change: two worlds
// in one process must not see each other.
var stateless = []string{"impl", "spec", "sim", "fakesmtp", "scenarios"}

// globals finds variables at package level that hold state. Tables, errors,
// regular expressions, embedded files and assertions are none; what is known
// to be state is what has no value, a plain number or string, a made map or
// channel, or something of package sync, time or context.
func globals(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		top, _, _ := strings.Cut(f.Dir, "/")
		if !f.Go() || !slices.Contains(stateless, top) {
			continue
		}
		for _, decl := range f.Syntax.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.VAR && !embedded(decl.Doc) {
				found = append(found, t.stateIn(f, decl)...)
			}
		}
	}
	return found
}

func (t *Tree) stateIn(f *File, decl *ast.GenDecl) []Finding {
	var found []Finding
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		if embedded(v.Doc) {
			continue
		}
		for i, name := range v.Names {
			var value ast.Expr
			if i < len(v.Values) {
				value = v.Values[i]
			}
			if name.Name == "_" || (len(v.Values) > 0 && !isState(value)) {
				continue
			}
			found = append(found, Finding{f.Path, t.line(name.Pos()), "globals",
				fmt.Sprintf("%s is state that a whole process shares: make it a constant, or a field of what uses it", name.Name)})
		}
	}
	return found
}

// embedded reports whether a comment is a go:embed directive.
func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// isState reports whether an initial value shows that a variable will change.
func isState(value ast.Expr) bool {
	switch v := value.(type) {
	case nil: // one of several results of a call
		return false
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return v.Name == "nil" || v.Name == "true" || v.Name == "false"
	case *ast.UnaryExpr:
		return isState(v.X)
	case *ast.CompositeLit:
		return ofState(v.Type)
	case *ast.CallExpr:
		if fn, ok := v.Fun.(*ast.Ident); ok {
			return fn.Name == "make" || fn.Name == "new"
		}
		return ofState(v.Fun)
	}
	return false
}

// ofState reports whether an expression names something in a package whose
// things change.
func ofState(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && slices.Contains([]string{"sync", "atomic", "time", "context", "rand"}, pkg.Name)
}
