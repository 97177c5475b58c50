package page

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
)

func TestAReportIsABugReportForWhatDoesNotHold(t *testing.T) {
	broken, good := ran(t), ran(t)
	scenario := *good.Scenario
	scenario.Name, good.Scenario = "plain/good", &scenario
	good.Result.Status, good.Result.Violations = sim.OK, nil
	late := show.Run{Scenario: &scenario, Relay: "postonce", Replay: "plain/late"}
	golden(t, "issue.txt", newEntry(broken, 0).Issue)
	var b bytes.Buffer
	if err := Report(&b, []show.Run{good, late, broken}, time.Second); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"What does not hold", `data-status="fails" open>`, `data-status="holds">`, `data-status="unproved">`, "not run",
		"replay crash/after-acceptance-retry -v", "trace crash/after-acceptance-retry", "RFC 1047", "-- plan --", "<option value=\"plain\">plain (2)</option>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Index(page, `data-status="fails"`) > strings.Index(page, `data-status="holds"`) {
		t.Error("what does not hold does not come first")
	}
	if err := Report(&b, nil, 0); err != nil {
		t.Errorf("a report of no run: %v", err)
	}
}

// dataOf finds what stands in the page for its script.
var dataOf = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

func TestWhatPeersSayCannotBreakThePage(t *testing.T) {
	r := ran(t)
	const evil = "</script><script>alert(1)</script><!-- \u2028 '\"&"
	r.Result.Facts[12].Text = evil
	scenario := *r.Scenario
	scenario.Prose, r.Scenario = evil, &scenario
	var b bytes.Buffer
	if err := Trace(&b, r, "simrun check '"+evil+"'"); err != nil {
		t.Fatal(err)
	}
	if err := Report(&b, []show.Run{r}, 0); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "alert(1)</script>") {
		t.Error("what a peer said is part of the page's code")
	}
	var c Chart
	if err := json.Unmarshal(dataOf.FindSubmatch(b.Bytes())[1], &c); err != nil || c.Facts[12].Say != evil {
		t.Errorf("%v: it says %q", err, c.Facts[12].Say)
	}
}

func TestPagesAskForNothing(t *testing.T) {
	var b bytes.Buffer
	if err := Trace(&b, ran(t), "simrun replay x"); err != nil {
		t.Fatal(err)
	}
	if err := Report(&b, []show.Run{ran(t)}, time.Second); err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*"?([^"\s)>]*)`).FindAllStringSubmatch(b.String(), -1) {
		if to := found[1]; to != "" && !strings.HasPrefix(to, "#") && !strings.HasPrefix(to, "data:") && strings.Contains(to, ":") {
			t.Errorf("a page refers to %s", to)
		}
	}
	if strings.Count(b.String(), `default-src 'none'`) != 2 {
		t.Error("a page does not forbid what it does not need")
	}
}
