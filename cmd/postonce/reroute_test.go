package main

import (
	"strings"
	"testing"
)

// TestTheListShowsWhereMailIsReroutedTo: until it goes back.
func TestTheListShowsWhereMailIsReroutedTo(t *testing.T) {
	config := waitingSpool(t)
	for _, tt := range []struct{ args, list, json string }{
		{"reroute --to-host mx9.example.com:587 --to-host mx8.example.com a-1 bob@example.net",
			", rerouted to mx9.example.com:587, mx8.example.com\n", `"rerouted":"via:mx9.example.com:587+mx8.example.com"`},
		{"reroute --as-routed a-1", "bob@example.net", "bob@example.net"},
	} {
		var out, list, json strings.Builder
		if status := run(testConsole(&out), append([]string{"queue", "--config", config}, strings.Fields(tt.args)...)); status != exitOK {
			t.Fatalf("%s: exit status %d: %s", tt.args, status, out.String())
		}
		run(testConsole(&list), []string{"queue", "list", "--config", config})
		run(testConsole(&json), []string{"queue", "show", "a-1", "--format", "json", "--config", config})
		if !strings.Contains(list.String(), tt.list) || !strings.Contains(json.String(), tt.json) {
			t.Errorf("after %s the list and the message lack %q or %q:\n%s%s", tt.args, tt.list, tt.json, list.String(), json.String())
		}
		if back := strings.Contains(tt.args, "as-routed"); back && strings.Contains(list.String()+json.String(), "rerouted") {
			t.Errorf("it is back, and the list says:\n%s%s", list.String(), json.String())
		}
	}
}
