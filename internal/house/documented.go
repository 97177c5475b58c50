package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// documented finds exported names without a comment, outside tests and cmd,
// and packages without one.
func documented(t *Tree) []Finding {
	var found []Finding
	packages := map[string]bool{}
	var dirs []*File // the first file of each package
	for _, f := range t.Files {
		if !f.Go() {
			continue
		}
		if _, known := packages[f.Dir]; !known {
			dirs = append(dirs, f)
		}
		packages[f.Dir] = packages[f.Dir] || f.Syntax.Doc != nil
		if strings.HasPrefix(f.Dir, "cmd/") {
			continue
		}
		for _, name := range undocumented(f.Syntax) {
			found = append(found, Finding{f.Path, t.line(name.Pos()), "documented",
				fmt.Sprintf("%s has no comment: say what it means, its units and its errors", name.Name)})
		}
	}
	for _, f := range dirs {
		if !packages[f.Dir] {
			found = append(found, Finding{f.Path, t.line(f.Syntax.Package), "documented",
				fmt.Sprintf("package %s has no comment: write a doc.go that says what it is for", f.Syntax.Name.Name)})
		}
	}
	return found
}

// undocumented lists the exported names of a file that have no comment.
func undocumented(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Doc == nil && decl.Name.IsExported() && exportedReceiver(decl) {
				names = append(names, decl.Name)
			}
		case *ast.GenDecl:
			names = append(names, undocumentedSpecs(decl)...)
		}
	}
	return names
}

// exportedReceiver reports whether a function is none of a type, or of one
// that is exported.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return true
	}
	typ := fn.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.ParenExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// undocumentedSpecs lists names of one declaration. A comment on a group of
// constants or variables speaks for all of it, as in the standard library.
func undocumentedSpecs(decl *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && (decl.Doc == nil || decl.Lparen != token.NoPos) {
				names = append(names, spec.Name)
			}
			if iface, ok := spec.Type.(*ast.InterfaceType); ok && spec.Name.IsExported() {
				names = append(names, undocumentedMethods(iface)...)
			}
		case *ast.ValueSpec:
			if decl.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// undocumentedMethods lists the methods of an interface: its comments are the
// contract of every implementation.
func undocumentedMethods(iface *ast.InterfaceType) []*ast.Ident {
	var names []*ast.Ident
	for _, method := range iface.Methods.List {
		for _, name := range method.Names {
			if name.IsExported() && method.Doc == nil && method.Comment == nil {
				names = append(names, name)
			}
		}
	}
	return names
}
