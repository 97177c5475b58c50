package show

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A Hunt is the search for one mutant: a relay that is wrong on purpose.
type Hunt struct {
	Name  string
	Wrong string
	// Rule is the one that it should be found to break, in Scenario.
	Rule     spec.Rule
	Scenario string
	// Runs are those that were made, up to the first that caught it.
	Runs []Run
	// Cut is true when the hunt was interrupted before it was over.
	Cut bool
}

// Caught returns the run that broke the named rule, and its violation; ok is
// false when the mutant survived.
func (h Hunt) Caught() (r Run, v spec.Violation, ok bool) {
	for _, r := range h.Runs {
		if v, ok := Breaks(r, h.Rule); ok {
			return r, v, true
		}
	}
	return Run{}, spec.Violation{}, false
}

// Breaks returns the first violation of a rule in a run.
func Breaks(r Run, rule spec.Rule) (spec.Violation, bool) {
	if r.Result != nil {
		for _, v := range r.Result.Violations {
			if v.Rule == rule {
				return v, true
			}
		}
	}
	return spec.Violation{}, false
}

// Status is Safety for a mutant that survived, as a promise of the harness
// does not hold; NoVerdict when it did not run everywhere.
func (h Hunt) Status() sim.Status {
	switch _, _, ok := h.Caught(); {
	case ok:
		return sim.OK
	case h.Cut || h.missing() > 0 || len(h.Runs) == 0:
		return sim.NoVerdict
	}
	return sim.Safety
}

// missing counts the runs for which there was no time.
func (h Hunt) missing() int {
	n := 0
	for _, r := range h.Runs {
		if r.missing() {
			n++
		}
	}
	return n
}

// Mutants writes a line per mutant: name, rule broken, the scenario that caught
// it, and what it does wrong; then a line about all.
func Mutants(w io.Writer, p Paint, all []Hunt) {
	name, rule, where := 0, 0, 0
	caught, cut := 0, 0
	for _, h := range all {
		name, rule, where = max(name, len(h.Name)), max(rule, len(h.Rule)), max(where, utf8.RuneCountInString(h.where()))
		switch h.Status() {
		case sim.OK:
			caught++
		case sim.NoVerdict:
			cut++
		}
	}
	for _, h := range all {
		fmt.Fprintf(w, "%s %s  %s  %s  %s%s\n", p.mark(h.Status()), p.bold(pad(h.Name, name)), pad(string(h.Rule), rule),
			pad(h.where(), where), h.Wrong, p.doubt(h.remark()))
	}
	fmt.Fprintln(w)
	if caught == len(all) {
		fmt.Fprintln(w, p.good(number(caught, "mutant")+" caught, each by the rule that it breaks"))
		return
	}
	line := p.bad(fmt.Sprintf("%d of %s caught by the rule that it should break", caught, number(len(all), "mutant")))
	if cut > 0 {
		line += " · " + p.doubt(thousands(cut)+" not run to the end")
	}
	fmt.Fprintln(w, line)
}

// where names the scenario that caught the mutant, or says why none did.
func (h Hunt) where() string {
	if r, _, ok := h.Caught(); ok {
		return r.Scenario.Name
	}
	switch ran := len(h.Runs) - h.missing(); {
	case h.Status() != sim.NoVerdict:
		return "SURVIVED"
	case ran == 0:
		return "not run"
	}
	return "interrupted"
}

// remark says that the mutant was caught elsewhere than it should have been.
func (h Hunt) remark() string {
	if r, _, ok := h.Caught(); ok && r.Scenario.Name != h.Scenario {
		return " (" + h.Scenario + " did not see it)"
	}
	return ""
}

// MutantStory tells how a mutant was caught; for one that survived, what its
// runs found instead.
func MutantStory(w io.Writer, p Paint, h Hunt) {
	fmt.Fprintf(w, "\n%s %s\n", p.mark(h.Status()), p.bold(h.Name+": "+sentence(h.Wrong)))
	if r, v, ok := h.Caught(); ok {
		Violations(w, p, []spec.Violation{v}, r.Result.Began)
		fmt.Fprintf(w, "\n  %s\n", replayHint(r))
		return
	}
	ran := len(h.Runs) - h.missing()
	if ran == 0 {
		fmt.Fprintf(w, "  It should break %s. It was not run.\n", h.Rule)
		return
	}
	fmt.Fprintf(w, "  It should break %s. What was found:\n", h.Rule)
	told := 0
	for _, r := range h.Runs {
		if r.Result == nil || r.Result.Status == sim.OK {
			continue
		}
		if told++; told > mostViolations {
			continue
		}
		fmt.Fprintf(w, "\n  in %s:\n", p.bold(r.Scenario.Name))
		Failure(w, p, r)
	}
	if told == 0 {
		fmt.Fprintf(w, "  nothing, in %s\n", number(ran, "run"))
	}
}
