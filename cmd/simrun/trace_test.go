package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// wantPage demands words in a page that was written.
func wantPage(t *testing.T, file string, words ...string) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range words {
		if !bytes.Contains(page, []byte(w)) {
			t.Errorf("the page lacks %q", w)
		}
	}
}

func TestTraceWritesAPageAndSaysWhatItShows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.html")
	s := simrun(t, holds, "trace", "crash/after-250", "--seed", "7", "-o", file)
	s.want(t, sim.OK, file+"\n  crash/after-250 · seed 7 · relay postonce holds: 1 fact", "open it in a browser\n")
	wantPage(t, file, "<title>✓ crash/after-250", "go run ./cmd/simrun replay crash/after-250 --seed 7 -v", "<dd>7</dd>")
	s = simrun(t, breaks("crash/after-250", spec.NeverTwice), "trace", "crash/after-250", "-o", file)
	s.want(t, sim.Safety, "does not hold", "1 violation")
	wantPage(t, file, "NEVER-TWICE", "something went wrong.", spec.NeverTwice.Sources())
	simrun(t, holds, "trace", "3", "-o", file).want(t, sim.OK, "seed 3")
	simrun(t, holds, "trace", "3", "-o", filepath.Join(t.TempDir(), "no", "t.html")).want(t, sim.Usage, "writing the page")
}

func TestTraceOfAFileIsWhatCheckSays(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "old.trace"), filepath.Join(dir, "t.html")
	replayed := really(t, "replay", "doubt/retry", "-v")
	if err := os.WriteFile(file, []byte(replayed.out), 0o644); err != nil {
		t.Fatal(err)
	}
	s := simrun(t, holds, "trace", file, "-o", out)
	s.want(t, sim.OK, "doubt/retry · seed 1 · relay postonce holds")
	wantPage(t, out, "simrun check "+file+" --scenario doubt/retry", "Accepted twice, as the policy allows")

	// Without its first line nothing says that the policy is to try again.
	_, rest, _ := strings.Cut(replayed.out, "\n")
	var answer bytes.Buffer
	c := console{in: strings.NewReader(rest), out: &answer, err: &answer, now: time.Now}
	if got := execute(t.Context(), c, []string{"trace", "-", "-o", out}); got != sim.Safety || !strings.Contains(answer.String(), "- does not hold") {
		t.Errorf("it ended with %v: %s", got, &answer)
	}
	wantPage(t, out, "NEVER-TWICE")
	c.in = strings.NewReader(rest)
	if got := execute(t.Context(), c, []string{"trace", "-", "--scenario", "doubt/retry", "-o", out}); got != sim.OK {
		t.Errorf("with its policy it ended with %v: %s", got, &answer)
	}
}

func TestTraceRefusesWhatMakesNoSense(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.trace")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"trace"}, "Name a scenario"},
		{[]string{"trace", "crash"}, "one at a time, such as crash/after-250"},
		{[]string{"trace", "crash/aftr-250"}, "did you mean crash/after-250"},
		{[]string{"trace", file}, "holds no facts"},
		{[]string{"trace", file, "--seed", "7"}, "--seed is for a run"},
		{[]string{"trace", file, "--relay", "postonce"}, "--relay is for a run"},
		{[]string{"trace", "crash/after-250", "--scenario", "doubt/retry"}, "is a scenario itself"},
	} {
		s := simrun(t, holds, test.args...)
		s.want(t, sim.Usage, "simrun: ", test.want)
	}
}
