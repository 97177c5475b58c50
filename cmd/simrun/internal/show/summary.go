package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// Summary writes one line about all runs, which took real time together.
func Summary(w io.Writer, p Paint, runs []Run, real time.Duration) {
	var virtual time.Duration
	faults, crashes := 0, 0
	by := map[sim.Status]int{}
	missing, waiting := 0, 0
	for _, r := range runs {
		switch {
		case r.missing():
			missing++
			continue
		case r.Waits():
			waiting++
			continue
		}
		by[r.Status()]++
		virtual += r.Lasted()
		faults += r.count(spec.FactFault)
		crashes += r.count(spec.FactCrash)
	}
	parts := []string{p.by(Worst(runs), verdicts(by, len(runs)-missing-waiting))}
	if missing > 0 {
		parts = append(parts, p.doubt(thousands(missing)+" not run"))
	}
	if waiting > 0 {
		parts = append(parts, p.doubt(thousands(waiting)+" not in the relay yet"))
	}
	if relay := relayOf(runs); relay != "" {
		parts = append(parts, "relay "+relay)
	}
	parts = append(parts, fmt.Sprintf("%s of virtual time in %.2f s", long(virtual), real.Seconds()))
	if faults > 0 {
		parts = append(parts, number(faults, "fault")+" fired")
	}
	if crashes > 0 {
		parts = append(parts, number(crashes, "crash"))
	}
	fmt.Fprintln(w, strings.Join(parts, " · "))
}

// relayOf names the relay that ran, unless it is the one of this repository.
func relayOf(runs []Run) string {
	for _, r := range runs {
		if r.Relay != Honest {
			return r.Relay
		}
	}
	return ""
}

// Covered writes one line about runs of which only the coverage is of interest.
func Covered(w io.Writer, p Paint, runs []Run) {
	by := map[sim.Status]int{}
	missing := 0
	for _, r := range runs {
		if r.missing() {
			missing++
			continue
		}
		by[r.Status()]++
	}
	line := p.by(Worst(runs), verdicts(by, len(runs)-missing))
	if missing > 0 {
		line += " · " + p.doubt(thousands(missing)+" not run")
	}
	fmt.Fprintln(w, line)
}

// verdicts says how many scenarios ended how.
func verdicts(by map[sim.Status]int, ran int) string {
	if ran == 0 {
		return "nothing ran"
	}
	if by[sim.OK] == ran {
		if ran == 1 {
			return "1 scenario holds"
		}
		return number(ran, "scenario") + " hold"
	}
	parts := []string{fmt.Sprintf("%s of %s scenarios hold", thousands(by[sim.OK]), thousands(ran))}
	for _, s := range [...]struct {
		status    sim.Status
		one, many string
	}{
		{sim.Safety, "does not", "do not"},
		{sim.Progress, "does not finish", "do not finish"},
		{sim.Nondeterministic, "is not deterministic", "are not deterministic"},
		{sim.Crashed, "crashed", "crashed"},
		{sim.NoVerdict, "has no verdict", "have no verdict"},
		{sim.Usage, "could not be run", "could not be run"},
	} {
		switch n := by[s.status]; {
		case n == 1:
			parts = append(parts, "1 "+s.one)
		case n > 1:
			parts = append(parts, thousands(n)+" "+s.many)
		}
	}
	return strings.Join(parts, ", ")
}
