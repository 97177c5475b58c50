package main

import (
	"path/filepath"
	"testing"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

func TestAReportCanBeAPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.html")
	simrun(t, breaks("crash/after-250", spec.NothingLost), "run", "crash", "--report", "html="+file).want(t, sim.Safety)
	wantPage(t, file, "What does not hold", "NOTHING-LOST", "crash/in-recovery", "go run ./cmd/simrun trace crash/after-250")
}
