package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// passing is what differs from run to run in what simrun prints, and what every
// new scenario changes.
var passing = regexp.MustCompile(` in [0-9.]+ m?s|[0-9,]+ (scenarios hold|not in the relay yet|days of virtual time|faults fired|crashes)`)

// TestTheReadmeShowsWhatIsPrinted runs every simrun command whose output the
// README shows, and compares. A line "…" stands for any number of lines.
func TestTheReadmeShowsWhatIsPrinted(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // what one command finds, the next replays
	shown := 0
	for _, block := range strings.Split(string(readme), "```console\n$ go run ./cmd/simrun")[1:] {
		block, _, _ = strings.Cut(block, "```")
		line, output, _ := strings.Cut(block, "\n")
		if output == "" {
			continue
		}
		shown++
		t.Run(strings.TrimSpace("simrun"+line), func(t *testing.T) {
			got := passing.ReplaceAllString(really(t, strings.Fields(line)...).out, "$1")
			if want := passing.ReplaceAllString(output, "$1"); !matches(strings.Split(got, "\n"), strings.Split(want, "\n")) {
				t.Errorf("the README shows\n%s\nand it prints\n%s", want, got)
			}
		})
	}
	if shown == 0 {
		t.Error("the README shows nothing that simrun prints")
	}
}

// matches reports whether got is what want says.
func matches(got, want []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "…":
		for skip := range len(got) + 1 {
			if matches(got[skip:], want[1:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && got[0] == want[0] && matches(got[1:], want[1:])
}
