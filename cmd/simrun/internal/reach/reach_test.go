package reach

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec/coverage"
)

func TestEveryReasonIsASentenceAboutOnePoint(t *testing.T) {
	seen := map[coverage.Point]bool{}
	for _, n := range Nevers() {
		if seen[n.Point] {
			t.Errorf("%v is listed twice", n.Point)
		}
		seen[n.Point] = true
		if !strings.HasSuffix(n.Why, ".") || strings.ToUpper(n.Why[:1]) != n.Why[:1] {
			t.Errorf("%v: %q is no sentence", n.Point, n.Why)
		}
	}
}

func TestAGapIsWhatIsNeitherReachedNorOutOfReach(t *testing.T) {
	c := new(coverage.Coverage)
	if err := c.UnmarshalJSON([]byte(`{"runs":1,"points":{"cell/connect/cut":1,"cell/rcpt/4yz":1}}`)); err != nil {
		t.Fatal(err)
	}
	for _, g := range Gaps(c) {
		if g.Group == coverage.Cells {
			if g.Reached != 2 || g.All != 125 || len(g.Missing) != 123 || len(g.Wrong) != 1 || len(g.Nevers) != 0 {
				t.Errorf("the gap is %+v", g)
			}
			continue
		}
		if g.Reached != 0 || len(g.Missing)+len(g.Nevers) != g.All {
			t.Errorf("the gap is %+v", g)
		}
	}
}
