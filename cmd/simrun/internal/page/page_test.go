package page

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

var rewrite = flag.Bool("rewrite", false, "write what is made into the golden files")

// golden compares got with testdata/name, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// small is a trace in which a crash makes a server accept a message twice.
func small(t *testing.T) []spec.Fact {
	t.Helper()
	text, err := os.ReadFile("testdata/small.trace")
	if err != nil {
		t.Fatal(err)
	}
	var facts []spec.Fact
	for line := range strings.Lines(string(text)) {
		f, err := spec.ParseFact(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		facts = append(facts, f)
	}
	return facts
}

// ran is a run of the small trace, judged.
func ran(t *testing.T) show.Run {
	t.Helper()
	s, err := scenarios.Load("crash/after-acceptance-retry")
	if err != nil {
		t.Fatal(err)
	}
	facts := small(t)
	r := &sim.Result{Status: sim.Safety, Began: facts[0].At, Facts: facts, Lines: len(facts), Hash: strings.Repeat("ab", 32), Virtual: time.Hour}
	checker := spec.NewChecker(spec.DefaultPolicy("relay.example"))
	for _, f := range facts {
		r.Violations = append(r.Violations, checker.Observe(f)...)
	}
	return show.Run{Scenario: s, File: "scenarios/library/" + s.Name + ".txtar", Relay: "postonce", Replay: s.Name, Result: r}
}

// lines writes a chart as JSON with a line for each thing in it.
func lines(t *testing.T, c *Chart) string {
	t.Helper()
	var b strings.Builder
	line := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", name, text)
	}
	line("width", c.Width)
	for _, l := range c.Lanes {
		line("lane", l)
	}
	for _, s := range c.Sessions {
		line("session", s)
	}
	for _, f := range c.Folds {
		line("fold", f)
	}
	for _, i := range c.Instants {
		line("instant", i)
	}
	line("down", c.Down)
	line("broken", c.Broken)
	for _, f := range c.Facts {
		f.Raw = ""
		line("fact", f)
	}
	return b.String()
}

func TestATraceIsLaidOutInLanes(t *testing.T) {
	r := ran(t)
	golden(t, "chart.txt", lines(t, newChart(r.Result.Began, r.Result.Facts, r.Result.Violations)))
}

func TestPlacesFollowTheOrderOfTheTrace(t *testing.T) {
	facts := small(t)
	for range 100 { // many at one instant
		facts = append(facts, facts[len(facts)-1])
	}
	c := newChart(facts[0].At, facts, nil)
	for i := 1; i < len(c.Facts); i++ {
		if c.Facts[i].X <= c.Facts[i-1].X || c.Facts[i].X >= c.Width {
			t.Fatalf("fact %d is at %d, the one before at %d, of %d", i, c.Facts[i].X, c.Facts[i-1].X, c.Width)
		}
	}
	for i, m := range c.Facts {
		if at := c.Instants[m.Instant]; m.X < at.X || m.X >= at.X+at.Width {
			t.Errorf("fact %d at %d is not in its instant %+v", i, m.X, at)
		}
	}
}

func TestEmptyTimeIsFoldedAndSaid(t *testing.T) {
	for gap, want := range map[time.Duration]string{
		999 * time.Millisecond: "", time.Second: "1s", 59*time.Second + 940*time.Millisecond: "59.9s", 59*time.Second + 970*time.Millisecond: "1m",
		59*time.Minute + 59*time.Second + 700*time.Millisecond: "1h", 23*time.Hour + 59*time.Minute + 40*time.Second: "1d",
		30 * time.Minute: "30m", 90 * time.Second: "1m 30s", 5*time.Hour + 20*time.Minute: "5h 20m", 4*24*time.Hour + 3*time.Hour: "4d 3h",
	} {
		facts := []spec.Fact{{At: 1, Kind: spec.FactReady}, {At: spec.Wall(1).Add(gap), Kind: spec.FactReady}}
		got := ""
		if c := newChart(1, facts, nil); len(c.Folds) > 0 {
			got = c.Folds[0].For
		}
		if got != want {
			t.Errorf("%v is folded as %q, want %q", gap, got, want)
		}
	}
}

func TestTimesTellInstantsApartDaysLater(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "t+0s", 327674 * time.Microsecond: "t+327.674ms", 20*time.Minute + 5*time.Millisecond: "t+20m0.005s",
		time.Hour + 5*time.Millisecond: "t+1h0m0.005s", 5*24*time.Hour + 13*time.Minute + 46063*time.Millisecond: "t+5d13m46.063s",
		24*time.Hour - time.Nanosecond: "t+1d0s", -time.Second: "t-1s",
	} {
		if got := clock(1e9, spec.Wall(1e9).Add(d)); got != want {
			t.Errorf("%v is told as %s, want %s", d, got, want)
		}
	}
}

func TestAlikeRecipientsAreFoldedButTheWronged(t *testing.T) {
	var to []string
	for i := range 90 {
		to = append(to, fmt.Sprintf("user%d@example.net", i))
	}
	queued := spec.Fact{At: 1, Actor: spec.ActorRelay, Kind: spec.FactQueued, Message: "m1", Queue: "Q1", To: to}
	accepted := spec.Fact{At: 2, Actor: spec.ServerActor("mx"), Host: "mx", Kind: spec.FactAccepted, Message: "m1", To: to[41:42]}
	c := newChart(1, []spec.Fact{queued, accepted}, []spec.Violation{{Rule: spec.NeverTwice, Facts: []spec.Fact{accepted}}})
	seen := 0
	for _, l := range c.Lanes {
		if l.Group == groupRecipient && l.Under < 0 {
			seen++
			if want := map[string]int{"m1 → user0@example.net": 89, "m1 → user41@example.net": 1}[l.Name]; l.Count != want {
				t.Errorf("%s stands for %d lanes, want %d", l.Name, l.Count, want)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d lanes of recipients are seen, want 2", seen)
	}
	if words := c.Facts[0].Words; !strings.Contains(words, "user4@example.net, and 85 more") {
		t.Errorf("ninety recipients are told as %q", words)
	}
}

func TestSessionsAtOnceGetRowsUpToABound(t *testing.T) {
	var facts []spec.Fact
	for i := range 20 {
		session := fmt.Sprintf("198.51.100.1:%d", i)
		facts = append(facts,
			spec.Fact{At: spec.Wall(i + 1), Actor: spec.ActorNetwork, Kind: spec.FactConnect, Addr: "192.0.2.1:25", Session: session},
			spec.Fact{At: spec.Wall(i + 1), Actor: spec.ServerActor("mx"), Kind: spec.FactReply, Host: "mx", Session: session, Reply: "220"})
	}
	c := newChart(1, facts, nil)
	at := slices.IndexFunc(c.Lanes, func(l *Lane) bool { return l.Group == groupServer })
	if at < 0 || c.Lanes[at].Rows != mostRows || len(c.Sessions) != 20 {
		t.Fatalf("%d sessions in lane %d", len(c.Sessions), at)
	}
	for i, s := range c.Sessions {
		if s.Row >= mostRows || (i < mostRows && s.Row != i) || s.Until != c.Width {
			t.Errorf("session %d is in row %d until %d", i, s.Row, s.Until)
		}
	}
}
