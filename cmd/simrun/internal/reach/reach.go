// Package reach says which points of coverage no run of this relay in this
// simulator can reach, and why. A test holds it against the library.
package reach

import (
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// A Never is a point that cannot be reached.
type Never struct {
	Point coverage.Point
	// Why is a sentence.
	Why string
}

// Reasons that several points share.
const (
	whyNoReply = "Only the reply to the dot says so, and who waits for it dies with the process."
	whyLie     = "A server that takes the mail and says no is believed: with it no relay could keep NEVER-TWICE and TRUE-REPORTS."
	whyAtDot   = "A server takes a message when its dot has come, and the relay waits for the reply then."
	whyYes     = "2yz is the right answer to RSET and QUIT, which alone come after the outcome."
	whyEarly   = "A reply is early while the content is sent; after the outcome there is none."
)

// Nevers lists all points that cannot be reached, in the order of points.
func Nevers() []Never {
	var all []Never
	add := func(why string) func(coverage.Point, bool) {
		return func(p coverage.Point, ok bool) {
			if ok {
				all = append(all, Never{p, why})
			}
		}
	}
	add(whyNoReply)(coverage.TransitionPoint(spec.Intent, spec.Delivered, true))
	add(whyNoReply)(coverage.TransitionPoint(spec.Intent, spec.Failed, true))
	add("Linux calls a reset while connecting refused; a connection that breaks once it is made does so at the greeting.")(
		coverage.CellPoint(spec.StageConnect, spec.Cut))
	add(whyLie)(coverage.FaultPoint(spec.FaultDenied))
	after := []coverage.Place{coverage.Waiting, coverage.Held, coverage.Final}
	for _, at := range after {
		add(whyYes)(coverage.PairPoint(spec.FaultReply2, at))
	}
	for _, at := range after {
		add(whyEarly)(coverage.PairPoint(spec.FaultEarly, at))
	}
	for _, at := range coverage.Places() {
		if at != coverage.Dotted {
			add(whyAtDot)(coverage.PairPoint(spec.FaultLost, at))
		}
	}
	for _, at := range coverage.Places() {
		add(whyLie)(coverage.PairPoint(spec.FaultDenied, at))
	}
	return all
}

// A Gap is what a coverage says about a group.
type Gap struct {
	Group coverage.Group
	// Reached of All points were reached.
	Reached, All int
	// Missing were not, and could be. Nevers cannot, and were not.
	Missing []coverage.Point
	Nevers  []Never
	// Wrong were reached although it is said that they cannot.
	Wrong []Never
}

// Gaps says what a coverage lacks, by group.
func Gaps(c *coverage.Coverage) []Gap {
	why := map[coverage.Point]string{}
	for _, n := range Nevers() {
		why[n.Point] = n.Why
	}
	var gaps []Gap
	for _, g := range coverage.Groups() {
		gap := Gap{Group: g}
		for _, p := range g.Points() {
			gap.All++
			reason := why[p]
			switch reached := c.Reached(p); {
			case reached && reason != "":
				gap.Reached++
				gap.Wrong = append(gap.Wrong, Never{p, reason})
			case reached:
				gap.Reached++
			case reason != "":
				gap.Nevers = append(gap.Nevers, Never{p, reason})
			default:
				gap.Missing = append(gap.Missing, p)
			}
		}
		gaps = append(gaps, gap)
	}
	return gaps
}
