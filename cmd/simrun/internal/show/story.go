package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// Story tells a run for a person: what the scenario is about, the facts that
// matter, what became of every recipient, and the verdict.
func Story(w io.Writer, p Paint, r Run) {
	fmt.Fprintln(w, p.bold(Heading(r)))
	fmt.Fprintln(w, r.Scenario.Prose)
	if r.Result == nil {
		return
	}
	fmt.Fprintf(w, "\n%s", spec.Timeline(r.Result.Began, telling(r.Result.Facts)))
	fmt.Fprintln(w)
	Fates(w, p, fates(r))
	Licences(w, p, r.Result.Licences)
	Failure(w, p, r)
	fmt.Fprintln(w)
	Closing(w, p, r)
}

// Heading names a run with all that it was derived from.
func Heading(r Run) string {
	return fmt.Sprintf("%s · seed %d · relay %s", r.Scenario.Name, r.Scenario.Seed, r.Relay)
}

// Closing writes the verdict on one run in a line.
func Closing(w io.Writer, p Paint, r Run) {
	s := r.Status()
	parts := []string{p.by(s, sign(s)+" "+r.Scenario.Name+" "+Verdict(s))}
	if r.Result != nil {
		parts = append(parts, span(r.Lasted())+" of virtual time", number(r.Result.Lines, "fact"), "trace "+Short(r.Result.Hash))
	}
	fmt.Fprintln(w, strings.Join(parts, " · "))
}

// Short is enough of a hash to tell two traces apart.
func Short(hash string) string { return hash[:min(len(hash), 16)] }

// telling picks the facts that a story is made of.
func telling(facts []spec.Fact) []spec.Fact {
	for len(facts) > 0 && atEnd(facts[len(facts)-1]) {
		facts = facts[:len(facts)-1]
	}
	var told []spec.Fact
	for _, f := range facts {
		switch f.Kind {
		case spec.FactSubmit, spec.FactSubmitted, spec.FactRefused, spec.FactSubmitUnknown,
			spec.FactAttempt, spec.FactTrouble, spec.FactOutcome, spec.FactPutOff, spec.FactHeldBack, spec.FactDoubt, spec.FactReport, spec.FactUntold,
			spec.FactDamaged, spec.FactHalt,
			spec.FactAccepted, spec.FactReportSeen, spec.FactUnlawful,
			spec.FactFault, spec.FactCrash, spec.FactStop, spec.FactOperator, spec.FactOperated, spec.FactHeal:
			told = append(told, f)
		case spec.FactStart:
			if f.Count > 1 {
				told = append(told, f)
			}
		}
	}
	return shortened(told)
}

// shortened returns facts that name few recipients each, with the number of
// the others: a line of thousands tells nobody anything.
func shortened(facts []spec.Fact) []spec.Fact {
	out := slices.Clone(facts)
	for i, f := range out {
		if n := len(f.To) - most; n > 0 {
			out[i].To = append(slices.Clone(few(f.To)), thousands(n)+" more")
		}
	}
	return out
}

// fates asks the checker what the facts say of each message.
func fates(r Run) []spec.MessageSummary {
	c := spec.NewChecker(r.Scenario.Policy)
	for _, f := range r.Result.Facts {
		c.Observe(f)
	}
	c.Finish()
	return c.Messages()
}

// Fates writes what became of every recipient of every message.
func Fates(w io.Writer, p Paint, messages []spec.MessageSummary) {
	width := 0
	for _, m := range messages {
		for _, r := range few(m.Recipients) {
			width = max(width, len(r.Address))
		}
	}
	for _, m := range messages {
		kind := "message"
		if m.Report {
			kind = "report"
		}
		fmt.Fprintf(w, "%s %s from %s%s\n", kind, p.bold(m.ID), orUnknown(m.From), remarks(m))
		for _, r := range few(m.Recipients) {
			fmt.Fprintf(w, "  %-*s  %s\n", width, r.Address, fate(p, r))
		}
		more(w, "  ", m.Recipients)
	}
}

func orUnknown(sender string) string {
	if sender == "" {
		return "somebody"
	}
	return sender
}

func remarks(m spec.MessageSummary) string {
	var all []string
	if !m.Report && !m.Acknowledged {
		all = append(all, "never acknowledged")
	}
	if m.Damaged {
		all = append(all, "its spool entry was damaged")
	}
	if m.Stored {
		all = append(all, "still in the spool")
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// fate says in a line what became of one recipient.
func fate(p Paint, r spec.RecipientSummary) string {
	if r.Refused {
		return "refused at submission"
	}
	state := r.State.String()
	switch r.State {
	case spec.Delivered:
		state = p.good(state)
	case spec.Failed:
		state = p.bad(state)
	default:
		state = p.doubt(state)
	}
	parts := []string{state, number(r.Attempts, "attempt")}
	for _, by := range r.By {
		parts = append(parts, fmt.Sprintf("accepted by %s%s", by.Host, times(by.Count)))
	}
	if r.ReportsSeen > 0 || r.ReportsStored > 0 {
		parts = append(parts, number(r.ReportsStored, "report")+" stored, "+fmt.Sprint(r.ReportsSeen)+" arrived")
	}
	return strings.Join(parts, ", ")
}

func times(n int) string {
	switch n {
	case 1:
		return ""
	case 2:
		return " twice"
	}
	return fmt.Sprintf(" %d times", n)
}

// Trace writes a run as the lines of its trace. All else stands in comments,
// so that what is written can be judged by simrun check.
func Trace(w io.Writer, r Run) error {
	fmt.Fprintf(w, "# %s\n", Heading(r))
	if r.Result == nil {
		return nil
	}
	if _, err := w.Write(r.Result.Trace()); err != nil {
		return err
	}
	var b strings.Builder
	Licences(&b, Paint{}, r.Result.Licences)
	Failure(&b, Paint{}, r)
	Closing(&b, Paint{}, r)
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight("# "+line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
