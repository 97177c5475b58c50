package main

import (
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// waitingSpool is one with a message that waits for bob, has carol parked, holds
// dave in doubt and was delivered to erin.
func waitingSpool(t *testing.T) (config string) {
	t.Helper()
	now := spec.WallOf(testConsole(nil).now())
	due := now.Add(time.Hour)
	e := queue.Entry{ID: "a-1", Message: "m1@example.org", Sender: "alice@example.org", Size: 30, Submitted: now}
	e.Recipients = []queue.Recipient{
		{Address: "bob@example.net", State: spec.Queued, Attempts: 1, Due: due},
		{Address: "carol@example.net", State: spec.Queued, Attempts: 1, Due: due, Parked: true},
		{Address: "dave@example.net", State: spec.Held, Attempts: 1},
		{Address: "erin@example.net", State: spec.Delivered, Attempts: 1},
	}
	config, _ = testSpool(t, []seam.Op{
		{Key: seam.ControlKey("a-1"), Value: e.Encode()},
		{Key: queue.Waiting{Destination: "example.net", Due: due, ID: "a-1"}.Key()},
		{Key: seam.ChunkKey("a-1", 0), Value: []byte("Subject: x\r\n\r\nHello, world.\r\n\r\n")},
	})
	return config
}

func TestAnOperatorHasCommandsOfMailThatWaits(t *testing.T) {
	for _, tt := range []struct {
		args    string
		status  int
		says    string
		becomes []string
		gone    string
	}{
		{"hold a-1", exitOK, "a-1 to bob@example.net is parked until it is released\n", []string{"bob@example.net parked", "dave@example.net held"}, ""},
		{"hold a-1 bob@example.net bob@example.net", exitOK, "a-1 to bob@example.net is parked until it is released\n", []string{"bob@example.net parked"}, ""},
		{"hold a-1 carol@example.net", exitFailure, "a-1 to carol@example.net is parked: it is not one that waits and is not parked already",
			[]string{"bob@example.net queued"}, ""},
		{"hold a-1 dave@example.net", exitFailure, "is held: decide about it with postonce queue decide", []string{"dave@example.net held"}, ""},
		{"release a-1", exitOK, "a-1 to carol@example.net is released", []string{"carol@example.net queued"}, ""},
		{"release a-1 bob@example.net", exitFailure, "a-1 to bob@example.net is queued: it is not one that is parked", nil, ""},
		{"retry a-1", exitOK, "a-1 to bob@example.net is due at once\n", []string{"bob@example.net queued", "carol@example.net parked"}, ""},
		{"retry a-1 carol@example.net", exitFailure, "is parked: release it first, with postonce queue release", nil, ""},
		{"bounce a-1 bob@example.net", exitOK, "a-1 to bob@example.net ends as failed\na report to alice@example.org is queued as ",
			[]string{"bob@example.net failed", "carol@example.net parked", "alice@example.org queued"}, ""},
		{"bounce a-1 dave@example.net", exitOK, "a-1 to dave@example.net ends as unknown\n", []string{"dave@example.net unknown"}, ""},
		{"bounce a-1", exitOK, "a-1 to carol@example.net ends as failed\n", []string{"alice@example.org queued"}, "carol@example.net"},
		{"reroute --to-host Mx9.example.com:587 a-1", exitOK,
			"a-1 to bob@example.net goes to mx9.example.com:587\na-1 to carol@example.net goes to mx9.example.com:587\n",
			[]string{"bob@example.net queued", "carol@example.net parked", "dave@example.net held"}, ""},
		{"reroute --to-host a.example --to-host b.example a-1 bob@example.net", exitOK, "a-1 to bob@example.net goes to a.example, b.example\n", nil, ""},
		{"reroute --as-routed a-1 bob@example.net", exitOK, "a-1 to bob@example.net goes where mail for example.net does\n", nil, "rerouted"},
		{"reroute --to-host mx9.example.com a-1 dave@example.net", exitFailure, "is held: decide about it with postonce queue decide", nil, "rerouted"},
		{"reroute a-1", exitUsage, "say where to: --to-host HOST[:PORT], or --as-routed", nil, ""},
		{"reroute --as-routed --to-host mx9.example.com a-1", exitUsage, "say where to", nil, ""},
		{"reroute --to-host mx9..example.com a-1", exitUsage, "write HOST, HOST:PORT or [ADDRESS]:PORT", nil, ""},
		{"reroute --to-host mx9.example.com", exitUsage, "or filters, such as --to example.net", nil, ""},
		{"delete a-1 carol@example.net", exitOK, "a-1 to carol@example.net is deleted\n", []string{"carol@example.net deleted", "bob@example.net queued"}, ""},
		{"delete a-1", exitOK, "a-1 to dave@example.net is deleted\n", nil, "example.net"},
		{"delete a-1 erin@example.net", exitFailure, "a-1 to erin@example.net is delivered: nothing can be changed any more", nil, ""},
		{"delete a-1 eve@example.net", exitFailure, "a-1 has no recipient eve@example.net", []string{"bob@example.net queued"}, ""},
		{"delete a-9", exitFailure, "there is no message a-9 in the spool", nil, ""},
		{"delete", exitUsage, "write a queue ID as queue list shows it", nil, ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			config := waitingSpool(t)
			var out strings.Builder
			args := append([]string{"queue"}, strings.Fields(tt.args)...)
			if status := run(testConsole(&out), append(args, "--config", config)); status != tt.status || !strings.Contains(out.String(), tt.says) {
				t.Errorf("exit status %d, want %d, with %q:\n%s", status, tt.status, tt.says, out.String())
			}
			after := states(t, config)
			for _, state := range tt.becomes {
				if !strings.Contains(after, state+"; ") {
					t.Errorf("the list lacks %q: %s", state, after)
				}
			}
			if tt.gone != "" && strings.Contains(after, tt.gone) {
				t.Errorf("the list still has %s: %s", tt.gone, after)
			}
		})
	}
}

// TestTheHelpSaysWhomAnOperationIsAbout: as the core says it.
func TestTheHelpSaysWhomAnOperationIsAbout(t *testing.T) {
	for _, o := range operations() {
		var out strings.Builder
		run(testConsole(&out), []string{"queue", o.word, "--help"})
		for _, says := range []string{"every recipient\n" + o.decision.About() + ", or about those named.", "in the state intent"} {
			if !strings.Contains(out.String(), says) {
				t.Errorf("the help of %s does not say %q:\n%s", o.word, says, out.String())
			}
		}
	}
}
