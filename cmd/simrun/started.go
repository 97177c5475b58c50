package main

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
)

// startedAs is how a person starts the program that runs as arg0 in dir: with
// go run in the repository, else by its name.
func startedAs(arg0, dir string) string {
	_, err := os.Stat(filepath.Join(dir, "cmd", "simrun", "main.go"))
	if err == nil && strings.Contains(filepath.ToSlash(arg0), "/go-build") {
		return show.Command
	}
	return "simrun"
}

// version tells what was built, as far as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of an unknown version"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(text, s.Value[:min(len(s.Value), 12)]) {
			text += " " + s.Value
		}
	}
	return strings.TrimSpace(text + " " + info.GoVersion)
}
