package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// Command is how a person starts this program in the repository.
const Command = "go run ./cmd/simrun"

// Honest is the name of the relay that this repository is about.
const Honest = "postonce"

// mostViolations is how many violations of one run are told in full.
const mostViolations = 3

// Failures tells of every run that does not hold what is wrong with it, and
// how to replay it.
func Failures(w io.Writer, p Paint, runs []Run) {
	for _, r := range runs {
		if r.missing() || r.Waits() || r.Status() == sim.OK {
			continue
		}
		fmt.Fprintf(w, "\n%s %s %s\n", p.mark(r.Status()), p.bold(r.Scenario.Name), p.bad(Verdict(r.Status())))
		if r.Broken != nil {
			fmt.Fprint(w, indent("  ", r.Broken.Error()+"\n"))
			continue
		}
		fmt.Fprintf(w, "  %s\n", sentence(r.Scenario.Title))
		Failure(w, p, r)
		fmt.Fprintf(w, "\n  %s\n", replayHint(r))
	}
}

// Failure tells what is wrong with one run: rules broken, expectations that
// did not come true, a panic, faults that never fired.
func Failure(w io.Writer, p Paint, r Run) {
	Violations(w, p, r.Result.Violations, r.Result.Began)
	mismatches(w, p, r)
	if r.Result.Panic != "" {
		fmt.Fprintf(w, "\n  %s\n%s", p.bad("the relay did not end well:"), indent("    ", stacks(r.Result.Panic)))
	}
	unused(w, p, r)
}

// Violations tells violations as stories, counting time from start: the first
// of each rule, since others are mostly its echoes, in the order of the rules,
// gravest first. It cites the rules.
func Violations(w io.Writer, p Paint, all []spec.Violation, start spec.Wall) {
	told, others := Gravest(all)
	for _, v := range told {
		v.Facts = shortened(v.Facts)
		first, rest, _ := strings.Cut(v.Story(start), "\n")
		fmt.Fprintf(w, "\n  %s%s\n", p.bad(string(v.Rule)), strings.TrimPrefix(first, string(v.Rule)))
		fmt.Fprint(w, indent("  ", rest))
		if text := v.Rule.Text(); text != "" {
			fmt.Fprintf(w, "    %s\n", p.faint(fmt.Sprintf("The rule: %s (%s)", text, v.Rule.Sources())))
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(w, "\n  and %s: %s\n", number(len(others), "more violation"), rules(others))
	}
}

// rules names the rules of violations, each once.
func rules(all []spec.Violation) string {
	var names []string
	seen := map[spec.Rule]bool{}
	for _, v := range all {
		if !seen[v.Rule] {
			seen[v.Rule] = true
			names = append(names, string(v.Rule))
		}
	}
	return strings.Join(names, ", ")
}

// mismatches tells which expectations did not come true, with the file that
// holds them, so that an editor can go there.
func mismatches(w io.Writer, p Paint, r Run) {
	if len(r.Result.Mismatches) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  %s\n", p.bad("expected otherwise:"))
	for _, m := range few(r.Result.Mismatches) {
		fmt.Fprint(w, indent("    ", r.placed(m)+"\n"))
	}
	more(w, "    ", r.Result.Mismatches)
}

// most is how many things of a kind are told one by one.
const most = 10

// few returns the first of many; more says how many others there are.
func few[T any](all []T) []T { return all[:min(len(all), most)] }

func more[T any](w io.Writer, margin string, all []T) {
	if n := len(all) - most; n > 0 {
		fmt.Fprintf(w, "%sand %s more\n", margin, thousands(n))
	}
}

// placed replaces the scenario's name before a line number by that of its file.
func (r Run) placed(text string) string {
	if rest, ok := strings.CutPrefix(text, r.Scenario.Name+":"); ok && r.File != "" {
		return r.File + ":" + rest
	}
	return text
}

// unused tells which faults never fired, and which rules never matched. In a
// run that fails they are often the cause: the world was not the one meant.
func unused(w io.Writer, p Paint, r Run) {
	if len(r.Result.Unused) == 0 || r.Result.Status == sim.OK {
		return
	}
	heading := "never happened, so the run proves nothing:"
	if r.Result.Status != sim.NoVerdict {
		heading = "never happened, which may be why:"
	}
	fmt.Fprintf(w, "\n  %s\n", p.doubt(heading))
	for _, u := range few(r.Result.Unused) {
		fmt.Fprintf(w, "    %s\n", r.placed(u))
	}
	more(w, "    ", r.Result.Unused)
}
