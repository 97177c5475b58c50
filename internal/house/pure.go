package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
)

// purePackages are a function of their input alone: no clock, no goroutine, no
// randomness of their own, no operating system, no order that the runtime
// chooses. That is what lets a seed replay, and a decision be searched.
var purePackages = []string{
	"spec", "spec/coverage", "impl/queue", "impl/queue/exhaust", "impl/route", "impl/sasl", "impl/wire", "impl/dsn", "impl/deliverylist",
}

// impureImports are packages that a pure one does not import, with what to do
// instead. An entry speaks for the packages below it too, unless they are
// among pureImports.
var impureImports = map[string]string{
	"crypto/rand":      "take what was drawn as an argument",
	"hash/maphash":     "its seed differs in every process: use a hash without one",
	"net":              "leave I/O to the shell; addresses are in net/netip",
	"os":               "take what was read as an argument",
	"runtime":          "nothing may hang on the machine or the scheduler",
	"sync":             "there is one goroutine: let the caller lock",
	"testing/synctest": "there is no time to fake",
}

var pureImports = []string{"net/netip"}

// impureNames are functions that a pure package does not use, by package, with
// what to do instead.
var impureNames = map[string]struct {
	names   []string
	instead string
}{
	"time": {[]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
		"take the time from the event, as a spec.Wall or spec.Mono"},
	"context": {[]string{"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause", "AfterFunc"},
		"leave time-outs to the shell"},
}

// seeded are the functions of math/rand and math/rand/v2 that draw nothing.
var seeded = []string{"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf"}

// anyOrder marks a loop over a map whose order causes nothing, with the reason.
const anyOrder = "// any order: "

// pure checks the packages that are pure. It needs their types.
func pure(t *Tree) ([]Finding, error) {
	checked, err := t.typeCheck(purePackages)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, pkg := range checked {
		for _, f := range pkg.files {
			p := &purity{tree: t, file: f, info: pkg.info}
			p.imports()
			p.walk()
			found = append(found, p.found...)
		}
	}
	return sorted(found), nil
}

// purity checks one file.
type purity struct {
	tree  *Tree
	file  *File
	info  *types.Info
	found []Finding
}

func (p *purity) report(pos token.Pos, format string, args ...any) {
	p.found = append(p.found, Finding{p.file.Path, p.tree.line(pos), "pure", fmt.Sprintf(format, args...)})
}

func (p *purity) imports() {
	for _, spec := range p.file.Syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == "." {
			p.report(spec.Pos(), "%s without its name in a pure package: one must see at each use where it comes from", name)
		}
		if slices.Contains(pureImports, name) {
			continue
		}
		for up := name; up != "."; up = path.Dir(up) {
			if instead, ok := impureImports[up]; ok {
				p.report(spec.Pos(), "%s in a pure package: %s", name, instead)
				break
			}
		}
	}
}

func (p *purity) walk() {
	var parents []ast.Node
	ast.Inspect(p.file.Syntax, func(n ast.Node) bool {
		if n == nil {
			parents = parents[:len(parents)-1]
			return true
		}
		switch n := n.(type) {
		case *ast.GoStmt:
			p.report(n.Pos(), "a go statement in a pure package: return what is to be done, and let the shell do it")
		case *ast.SelectStmt:
			p.report(n.Pos(), "a select in a pure package: take one event at a time as an argument")
		case *ast.RangeStmt:
			p.rangeOver(n)
		case *ast.SelectorExpr:
			p.selector(n, parents)
		}
		parents = append(parents, n)
		return true
	})
}

// rangeOver reports a loop over a map.
func (p *purity) rangeOver(loop *ast.RangeStmt) {
	if isMap(p.info.TypeOf(loop.X)) && !p.excused(loop.For) {
		p.report(loop.For, "a loop over a map in a pure package: sort the keys, or say why any order will do: %sREASON", anyOrder)
	}
}

// isMap reports whether a value of type t is a map, or of a type parameter
// that can only be one.
func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	if _, ok := t.Underlying().(*types.Map); ok {
		return true
	}
	param, ok := t.(*types.TypeParam)
	if !ok {
		return false
	}
	set, ok := param.Constraint().Underlying().(*types.Interface)
	if !ok || set.NumEmbeddeds() != 1 {
		return false
	}
	union, ok := set.EmbeddedType(0).(*types.Union)
	return ok && union.Len() == 1 && isMap(union.Term(0).Type())
}

// excused reports whether the line of pos, or the one above, says that any
// order will do, and why.
func (p *purity) excused(pos token.Pos) bool {
	line := p.tree.line(pos)
	for _, group := range p.file.Syntax.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, anyOrder)
			if at := p.tree.line(c.Pos()); ok && strings.TrimSpace(reason) != "" && (at == line || at == line-1) {
				return true
			}
		}
	}
	return false
}

// selector reports the use of a function that is not pure, called or not.
func (p *purity) selector(sel *ast.SelectorExpr, parents []ast.Node) {
	fn, ok := p.info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return
	}
	name := fn.Pkg().Name() + "." + fn.Name()
	switch pkg := fn.Pkg().Path(); pkg {
	case "math/rand", "math/rand/v2":
		if !slices.Contains(seeded, fn.Name()) {
			p.report(sel.Pos(), "%s in a pure package: draw from a *rand.Rand that was passed in", name)
		}
	case "maps":
		if slices.Contains([]string{"All", "Keys", "Values"}, fn.Name()) && !p.sortedAtOnce(parents) && !p.excused(sel.Pos()) {
			p.report(sel.Pos(), "%s in a pure package yields in any order: wrap it in slices.Sorted", name)
		}
	default:
		if bad := impureNames[pkg]; slices.Contains(bad.names, fn.Name()) {
			p.report(sel.Pos(), "%s in a pure package: %s", name, bad.instead)
		}
	}
}

// sortedAtOnce reports whether the innermost two parents are a call and one of
// slices.Sorted around it.
func (p *purity) sortedAtOnce(parents []ast.Node) bool {
	if len(parents) < 2 {
		return false
	}
	outer, ok := parents[len(parents)-2].(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := outer.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := p.info.Uses[sel.Sel].(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() == "slices" && strings.HasPrefix(fn.Name(), "Sorted")
}
