package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/postonce/postonce/sim"
)

// Stories that need what the relay does not have yet.
const (
	waits     = "tls/tlsa-next-host"
	waitsToo  = "crash/another-relay-goes-on"
	waitsAlso = "tls/policy-of-the-address"
)

// TestWhatTheRelayDoesNotHaveYetIsNotRun: no command runs it, and none counts it
// among what holds.
func TestWhatTheRelayDoesNotHaveYetIsNotRun(t *testing.T) {
	for _, args := range [][]string{{}, {"run"}, {"hashes", "--seeds", "600"}, {"coverage"}, {"mutants"}} {
		s := simrun(t, holds, args...)
		for _, j := range s.jobs {
			if words := j.scenario.NotYet(); len(words) > 0 {
				t.Errorf("%v runs %s, which needs %v", args, j.scenario.Name, words)
			}
		}
		if len(s.jobs) == 0 {
			t.Errorf("%v runs nothing", args)
		}
	}
}

func TestWhatTheRelayDoesNotHaveYetIsCountedApart(t *testing.T) {
	s := simrun(t, holds, "run", waits, waitsToo, "doubt/report")
	s.want(t, sim.OK, "1 scenario holds · 2 not in the relay yet ·", "  · tlsa-next-host ", "not yet", "(needs dane)", "(needs shared-spool)")
	s = simrun(t, holds, "run", waits, waitsAlso)
	s.want(t, sim.NoVerdict, "nothing ran · 2 not in the relay yet ·")
	s = simrun(t, holds, "replay", waits)
	s.want(t, sim.NoVerdict)
	if !strings.Contains(s.err, waits+" is not run: the relay does not have this yet: dane") {
		t.Errorf("it says\n%s", s.err)
	}
	s = simrun(t, holds, "list", "tls")
	s.want(t, sim.OK, "(not run: needs mta-sts)")
}

func TestReportsTellWhatTheRelayDoesNotHaveYet(t *testing.T) {
	s := simrun(t, holds, "run", waits, "doubt/report", "--report", "json=-")
	var report struct {
		Status    string
		NotYet    int `json:"not_yet"`
		Scenarios []struct {
			Name, Status string
			Ran          bool
			NotYet       []string `json:"not_yet"`
		}
	}
	if err := json.Unmarshal([]byte(s.out), &report); err != nil {
		t.Fatal(err)
	}
	first := report.Scenarios[0]
	if report.NotYet != 1 || report.Status != "ok" || first.Status != "not-yet" || first.Ran || !slices.Equal(first.NotYet, []string{"dane"}) {
		t.Errorf("the report is %+v", report)
	}
	s = simrun(t, holds, "run", waits, "doubt/report", "--report", "junit=-")
	s.want(t, sim.OK, `skipped="1"`, "the relay does not have this yet: dane")
	s = simrun(t, holds, "run", waits, "doubt/report", "--report", "html=-")
	s.want(t, sim.OK, "not in the relay yet <b>1</b>", "needs dane")
}

// TestSearchesLeaveOutWhatTheRelayDoesNotHaveYet: by name they refuse it.
func TestSearchesLeaveOutWhatTheRelayDoesNotHaveYet(t *testing.T) {
	for _, command := range []string{"sweep", "coverage"} {
		s := simrun(t, holds, command, waits)
		s.want(t, sim.Usage)
		if !strings.Contains(s.err, "the relay does not have yet what "+waits+" needs: dane") {
			t.Errorf("%s says\n%s", command, s.err)
		}
	}
}
