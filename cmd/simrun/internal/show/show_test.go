package show

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

var rewrite = flag.Bool("rewrite", false, "write what is shown into the golden files")

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

const began = spec.Wall(946684800e9) // 2000-01-01

func at(d time.Duration) spec.Wall { return began.Add(d) }

func scenario(name, title string) *scenarios.Scenario {
	return &scenarios.Scenario{
		Name: name, Title: title, Prose: title + ".\nMore about it.", Rules: []string{"NEVER-TWICE"}, Seed: 1,
		Policy: spec.DefaultPolicy("relay.example"),
	}
}

// history is a short trace: a message is accepted twice because of a crash.
func history() []spec.Fact {
	mx := spec.ServerActor("mx1.example.net")
	bob := []string{"bob@example.net"}
	return []spec.Fact{
		{At: at(0), Actor: spec.ActorWorld, Kind: spec.FactStart, Count: 1},
		{At: at(time.Millisecond), Actor: spec.ActorSubmitter, Kind: spec.FactSubmit,
			Message: "m1@example.org", From: "alice@example.org", To: bob},
		{At: at(2 * time.Millisecond), Actor: mx, Kind: spec.FactCommand, Text: "EHLO relay.example", Host: "mx1.example.net"},
		{At: at(time.Second), Actor: mx, Kind: spec.FactAccepted, Message: "m1@example.org", From: "alice@example.org", To: bob,
			Host: "mx1.example.net", Session: "192.0.2.1:40000"},
		{At: at(2 * time.Second), Actor: spec.ActorWorld, Kind: spec.FactFault, Text: "the reply is lost"},
		{At: at(3 * time.Second), Actor: spec.ActorWorld, Kind: spec.FactCrash, Text: "after accepted m1"},
		{At: at(13 * time.Second), Actor: spec.ActorWorld, Kind: spec.FactStart, Count: 2},
		{At: at(5 * time.Minute), Actor: mx, Kind: spec.FactAccepted, Message: "m1@example.org", From: "alice@example.org", To: bob,
			Host: "mx1.example.net", Session: "192.0.2.1:40001"},
	}
}

// made are runs of every kind.
func made() []Run {
	facts := history()
	twice := spec.Violation{Rule: spec.NeverTwice, Sentence: "mx1.example.net accepted m1 for bob@example.net a second time",
		Facts: []spec.Fact{facts[3], facts[5], facts[7]}}
	stuck := spec.Violation{Rule: spec.Progress, Sentence: "m2 to carol@example.net is still queued"}
	results := []struct {
		name, title string
		result      *sim.Result
	}{
		{"doubt/licensed", "A second acceptance is licensed", &sim.Result{
			Status: sim.OK, Began: began, Facts: facts, Lines: 1234, Hash: strings.Repeat("0a", 32), Virtual: 12400 * time.Millisecond,
			Real: 3 * time.Millisecond, Fired: []string{"the reply is lost"},
			Licences: []spec.Licence{{Message: "m1", Recipient: "bob@example.net", Window: "a crash after the dot",
				First: facts[3], Second: facts[7]}}}},
		{"doubt/report", "A lost reply is reported as unknown", &sim.Result{
			Status: sim.Safety, Began: began, Facts: facts, Lines: len(facts), Hash: strings.Repeat("1b", 32), Virtual: 5 * time.Minute,
			Violations: []spec.Violation{twice, stuck, stuck, stuck},
			Mismatches: []string{"doubt/report:14: bob@example.net is delivered, not unknown"},
			Unused:     []string{"doubt/report:9: mx1.example.net: at dot: cut never matched"}}},
		{"retry/back-off", "Retries wait longer & longer", &sim.Result{
			Status: sim.Progress, Began: began, Lines: 7, Hash: strings.Repeat("2c", 32), Virtual: 6*24*time.Hour + time.Hour,
			Violations: []spec.Violation{stuck}}},
		{"retry/panics", "The relay panics", &sim.Result{
			Status: sim.Crashed, Began: began, Lines: 3, Hash: strings.Repeat("3d", 32), Virtual: 90 * time.Minute,
			Panic: "index out of range\n\ngoroutine 7:\n\tf()\n"}},
		{"retry/unused", "A fault that never fires proves nothing", &sim.Result{
			Status: sim.NoVerdict, Began: began, Lines: 30, Hash: strings.Repeat("4e", 32), Virtual: 90 * time.Second,
			Unused: []string{"retry/unused:9: at rcpt: 451"}}},
		{"retry/waits", "It had no time to run", nil},
	}
	var runs []Run
	for _, r := range results {
		file := "scenarios/library/" + r.name + ".txtar"
		runs = append(runs, Run{Scenario: scenario(r.name, r.title), File: file, Relay: "postonce", Replay: r.name, Result: r.result})
	}
	return append(runs, Run{Scenario: &scenarios.Scenario{Name: "my-bug"}, File: "my-bug.txtar", Relay: "postonce", Replay: "my-bug.txtar",
		Broken: errors.New("my-bug.txtar:2:1: unknown header line \"sed:\"\n\tsed: 1\n\t^")})
}

func TestTheListReads(t *testing.T) {
	var b bytes.Buffer
	List(&b, Paint{}, made())
	Failures(&b, Paint{}, made())
	b.WriteString("\n")
	Summary(&b, Paint{}, made(), 410*time.Millisecond)
	golden(t, "list.txt", b.String())
}

func TestTheSummaryOfWhatHolds(t *testing.T) {
	for _, test := range []struct {
		runs []Run
		want string
	}{
		{nil, "nothing ran · 0 milliseconds of virtual time in 0.41 s\n"},
		{made()[:1], "1 scenario holds · 5 minutes of virtual time in 0.41 s · 1 fault fired · 1 crash\n"},
		{[]Run{made()[0], made()[0]}, "2 scenarios hold · 10 minutes of virtual time in 0.41 s · 2 faults fired · 2 crashes\n"},
		{of("citadel", made()[:1]), "1 scenario holds · relay citadel · 5 minutes of virtual time in 0.41 s · 1 fault fired · 1 crash\n"},
		{made()[5:6], "nothing ran · 1 not run · 0 milliseconds of virtual time in 0.41 s\n"},
	} {
		var b bytes.Buffer
		Summary(&b, Paint{}, test.runs, 410*time.Millisecond)
		if b.String() != test.want {
			t.Errorf("got %q, want %q", b.String(), test.want)
		}
	}
}

// of makes another relay have run.
func of(relay string, runs []Run) []Run {
	for i := range runs {
		runs[i].Relay = relay
	}
	return runs
}

func TestWhatDidNotRunIsOneLine(t *testing.T) {
	runs := slices.Concat(made()[:1], slices.Repeat(made()[5:6], 1234), made()[1:2], made()[5:6])
	var b bytes.Buffer
	List(&b, Paint{}, runs)
	for _, want := range []string{"\n  ? 1,234 scenarios not run\n", "? waits                not run  It had no time to run\n"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "\n"); n > 12 {
		t.Errorf("there are %d lines:\n%s", n, b.String())
	}
}

// Ten thousand recipients are a number, not ten thousand lines.
func TestLongListsAreCutWithACount(t *testing.T) {
	r := made()[1]
	facts := history()
	facts[1].To = nil
	for i := range 10_000 {
		facts[1].To = append(facts[1].To, fmt.Sprintf("u%d@example.net", i))
		r.Result.Mismatches = append(r.Result.Mismatches, fmt.Sprintf("doubt/report:15: m1 to u%d@example.net is failed, expected delivered", i))
	}
	r.Result.Facts = facts
	var b bytes.Buffer
	Story(&b, Paint{}, r)
	for _, want := range []string{"and 9,991 more\n", "u9@example.net, 9,990 more\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not there", want)
		}
	}
	if n := strings.Count(b.String(), "\n"); n > 70 || b.Len() > 10_000 {
		t.Errorf("there are %d lines, %d bytes:\n%s", n, b.Len(), b.String())
	}
}

func TestAHuntThatWasInterruptedHasNoVerdict(t *testing.T) {
	h := Hunt{Name: "survivor", Rule: spec.WireLawful, Runs: made()[:2]}
	if got := h.Status(); got != sim.Safety {
		t.Errorf("after all runs: %v", got)
	}
	cut, partly := h, h
	cut.Cut = true
	partly.Runs = append(partly.Runs, made()[5])
	for _, h := range []Hunt{cut, partly} {
		var b bytes.Buffer
		Mutants(&b, Paint{}, []Hunt{h})
		if h.Status() != sim.NoVerdict || !strings.Contains(b.String(), "interrupted") || !strings.Contains(b.String(), "1 not run to the end") {
			t.Errorf("%v:\n%s", h.Status(), b.String())
		}
	}
}

func TestTheReplayCommandIsThatOfTheProgram(t *testing.T) {
	r := made()[1]
	r.Program = "simrun"
	if got, want := replayHint(r), "replay it: simrun replay doubt/report   (-v prints its trace)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestASuiteHasAName(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, made()[6:], 0); err != nil || !strings.Contains(b.String(), `<testsuite name="scenarios"`) {
		t.Errorf("%v:\n%s", err, b.String())
	}
}

func TestAStoryReads(t *testing.T) {
	var b bytes.Buffer
	Story(&b, Paint{}, made()[0])
	b.WriteString(strings.Repeat("=", 80) + "\n")
	Story(&b, Paint{}, made()[1])
	golden(t, "story.txt", b.String())
}

func TestATraceIsFactsAndComments(t *testing.T) {
	r := made()[1]
	var b bytes.Buffer
	if err := Trace(&b, r); err != nil {
		t.Fatal(err)
	}
	var facts []spec.Fact
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f, err := spec.ParseFact(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, f)
	}
	if d := cmp.Diff(r.Result.Facts, facts); d != "" {
		t.Errorf("the facts of the trace (-want +got):\n%s", d)
	}
	golden(t, "trace.txt", b.String())
}

func TestJSONReadsBackAndIsStable(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, made(), 410*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var back jsonReport
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Schema != SchemaVersion || back.Exit != int(sim.Safety) || len(back.Scenarios) != len(made()) {
		t.Errorf("schema %d, exit %d, %d scenarios", back.Schema, back.Exit, len(back.Scenarios))
	}
	if strings.Contains(b.String(), "null") {
		t.Error("a list is null")
	}
	golden(t, "report.json", b.String())
}

func TestJUnitReadsBackAndIsStable(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, made(), 410*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var back junitSuites
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Tests != 7 || back.Failures != 2 || back.Errors != 3 || back.Skipped != 1 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", back.Tests, back.Failures, back.Errors, back.Skipped)
	}
	golden(t, "report.xml", b.String())
}

func TestMutantsRead(t *testing.T) {
	all := []Hunt{
		{Name: "sends-twice", Wrong: "sends again after a lost reply", Rule: spec.NeverTwice, Scenario: "doubt/report",
			Runs: []Run{made()[1]}},
		{Name: "elsewhere", Wrong: "is caught where nobody thought", Rule: spec.NeverTwice, Scenario: "doubt/licensed", Runs: made()[:2]},
		{Name: "survivor", Wrong: "does something that nobody sees", Rule: spec.WireLawful, Runs: made()[:2]},
		{Name: "invisible", Wrong: "is not seen at all", Rule: spec.WireLawful, Runs: made()[:1]},
		{Name: "late", Wrong: "had no time to run", Rule: spec.Progress, Runs: made()[5:6]},
	}
	var b bytes.Buffer
	Mutants(&b, Paint{}, all)
	for _, h := range all {
		MutantStory(&b, Paint{}, h)
	}
	Mutants(&b, Paint{}, all[:1])
	golden(t, "mutants.txt", b.String())
}

func TestTheWorstStatusWins(t *testing.T) {
	order := []sim.Status{sim.OK, sim.NoVerdict, sim.Usage, sim.Nondeterministic, sim.Progress, sim.Crashed, sim.Safety}
	for i, a := range order {
		for j, b := range order {
			if got, want := Worse(a, b), order[max(i, j)]; got != want {
				t.Errorf("%v and %v: %v, want %v", a, b, got, want)
			}
		}
	}
	if got := Worst(made()); got != sim.Safety {
		t.Errorf("of all: %v", got)
	}
	if got := Worst(made()[5:6]); got != sim.NoVerdict {
		t.Errorf("of what did not run: %v", got)
	}
}

func TestColourOnlyWhereItIsAskedFor(t *testing.T) {
	var plain, coloured bytes.Buffer
	for out, p := range map[*bytes.Buffer]Paint{&plain: {}, &coloured: {On: true}} {
		List(out, p, made())
		Failures(out, p, made())
		Summary(out, p, made(), 0)
		Story(out, p, made()[1])
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("there are escapes without colour")
	}
	if !strings.Contains(coloured.String(), "\x1b[31;1m") {
		t.Error("nothing is red")
	}
}

func TestCataloguesGroup(t *testing.T) {
	all := []*scenarios.Scenario{scenario("b/one", "One"), scenario("a/two", "Two"), scenario("a/three", "Three")}
	all[0].Rules = []string{"rfc5321#4.2.1", "PROGRESS", "NEVER-TWICE"}
	all[1].Source, all[1].Bugs = "https://example.org/1", []string{"DUP-01", "OPS-05"}
	var b bytes.Buffer
	for _, by := range []string{"theme", "rule", "source", "bug"} {
		b.WriteString("== " + by + "\n")
		Catalogue(&b, Paint{}, all, Groupings()[by])
	}
	golden(t, "catalogue.txt", b.String())
}

func TestStacksOfEqualRunsAreEqual(t *testing.T) {
	one := "deadlock\n\ngoroutine 7 [sleep (durable), synctest bubble 3]:\nimpl.(*Relay).Run(0xc000, {0x1, 0x2})\n\t/a/b.go:5 +0x29f\n" +
		"created by impl.New in goroutine 6\n\ngoroutine 9 [select, 2 minutes]:\nmain.f(...)\n\t/a/c.go:1\n"
	two := "deadlock\n\ngoroutine 19 [select]:\nmain.f(...)\n\t/a/c.go:1\n\ngoroutine 17 [sleep (durable), synctest bubble 44]:\n" +
		"impl.(*Relay).Run(0xc0ff, {0x3, 0x2})\n\t/a/b.go:5 +0x29f\ncreated by impl.New in goroutine 16\n"
	want := "deadlock\n\ngoroutine [select]:\nmain.f()\n\t/a/c.go:1\n\ngoroutine [sleep (durable), synctest bubble]:\n" +
		"impl.(*Relay).Run()\n\t/a/b.go:5\ncreated by impl.New in goroutine\n"
	for _, text := range []string{one, two} {
		if d := cmp.Diff(want, stacks(text)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func TestSpansFitAColumn(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 999 * time.Millisecond: "999 ms", 12345 * time.Millisecond: "12.3 s", 61 * time.Second: "1m01s",
		time.Hour + 2*time.Minute: "1h02m", 61 * 24 * time.Hour: "61d00h",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestThousandsHaveCommas(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
