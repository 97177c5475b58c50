package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// wallMethods are those of a time.Time whose result comes from the wall clock
// alone. Add, Sub, Before and After go by the monotonic clock where they can.
var wallMethods = []string{
	"AppendFormat", "Clock", "Date", "Day", "Format", "Hour", "Local", "Month", "Round", "Truncate", "UTC", "Unix", "UnixMicro", "UnixMilli",
	"UnixNano", "Weekday", "Year",
}

// wallclock finds where the relay asks time.Now for a date: a world in which
// the wall clock jumps could not see it. What tells the machine's own time, for
// the relay to ask, lies in impl/hostos.
func wallclock(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		if top, _, _ := strings.Cut(f.Dir, "/"); !f.Go() || top != "impl" || f.Dir == "impl/hostos" {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if dated(call) {
				found = append(found, Finding{f.Path, t.line(call.Pos()), "wallclock",
					fmt.Sprintf("%s of time.Now is a date: ask seam.Host.Now; time.Now is for intervals and deadlines", called(call))})
			}
			return true
		})
	}
	return found
}

// dated reports whether a call takes a date from time.Now.
func dated(call *ast.CallExpr) bool {
	if called(call) == "WallOf" {
		return slices.ContainsFunc(call.Args, isNow)
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	return ok && isNow(fn.X) && slices.Contains(wallMethods, fn.Sel.Name)
}

// called names the function or method of a call, without what it belongs to.
func called(call *ast.CallExpr) string {
	switch fn := call.Fun.(type) {
	case *ast.SelectorExpr:
		return fn.Sel.Name
	case *ast.Ident:
		return fn.Name
	}
	return ""
}

// isNow reports whether an expression is a call of time.Now.
func isNow(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fn.Sel.Name != "Now" {
		return false
	}
	pkg, ok := fn.X.(*ast.Ident)
	return ok && pkg.Name == "time"
}
