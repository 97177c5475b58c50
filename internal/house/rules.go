package house

import (
	"cmp"
	"slices"
)

// A Rule is one rule of the house.
type Rule struct {
	// Name is how findings and failing tests call it.
	Name string
	// Check returns what breaks the rule; the error is for a tree that could
	// not be checked.
	Check func(*Tree) ([]Finding, error)
}

// Rules returns all rules.
func Rules() []Rule {
	return []Rule{
		{"imports", simple(imports)},
		{"pure", pure},
		{"documented", simple(documented)},
		{"sizes", simple(sizes)},
		{"unfinished", simple(unfinished)},
		{"globals", simple(globals)},
		{"wallclock", simple(wallclock)},
	}
}

// simple makes a Check of a function that cannot fail.
func simple(check func(*Tree) []Finding) func(*Tree) ([]Finding, error) {
	return func(t *Tree) ([]Finding, error) { return sorted(check(t)), nil }
}

// sorted orders findings by place.
func sorted(found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return found
}
