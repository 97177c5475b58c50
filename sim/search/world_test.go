package search

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// TestEveryWorldCanBeSaved: what a number makes can be written down, read back,
// and is the same.
func TestEveryWorldCanBeSaved(t *testing.T) {
	same := cmp.Options{
		cmpopts.IgnoreFields(scenarios.Record{}, "Line"), cmpopts.IgnoreFields(scenarios.Server{}, "Line"),
		cmpopts.IgnoreFields(scenarios.Step{}, "Line"), cmpopts.IgnoreFields(scenarios.Expectation{}, "Line"),
		cmpopts.IgnoreFields(fakesmtp.Rule{}, "Line"), cmpopts.EquateEmpty(),
		cmpopts.EquateComparable(netip.Addr{}),
	}
	for n := range Number(3000) {
		sc := World(n)
		text := scenarios.Format(sc)
		back, err := scenarios.Parse(sc.Name, text)
		if err != nil {
			t.Fatalf("world %d:\n%s\n%v", n, text, err)
		}
		if diff := cmp.Diff(sc, back, same); diff != "" {
			t.Fatalf("world %d:\n%s\n%s", n, text, diff)
		}
	}
}
