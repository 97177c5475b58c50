package spec

import (
	"strings"
	"testing"
)

func TestGoodHistoriesHold(t *testing.T) {
	runTrials(t, []trial{
		{name: "delivered", base: delivered},
		{name: "refused", base: refused},
		{name: "deferred", base: deferred},
		{name: "doubted", base: doubted},
		{name: "nothing", base: ""},
		{name: "the log ends in the middle", base: delivered, edits: []edit{without("2.2s"), without("1h ")}},
		{name: "relay beliefs alone", base: deferred,
			edits: []edit{without("server"), without("submitter"), without("network"), without("disk"), without("world")}},
		{name: "true facts alone", base: refused, edits: []edit{without("relay "), without("disk")}},
	})
}

// TestBeliefsDoNotFool: a relay that claims what did not happen.
func TestBeliefsDoNotFool(t *testing.T) {
	runTrials(t, []trial{
		{name: "claims to have delivered", base: delivered, edits: []edit{without("mx1 accepted"), without("mx1 replied")},
			want: []string{"TRUE-REPORTS: recorded m1 to bob@example.net as delivered, but no server accepted it"}},
		{name: "claims to have stored", base: delivered, edits: []edit{without("disk")},
			want: nil}, // another MTA: nothing is known of its disk
		{name: "claims to have stored, and stores too late", base: delivered,
			edits: []edit{without("stored queue=Q1 text=control"), without("stored queue=Q1 text=body"),
				after("relay attempt ", "1.3s disk stored queue=Q1 text=control\n1.3s disk stored queue=Q1 text=body")},
			want: []string{"ACCEPT-DURABLE: before it was stored"}},
		{name: "claims to have reported", base: refused,
			edits: []edit{without("Q2 text=control"), without("Q2 text=body"), without("report-seen"), without("r1 queue=Q2 job"), without("message=r1 from"),
				without("state=delivered")},
			want: []string{"CLEAN-EXACTLY: removed from the spool while bob", "NOTHING-LOST: the disk does not hold it", "NOTHING-LOST: never told",
				"NOTHING-LOST: r1 to alice"}},
		{name: "speaks after its death", base: delivered, edits: []edit{
			without("2.2s"), after("stage=quit", "2s world crash text=kill\n2s disk kept queue=Q1 text=control\n2s disk kept queue=Q1 text=body"), without("1h ")},
		},
	})
}

func TestViolationTellsAStory(t *testing.T) {
	facts := history(t, doubted+`
2h server mx2 accepted session=s9 host=mx2 message=m1 from=alice@example.org to=bob@example.net hash=h1
`)
	_, found := judge(testPolicy(), facts)
	if len(found) != 1 {
		t.Fatalf("found %v", found)
	}
	golden(t, "story.txt", found[0].Story(epoch))
}

func TestEveryFactHasWords(t *testing.T) {
	for _, text := range []string{delivered, refused, deferred, doubted} {
		for _, f := range history(t, text) {
			if w := f.Words(); w == "" || strings.Contains(w, "%!") || strings.Contains(w, ": "+string(f.Kind)) {
				t.Errorf("%s: %q", f, w)
			}
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	if len(Rules()) != 10 {
		t.Errorf("%d rules", len(Rules()))
	}
	for _, r := range Rules() {
		if r.Text() == "" || r.Sources() == "" {
			t.Errorf("%s has no text or sources", r)
		}
		if p, ok := ParseRule(string(r)); p != r || !ok {
			t.Errorf("ParseRule(%s) = %s, %v", r, p, ok)
		}
	}
	if _, ok := ParseRule("BE-NICE"); ok {
		t.Error("BE-NICE is a rule")
	}
}

func TestSummaries(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want RecipientSummary
	}{
		"delivered": {delivered, RecipientSummary{State: Delivered, Attempts: 1, Acceptances: 1, By: []HostCount{{"mx1", 1}}}},
		"refused":   {refused, RecipientSummary{State: Failed, Attempts: 1, ReportsStored: 1, ReportsSeen: 1}},
		"deferred":  {deferred, RecipientSummary{State: Delivered, Attempts: 2, Acceptances: 1, By: []HostCount{{"mx1", 1}}}},
		"doubted": {doubted, RecipientSummary{
			State: Unknown, Attempts: 1, Acceptances: 1, By: []HostCount{{"mx1", 1}}, ReportsStored: 1, ReportsSeen: 1}},
	} {
		c.want.Address = "bob@example.net"
		for _, view := range []string{"all facts", "true facts"} {
			text := c.text
			if view == "true facts" {
				text = without("disk")(t, without(" relay ")(t, text))
			}
			checker, _ := judge(testPolicy(), history(t, text))
			m := checker.Messages()[0]
			if m.ID != "m1" || m.From != "alice@example.org" || !m.Acknowledged || m.Stored || m.Report {
				t.Errorf("%s, %s: message %+v", name, view, m)
			}
			got := m.Recipients[0]
			if !equalSummary(got, c.want) {
				t.Errorf("%s, %s: got %+v, want %+v", name, view, got, c.want)
			}
		}
	}
}

func equalSummary(a, b RecipientSummary) bool {
	if len(a.By) != len(b.By) || (len(a.By) > 0 && a.By[0] != b.By[0]) {
		return false
	}
	return a.Address == b.Address && a.State == b.State && a.Attempts == b.Attempts && a.Acceptances == b.Acceptances &&
		a.ReportsStored == b.ReportsStored && a.ReportsSeen == b.ReportsSeen && a.Refused == b.Refused
}

func TestPendingSaysWhatIsOpen(t *testing.T) {
	facts := history(t, deferred)
	c := NewChecker(testPolicy())
	want := map[int]string{
		2:  "the submission of m1 has not been answered",
		6:  "waits for its first attempt",
		7:  "is being attempted since",
		14: "the next attempt is due in 4m59.9s (451 4.7.1 Greylisted)",
	}
	for i, f := range facts {
		c.Observe(f)
		pending := strings.Join(c.Pending(), "; ")
		if w := want[i]; w != "" && !strings.Contains(pending, w) {
			t.Errorf("after %s\nit is %q, want %q", f, pending, w)
		}
		if i == len(facts)-2 && pending != "" {
			t.Errorf("at the end %q is pending", pending)
		}
	}
}
