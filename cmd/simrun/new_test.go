package main

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

var renew = flag.Bool("rewrite", false, "write the golden files")

// logs is where sample logs lie, each with the scenario that is drafted from it.
const logs = "internal/maillog/testdata/"

func TestADraftOfALogHolds(t *testing.T) {
	for _, name := range []string{"postfix", "exim", "postonce"} {
		t.Run(name, func(t *testing.T) {
			s := really(t, "new", "--from-log", logs+name+".log")
			s.want(t, sim.OK)
			golden := logs + name + scenarios.Ending
			if *renew {
				put(t, logs, name+scenarios.Ending, s.out)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), s.out); d != "" {
				t.Error(d)
			}
			really(t, "run", golden).want(t, sim.OK, "1 scenario holds")
			for _, real := range []string{"acme", "initech", "gibbons", "milton", "samir", "lumbergh", "198.18."} {
				if strings.Contains(strings.ToLower(s.out), real) {
					t.Errorf("%q is in\n%s", real, s.out)
				}
			}
		})
	}
}

// TestTheLogOfAStoryMakesOneThatHolds: what the relay here would log of stories
// about replies, drafted and run again.
func TestTheLogOfAStoryMakesOneThatHolds(t *testing.T) {
	for _, name := range []string{"retry/greylisting", "reply/rcpt-5yz", "reply/dot-5yz", "cut/mail", "doubt/report", "mx/order"} {
		sc, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		note := hostos.LogNote(slog.New(slog.NewTextHandler(&log, nil)))
		for _, f := range sim.Run(t, sc, mutants.Honest, sim.Options{}).Facts {
			if f.Actor == spec.ActorRelay {
				note(f)
			}
		}
		file := filepath.Join(t.TempDir(), "relay.log")
		if err := os.WriteFile(file, log.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		s := really(t, "new", "--from-log", file)
		if s.status != sim.OK || !strings.Contains(s.out, "-- expect --\nbob@example.net") {
			t.Errorf("%s: %v\n%s%s", name, s.status, s.out, s.err)
		}
	}
}

func TestANewScenarioHolds(t *testing.T) {
	s := really(t, "new")
	s.want(t, sim.OK, "bob@example.net  delivered, 1 attempt")
	t.Chdir(t.TempDir())
	s = really(t, "new", "greylisted", "--rule", "at rcpt, first 1: 451 4.7.1 Greylisted", "--title", "It comes later",
		"--to", "a@example.com", "--to", "b@example.net")
	s.want(t, sim.OK)
	really(t, "run", "greylisted.txtar").want(t, sim.OK, "It comes later", "1 scenario holds")
	if s = really(t, "new", "greylisted"); s.status != sim.Usage || !strings.Contains(s.err, "is there already") {
		t.Errorf("a file is written over: %s", s.err)
	}
	if s = really(t, "new", "--rule", "at rpt: 451 no"); s.status != sim.Usage || !strings.Contains(s.err, `did you mean "rcpt"`) {
		t.Errorf("a wrong rule: %s", s.err)
	}
	if s = really(t, "new", "--from-log", "greylisted.txtar"); s.status != sim.Usage || !strings.Contains(s.err, "tells of no delivery") {
		t.Errorf("no log: %s", s.err)
	}
}

// TestOnATerminalItAsks: for what no flag has said, again where the answer is wrong.
func TestOnATerminalItAsks(t *testing.T) {
	var out, errs bytes.Buffer
	c := console{
		in:  strings.NewReader("It comes in the end\nbob\ncarol@example.net\nat rpt: 4\nat rcpt, first 1: 450 4.2.1 Busy\n\n"),
		out: &out, err: &errs, run: runWorlds, search: searchAll, now: fixedTime, asks: true,
	}
	if got := execute(t.Context(), c, []string{"new"}); got != sim.OK {
		t.Errorf("it ends with %v: %s", got, errs.String())
	}
	hasLines(t, out.String(), "# It comes in the end.", "at rcpt, first 1: 450 4.2.1 Busy", "carol@example.net  delivered, 2 attempts")
	if !strings.Contains(errs.String(), "has no @") || !strings.Contains(errs.String(), `did you mean "rcpt"`) {
		t.Errorf("it says\n%s", errs.String())
	}
}
