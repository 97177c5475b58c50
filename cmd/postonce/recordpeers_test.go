package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeersAreRecorded has simrun stand between a client and servers that others
// wrote: what it makes of the conversation holds as it is.
func TestPeersAreRecorded(t *testing.T) {
	simrun := filepath.Join(t.TempDir(), "simrun")
	for _, name := range []string{"go-smtp", "postfix", "exim"} {
		t.Run(name, func(t *testing.T) {
			p := startPeer(t, name)
			if _, err := os.Stat(simrun); err != nil {
				if out, err := exec.Command("go", "build", "-o", simrun, "../simrun").CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			text := p.recorded(t, simrun)
			if !strings.Contains(text, "STARTTLS") || !strings.Contains(text, "delivered") || strings.Contains(text, "acme") {
				t.Errorf("the scenario is\n%s", text)
			}
			if name == "postfix" && (!strings.Contains(text, "at rcpt <carol@example.com>: 55") || !strings.Contains(text, "failed")) {
				t.Errorf("the refusal is not in\n%s", text)
			}
		})
	}
}

// recorded sends two messages through simrun record, and returns the scenario that
// it wrote and that holds.
func (p *peerSite) recorded(t *testing.T, simrun string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peer.txtar")
	cmd := exec.Command(simrun, "record", "--listen", "127.0.0.6:0", "--to", fmt.Sprintf("127.0.0.4:%d", p.port), "--sessions", "2", "-o", file)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	lines.Scan()
	_, addr, _ := strings.Cut(lines.Text(), "listening at ")
	addr, _, _ = strings.Cut(addr, " ")
	for _, to := range []string{"bob@example.net", "mary@acme.test"} {
		sendThrough(t, addr, to)
	}
	var rest bytes.Buffer
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, rest.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(simrun, "run", file).CombinedOutput(); err != nil {
		t.Errorf("it does not hold: %v\n%s\n%s", err, text, out)
	}
	return string(text)
}

// sendThrough sends a message over STARTTLS, as far as that goes.
func sendThrough(t *testing.T, addr, to string) {
	t.Helper()
	client, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	if err := client.Mail("boss@acme.test"); err != nil {
		t.Fatal(err)
	}
	if client.Rcpt(to) == nil {
		w, err := client.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("From: boss@acme.test\r\nSubject: secret plans\r\n\r\nHello\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Quit(); err != nil {
		t.Fatal(err)
	}
}
