package sim_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/sim"
)

// TestTheGoldenTraceIsHeldAgainstTheRun: the first line that differs is told,
// with its place in the file.
func TestTheGoldenTraceIsHeldAgainstTheRun(t *testing.T) {
	r := sim.Run(t, parse(t, quiet), newRelay, sim.Options{})
	lines := bytes.SplitAfter(r.Trace(), []byte("\n"))
	lines = lines[:len(lines)-1]
	if r.Status != sim.OK || len(lines) < 10 {
		t.Fatalf("%v, %d lines", r.Status, len(lines))
	}
	join := func(lines ...[]byte) string { return string(bytes.Join(lines, nil)) }
	second := strings.TrimSuffix(string(lines[1]), "\n")
	for _, test := range []struct{ name, trace, words string }{
		{"the same", join(lines...), ""},
		{"empty", "", "test:10: the golden trace is empty: fill it in with simrun run --rewrite FILE"},
		{"a line differs", join(lines[0], []byte("other\n"), lines[2]), "test:12: line 2 of the trace is\n\t" + second + "\nexpected\n\tother"},
		{"a line is missing", join(lines[:len(lines)-1]...), "the golden trace ends here, but line"},
		{"a line too many", join(lines...) + "more\n", "the trace has ended after"},
	} {
		s := parse(t, quiet+"-- trace --\n"+test.trace)
		got := sim.Run(t, s, newRelay, sim.Options{})
		all := strings.Join(got.Mismatches, "\n")
		if want := test.words == ""; (got.Status == sim.OK) != want || !strings.Contains(all, test.words) {
			t.Errorf("%s: %v: %s", test.name, got.Status, all)
		}
	}
	s := parse(t, quiet+"-- trace --\nother\n")
	if got := sim.Run(t, s, newRelay, sim.Options{MaxVirtual: 48 * time.Hour}); got.Status != sim.OK {
		t.Errorf("with options that change the world: %v %v", got.Status, got.Mismatches)
	}
}
