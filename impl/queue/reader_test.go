package queue

import (
	"slices"
	"testing"

	"github.com/postonce/postonce/spec"
)

// hushed returns of whom it was said that nobody is told.
func (r *rig) hushed() []string {
	var all []string
	for _, f := range r.facts {
		if f.Kind == spec.FactUntold {
			all = append(all, f.To...)
		}
	}
	return all
}

// TestAReportThatFailsIsToldToThePostmasterAndThatIsTheEnd.
func TestAReportThatFailsIsToldToThePostmasterAndThatIsTheEnd(t *testing.T) {
	for _, tt := range []struct {
		postmaster      string
		reports, hushed []string
		messages        int
	}{
		{"", []string{"failed a@x.test"}, []string{"s@home.test"}, 2},
		{"p@home.test", []string{"failed a@x.test", "failed s@home.test"}, []string{"p@home.test"}, 3},
		{"s@home.test", []string{"failed a@x.test"}, []string{"s@home.test"}, 2},
	} {
		r := started(t, func(p *spec.Policy) { p.Postmaster = tt.postmaster })
		r.asks("s@home.test", spec.Asked{})
		begun := 0
		for ; begun < len(r.begins); begun++ {
			r.end(r.begins[begun], spec.FailRecipient)
		}
		if got := r.reports(); !slices.Equal(got, tt.reports) || begun != tt.messages {
			t.Errorf("postmaster %q: reports %v, %d messages", tt.postmaster, got, begun)
		}
		if got := r.hushed(); !slices.Equal(got, tt.hushed) {
			t.Errorf("postmaster %q: told to nobody: %v", tt.postmaster, got)
		}
		if s := r.core.Sizes(); s.Messages != 0 {
			t.Errorf("postmaster %q: %+v", tt.postmaster, s)
		}
	}
}

// TestThePostmasterIsToldWhereverMailEnds: by an attempt, by a doubt that a process
// left behind, by an operator.
func TestThePostmasterIsToldWhereverMailEnds(t *testing.T) {
	for _, postmaster := range []string{"", "p@home.test"} {
		var reports, hushed []string
		if reports, hushed = []string{"failed a@x.test"}, nil; postmaster == "" {
			reports, hushed = nil, []string{"a@x.test"}
		}
		for name, end := range map[string]func(*rig){
			"refused":  func(r *rig) { r.end(r.begun(), spec.FailRecipient) },
			"in doubt": func(r *rig) { b := r.begun(); r.intend(b); r.restart() },
			"bounced":  func(r *rig) { r.end(r.begun(), spec.Defer); r.decide("m1", DecideBounce); r.flush() },
		} {
			r := started(t, func(p *spec.Policy) { p.Postmaster = postmaster })
			r.asks("", spec.Asked{})
			end(r)
			if !slices.Equal(r.reports(), reports) || !slices.Equal(r.hushed(), hushed) {
				t.Errorf("%s, postmaster %q: reports %v, told to nobody %v", name, postmaster, r.reports(), r.hushed())
			}
		}
	}
}
