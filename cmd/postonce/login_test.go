package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canary is a secret that must not come to light.
const canary = "c4n4ry"

func TestSecretsAreReadFromWhereTheyAre(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("POSTONCE_TEST_SECRET", canary)
	for _, c := range []struct{ name, where, want string }{
		{"a file", "secret_file: " + put("a", canary), "is good"},
		{"a file with a line", "secret_file: " + put("b", canary+"\n"), "is good"},
		{"a file with a line of another system", "secret_file: " + put("c", canary+"\r\n"), "is good"},
		{"a variable", "secret_env: POSTONCE_TEST_SECRET", "is good"},
		{"a variable that is not set", "secret_env: POSTONCE_TEST_NONE", "the variable POSTONCE_TEST_NONE is not set"},
		{"no file", "secret_file: " + filepath.Join(dir, "none"), "no such file"},
		{"two lines", "secret_file: " + put("d", canary+"\n"+canary+"\n"), "control character"},
		{"NUL", "secret_file: " + put("e", canary+"\x00"), "it has a NUL"},
		{"no UTF-8", "secret_file: " + put("f", canary+"\xff"), "it is not UTF-8"},
		{"nothing", "secret_file: " + put("g", "\n"), "it is empty"},
		{"a large file", "secret_file: " + put("h", strings.Repeat(canary, 5000)), "longer than"},
		{"what SASLprep forbids", "secret_file: " + put("i", canary+"\ue000"), "SASLprep"},
		{"what SASLprep forbids, for PLAIN", "mechanisms: [PLAIN]\n    secret_file: " + put("j", canary+"\ue000"), "is good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := put("postonce.yaml", "hostname: mail.example.org\nrelays: [smart.example.com]\nlogin:\n  smart.example.com:\n    user: relay\n    "+c.where+"\n")
			var out strings.Builder
			status := run(testConsole(&out), []string{"check", path})
			if got := out.String(); !strings.Contains(got, c.want) || strings.Contains(got, canary) || (status == 0) != (c.want == "is good") {
				t.Errorf("status %d: %s", status, got)
			}
		})
	}
}

// TestASecretIsReadAnew: a password that is changed needs no other process.
func TestASecretIsReadAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	cfg := &config{Login: map[string]login{"Smart.example.com": {User: "relay", SecretFile: text(path)}}}
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := cfg.secret("smart.example.com"); got.Reveal() != want || err != nil {
			t.Errorf("%q, %v, want %q", got.Reveal(), err, want)
		}
	}
	if _, err := cfg.secret("other.example.com"); err == nil {
		t.Error("there is a secret for a host without a login")
	}
}
