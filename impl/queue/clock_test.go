package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// TestNothingWaitsForAClockThatWasAhead: the wall clock went back a year before
// a restart.
func TestNothingWaitsForAClockThatWasAhead(t *testing.T) {
	r := started(t, func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1 })
	for i := range 40 {
		r.mail(spec.QueueID(fmt.Sprintf("m%02d", i)), "a@x.test")
	}
	r.flush()
	r.now.Wall = r.now.Wall.Add(-365 * 24 * time.Hour)
	r.restart()
	for done := 0; done < 40; done++ {
		for done == len(r.begins) {
			r.pass(10 * time.Minute)
			if r.now.Mono > spec.Mono(5*time.Hour) {
				t.Fatalf("%v after the restart %d messages of 40 were attempted; the longest interval is 4h", time.Duration(r.now.Mono), done)
			}
		}
		r.intend(r.begins[done])
		r.end(r.begins[done], spec.Proceed)
	}
}
