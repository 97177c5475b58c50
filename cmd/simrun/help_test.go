package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
	"github.com/postonce/postonce/spec"
)

// TestEveryExampleOfTheHelpRuns runs them in a directory that has what they
// name: a bug report and the library.
func TestEveryExampleOfTheHelpRuns(t *testing.T) {
	root := rootCommand(console{})
	library, err := filepath.Abs("../../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(logs + "postfix.log")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	put(t, ".", "my-bug.txtar", text(t, "mx/null")+"-- trace --\n")
	put(t, ".", "mail.log", string(log))
	if err := os.Symlink(library, "scenarios"); err != nil {
		t.Skip(err)
	}
	ran := 0
	for _, command := range append(root.Commands(), root) {
		for example := range strings.Lines(command.Example) {
			ran++
			runExample(t, strings.TrimSpace(example))
		}
	}
	if ran < 20 {
		t.Errorf("only %d examples were found", ran)
	}
}

// runExample runs a line as a shell does: simrun, its output into a file or
// into another simrun. What stands behind three blanks explains it.
func runExample(t *testing.T, example string) {
	t.Helper()
	line, _, _ := strings.Cut(example, "   ")
	for one := range strings.SplitSeq(line, "; ") {
		runPipe(t, one)
	}
}

func runPipe(t *testing.T, line string) {
	t.Helper()
	line, file, _ := strings.Cut(line, " > ")
	in := ""
	for stage := range strings.SplitSeq(line, " | ") {
		words := strings.Fields(strings.ReplaceAll(stage, `\ `, "\x00"))
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "\x00", " ")
		}
		if file, ok := strings.CutPrefix(stage, "grep 4XsBn12W6fz9rxx "); ok {
			read, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in = string(read)
		}
		if words[0] != "simrun" && words[0] != "simrun-race" {
			continue
		}
		var out, errs bytes.Buffer
		c := console{in: strings.NewReader(in), out: &out, err: &errs, now: fixedTime, run: double(new(session), exemplary(t)), search: answered(fruitful(t))}
		want := sim.OK
		ctx, cancel := context.WithCancel(t.Context())
		if len(words) > 1 && (words[1] == "exhaust" || words[1] == "record" || strings.Contains(stage, "--for")) {
			want = sim.NoVerdict // it would take its time; so it is interrupted
			cancel()
		}
		if got := execute(ctx, c, words[1:]); got != want {
			t.Errorf("%s ends with %v: %s", stage, got, errs.String())
		}
		cancel()
		in = out.String()
	}
	if file != "" {
		put(t, ".", file, in)
	}
}

// fruitful answers a search for a mutant with a finding, others with nothing.
func fruitful(t *testing.T) func(search.Job) search.Answer {
	return func(j search.Job) search.Answer {
		if j.Explore != nil && j.Explore.Rule != "" {
			return search.Answer{Explored: &search.Explored{Worlds: j.Explore.Count, Found: []search.Found{finding(t)}}}
		}
		return calm(j)
	}
}

// exemplary answers every job with a run that holds; for a mutant, with one in
// which it is caught.
func exemplary(t *testing.T) func(int, job) *sim.Result {
	return func(i int, j job) *sim.Result {
		r := covers(t, "cell/rcpt/4yz")(i, j)
		for _, m := range mutants.All() {
			if m.Name == j.relay && m.Scenario == j.scenario.Name {
				r.Violations = []spec.Violation{{Rule: m.Rule, Sentence: "it is caught"}}
			}
		}
		return r
	}
}

func TestEveryCommandTeachesByExample(t *testing.T) {
	for _, c := range rootCommand(console{}).Commands() {
		if c.Runnable() && !c.Hidden && c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
	}
	s := simrun(t, holds, "help", "scenario")
	s.want(t, sim.OK, "# The language of scenario files")
	if strings.Contains(s.out, "Usage:") {
		t.Error("a topic is not used")
	}
	s = simrun(t, holds, "run", "--help")
	if example, usage := strings.Index(s.out, "simrun run crash"), strings.Index(s.out, "Usage:"); example < 0 || usage < example {
		t.Errorf("examples do not come first:\n%s", s.out)
	}
}
