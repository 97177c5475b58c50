package main

import (
	"strings"
	"testing"
)

func TestOneMessageIsShownInEveryForm(t *testing.T) {
	config, _ := testSpool(t, listedOps())
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"a-2", exitOK, "a-2  1m30s old, from <>, 9 bytes\n    alice@example.org  queued     0 attempts, due now\n"},
		{"a-2 --format json", exitOK, `{"id":"a-2","message_id":"m2@example.org",`},
		{"a-2 --format citadel", exitOK, "\nenvelope_from|\nremote|alice@example.org|0|\n"},
		{"a-9", exitFailure, "there is no message a-9 in the spool: queue list shows those that are"},
		{"b-1", exitFailure, "postonce: b-1: damaged spool entry"},
		{"a-2 --format xml", exitUsage, `there is no form "xml": choose text, json, citadel`},
		{"", exitUsage, "write one queue ID"},
		{"a-1 a-2", exitUsage, "write one queue ID"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out strings.Builder
			status := run(testConsole(&out), append([]string{"queue", "show", "--config", config}, strings.Fields(c.args)...))
			if status != c.status || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit status %d, want %d, with %q:\n%s", status, c.status, c.says, out.String())
			}
			if strings.Contains(out.String(), "a-1") || strings.Contains(out.String(), "a-3") {
				t.Errorf("another message is shown:\n%s", out.String())
			}
		})
	}
}

// TestWhatCitadelCannotSayIsSaidBesides holds the golden file, which has a
// recipient of whom nobody knows, and what is said about him.
func TestWhatCitadelCannotSayIsSaidBesides(t *testing.T) {
	config, _ := testSpool(t, listedOps())
	var out, beside strings.Builder
	c := testConsole(&out)
	c.err = &beside
	if status := run(c, []string{"queue", "show", "a-1", "--format=citadel", "--config", config}); status != exitOK {
		t.Errorf("exit status %d: %s", status, beside.String())
	}
	golden(t, "show.citadel", out.String())
	want := "note: dan@example.net is held: Citadel has no status for what may have arrived; 5 keeps it from being sent again\n"
	if beside.String() != want {
		t.Errorf("got  %q\nwant %q", beside.String(), want)
	}
}
