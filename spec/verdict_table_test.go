package spec

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write what is computed into the golden files")

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

func TestVerdictTableIsTotal(t *testing.T) {
	// Beyond the ends too: a stage or event that no one defined.
	for stage := StageResolve - 1; stage <= StageIdle+1; stage++ {
		for event := Reply2 - 1; event <= TooMany+1; event++ {
			c := Decide(stage, event)
			if c.Verdict < Proceed || c.Verdict > NextTransaction || c.Source == "" || !strings.HasSuffix(c.Why, ".") {
				t.Errorf("%v × %v: incomplete cell %+v", stage, event, c)
			}
			if CanOccur(stage, event) == (c.Source == cannotOccur) {
				t.Errorf("%v × %v: CanOccur is %v but the source is %q", stage, event, CanOccur(stage, event), c.Source)
			}
		}
	}
}

func TestNoOtherHostAfterTheDot(t *testing.T) {
	for _, event := range Events() {
		for _, stage := range []Stage{StageDot, StageRSET, StageQUIT, StageIdle} {
			if v := Decide(stage, event).Verdict; v == NextHost {
				t.Errorf("%v × %v: %v", stage, event, v)
			}
		}
	}
}

func TestDoubtArisesOnlyAtTheDot(t *testing.T) {
	for _, stage := range Stages() {
		for _, event := range Events() {
			if v := Decide(stage, event).Verdict; v == InDoubt && stage != StageDot {
				t.Errorf("%v × %v: %v", stage, event, v)
			}
		}
	}
}

func TestOnlyANegativeReplyClearsTheDot(t *testing.T) {
	for _, event := range Events() {
		want := event != Reply2 && event != Reply4 && event != Reply421 && event != Reply5
		if got := Decide(StageDot, event).Verdict == InDoubt; got != want {
			t.Errorf("dot × %v: in doubt is %v, want %v", event, got, want)
		}
	}
}

func TestEveryReplyIsExpectedInAConversation(t *testing.T) {
	for stage := StageGreeting; stage <= StageQUIT; stage++ {
		for event := Reply2; event <= Cut; event++ {
			// Of a handshake nothing is a reply.
			if want := stage != StageHandshake || event > Reply5; CanOccur(stage, event) != want {
				t.Errorf("%v × %v: CanOccur is wrong", stage, event)
			}
		}
	}
}

func TestTooManyRecipientsIsForNow(t *testing.T) {
	for _, c := range []struct {
		stage    Stage
		code     int
		enhanced string
		taken    bool
		want     Event
	}{
		{StageRCPT, 552, "5.5.3", false, Reply4},
		{StageRCPT, 552, "5.5.3", true, TooMany},
		{StageRCPT, 552, "", true, TooMany},
		{StageRCPT, 552, "", false, Reply5},
		{StageRCPT, 552, "5.2.2", true, Reply5},
		{StageRCPT, 550, "5.5.3", true, Reply5},
		{StageRCPT, 452, "4.5.3", true, TooMany},
		{StageRCPT, 452, "4.5.3", false, Reply4},
		{StageRCPT, 452, "", true, TooMany},
		{StageRCPT, 452, "", false, Reply4},
		{StageRCPT, 452, "4.2.2", true, Reply4},
		{StageRCPT, 452, "4.3.1", true, Reply4},
		{StageRCPT, 451, "4.5.3", true, Reply4},
		{StageDATA, 452, "4.5.3", true, Reply4},
		{StageRCPT, 421, "", true, Reply421},
		{StageMAIL, 552, "", true, Reply5},
		{StageDot, 552, "", true, Reply5},
	} {
		if got := EventAt(c.stage, Reply{Code: c.code, Enhanced: c.enhanced}, c.taken); got != c.want {
			t.Errorf("%v: %d %s, another one taken: %t: %v, want %v", c.stage, c.code, c.enhanced, c.taken, got, c.want)
		}
	}
}

func TestWithoutTLSOrALoginNobodyFails(t *testing.T) {
	for _, stage := range []Stage{StageSTARTTLS, StageHandshake, StageAUTH} {
		for _, event := range Events() {
			if v := Decide(stage, event).Verdict; v != NextHost && v != Proceed {
				t.Errorf("%v × %v: %v", stage, event, v)
			}
		}
	}
}

func TestVerdictTableGolden(t *testing.T) { golden(t, "verdicts.txt", Table()) }
