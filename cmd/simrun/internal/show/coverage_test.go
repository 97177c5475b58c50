package show

import (
	"strings"
	"testing"

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
