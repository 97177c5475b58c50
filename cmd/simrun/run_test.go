package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// put writes a file in a directory and returns its path.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// text returns a scenario of the library as its file.
func text(t *testing.T, name string) string {
	t.Helper()
	s, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(scenarios.Format(s))
}

func TestAGoldenTraceIsWrittenAndHeld(t *testing.T) {
	dir := t.TempDir()
	file := put(t, dir, "bug.txtar", text(t, "mx/null")+"-- trace --\n")
	put(t, dir, "other.txtar", text(t, "doubt/report"))
	really(t, "run", file).want(t, sim.Safety, file+":", "the golden trace is empty: fill it in with simrun run --rewrite")
	really(t, "run", "--rewrite", dir).want(t, sim.OK, "wrote the trace of "+file)
	data, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(data), text(t, "mx/null")+"-- trace --\n2000-01-01T") {
		t.Fatalf("%v:\n%s", err, data)
	}
	really(t, "run", file).want(t, sim.OK)
	really(t, "run", "--seed", "2", file).want(t, sim.OK)
	again := really(t, "run", "--rewrite", file)
	if again.want(t, sim.OK); strings.Contains(again.err, "wrote") {
		t.Errorf("the same trace is written again: %s", again.err)
	}

	put(t, dir, "bug.txtar", strings.Replace(string(data), "verdict=", "vordict=", 1))
	line := 1 + strings.Count(string(data[:strings.Index(string(data), "verdict=")]), "\n")
	really(t, "run", file).want(t, sim.Safety, file+":"+strconv.Itoa(line)+": line ", "verdict=", "expected", "vordict=")
}

func TestRewriteWritesOnlyWhatHolds(t *testing.T) {
	file := put(t, t.TempDir(), "bug.txtar", text(t, "mx/null")+"-- trace --\nold\n")
	fails := func(i int, j job) *sim.Result { r := holds(i, j); r.Status = sim.Safety; return r }
	simrun(t, fails, "run", "--rewrite", file).want(t, sim.Safety, "its trace stays as it is")
	if data, _ := os.ReadFile(file); !strings.HasSuffix(string(data), "old\n") {
		t.Errorf("it was written:\n%s", data)
	}
	bare := put(t, t.TempDir(), "bare.txtar", text(t, "mx/null"))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"mx/null"}, "mx/null is a name of the library; in the repository write scenarios/library/mx/null.txtar"},
		{nil, "is a name of the library"},
		{[]string{bare}, "no file has a trace section"},
		{[]string{file, "--seed", "7"}, "leave out --seed"},
		{[]string{file, "--relay", "citadel-later-hurries"}, "leave out --seed and --relay"},
	} {
		simrun(t, holds, append([]string{"run", "--rewrite"}, test.args...)...).want(t, sim.Usage, test.want)
	}
}

func TestABrokenFileIsACaseAndTheOthersRun(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "good.txtar", text(t, "mx/null"))
	broken := put(t, dir, "broken.txtar", "# Nothing.\nnonsense: 1\n")
	report := filepath.Join(dir, "r.xml")
	s := simrun(t, holds, "run", dir, "--report", "junit="+report)
	s.want(t, sim.Usage, "broken  ", "could not be run", broken+":2:1: unknown header line", "1 of 2 scenarios hold, 1 could not be run")
	if len(s.jobs) != 1 {
		t.Errorf("%d worlds ran", len(s.jobs))
	}
	if data, err := os.ReadFile(report); err != nil || !strings.Contains(string(data), `errors="1"`) || !strings.Contains(string(data), "nonsense") {
		t.Errorf("%v:\n%s", err, data)
	}
	simrun(t, breaks(strings.TrimSuffix(filepath.Join(dir, "good"), ".txtar"), spec.NeverTwice), "run", dir).want(t, sim.Safety)
	if s := simrun(t, holds, "run", broken); s.status != sim.Usage || s.out != "" || !strings.HasPrefix(s.err, "simrun: "+broken+":2:1: ") {
		t.Errorf("alone it ends with %v:\n%s%s", s.status, s.out, s.err)
	}
}

func TestADirectoryThatCannotBeReadStopsNoOther(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "good.txtar", text(t, "mx/null"))
	shut := filepath.Join(dir, "shut")
	if err := os.Mkdir(shut, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadDir(shut); err == nil {
		t.Skip("this user reads everything")
	}
	if s := simrun(t, holds, "run", dir); len(s.jobs) != 1 {
		s.want(t, sim.Usage, "permission denied")
		t.Errorf("%d worlds ran", len(s.jobs))
	}
}

func TestWhatIsAskedForTwiceRunsOnce(t *testing.T) {
	once, twice := simrun(t, holds, "run", "doubt"), simrun(t, holds, "run", "doubt", "doubt/report", "doubt")
	if len(once.jobs) != len(twice.jobs) {
		t.Errorf("%d worlds ran, want %d", len(twice.jobs), len(once.jobs))
	}
}

func TestReportsAreTriedBeforeTheRun(t *testing.T) {
	dir := t.TempDir()
	file := put(t, dir, "r.json", "old")
	s := simrun(t, holds, "run", "mx", "--report", "json="+file+",junit="+filepath.Join(dir, "no", "r"))
	s.want(t, sim.Usage, "the junit report cannot be written: open ")
	if data, _ := os.ReadFile(file); len(s.jobs) > 0 || string(data) != "old" {
		t.Errorf("%d worlds ran, and the file holds %q", len(s.jobs), data)
	}
	for args, want := range map[string]string{
		"json=a,json=b": "the json report is asked for twice", "json=a,junit=./a": "a file of its own", "json=-,junit=-": "a file of its own",
	} {
		simrun(t, holds, "run", "mx", "--report", args).want(t, sim.Usage, want)
	}
	s = simrun(t, holds, "run", "mx", "--report", "json=-")
	if s.status != sim.OK || !strings.HasPrefix(s.out, "{\n") || !strings.HasSuffix(s.out, "}\n") || !strings.Contains(s.err, "scenarios hold") {
		t.Errorf("%v: standard output is\n%s\nand standard error\n%s", s.status, s.out, s.err)
	}
}

func TestTheReplayCommandFitsHowTheProgramWasStarted(t *testing.T) {
	const built = "/tmp/go-build123/b001/exe/simrun"
	for _, test := range []struct{ arg0, dir, want string }{
		{built, "../..", show.Command}, {built, t.TempDir(), "simrun"}, {"/usr/bin/simrun", "../..", "simrun"}, {"simrun", "/", "simrun"},
	} {
		if got := startedAs(test.arg0, test.dir); got != test.want {
			t.Errorf("%s in %s is started as %q, want %q", test.arg0, test.dir, got, test.want)
		}
	}
}

func TestListTakesThemesAndNames(t *testing.T) {
	s := simrun(t, holds, "list", "doubt", "mx/null")
	s.want(t, sim.OK, "doubt\n  doubt/", "mx\n  mx/null")
	if strings.Contains(s.out, "mx/order") || strings.Contains(s.out, "crash") {
		t.Errorf("it lists\n%s", s.out)
	}
}

// TestTheExampleOfTheLanguageHolds: with its trace filled in, as it says.
func TestTheExampleOfTheLanguageHolds(t *testing.T) {
	file := put(t, t.TempDir(), "example.txtar", scenarios.Example())
	really(t, "run", "--rewrite", file).want(t, sim.OK, "wrote the trace")
	really(t, "run", file).want(t, sim.OK, "1 scenario holds")
	simrun(t, holds, "help", "scenario").want(t, sim.OK, scenarios.Example(), "drops-after-dot", "over N recipients", "cut after N")
}
