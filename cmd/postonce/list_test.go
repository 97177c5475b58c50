package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// listedEntries are messages in every state that a spool can hold, as seen by
// testConsole's clock.
func listedEntries() []queue.Entry {
	now := spec.WallOf(testConsole(nil).now())
	ago := func(d time.Duration) spec.Wall { return now.Add(-d) }
	greylisted := queue.Trouble{
		At: ago(time.Minute), Host: "mx1.example.net", Stage: spec.StageRCPT, Event: spec.Reply4,
		Reply: spec.Reply{Code: 451, Enhanced: "4.7.1", Lines: []string{"Greylisted,", "come \x1b[31mback"}},
	}
	lost := queue.Trouble{At: ago(time.Hour), Host: "mx2.example.net", Stage: spec.StageDot, Event: spec.Cut, Text: "the reply to the final dot was lost"}
	return []queue.Entry{
		{
			ID: "a-1", Message: "m1@example.org", Sender: "alice@example.org", Size: 1234, Submitted: ago(26*time.Hour + 5*time.Minute),
			Recipients: []queue.Recipient{
				{Address: "bob@example.net", State: spec.Queued, Attempts: 2, Due: now.Add(25 * time.Minute), Last: greylisted},
				{Address: "carol.with.a.long.name@example.net", State: spec.Delivered, Attempts: 1},
				{Address: "dan@example.net", State: spec.Held, Attempts: 1, Last: lost},
			},
		},
		{
			ID: "a-2", Message: "m2@example.org", Sender: "", Size: 9, Submitted: ago(90 * time.Second),
			Recipients: []queue.Recipient{{Address: "alice@example.org", State: spec.Queued, Due: ago(time.Second)}},
		},
		{
			ID: "a-3", Message: "m3@example.org", Sender: "alice@example.org", Size: 10, Submitted: now,
			Tracking: spec.Tracking{Return: spec.ReturnFull, EnvelopeID: "order 17"},
			Needs:    spec.NeedTLS,
			Recipients: []queue.Recipient{
				{Address: "bob@example.net", State: spec.Intent, Attempts: 1, Asked: spec.Asked{
					Notify: spec.NotifySuccess | spec.NotifyDelay, Original: "rfc822;bob@example.com",
				}},
				{Address: "eve@example.net", State: spec.Queued, Attempts: 2, Due: now.Add(time.Hour), Parked: true, Last: greylisted},
			},
		},
	}
}

// testSpool makes a spool with entries and damage, and a configuration for it.
func testSpool(t *testing.T, ops []seam.Op) (config, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "spool")
	store, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	durable := make(chan error, 1)
	store.Apply(ops, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return testConfig(t, dir), dir
}

func testConfig(t *testing.T, spool string) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "postonce.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "hostname: mail.example.org\nspool: %s\n", spool), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func listedOps() []seam.Op {
	entries := listedEntries()
	var ops []seam.Op
	for i := range entries {
		ops = append(ops, seam.Op{Key: seam.ControlKey(entries[i].ID), Value: entries[i].Encode()})
	}
	damaged := entries[0].Encode()
	damaged[20] ^= 1
	return append(ops,
		seam.Op{Key: seam.ControlKey("b-1"), Value: damaged},
		seam.Op{Key: seam.ControlKey("b-2"), Value: entries[1].Encode()},
		seam.Op{Key: seam.Key{Space: seam.SpaceDamaged, Name: "b-3"}, Value: []byte("dust")},
	)
}

func TestQueueListShowsEveryStateAndDamage(t *testing.T) {
	config, _ := testSpool(t, listedOps())
	for _, c := range []struct {
		golden string
		args   []string
	}{
		{"list.txt", nil},
		{"list.json", []string{"--json"}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var out strings.Builder
			if status := run(testConsole(&out), append([]string{"queue", "list", "--config", config}, c.args...)); status != exitOK {
				t.Errorf("exit status %d", status)
			}
			golden(t, c.golden, out.String())
		})
	}
}

// golden compares got with a file of testdata, or rewrites it.
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

func TestQueueListGoesOnPastAPage(t *testing.T) {
	const messages = listPage + 2
	var ops []seam.Op
	for n := range messages {
		e := queue.Entry{ID: spec.QueueID(fmt.Sprintf("q-%05d", n)), Recipients: []queue.Recipient{{Address: "a@example.net", State: spec.Queued}}}
		ops = append(ops, seam.Op{Key: seam.ControlKey(e.ID), Value: e.Encode()})
	}
	config, _ := testSpool(t, ops)
	var out strings.Builder
	run(testConsole(&out), []string{"queue", "list", "--config", config, "--json"})
	if n := strings.Count(out.String(), "\n"); n != messages {
		t.Errorf("%d lines for %d messages", n, messages)
	}
}

func TestQueueListOfARunningRelayFailsClearly(t *testing.T) {
	config, dir := testSpool(t, nil)
	store, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out strings.Builder
	if status := run(testConsole(&out), []string{"queue", "list", "--config", config}); status != exitFailure {
		t.Errorf("exit status %d, want %d", status, exitFailure)
	}
	want := "postonce: the spool " + dir + " is in use by a running relay: stop it first\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

// TestNoQueueCommandMakesASpool: neither where nothing is, nor beside what is
// there already.
func TestNoQueueCommandMakesASpool(t *testing.T) {
	room := filepath.Join(t.TempDir(), "room")
	if err := errors.Join(os.Mkdir(room, 0o700), os.WriteFile(filepath.Join(room, "1"), []byte(brokenControl), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"list", "show a-1", "decide retry a-1", "hold a-1", "release a-1", "retry a-1", "bounce a-1", "delete a-1",
		"import-citadel " + room, "import-citadel --dry-run " + room,
	} {
		t.Run(line, func(t *testing.T) {
			other := t.TempDir()
			if err := os.WriteFile(filepath.Join(other, "mail.txt"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			missing := filepath.Join(t.TempDir(), "missing")
			for _, dir := range []string{missing, other} {
				var out strings.Builder
				args := append([]string{"queue"}, strings.Fields(line)...)
				if status := run(testConsole(&out), append(args, "--config", testConfig(t, dir))); status != exitFailure {
					t.Errorf("exit status %d, want %d: %s", status, exitFailure, out.String())
				}
				if says := "there is no spool in " + dir; !strings.Contains(line, "import") && !strings.Contains(out.String(), says) {
					t.Errorf("it does not say %q: %s", says, out.String())
				}
			}
			if _, err := os.Stat(missing); err == nil {
				t.Error("the spool was made")
			}
			if left, err := os.ReadDir(other); err != nil || len(left) != 1 {
				t.Errorf("the directory holds %v: %v", left, err)
			}
		})
	}
}

// brokenControl is a control message that cannot be imported.
const brokenControl = "Content-type: application/x-citadel-delivery-list\n\nmsgid|2\nremote|bob@example.net|0|\n"

func TestSpansAreShownInTwoUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1500 * time.Millisecond: "1s", 59 * time.Second: "59s", time.Minute: "1m0s",
		time.Hour - 1: "59m59s", time.Hour: "1h0m", 25 * time.Hour: "1d1h", 100 * 24 * time.Hour: "100d0h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}
