package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
)

func TestExitStatusTellsUsageFromFailure(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"help", []string{"--help"}, exitOK, "survives power loss"},
		{"no command", []string{}, exitOK, "Available Commands"},
		{"help with an example", []string{"serve", "--help"}, exitOK, "    in_doubt:\n"},
		{"version", []string{"version"}, exitOK, "postonce "},
		{"unknown command", []string{"server"}, exitUsage, "there is no command \"server\": did you mean serve?\n\tsee postonce --help\n"},
		{"unknown command of queue", []string{"queue", "lst"}, exitUsage, "there is no command \"lst\": did you mean list?\n\tsee postonce queue --help\n"},
		{"unknown flag", []string{"serve", "--conf", "x"}, exitUsage, "unknown flag: --conf\n\tsee postonce serve --help\n"},
		{"--version", []string{"--version"}, exitOK, "postonce "},
		{"exit statuses", []string{"--help"}, exitOK, "The exit status is 0"},
		{"help about a command", []string{"help", "queue", "list"}, exitOK, "oldest first"},
		{"help about nothing", []string{"help", "sendmail"}, exitUsage, `there is no command "sendmail"`},
		{"a file to check", []string{"check", testConfig(t, "/x")}, exitOK, "is good"},
		{"what to do without a configuration", []string{"serve", "-c", missing}, exitUsage, "name yours with -c FILE; postonce serve --help"},
		{"two files to check", []string{"check", "a.yaml", "b.yaml"}, exitUsage, "name one configuration: check FILE, or check -c FILE"},
		{"a file to check, and another", []string{"check", testConfig(t, "/x"), "-c", missing}, exitUsage, "name one configuration: check FILE, or check -c FILE"},
		{"argument", []string{"serve", "x"}, exitUsage, "serve takes no arguments: \"x\" was given\n\tsee postonce serve --help\n"},
		{"argument to list", []string{"queue", "list", "x"}, exitUsage, "list takes no arguments: \"x\" was given\n\tsee postonce queue list --help\n"},
		{"argument to version", []string{"version", "x"}, exitUsage, "version takes no arguments"},
		{"no configuration", []string{"serve", "--config", missing}, exitUsage, "cannot be read"},
		{"no configuration to list with", []string{"queue", "list", "--config", missing}, exitUsage, "cannot be read"},
		{"spool is a file", []string{"serve", "--config", testConfig(t, file)}, exitFailure, "it is not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if status := run(testConsole(&out), c.args); status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("does not say %q:\n%s", c.says, out.String())
			}
		})
	}
}

func TestTheRelayStopsAtASignal(t *testing.T) {
	config := testConfig(t, filepath.Join(t.TempDir(), "spool"))
	source, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(source, "listen: 127.0.0.1:0\nresolvers: [127.0.0.1:9]\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGTERM
	var out strings.Builder
	c := testConsole(&out)
	c.signals = func() <-chan os.Signal {
		for range 300_000 { // time for what runs beside this to show itself
			runtime.Gosched()
		}
		if strings.Contains(out.String(), "msg=listening") {
			t.Error("signals are taken over only when the relay listens")
		}
		return signals
	}
	if status := run(c, []string{"serve", "--config", config}); status != exitOK {
		t.Errorf("exit status %d:\n%s", status, out.String())
	}
	for _, line := range []string{"msg=ready", "msg=stopping signal=terminated awaiting=0", "msg=stopped"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the log lacks %q:\n%s", line, out.String())
		}
	}
}

func TestVersionNamesTheBuild(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}},
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		ok   bool
		want string
	}{
		{info, true, "postonce v1.2.3 abc (modified) go1.26.8"},
		{&debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}}, true, "postonce (devel) go1.26.8"},
		{nil, false, "postonce, of an unknown build"},
	} {
		if got := version(c.info, c.ok); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
