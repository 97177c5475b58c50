package fakesmtp_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestAStrangerCanUseIt: a module of somebody else, with a go.mod of its own, is
// built and tested against what is exported here.
func TestAStrangerCanUseIt(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(t.Context(), goTool, args...)
		cmd.Dir = "testdata/stranger"
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v in %s: %v; if a requirement of ours has changed, run go mod tidy there\n%s", args, cmd.Dir, err, out)
		}
	}
}
