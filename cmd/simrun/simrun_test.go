package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// A session is one command line with what came of it.
type session struct {
	status   sim.Status
	out, err string
	jobs     []job
}

// double stands in for the simulator: it answers each job by result.
func double(s *session, result func(i int, j job) *sim.Result) runner {
	return func(_ context.Context, jobs []job, done func()) ([]*sim.Result, error) {
		results := make([]*sim.Result, len(jobs))
		for i, j := range jobs {
			results[i] = result(i, j)
			done()
		}
		s.jobs = append(s.jobs, jobs...)
		return results, nil
	}
}

func holds(_ int, j job) *sim.Result {
	return &sim.Result{
		Scenario: j.scenario.Name, Hash: strings.Repeat("ab", 32), Lines: 1, Virtual: time.Hour,
		Facts: []spec.Fact{{At: 1, Actor: spec.ActorWorld, Kind: spec.FactStart, Count: 1}},
	}
}

// breaks makes runs of a scenario break a rule.
func breaks(name string, rule spec.Rule) func(int, job) *sim.Result {
	return func(i int, j job) *sim.Result {
		r := holds(i, j)
		if j.scenario.Name == name {
			r.Status, r.Violations = sim.Safety, []spec.Violation{{Rule: rule, Sentence: "something went wrong"}}
		}
		return r
	}
}

// simrun runs a command line against a double.
func simrun(t *testing.T, result func(int, job) *sim.Result, args ...string) *session {
	t.Helper()
	s := new(session)
	var out, errs bytes.Buffer
	c := console{
		in: strings.NewReader(""), out: &out, err: &errs, run: double(s, result),
		now: func() time.Time { return time.Unix(0, 0) },
	}
	s.status = execute(t.Context(), c, args)
	s.out, s.err = out.String(), errs.String()
	return s
}

// readyNames are the names of the scenarios of the library that are to be run.
func readyNames(t *testing.T) []string {
	t.Helper()
	all, err := scenarios.Ready()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

// want demands a status and words in the output.
func (s *session) want(t *testing.T, status sim.Status, words ...string) {
	t.Helper()
	if s.status != status {
		t.Errorf("it ended with %v, want %v", s.status, status)
	}
	all := s.out + s.err
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("%q is not in the output:\n%s", w, all)
		}
	}
}

func TestWithoutACommandTheLibraryRuns(t *testing.T) {
	s := simrun(t, holds)
	s.want(t, sim.OK, "scenarios hold", "crash\n  ✓ after-250")
	names := readyNames(t)
	if len(s.jobs) != len(names) {
		t.Fatalf("%d jobs, want one for each of %d scenarios", len(s.jobs), len(names))
	}
	for i, name := range names {
		if s.jobs[i].scenario.Name != name || s.jobs[i].relay != honest {
			t.Fatalf("job %d runs %s with %s, want %s with %s", i, s.jobs[i].scenario.Name, s.jobs[i].relay, name, honest)
		}
	}
}

func TestABrokenRuleIsToldAndEndsWith2(t *testing.T) {
	s := simrun(t, breaks("crash/after-250", spec.NeverTwice), "run", "crash")
	s.want(t, sim.Safety, "✗ after-250", "NEVER-TWICE: something went wrong.", spec.NeverTwice.Text(),
		"replay it: go run ./cmd/simrun replay crash/after-250   (-v prints its trace)")
	if s.err != "" {
		t.Errorf("a finding is no error of the command: %s", s.err)
	}
}

func TestTheReplayCommandSaysAllThatWasChosen(t *testing.T) {
	relay := mutants.All()[0].Name
	s := simrun(t, breaks("crash/after-250", spec.NeverTwice), "run", "crash/after-250", "--seed", "7", "--relay", relay)
	s.want(t, sim.Safety, "replay crash/after-250 --seed 7 --relay "+relay+"   (-v")
	if s.jobs[0].scenario.Seed != 7 || s.jobs[0].relay != relay {
		t.Errorf("seed %d, relay %s", s.jobs[0].scenario.Seed, s.jobs[0].relay)
	}
}

func TestFilesAndDirectoriesRun(t *testing.T) {
	dir := t.TempDir()
	s, err := scenarios.Load("crash/after-250")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "my bug.txtar")
	if err := os.WriteFile(file, scenarios.Format(s), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{file, dir} {
		session := simrun(t, func(i int, j job) *sim.Result { r := holds(i, j); r.Status = sim.NoVerdict; return r }, "run", word)
		session.want(t, sim.NoVerdict, "replay it: go run ./cmd/simrun replay '"+file+"'   (-v")
	}
	simrun(t, holds, "run", t.TempDir()).want(t, sim.Usage, "there is no file that ends in .txtar below")
}

func TestWrongCommandLinesSayWhatToDo(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"rnu"}, `there is no command "rnu": did you mean run?`},
		{[]string{"crash"}, "simrun run crash"},
		{[]string{"run", "crash/aftr-250"}, "did you mean crash/after-250"},
		{[]string{"run", "dout"}, "did you mean doubt"},
		{[]string{"run", "zzzz"}, "simrun list shows the library"},
		{[]string{"run", ""}, "an empty name"},
		{[]string{"replay", ""}, "an empty name"},
		{[]string{"run", "nowhere.txtar"}, "no such file"},
		{[]string{"run", "--seed", "-3"}, "a seed is a whole number from 0 to 18446744073709551615"},
		{[]string{"hashes", "--from", "x"}, "a seed is a whole number"},
		{[]string{"list", "dout"}, "did you mean doubt"},
		{[]string{"list", "zzzz"}, "simrun list shows all"},
		{[]string{"fmt", "-"}, "leave out the -"},
		{[]string{"fmt", "mx/null"}, "such as scenarios/library/mx/null.txtar"},
		{[]string{"help", "nothing"}, `there is no command or topic "nothing"`},
		{[]string{"help", "scenaro"}, "did you mean scenario?"},
		{[]string{"run", "greylisting"}, "did you mean retry/greylisting"},
		{[]string{"run", "--relay", "postone"}, "did you mean postonce?"},
		{[]string{"run", "--bogus"}, "see simrun run --help"},
		{[]string{"--report", "yaml=x"}, `there is no report "yaml"`},
		{[]string{"--report", "json"}, "write json=FILE"},
		{[]string{"replay"}, "which scenario?"},
		{[]string{"replay", "crash"}, "name one at a time"},
		{[]string{"replay", "a", "b"}, "one at a time"},
		{[]string{"list", "--by", "colour"}, "--by theme"},
		{[]string{"mutants", "nobody"}, `there is no mutant "nobody"`},
		{[]string{"hashes", "--seeds", "0"}, "write 1 or more"},
		{[]string{"determinism"}, "--against FILE"},
		{[]string{"check"}, "which file?"},
		{[]string{"check", "-"}, "holds no facts"},
		{[]string{"exhaust", "--world", "9x9x9"}, "choose all, 1x1x1"},
		{[]string{"exhaust", "--world", "1x1x1", "--crashes", "2"}, "choose one of them"},
		{[]string{"exhaust", "--messages", "40"}, "40 messages: choose 1 to 4"},
		{[]string{"exhaust", "--in-doubt", "guess"}, "choose report, hold or retry"},
		{[]string{"exhaust", "--states", "0"}, "write 1 or more"},
		{[]string{"exhaust", "1x1x1"}, "exhaust takes no arguments: \"1x1x1\" was given\n\tsee simrun exhaust --help\n"},
		{[]string{"hashes", "x"}, "hashes takes no arguments"},
		{[]string{"determinism", "x"}, "determinism takes no arguments"},
		{[]string{"exhaust", "--crashes", "-1"}, "for \"--crashes\" flag: write a whole number from 0 to 9223372036854775807\n\tsee simrun exhaust --help\n"},
		{[]string{"exhaust", "--states", "many"}, "for \"--states\" flag: write a whole number from 0 to "},
		{[]string{"hashes", "--seeds", "9223372036854775808"}, "write a whole number from 0 to 9223372036854775807"},
		{[]string{"fmt", "-l", t.TempDir()}, "there is no file that ends in .txtar below "},
		{[]string{"coverage", "--html", t.TempDir()}, "the html page cannot be written: open "},
		{[]string{"coverage", "--html", "no/such/dir/x"}, "the html page cannot be written: open no/such/dir/x: no such file or directory"},
		{[]string{"fmt", "-w"}, "standard input cannot be written to"},
	} {
		s := simrun(t, holds, test.args...)
		s.want(t, sim.Usage, "simrun: ", test.want)
		if len(s.jobs) > 0 {
			t.Errorf("%v ran something", test.args)
		}
	}
}

func TestAnInterruptShowsWhatWasFound(t *testing.T) {
	s := simrun(t, func(i int, j job) *sim.Result {
		if i > 1 {
			return nil
		}
		return holds(i, j)
	}, "run", "crash")
	s.want(t, sim.NoVerdict, fmt.Sprintf("2 scenarios hold · %d not run", len(s.jobs)-2))
}

func TestATroubledSimulatorIsAnError(t *testing.T) {
	c := console{
		in: strings.NewReader(""), out: new(bytes.Buffer), err: new(bytes.Buffer), now: time.Now,
		run: func(context.Context, []job, func()) ([]*sim.Result, error) {
			return nil, errors.New("no worker starts")
		},
	}
	if got := execute(t.Context(), c, nil); got != sim.Usage {
		t.Errorf("it ended with %v", got)
	}
}

func TestReplayTellsAStoryOrATrace(t *testing.T) {
	s := simrun(t, holds, "replay", "crash/after-250")
	s.want(t, sim.OK, "crash/after-250 · seed 1 · relay postonce", "✓ crash/after-250 holds")
	s = simrun(t, holds, "replay", "crash/after-250", "-v")
	s.want(t, sim.OK, "# crash/after-250 · seed 1", "1970-01-01T00:00:00.000000001Z world")
}

func TestASeedNamesAWorld(t *testing.T) {
	names := readyNames(t)
	s := simrun(t, holds, "hashes", "--from", "3", "--seeds", "2")
	s.want(t, sim.OK, strings.Repeat("ab", 32)+"      3  "+names[3]+"\n", "      4  "+names[4]+"\n")
	s = simrun(t, holds, "replay", "3")
	s.want(t, sim.OK, names[3]+" · seed 3")
	if j := s.jobs[0]; j.scenario.Seed != 3 || j.scenario.Name != names[3] {
		t.Errorf("seed 3 is %s with seed %d", j.scenario.Name, j.scenario.Seed)
	}
}

func TestHashesTellOfWhatBreaksBesideTheList(t *testing.T) {
	s := simrun(t, breaks(scenarios.Names()[1], spec.NeverTwice), "hashes", "--seeds", "3")
	s.want(t, sim.Safety, "replay it: go run ./cmd/simrun replay 1   (-v")
	if strings.Count(s.out, "\n") != 3 {
		t.Errorf("the list is\n%s", s.out)
	}
}

func TestDeterminismFindsTheFirstFactThatDiffers(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	s := simrun(t, holds, "hashes", "--seeds", "4", "--trace-dir", dir)
	s.want(t, sim.OK)
	if err := os.WriteFile(list, []byte(s.out), 0o644); err != nil {
		t.Fatal(err)
	}
	simrun(t, holds, "determinism", "--against", list).want(t, sim.OK, "4 of 4 worlds are the same")

	differs := func(i int, j job) *sim.Result {
		r := holds(i, j)
		if j.scenario.Seed == 2 {
			r.Hash = strings.Repeat("cd", 32)
			r.Facts = []spec.Fact{{At: 2, Actor: spec.ActorWorld, Kind: spec.FactStart, Count: 1}}
		}
		return r
	}
	s = simrun(t, differs, "determinism", "--against", list, "--trace-dir", dir)
	s.want(t, sim.Nondeterministic, "seed 2", "line 1 is", ".000000001Z world", ".000000002Z world", "3 of 4 worlds")
	s = simrun(t, differs, "determinism", "--against", list)
	s.want(t, sim.Nondeterministic, "seed 2", "here it was the same 8 times", "--trace-dir DIR")
}

func TestDeterminismTellsOfAHashThatWasEdited(t *testing.T) {
	dir := t.TempDir()
	s := simrun(t, truly, "hashes", "--seeds", "2", "--trace-dir", dir)
	list := put(t, dir, "list", strings.Replace(s.out, truly(0, job{scenario: new(scenarios.Scenario)}).Hash, strings.Repeat("ee", 32), 1))
	s = simrun(t, truly, "determinism", "--against", list, "--trace-dir", dir)
	s.want(t, sim.Nondeterministic, "eeeeeeeeeeeeeeee… as the list says", "only the hash in the list differs", "1 of 2 worlds")
}

// truly answers with the hash that the trace has.
func truly(i int, j job) *sim.Result {
	r := holds(i, j)
	sum := sha256.Sum256(r.Trace())
	r.Hash = hex.EncodeToString(sum[:])
	return r
}

func TestDeterminismRefusesAListOfAnotherLibrary(t *testing.T) {
	for content, want := range map[string]string{
		"":                   "is empty",
		"ab 1":               "a line is HASH SEED NAME",
		"ab x crash/nothing": `"x" is not a seed`,
		"ab 1 crash/nothing": "the library has changed",
	} {
		list := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(list, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		simrun(t, holds, "determinism", "--against", list).want(t, sim.Usage, want)
	}
}

func TestMutantsAreHuntedOnTheirScenarioThenEverywhere(t *testing.T) {
	all := mutants.All()
	first, second := all[0], all[1]
	s := simrun(t, func(i int, j job) *sim.Result {
		for _, m := range all {
			if m.Name == j.relay && m.Name != second.Name && m.Name != first.Name {
				return breaks(m.Scenario, m.Rule)(i, j)
			}
		}
		if j.relay == first.Name {
			return breaks("plain/dots", first.Rule)(i, j) // caught elsewhere
		}
		return holds(i, j)
	}, "mutants")
	s.want(t, sim.Safety, "✓ "+first.Name, "plain/dots", "✗ "+second.Name, "SURVIVED")
	if got, want := len(s.jobs), len(all)+2*len(readyNames(t)); got != want {
		t.Errorf("%d jobs, want %d", got, want)
	}
}

func TestMutantsThatWereNotRunAreNotSaidToSurvive(t *testing.T) {
	s := simrun(t, func(i int, _ job) *sim.Result { return nil }, "mutants")
	s.want(t, sim.NoVerdict, "not run")
	for _, not := range []string{"SURVIVED", "nothing, in"} {
		if strings.Contains(s.out, not) {
			t.Errorf("it says %q:\n%s", not, s.out)
		}
	}
}

func TestAllMutantsCaughtEndsWith0(t *testing.T) {
	s := simrun(t, func(i int, j job) *sim.Result {
		for _, m := range mutants.All() {
			if m.Name == j.relay {
				return breaks(m.Scenario, m.Rule)(i, j)
			}
		}
		return holds(i, j)
	}, "mutants")
	s.want(t, sim.OK, "caught, each by the rule that it breaks")
	if len(s.jobs) != len(mutants.All()) {
		t.Errorf("%d jobs for %d mutants", len(s.jobs), len(mutants.All()))
	}
}

func TestEveryMutantNamesAScenarioAndARule(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutants.All() {
		if _, err := scenarios.Load(m.Scenario); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if _, ok := spec.ParseRule(string(m.Rule)); !ok {
			t.Errorf("%s: there is no rule %q", m.Name, m.Rule)
		}
		if seen[m.Name] || m.Name == honest {
			t.Errorf("%s: the name is taken", m.Name)
		}
		seen[m.Name] = true
	}
}

func TestReportsAreWritten(t *testing.T) {
	dir := t.TempDir()
	j, x := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.xml")
	simrun(t, holds, "run", "crash", "--report", "json="+j+",junit="+x).want(t, sim.OK)
	data, err := os.ReadFile(j)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Schema    int
		Scenarios []struct{ Name string }
	}
	if err := json.Unmarshal(data, &back); err != nil || back.Schema != 1 || len(back.Scenarios) == 0 {
		t.Errorf("%v: %+v", err, back)
	}
	if data, err = os.ReadFile(x); err != nil || !bytes.Contains(data, []byte("<testsuites")) {
		t.Errorf("%v: %s", err, data)
	}
	simrun(t, holds, "run", "crash", "--report", "json="+filepath.Join(dir, "no", "r")).want(t, sim.Usage, "the json report cannot be written: open ")
}

func TestFmtIsLikeGofmt(t *testing.T) {
	s, err := scenarios.Load("crash/after-250")
	if err != nil {
		t.Fatal(err)
	}
	good := scenarios.Format(s)
	bad := bytes.Replace(good, []byte("-- plan --\n"), []byte("-- plan --\n\n\n"), 1)
	file := filepath.Join(t.TempDir(), "bug.txtar")
	if err := os.WriteFile(file, bad, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := simrun(t, holds, "fmt", file); got.out != string(good) || got.status != sim.OK {
		t.Errorf("status %v:\n%s", got.status, got.out)
	}
	simrun(t, holds, "fmt", "-l", file).want(t, sim.Usage, file)
	simrun(t, holds, "fmt", "-d", file).want(t, sim.Usage, "--- "+file, "--- "+file+".orig\n+++ "+file+"\n@@")
	simrun(t, holds, "fmt", "-w", filepath.Dir(file)).want(t, sim.OK)
	if data, _ := os.ReadFile(file); !bytes.Equal(data, good) {
		t.Errorf("it was not formatted:\n%s", data)
	}
	if got := simrun(t, holds, "fmt", "-d", file); got.status != sim.OK || got.out != "" {
		t.Errorf("a formatted file: %v:\n%s", got.status, got.out)
	}
	if err := os.WriteFile(file, []byte("# Nothing.\nnonsense: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	simrun(t, holds, "fmt", file).want(t, sim.Usage, file+":2:1:")
}

func TestCheckJudgesATrace(t *testing.T) {
	to := []string{"bob@example.net"}
	mx := spec.ServerActor("mx1.example.net")
	accepted := spec.Fact{Actor: mx, Kind: spec.FactAccepted, Host: "mx1.example.net", Message: "m1@example.org", From: "alice@example.org", To: to}
	facts := []spec.Fact{accepted, accepted}
	facts[0].At, facts[0].Session = 1e9, "a"
	facts[1].At, facts[1].Session = 2e9, "b"
	file := filepath.Join(t.TempDir(), "trace")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# a comment", "", facts[0].String())
	simrun(t, holds, "check", file).want(t, sim.OK, "all rules hold", "accepted by mx1.example.net")
	write(facts[0].String(), facts[1].String())
	simrun(t, holds, "check", file).want(t, sim.Safety, "NEVER-TWICE", "t+1s", "1 violation")
	write(facts[0].String(), "nonsense")
	simrun(t, holds, "check", file).want(t, sim.Usage, file+":2: ", "\tnonsense")
}
