package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnImportKilledFiveTimesDeliversEveryMessageOnce kills an import with
// SIGKILL after some of its messages, five times over; what it printed is on the
// disk. When the relay has delivered all of them, one import more brings none
// back.
func TestAnImportKilledFiveTimesDeliversEveryMessageOnce(t *testing.T) {
	const messages, kills = 60, 5
	s := newSite(t, "", "")
	dir := filepath.Join(s.dir, "room")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for n := range messages {
		mail := fmt.Sprintf("Message-ID: <m%d@citadel.example>\nFrom: alice@example.org\n\n%s\n", n, strings.Repeat("Hello.\n", n*500))
		control := fmt.Sprintf("Content-type: application/x-citadel-delivery-list\n\nmsgid|%d\nremote|bob@example.net|0|\nremote|dan@example.net|2|\n", n+1)
		for name, text := range map[string]string{fmt.Sprintf("%d.eml", n+1): mail, fmt.Sprintf("%d.list", n+1): control} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	printed := map[string]bool{}
	for range kills {
		for _, id := range s.importUntil(dir, messages/kills-2) {
			if printed[id] {
				t.Errorf("%s is queued again", id)
			}
			printed[id] = true
		}
		list := s.spool()
		for id := range printed {
			if !strings.Contains(list, id) {
				t.Fatalf("%s was printed, and is not in the spool:\n%s", id, list)
			}
		}
	}
	s.importUntil(dir, messages)
	if list := s.spool(); !strings.Contains(list, fmt.Sprintf("%d messages, %d recipients to go.", messages, messages)) {
		t.Errorf("after the last import:\n%s", list)
	}
	s.start()
	s.await("delivery", func() bool { return len(s.accepted) == messages })
	s.stop()
	if list := s.spool(); list != "The queue is empty.\n" {
		t.Errorf("after the delivery:\n%s", list)
	}
	if again := s.importUntil(dir, messages); len(again) > 0 {
		t.Errorf("what was delivered is queued again: %v", again)
	}
	for n := range messages {
		if got := s.accepted[fmt.Sprintf("m%d@citadel.example bob@example.net", n)]; got != 1 {
			t.Errorf("message %d was accepted %d times", n, got)
		}
	}
}

// importUntil imports a directory, kills the import when it has queued so many
// messages, and returns the queue IDs of all that it printed.
func (s *site) importUntil(dir string, most int) []string {
	s.t.Helper()
	cmd := exec.Command(s.binary, "queue", "import-citadel", dir, "--config", filepath.Join(s.dir, "postonce.yaml"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		_, rest, ok := strings.Cut(lines.Text(), ": queued as ")
		if !ok {
			continue
		}
		id, _, _ := strings.Cut(rest, ",")
		if ids = append(ids, id); len(ids) == most {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err != nil && len(ids) < most {
		s.t.Fatalf("the import ended by itself: %v\n%s", err, s.log.String())
	}
	return ids
}
