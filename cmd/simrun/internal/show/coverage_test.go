package show

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/sim/search"
	"github.com/postonce/postonce/spec/coverage"
)

func TestCoverageIsShownAsATable(t *testing.T) {
	c := new(coverage.Coverage)
	err := c.UnmarshalJSON([]byte(`{"runs":2,"strange":1,"points":{"transition/new/queued":2,"cell/rcpt/4yz":1234,"cell/connect/cut":1,
		"fault/cut":3,"pair/cut/dot":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	Coverage(&b, Paint{}, c)
	golden(t, "coverage.txt", b.String())
}

// TestWhatIsReachedAgainstWhatIsSaidIsShownByExplore: and the total stays what
// it is.
func TestWhatIsReachedAgainstWhatIsSaidIsShownByExplore(t *testing.T) {
	for points, want := range map[string]string{
		`"cell/rcpt/4yz":1`: "1 of 124 verdict cells",
		`"cell/rcpt/4yz":1,"cell/connect/cut":1`: "verdict cells that were reached, though it is said that they cannot be\n" +
			"  connect × cut\n    Linux calls a reset",
	} {
		c := new(coverage.Coverage)
		if err := c.UnmarshalJSON([]byte(`{"runs":1,"points":{` + points + `}}`)); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		ExploreSummary(&b, Paint{}, Explored{Explored: search.Explored{Worlds: 1, Coverage: c}})
		if out := b.String(); !strings.Contains(out, want) || !strings.Contains(out, "1 of 124 verdict cells") {
			t.Errorf("with %s it shows\n%s", points, out)
		}
	}
}
