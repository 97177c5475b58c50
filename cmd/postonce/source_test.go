package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckNotesASourceThatTheMachineLacks: and calls the configuration good, since
// the machine may get the address later.
func TestCheckNotesASourceThatTheMachineLacks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "postonce.yaml")
	text := "hostname: mail.example.org\nsource: {default: [192.0.2.7, '::1'], example.net: [192.0.2.7]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	status := run(testConsole(&out), []string{"check", file})
	const note = "note: this machine does not have the address 192.0.2.7 of source now"
	if status != exitOK || strings.Count(out.String(), note) != 1 || !strings.Contains(out.String(), "is good") || strings.Contains(out.String(), "::1") {
		t.Errorf("exit status %d:\n%s", status, out.String())
	}
}

func TestAnAddressOfAnInterfaceIsThere(t *testing.T) {
	c, err := parse([]byte("hostname: mail.example.org\nsource: {default: [192.0.2.7, '2001:db8::7']}\n"))
	if err != nil {
		t.Fatal(err)
	}
	here := []net.Addr{&net.IPNet{IP: net.ParseIP("192.0.2.7"), Mask: net.CIDRMask(24, 32)}}
	if missing := c.elsewhere(here); len(missing) != 1 || missing[0].String() != "2001:db8::7" {
		t.Errorf("missing: %v", missing)
	}
}
