package house

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// arrows says which packages of the module a package may import. It is the
// layout of the design, vocabulary → relay → world → judge, and policy: do not
// relax it to make a build pass.
//
// After "tests" stands what its tests may import besides. "impl/..." are all
// packages under impl, "..." all of the module but cmd. Nobody imports a
// command; what a command has below it is its own, and under its rules.
// The relay and the world meet in cmd and in tests, nowhere else.
const arrows = `
spec:
spec/seam:            spec
spec/coverage:        spec
spec/seam/seamtest:   spec spec/seam

impl/wire:            spec
impl/route:           spec
impl/dsn:             spec
impl/queue:           spec spec/seam impl/dsn
                      tests: spec/seam/seamtest
impl/queue/exhaust:   spec spec/seam impl/queue
impl/deliverylist:    spec impl/queue
impl/resolve:         spec impl/route
impl/sasl:            spec
impl/smtpclient:      spec impl/wire impl/sasl
                      tests: impl/smtpclient/smtptest fakesmtp
impl/smtpclient/smtptest: spec
impl/delivery:        spec impl/smtpclient impl/sasl impl/route impl/resolve
                      tests: spec/seam fakesmtp impl/wire impl/smtpclient/smtptest
impl/spool:           spec spec/seam impl/queue
                      tests: spec/seam/seamtest
impl/submission:      spec spec/seam impl/queue impl/spool
                      tests: spec/seam/seamtest
impl:                 spec spec/seam impl/queue impl/route impl/resolve impl/wire impl/dsn impl/deliverylist
                      impl/smtpclient impl/delivery impl/spool impl/submission
                      tests: spec/seam/seamtest fakesmtp impl/hostos scenarios sim
impl/hostos:          spec spec/seam
                      tests: impl/resolve spec/seam/seamtest

fakesmtp:             spec
scenarios:            spec fakesmtp
sim:                  spec spec/seam spec/coverage fakesmtp scenarios
                      tests: spec/seam/seamtest impl/...
sim/workers:
sim/search:           spec spec/coverage spec/seam fakesmtp scenarios sim sim/workers
                      tests: impl/...
conformance:          spec spec/seam fakesmtp scenarios sim
                      tests: spec/seam/seamtest impl/...

cmd/postonce:         spec spec/seam impl/...
                      tests: fakesmtp spec/seam/seamtest
cmd/simrun:           ...

internal/house:
.:                    tests: internal/house
`

// An arrow is what one package may import.
type arrow struct{ code, tests []string }

// parseArrows reads the table above.
func parseArrows(table string) map[string]*arrow {
	all := map[string]*arrow{}
	var current *arrow
	var into *[]string
	for line := range strings.Lines(table) {
		for _, word := range strings.Fields(line) {
			name, isName := strings.CutSuffix(word, ":")
			switch {
			case word == "tests:":
				into = &current.tests
			case isName:
				current = new(arrow)
				all[name], into = current, &current.code
			default:
				*into = append(*into, word)
			}
		}
	}
	return all
}

// imports holds every import of one package by another against the table.
func imports(t *Tree) []Finding {
	table := parseArrows(arrows)
	var found []Finding
	unknown := map[string]bool{}
	for _, f := range t.Files {
		if f.Syntax == nil || unknown[f.Dir] {
			continue
		}
		from := table[owner(f.Dir)]
		if from == nil {
			unknown[f.Dir] = true
			found = append(found, Finding{f.Path, 1, "imports",
				"package " + f.Dir + " is not in the table of internal/house/imports.go: add it, with what it may import"})
			continue
		}
		for _, spec := range f.Syntax.Imports {
			name, inside := t.inside(spec.Path.Value)
			if !inside || from.allows(f, name) {
				continue
			}
			found = append(found, Finding{f.Path, t.line(spec.Pos()), "imports", from.refusal(f, name)})
		}
	}
	return found
}

// inside returns the directory of a package of the module.
func (t *Tree) inside(quoted string) (dir string, ok bool) {
	name, _ := strconv.Unquote(quoted)
	if name == t.Module {
		return ".", true
	}
	return strings.CutPrefix(name, t.Module+"/")
}

// owner returns the directory under whose name the package in dir stands in
// the table: its command's, or its own.
func owner(dir string) string {
	if parts := strings.Split(dir, "/"); parts[0] == "cmd" && len(parts) > 2 {
		return "cmd/" + parts[1]
	}
	return dir
}

// allows reports whether the file f, to whose package a belongs, may import
// the package in dir. An external test may import the package it tests.
func (a *arrow) allows(f *File, dir string) bool {
	if owner(dir) != dir && owner(dir) == owner(f.Dir) {
		return true
	}
	if f.Test() && (dir == f.Dir || matches(a.tests, dir)) {
		return true
	}
	return matches(a.code, dir)
}

// matches reports whether a list of the table names the package in dir.
func matches(list []string, dir string) bool {
	if strings.HasPrefix(dir, "cmd/") {
		return false
	}
	return slices.ContainsFunc(list, func(p string) bool {
		under, all := strings.CutSuffix(p, "...")
		return p == dir || (all && (strings.HasPrefix(dir, under) || dir+"/" == under))
	})
}

// refusal says why f may not import dir, and what it may.
func (a *arrow) refusal(f *File, dir string) string {
	may, who := a.code, f.Dir
	if f.Test() {
		may, who = slices.Concat(a.code, a.tests), "a test of "+f.Dir
	}
	if strings.HasPrefix(dir, "cmd/") {
		return fmt.Sprintf("nothing imports %s: move what is shared to the package that owns the idea", dir)
	}
	if len(may) == 0 {
		return fmt.Sprintf("%s may not import %s, nor any other package of the module", who, dir)
	}
	return fmt.Sprintf("%s may not import %s, only %s: turn the arrow around, or move the idea", who, dir, strings.Join(may, ", "))
}
