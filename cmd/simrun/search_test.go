package main

import (
	"bytes"
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/coverage"
)

// searching runs a command line whose searches are answered by answer.
func searching(t *testing.T, answer func(search.Job) search.Answer, args ...string) *session {
	t.Helper()
	var out, errs bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &errs, now: func() time.Time { return time.Unix(0, 0) }}
	c.search = answered(answer)
	return &session{status: execute(t.Context(), c, args), out: out.String(), err: errs.String()}
}

// answered stands in for the workers.
func answered(answer func(search.Job) search.Answer) searcher {
	return func(_ context.Context, jobs iter.Seq[search.Job], use func(search.Job, search.Answer) bool) error {
		for j := range jobs {
			if !use(j, answer(j)) {
				break
			}
		}
		return nil
	}
}

// calm answers every search with nothing found.
func calm(j search.Job) search.Answer {
	switch {
	case j.Sweep != nil:
		return search.Answer{Swept: &search.Swept{Scenario: j.Scenario.Name, Points: 7, Runs: 5, Crashes: 3, Faults: 2}}
	case j.Explore != nil:
		return search.Answer{Explored: &search.Explored{Worlds: j.Explore.Count, VirtualSeconds: 3600, Coverage: new(coverage.Coverage)}}
	}
	return search.Answer{Run: &sim.Result{}}
}

// finding is a world that breaks a rule.
func finding(t *testing.T) search.Found {
	sc, err := scenarios.Load("doubt/report")
	if err != nil {
		t.Fatal(err)
	}
	return search.Found{Scenario: sc, Result: &sim.Result{
		Scenario: sc.Name, Status: sim.Safety, Hash: strings.Repeat("ab", 32),
		Violations: []spec.Violation{{Rule: spec.NeverTwice, Sentence: "mx1.example.net accepted it twice"}},
	}}
}

func TestSweepCountsWhatItTried(t *testing.T) {
	s := searching(t, calm, "sweep", "doubt/report", "doubt/retry")
	s.want(t, sim.OK, "✓ all rules hold · 14 moments in 2 scenarios: 48 crashes, 32 failures", "80 runs in 0.0 s")
}

func TestExploreRunsAsManyWorldsAsAsked(t *testing.T) {
	var seeds []uint64
	s := searching(t, func(j search.Job) search.Answer {
		for i := range j.Explore.Count {
			seeds = append(seeds, j.Explore.First+uint64(i))
		}
		return calm(j)
	}, "explore", "--seeds", "130", "--from", "7")
	s.want(t, sim.OK, "✓ all rules hold · 130 worlds · 3 hours of virtual time")
	if len(seeds) != 130 || seeds[0] != 7 || seeds[129] != 136 {
		t.Errorf("%d seeds: %v", len(seeds), seeds)
	}
}

func TestShardsShareTheSeedsOut(t *testing.T) {
	seen := map[uint64]int{}
	for _, shard := range []string{"1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"} {
		searching(t, func(j search.Job) search.Answer {
			for i := range j.Explore.Count {
				seen[j.Explore.First+uint64(i)]++
			}
			return calm(j)
		}, "explore", "--seeds", "1000", "--shard", shard).want(t, sim.OK)
	}
	for seed := range uint64(1000) {
		if seen[seed] != 1 {
			t.Fatalf("seed %d is run %d times", seed, seen[seed])
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d seeds are run", len(seen))
	}
}

// TestAFindingIsShrunkSavedAndTold: as a bug report that someone could file.
func TestAFindingIsShrunkSavedAndTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "found")
	shrunk := 0
	s := searching(t, func(j search.Job) search.Answer {
		switch {
		case j.Shrink != nil:
			shrunk++
			if j.Shrink.Rule != spec.NeverTwice {
				t.Errorf("it is shrunk for %q", j.Shrink.Rule)
			}
			return search.Answer{Shrunk: &search.Shrunk{Found: finding(t)}}
		case j.Sweep.Part == 0:
			return search.Answer{Swept: &search.Swept{Found: []search.Found{finding(t), finding(t)}, Broken: 9}}
		}
		return calm(j)
	}, "sweep", "doubt/report", "--save", dir)
	file := filepath.Join(dir, "never-twice-"+strings.Repeat("ab", 8)+scenarios.Ending)
	s.want(t, sim.Safety, "✗ "+file, "NEVER-TWICE: mx1.example.net accepted it twice", "The rule: "+spec.NeverTwice.Text(), "persona drops-after-dot",
		"replay "+file, "9 broken worlds in all", "✗ 9 worlds broken")
	if shrunk != 1 {
		t.Errorf("%d were shrunk: two that are alike are one", shrunk)
	}
	if _, err := scenarios.Load(file); err != nil {
		t.Errorf("what was saved cannot be run: %v", err)
	}
	if found, _ := os.ReadDir(dir); len(found) != 1 {
		t.Errorf("%d files", len(found))
	}
}

// TestAFindingThatCannotBeSavedIsTold: the directory was there when the search
// began, and is a file when it ends.
func TestAFindingThatCannotBeSavedIsTold(t *testing.T) {
	for _, command := range []string{"explore --seeds 1", "sweep doubt/report"} {
		dir := filepath.Join(t.TempDir(), "found")
		s := searching(t, func(j search.Job) search.Answer {
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Error(err)
			}
			switch {
			case j.Shrink != nil:
				return search.Answer{Shrunk: &search.Shrunk{Found: finding(t)}}
			case j.Explore != nil:
				return search.Answer{Explored: &search.Explored{Worlds: 1, Found: []search.Found{finding(t)}, Broken: 1, Coverage: new(coverage.Coverage)}}
			}
			return search.Answer{Swept: &search.Swept{Found: []search.Found{finding(t)}, Broken: 1}}
		}, append(strings.Fields(command), "--save", dir)...)
		s.want(t, sim.Safety, "NEVER-TWICE: mx1.example.net accepted it twice", "persona drops-after-dot", "broken",
			"simrun: what is told above is not saved: ", "found: not a directory")
	}
}

func TestASearchBeginsOnlyWhenItsFindingsCanBeSaved(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	never := func(search.Job) search.Answer { t.Error("it searches"); return search.Answer{} }
	for _, command := range []string{"explore --seeds 1", "sweep doubt/report"} {
		for _, save := range []string{file, filepath.Join(file, "below"), "/proc/x"} {
			searching(t, never, append(strings.Fields(command), "--save", save)...).want(t, sim.Usage, "what is found could not be saved: ")
		}
		searching(t, calm, append(strings.Fields(command), "--save", filepath.Join(dir, "a", "b"))...).want(t, sim.OK)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it leaves %v: %v", left, err)
	}
}

func TestASearchForAMutantRunsNoMoreWorldsThanItMay(t *testing.T) {
	worlds := 0
	s := searching(t, func(j search.Job) search.Answer {
		if j.Explore != nil {
			worlds += j.Explore.Count
		}
		return calm(j)
	}, "mutants", "--search", "--budget", "45", "citadel-later-hurries")
	s.want(t, sim.Safety, "0 of 1 mutant found within 45 random worlds")
	if worlds != 45 {
		t.Errorf("it runs %d worlds", worlds)
	}
}

func TestSearchesRefuseWhatMakesNoSense(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"sweep", "--depth", "0"}, "write 1, 2 or 3"},
		{[]string{"sweep", "nosuch"}, "there is no scenario"},
		{[]string{"sweep", "--relay", "nobody"}, "there is no relay"},
		{[]string{"explore", "--seeds", "0"}, "write 1 or more"},
		{[]string{"explore", "--shard", "4/3"}, "such as 3/8"},
		{[]string{"explore", "--seeds", "3", "--shard", "8/8"}, "--shard 8/8 of 3 worlds runs nothing: write --seeds 8 or more"},
		{[]string{"explore", "--seeds", "5", "--for", "1s"}, "--seeds says how many worlds and --for how long: choose one of them"},
		{[]string{"mutants", "--budget", "5"}, "--budget is for searching: write simrun mutants --search --budget 5"},
		{[]string{"mutants", "--search", "--budget", "0"}, "write 1 or more"},
		{[]string{"explore", "--focus", "crashs"}, "did you mean crashes?"},
		{[]string{"explore", "more"}, "explore takes no arguments: \"more\" was given\n\tsee simrun explore --help\n"},
		{[]string{"explore", "--seeds", "-1"}, "for \"--seeds\" flag: write a whole number from 0 to 18446744073709551615"},
		{[]string{"explore", "--from", "x"}, "for \"--from\" flag: a seed is a whole number from 0 to 18446744073709551615"},
		{[]string{"explore", "--for", "x"}, "for \"--for\" flag: write how long, such as 90s, 10m or 1h30m"},
		{[]string{"explore", "--for", "-1s"}, "write how long"},
		{[]string{"explore", "--for", "0s"}, "write how long"},
		{[]string{"sweep", "--depth", "x"}, "for \"--depth\" flag: write a whole number from 0 to"},
		{[]string{"mutants", "--search", "--budget", "x"}, "for \"--budget\" flag: write a whole number from 0 to"},
		{[]string{"replay", "world/x"}, "write world/123"},
	} {
		searching(t, calm, test.args...).want(t, sim.Usage, test.want)
	}
}

func TestARandomWorldIsReplayedByItsNumber(t *testing.T) {
	s := simrun(t, holds, "replay", "world/25")
	s.want(t, sim.OK, "world/25 · seed 25")
}
