package coverpage

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec/coverage"
)

var rewrite = flag.Bool("rewrite", false, "write the page into the golden file")

func written(t *testing.T, points string) string {
	t.Helper()
	c := new(coverage.Coverage)
	if err := c.UnmarshalJSON([]byte(`{"runs":2,"strange":1,"points":` + points + `}`)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageIsAsItWas(t *testing.T) {
	const file = "testdata/page.html"
	got := written(t, `{"transition/new/queued":2,"cell/rcpt/4yz":1234,"fault/cut":3,"pair/cut/dot":9999999}`)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// The page needs nothing but itself, and its elements are closed.
func TestThePageStandsAlone(t *testing.T) {
	page := written(t, `{}`)
	for _, outside := range []string{"http:", "https:", "src=", "<script", "<link", "@import", "url("} {
		if strings.Contains(page, outside) {
			t.Errorf("the page has %q", outside)
		}
	}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
