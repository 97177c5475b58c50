package main

import (
	"os"
	"strings"
	"testing"
)

// TestAnOperatorPausesADestination: and the list shows it, until it is resumed.
func TestAnOperatorPausesADestination(t *testing.T) {
	config := waitingSpool(t)
	for _, tt := range []struct {
		args   string
		status int
		says   string
		lists  string
	}{
		{"resume example.net", exitFailure, "example.net is not paused; nothing is", ""},
		{"pause Example.NET.", exitOK, "example.net is paused until it is resumed\n", "\nPaused, until postonce queue resume: example.net.\n"},
		{"pause example.net", exitOK, "example.net is paused already\n", "resume: example.net.\n"},
		{"pause example.com", exitOK, "example.com is paused until", "resume: example.com, example.net.\n"},
		{"resume example.org", exitFailure, "example.org is not paused; these are: example.com, example.net", "resume: example.com, example.net.\n"},
		{"resume example.net", exitOK, "example.net is resumed\n", "resume: example.com.\n"},
		{"list --json", exitOK, `{"paused":"example.com"}`, "resume: example.com.\n"},
		{"list --state held", exitOK, "1 recipient to go.\nPaused, until postonce queue resume: example.com.", "resume: example.com.\n"},
		{"pause", exitUsage, "write one destination: a domain, or relay for the smart hosts", ""},
		{"pause bob@example.net", exitUsage, `"bob@example.net" is no destination`, ""},
		{"pause a b", exitUsage, "write one destination", ""},
	} {
		var out, list strings.Builder
		if status := run(testConsole(&out), append([]string{"queue", "--config", config}, strings.Fields(tt.args)...)); status != tt.status {
			t.Errorf("%s: exit status %d, want %d", tt.args, status, tt.status)
		}
		if !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s does not say %q:\n%s", tt.args, tt.says, out.String())
		}
		run(testConsole(&list), []string{"queue", "list", "--config", config})
		if !strings.Contains(list.String(), tt.lists) {
			t.Errorf("after %s the list lacks %q:\n%s", tt.args, tt.lists, list.String())
		}
	}
}

// TestTheSmartHostsArePausedTogether: a domain of which the mail leaves through
// them is no destination.
func TestTheSmartHostsArePausedTogether(t *testing.T) {
	config := waitingSpool(t)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, `relays: [smart.example.com]
routes:
  example.com: [mx.example.com]
sender_routes:
  "@a.example": ["A.example:587", b.example]
`...)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, says := range map[string]string{
		"pause example.net": "mail to example.net leaves through the smart hosts of relays, with all other mail: write relay to pause them",
		"pause relay":       "relay is paused until it is resumed",
		"pause example.com": "example.com is paused until it is resumed",

		"pause via:a.example:587+B.example": "via:a.example:587+b.example is paused until it is resumed",
		"pause via:mx9.example.com":         "via:mx9.example.com is paused until it is resumed",
		"pause via:a..example":              `is no destination: write a domain, relay for the smart hosts, or via:HOST+HOST for those of a sender or a reroute`,
	} {
		var out strings.Builder
		run(testConsole(&out), append([]string{"queue", "--config", config}, strings.Fields(args)...))
		if !strings.Contains(out.String(), says) {
			t.Errorf("%s does not say %q:\n%s", args, says, out.String())
		}
	}
}
