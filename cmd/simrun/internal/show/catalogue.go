package show

import (
	"fmt"
	"io"
	"slices"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A Grouping returns the groups that a scenario belongs to.
type Grouping func(*scenarios.Scenario) []string

// Groupings returns the ways to group scenarios, by name.
func Groupings() map[string]Grouping {
	return map[string]Grouping{
		"theme": func(s *scenarios.Scenario) []string {
			theme, _ := Split(s.Name)
			return []string{theme}
		},
		"rule": func(s *scenarios.Scenario) []string { return s.Rules },
		"bug":  func(s *scenarios.Scenario) []string { return s.Bugs },
		"source": func(s *scenarios.Scenario) []string {
			if s.Source == "" {
				return nil
			}
			return []string{s.Source}
		},
	}
}

// Catalogue lists scenarios by group: name and title of each. The rules come
// in their own order, other groups in alphabetical order.
func Catalogue(w io.Writer, p Paint, all []*scenarios.Scenario, group Grouping) {
	members := map[string][]*scenarios.Scenario{}
	var groups []string
	width := 0
	for _, s := range all {
		for _, g := range group(s) {
			if members[g] == nil {
				groups = append(groups, g)
			}
			members[g] = append(members[g], s)
			width = max(width, len(s.Name))
		}
	}
	slices.Sort(groups)
	rules := spec.Rules()
	slices.SortStableFunc(groups, func(a, b string) int { return place(rules, a) - place(rules, b) })
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(w)
		}
		heading := p.bold(g)
		if text := spec.Rule(g).Text(); text != "" {
			heading += "  " + p.faint(text)
		}
		fmt.Fprintln(w, heading)
		for _, s := range members[g] {
			title := s.Title
			if words := NotYet(s); words != "" {
				title += p.faint(" (not run: needs " + words + ")")
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, s.Name, title)
		}
	}
}

// place returns where a group stands among the rules; what is none comes after.
func place(rules []spec.Rule, group string) int {
	if i := slices.Index(rules, spec.Rule(group)); i >= 0 {
		return i
	}
	return len(rules)
}
