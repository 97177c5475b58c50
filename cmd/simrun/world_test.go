package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/sim"
)

// TestMain makes the test binary a worker when runWorlds starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerArg {
		worker()
		return
	}
	os.Exit(m.Run())
}

// really runs a command line in the simulator, with a clock that stands still.
func really(t *testing.T, args ...string) *session {
	t.Helper()
	var out, errs bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &errs, run: runWorlds, search: searchAll, now: fixedTime}
	return &session{status: execute(t.Context(), c, args), out: out.String(), err: errs.String()}
}

func TestTwoRunsPrintTheSame(t *testing.T) {
	first, second := really(t, "run", "crash", "doubt"), really(t, "run", "crash", "doubt")
	if first.out != second.out || first.out == "" {
		t.Errorf("first:\n%s\nsecond:\n%s\n%s", first.out, second.out, second.err)
	}
}

func TestATraceThatWasReplayedIsJudgedAlike(t *testing.T) {
	trace := really(t, "replay", "plain/one-recipient", "-v")
	trace.want(t, sim.OK, "accepted")
	c := console{in: strings.NewReader(trace.out), out: new(bytes.Buffer), err: new(bytes.Buffer)}
	if got := execute(t.Context(), c, []string{"check", "-"}); got != trace.status {
		t.Errorf("replay ends with %v, check with %v:\n%s", trace.status, got, c.out)
	}
}

// TestEveryMutantIsCaught: in its own story, as one caught elsewhere says that
// the story shows nothing.
func TestEveryMutantIsCaught(t *testing.T) {
	s := really(t, "mutants")
	s.want(t, sim.OK, "caught, each by the rule that it breaks")
	for line := range strings.Lines(s.out) {
		if strings.Contains(line, "did not see it") {
			t.Error(line)
		}
	}
}

// fixedTime is a clock that stands still.
func fixedTime() time.Time { return time.Unix(0, 0) }

// TestMutantsAreFoundBySearching: without knowing where to look; the others take
// longer (simrun mutants --search).
func TestMutantsAreFoundBySearching(t *testing.T) {
	s := really(t, "mutants", "--search", "--budget", "400", "retries-in-doubt", "cleans-up-early", "citadel-later-forgets")
	s.want(t, sim.OK, "3 of 3 mutants found within 400 random worlds", "3 of them shrunk to at most 25 lines")
}

func TestSweepAndExploreForReal(t *testing.T) {
	really(t, "sweep", "plain/one-recipient", "--save", t.TempDir()).want(t, sim.OK, "all rules hold")
	really(t, "explore", "--seeds", "40", "--focus", "plain", "--save", t.TempDir()).want(t, sim.OK, "40 worlds")
	dir := t.TempDir()
	s := really(t, "explore", "--seeds", "60", "--focus", "doubts", "--relay", "retries-in-doubt", "--save", dir)
	s.want(t, sim.Safety, "NEVER-TWICE", "replay "+dir)
}

// TestAPlantedRaceIsNamed: a relay that lets the scheduler choose is found, and
// the first fact that differs is told.
func TestAPlantedRaceIsNamed(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	s := really(t, "hashes", "--relay", racy, "--seeds", "12", "--trace-dir", dir)
	put(t, dir, "list", s.out)
	s = really(t, "determinism", "--relay", racy, "--against", list, "--trace-dir", dir)
	s.want(t, sim.Nondeterministic, "is\n", "in one run and", "text=heads", "text=tails")
	honestly := really(t, "hashes", "--random", "--seeds", "64", "--from", "100")
	put(t, dir, "list", honestly.out)
	really(t, "determinism", "--against", list).want(t, sim.OK, "64 of 64 worlds are the same")
}
