package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// doubtfulSpool is one with a message that holds bob and carol in doubt and has
// been delivered to dave, and one that has intents.
func doubtfulSpool(t *testing.T) (config string) {
	t.Helper()
	at := spec.WallOf(testConsole(nil).now())
	held := queue.Entry{ID: "a-1", Message: "m1@example.org", Sender: "alice@example.org", Size: 30, Submitted: at}
	held.Recipients = []queue.Recipient{
		{Address: "bob@example.net", State: spec.Held, Attempts: 1},
		{Address: "carol@example.net", State: spec.Held, Attempts: 1},
		{Address: "dave@example.net", State: spec.Delivered, Attempts: 1},
	}
	intent := held
	intent.ID, intent.Recipients = "a-2", []queue.Recipient{{Address: "bob@example.net", State: spec.Intent, Attempts: 1}}
	config, _ = testSpool(t, []seam.Op{
		{Key: seam.ControlKey("a-1"), Value: held.Encode()},
		{Key: seam.ChunkKey("a-1", 0), Value: []byte("Subject: x\r\n\r\nHello, world.\r\n\r\n")},
		{Key: seam.ControlKey("a-2"), Value: intent.Encode()},
	})
	return config
}

// states is what queue list shows of each recipient.
func states(t *testing.T, config string) string {
	t.Helper()
	var out strings.Builder
	if status := run(testConsole(&out), []string{"queue", "list", "--config", config}); status != exitOK {
		t.Fatal(out.String())
	}
	all := ""
	for _, found := range regexp.MustCompile(`(?m)^    (\S+) +(\S+)`).FindAllStringSubmatch(out.String(), -1) {
		all += found[1] + " " + found[2] + "; "
	}
	return all
}

func TestAnOperatorDecides(t *testing.T) {
	for _, tt := range []struct {
		args    string
		status  int
		says    string
		becomes []string // what queue list shows, in any order
		gone    string
	}{
		{"retry a-1 bob@example.net", exitOK, "a-1 to bob@example.net will be sent again\n",
			[]string{"bob@example.net queued", "carol@example.net held"}, ""},
		{"retry a-1 bob@example.net bob@example.net", exitOK, "a-1 to bob@example.net will be sent again\n",
			[]string{"bob@example.net queued", "carol@example.net held"}, ""},
		{"delivered a-1", exitOK, "a-1 to carol@example.net is delivered\n", []string{"bob@example.net intent"}, "carol@example.net"},
		{"report a-1", exitOK, "a report to alice@example.org is queued as ", []string{"alice@example.org queued"}, "carol@example.net"},
		{"report a-1 carol@example.net", exitOK, "a-1 to carol@example.net ends as unknown\n",
			[]string{"bob@example.net held", "carol@example.net unknown", "alice@example.org queued"}, ""},
		{"retry a-9", exitFailure, "there is no message a-9 in the spool", []string{"carol@example.net held"}, ""},
		{"retry a-1 bob@example.net eve@example.net", exitFailure, "a-1 has no recipient eve@example.net", []string{"bob@example.net held"}, ""},
		{"retry a-1 dave@example.net", exitFailure, "a-1 to dave@example.net is delivered: nothing can be changed any more", []string{"bob@example.net held"}, ""},
		{"retry a-2", exitFailure, "start the relay first", []string{"bob@example.net intent"}, ""},
		{"again a-1", exitUsage, "write a decision (retry, delivered, report)", []string{"bob@example.net held"}, ""},
		{"retry", exitUsage, "a queue ID as queue list shows it", []string{"bob@example.net held"}, ""},
	} {
		t.Run(tt.args, func(t *testing.T) {
			config := doubtfulSpool(t)
			var out strings.Builder
			args := append([]string{"queue", "decide", "--config", config}, strings.Fields(tt.args)...)
			if status := run(testConsole(&out), args); status != tt.status || !strings.Contains(out.String(), tt.says) {
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

func TestADecisionNeedsAStoppedRelay(t *testing.T) {
	config, dir := testSpool(t, nil)
	store, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out strings.Builder
	status := run(testConsole(&out), []string{"queue", "decide", "retry", "a-1", "--config", config})
	if want := fmt.Sprintf("postonce: the spool %s is in use by a running relay: stop it first\n", dir); status != exitFailure || out.String() != want {
		t.Errorf("exit status %d, printed %q, want %q", status, out.String(), want)
	}
}
