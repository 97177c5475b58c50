package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// manySpool holds messages that wait, of different ages, senders and troubles.
func manySpool(t *testing.T) (config string) {
	t.Helper()
	now := spec.WallOf(testConsole(nil).now())
	grey := queue.Trouble{Host: "mx1.example.net", Stage: spec.StageRCPT, Event: spec.Reply4, Reply: spec.Reply{Code: 451, Lines: []string{"Greylisted"}}}
	var ops []seam.Op
	for _, m := range []struct {
		id, from string
		age      time.Duration
		to       []queue.Recipient
	}{
		{"a-1", "alice@example.org", 3 * time.Hour, []queue.Recipient{
			{Address: "bob@example.net", State: spec.Queued, Attempts: 2, Last: grey},
			{Address: "carol@Example.NET", State: spec.Queued, Attempts: 1, Parked: true, Last: grey},
			{Address: "dave@sub.example.net", State: spec.Queued},
			{Address: "erin@example.com", State: spec.Held, Attempts: 1},
		}},
		{"a-2", "", time.Hour, []queue.Recipient{{Address: "bob@example.net", State: spec.Queued}}},
		{"a-3", "Alice@example.org", time.Minute, []queue.Recipient{
			{Address: "bob@example.net", State: spec.Queued}, {Address: "frank@example.net", State: spec.Intent, Attempts: 1},
			{Address: "erin@example.com", State: spec.Delivered},
		}},
	} {
		e := queue.Entry{ID: spec.QueueID(m.id), Message: m.id, Sender: m.from, Size: 1, Submitted: now.Add(-m.age), Recipients: m.to}
		ops = append(ops, seam.Op{Key: seam.ControlKey(e.ID), Value: e.Encode()}, seam.Op{Key: seam.ChunkKey(e.ID, 0), Value: []byte("x")})
	}
	config, _ = testSpool(t, ops)
	return config
}

func TestAFilterChoosesRecipients(t *testing.T) {
	config := manySpool(t)
	for _, tt := range []struct{ args, shows string }{
		{"--to example.net", "a-1 bob@example.net, carol@Example.NET; a-2 bob@example.net; a-3 bob@example.net, frank@example.net; "},
		{"--to .Example.net", "a-1 dave@sub.example.net; "},
		{"--to bob@EXAMPLE.net --older 1h", "a-1 bob@example.net; a-2 bob@example.net; "},
		{"--to Bob@example.net", ""},
		{"--to example.com --to dave@sub.example.net", "a-1 dave@sub.example.net, erin@example.com; a-3 erin@example.com; "},
		{"--from <>", "a-2 bob@example.net; "},
		{"--from alice@example.org --state queued", "a-1 bob@example.net, dave@sub.example.net; "},
		{"--from example.org --state held --state intent", "a-1 erin@example.com; a-3 frank@example.net; "},
		{"--reason GREY --state parked", "a-1 carol@Example.NET; "},
		{"--older 4h", ""},
	} {
		var out strings.Builder
		if status := run(testConsole(&out), append([]string{"queue", "list", "--config", config}, strings.Fields(tt.args)...)); status != exitOK {
			t.Fatalf("%s: exit status %d: %s", tt.args, status, out.String())
		}
		got := ""
		for block := range strings.SplitSeq(out.String(), "\na-") {
			lines := strings.Split(block, "\n")
			if !strings.Contains(lines[0], "old, from") {
				continue
			}
			var to []string
			for _, line := range lines[1:] {
				if f := strings.Fields(line); strings.HasPrefix(line, "    ") {
					to = append(to, f[0])
				}
			}
			got += fmt.Sprintf("a-%s %s; ", strings.TrimPrefix(strings.Fields(lines[0])[0], "a-"), strings.Join(to, ", "))
		}
		if got != tt.shows {
			t.Errorf("%s shows %q, want %q:\n%s", tt.args, got, tt.shows, out.String())
		}
		if empty := strings.Contains(out.String(), "Nothing in the queue matches.\n"); empty != (tt.shows == "") {
			t.Errorf("%s ends with\n%s", tt.args, out.String())
		}
	}
}

func TestAWrongFilterIsRefused(t *testing.T) {
	for args, says := range map[string]string{
		"list --state waiting":        "--state: no recipient state is called \"waiting\": choose queued, parked, intent or held",
		"list --older -1h":            "--older -1h0m0s: mail cannot be younger than now",
		"delete --to bob@":            `--to "bob@": write DOMAIN, .DOMAIN, or an address`,
		"hold a-1 --to example.net":   "write a queue ID or filters, not both",
		"hold a-1 --dry-run":          "a dry run is for filters",
		"hold --dry-run":              "write a queue ID as queue list shows it, and recipients if not all are meant; or filters",
		"hold --older 1h --yes":       "unknown flag: --yes",
		"list --config x --older 1d":  `invalid argument "1d"`,
		"bounce --from . --older 90m": `--from ".": write DOMAIN`,
	} {
		var out strings.Builder
		if status := run(testConsole(&out), append([]string{"queue"}, strings.Fields(args)...)); status != exitUsage || !strings.Contains(out.String(), says) {
			t.Errorf("%s: exit status %d, and says\n%s", args, status, out.String())
		}
	}
}

// TestAnOperationIsForAllWhomAFilterMatches: and for nobody else; what cannot be
// undone is done only when that is said.
func TestAnOperationIsForAllWhomAFilterMatches(t *testing.T) {
	const before = "bob@example.net queued; carol@Example.NET parked; dave@sub.example.net queued; erin@example.com held; " +
		"bob@example.net queued; bob@example.net queued; frank@example.net intent; erin@example.com delivered; "
	for _, tt := range []struct{ args, says, after string }{
		{"hold --to example.net", "a-1 to bob@example.net is parked until it is released\n",
			strings.ReplaceAll(before, "bob@example.net queued", "bob@example.net parked")},
		{"hold --to example.net", "3 recipients of 3 messages parked.\n1 recipient in the state intent left as they are", ""},
		{"hold --to example.net --dry-run", "3 recipients of 3 messages would be parked.\n", before},
		{"release --state parked", "1 recipient of 1 message released.\n", strings.Replace(before, "parked", "queued", 1)},
		{"retry --older 2h", "2 recipients of 1 message made due at once.\n", before},
		{"reroute --to-host mx9.example.com --to example.net",
			"4 recipients of 3 messages rerouted to mx9.example.com.\n1 recipient in the state intent left", before},
		{"reroute --as-routed --state parked --dry-run", "1 recipient of 1 message would be sent as routed.\n", before},
		{"delete --from <>", "1 recipient of 1 message would be deleted: say --yes to do it.\n", before},
		{"delete --from <> --yes", "1 recipient of 1 message deleted.\n", strings.Replace(before, "held; bob@example.net queued; ", "held; ", 1)},
		{"delete --from <> --yes --dry-run", "1 recipient of 1 message would be deleted: say --yes to do it.\n", before},
		{"bounce --reason greylisted --yes", "2 recipients of 1 message given up.\n", "alice@example.org queued; bob@example.net failed; " +
			strings.TrimPrefix(strings.Replace(before, "parked", "failed", 1), "bob@example.net queued; ")},
		{"bounce --to example.org --yes", "0 recipients of 0 messages given up.\n", before},
	} {
		t.Run(tt.args, func(t *testing.T) {
			config := manySpool(t)
			var out strings.Builder
			if status := run(testConsole(&out), append([]string{"queue", "--config", config}, strings.Fields(tt.args)...)); status != exitOK {
				t.Fatalf("exit status %d: %s", status, out.String())
			}
			if !strings.Contains(out.String(), tt.says) {
				t.Errorf("it does not say %q:\n%s", tt.says, out.String())
			}
			if after := states(t, config); tt.after != "" && after != tt.after {
				t.Errorf("after it the queue is\n%s, want\n%s", after, tt.after)
			}
		})
	}
}

// TestAnOperationGoesOnPastAPage: with the spool changing under it, and the
// reports that it makes match its filter.
func TestAnOperationGoesOnPastAPage(t *testing.T) {
	const messages = 2*listPage + 3
	var ops []seam.Op
	for n := range messages {
		e := queue.Entry{ID: spec.QueueID(fmt.Sprintf("0-%05d", n)), Sender: "bob@example.net", Message: fmt.Sprint(n), Size: 1,
			Recipients: []queue.Recipient{{Address: "bob@example.net", State: spec.Queued}}}
		ops = append(ops, seam.Op{Key: seam.ControlKey(e.ID), Value: e.Encode()}, seam.Op{Key: seam.ChunkKey(e.ID, 0), Value: []byte("x")})
	}
	config, _ := testSpool(t, ops)
	var out strings.Builder
	c := testConsole(&out)
	ticks := 0
	c.now = func() time.Time {
		ticks++
		return testConsole(nil).now().Add(time.Duration(ticks) * 10 * time.Millisecond)
	}
	status := run(c, []string{"queue", "bounce", "--yes", "--to", "bob@example.net", "--config", config})
	for _, says := range []string{
		fmt.Sprintf("\n%d recipients of %d messages given up.\n", messages, messages), "messages read; so far 256 recipients given up\n",
	} {
		if status != exitOK || !strings.Contains(out.String(), says) {
			t.Errorf("exit status %d, and it does not say %q:\n%.300s", status, says, out.String())
		}
	}
	if after := states(t, config); strings.Count(after, "bob@example.net queued; ") != messages {
		t.Errorf("%d reports wait for %d messages", strings.Count(after, "; "), messages)
	}
}
