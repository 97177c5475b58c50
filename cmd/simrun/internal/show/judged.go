package show

import (
	"fmt"
	"io"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// Judged writes the verdict on a trace in a line, after the licences used.
func Judged(w io.Writer, p Paint, s sim.Status, facts int, used []spec.Licence, violations int) {
	Licences(w, p, used)
	text := "all rules hold"
	if violations > 0 {
		text = number(violations, "violation")
	}
	fmt.Fprintf(w, "%s · %s\n", p.by(s, sign(s)+" "+text), number(facts, "fact"))
}

// Licences says which second acceptances a doubt window allowed.
func Licences(w io.Writer, p Paint, all []spec.Licence) {
	for _, l := range all {
		fmt.Fprintf(w, "  %s %s was accepted twice for %s, as the policy allows: %s\n", p.doubt("licensed:"), l.Message, l.Recipient, l.Window)
	}
}
