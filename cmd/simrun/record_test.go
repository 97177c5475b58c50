package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/record"
	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/sim"
)

// A proxied is a recorder in front of a server.
type proxied struct {
	*record.Recorder
	addr string
	// stop ends the recording and waits for that.
	stop func()
}

// recorder puts a recorder in front of a server at an address.
func recorder(t *testing.T, to string) *proxied {
	t.Helper()
	r, err := record.New(to)
	if err != nil {
		t.Fatal(err)
	}
	if r.Roots, err = fakesmtp.Authorities(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, l) }()
	p := &proxied{Recorder: r, addr: l.Addr().String()}
	p.stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		served <- nil
	}
	t.Cleanup(p.stop)
	return p
}

// drafts writes the scenario of what was recorded, and demands that it holds as it
// is.
func drafts(t *testing.T, p *proxied) string {
	t.Helper()
	p.stop()
	var out, errs bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &errs, run: runWorlds, search: searchAll, now: fixedTime}
	file := filepath.Join(t.TempDir(), "draft.txtar")
	if err := c.writeDraft(t.Context(), p.Draft(), file); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if s := really(t, "run", file); s.status != sim.OK {
		t.Errorf("as it is it ends with %v:\n%s\n%s%s", s.status, text, s.out, s.err)
	}
	return string(text)
}

// hasLines demands lines in a text.
func hasLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

const realMail = "Subject: secret plans\r\n\r\nNobody is to read this.\r\n"

// hides demands that nothing of the real world is in a text.
func hides(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range append(secrets, "secret plans", "Nobody is to read", "acme", "jonathan") {
		if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("%q is in\n%s", secret, text)
		}
	}
}

func TestARecordingDoesAgainWhatTheServerDid(t *testing.T) {
	server := fakesmtp.New(t, `
		offer PIPELINING, SIZE 20480000, 8BITMIME, DSN
		at rcpt <jonathan@acme.test>, first 1: 451-4.7.1 <jonathan@acme.test> is greylisted|451 4.7.1 see https://postmaster.acme.test/17 about 10.1.2.3
		at rcpt <mary@acme.test>: 550 5.1.1 mary@acme.test: no such user
		at dot, nth 2: accept; 250 2.0.0 Ok; fin
	`)
	p := recorder(t, server.Addr())
	for range 3 {
		_ = smtp.SendMail(p.addr, nil, "Boss@Acme.test", []string{"jonathan@acme.test"}, []byte(realMail))
	}
	if err := smtp.SendMail(p.addr, nil, "boss@acme.test", []string{"mary@acme.test", "jonathan@acme.test"}, []byte(realMail)); err == nil {
		t.Error("mary was taken")
	}
	text := drafts(t, p)
	hasLines(t, text,
		"offer PIPELINING, SIZE 20480000, 8BITMIME, DSN",
		"at rcpt <bob@example.net>, first 1: 451-4.7.1 <bob@example.net> is greylisted|451 4.7.1 see https://host.example/17 about 203.0.113.1",
		"at rcpt <carol@example.net>: 550 5.1.1 carol@example.net: no such user",
	)
	hides(t, text, "10.1.2.3", "127.0.0.1")
}

func TestARecordingKeepsCutsAndTornReplies(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"at greeting: cut", "at greeting: cut"},
		{"at greeting: 554 5.7.1 No service; fin", "at greeting: 554 5.7.1 No service; fin"},
		{"at ehlo: 502 5.5.1 What?", "at ehlo: 502 5.5.1 What?"},
		{"at mail: 421 4.3.2 Closing; fin", "at mail: 421 4.3.2 Closing; fin"},
		{"at rcpt: fin", "at rcpt <bob@example.net>: fin"},
		{"at data: 554 5.5.1 No; fin", "at data: 554 5.5.1 No; fin"},
		{"at dot: accept; cut", "at dot: cut"},
		{"at dot: accept; cut after 2; 250 2.0.0 Ok", `at dot: raw "25"; cut`},
		{"at dot: 250-2.0.0 Ok|250 2.0.0 queued", "at dot: 250-2.0.0 Ok|250 2.0.0 queued"},
		{`at dot: raw "250 a;b|c\r\n"`, `at dot: raw "250 a;b|c\r\n"`},
		{"at greeting: 220-hello|220 world", "at greeting: 220-hello|220 world"},
	} {
		t.Run(c.script, func(t *testing.T) {
			p := recorder(t, fakesmtp.New(t, c.script).Addr())
			_ = smtp.SendMail(p.addr, nil, "boss@acme.test", []string{"jonathan@acme.test"}, []byte(realMail))
			text := drafts(t, p)
			if want := c.want; strings.HasPrefix(c.script, "at rcpt") || !strings.Contains(text, want) {
				hasLines(t, text, want)
			}
			hides(t, text)
		})
	}
}

// TestARecordingGoesThroughTLS: with the certificate of the proxy on one side, and
// the server's judged on the other.
func TestARecordingGoesThroughTLS(t *testing.T) {
	server := fakesmtp.New(t, `
		offer PIPELINING, STARTTLS, SIZE 1000000
		at handshake: present self-signed
		at rcpt <jonathan@acme.test>, first 1: 450 4.2.1 jonathan's mailbox is busy
	`)
	p := recorder(t, server.Addr())
	for range 2 {
		sendTLS(t, p.addr)
	}
	text := drafts(t, p)
	hasLines(t, text, "needs:  tls time", "offer PIPELINING, STARTTLS, SIZE 1000000", "at handshake: present self-signed",
		"at rcpt <bob@example.net>, first 1: 450 4.2.1 bob's mailbox is busy")
	hides(t, text)
	if len(server.Accepted()) != 1 {
		t.Errorf("%d messages came through", len(server.Accepted()))
	}
}

// sendTLS sends a message over STARTTLS, whatever comes of it.
func sendTLS(t *testing.T, addr string) {
	t.Helper()
	client, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Mail("boss@acme.test"), client.Rcpt("jonathan@acme.test")); err != nil {
		_ = client.Quit()
		return
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(realMail)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), client.Quit()); err != nil {
		t.Fatal(err)
	}
}

func TestARecordingLeavesCredentialsOut(t *testing.T) {
	server := fakesmtp.New(t, `auth jonathan "hunter2" PLAIN`)
	p := recorder(t, server.Addr())
	auth := smtp.PlainAuth("", "jonathan", "hunter2", "127.0.0.1")
	if err := smtp.SendMail(p.addr, auth, "boss@acme.test", []string{"mary@acme.test"}, []byte(realMail)); err != nil {
		t.Fatal(err)
	}
	text := drafts(t, p)
	hasLines(t, text, `auth relay "left-out"`, `login mx1.example.net relay "left-out" in clear`, "relays mx1.example.net")
	hides(t, text, "hunter2", "am9uYXRoYW4", "mary")
}

func TestARecordingOfNobodyIsNone(t *testing.T) {
	c := console{in: strings.NewReader(""), out: new(bytes.Buffer), err: new(bytes.Buffer), now: fixedTime}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := execute(ctx, c, []string{"record", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"}); got != sim.NoVerdict {
		t.Errorf("it ends with %v", got)
	}
	if s := simrun(t, holds, "record"); s.status != sim.Usage || !strings.Contains(s.err, "--to HOST:PORT") {
		t.Errorf("without a server it says %s", s.err)
	}
}

// TestARecordingEndsByItself: after so many sessions, or when all is quiet.
func TestARecordingEndsByItself(t *testing.T) {
	server := fakesmtp.New(t, "")
	for _, set := range []func(*record.Recorder){
		func(r *record.Recorder) { r.Sessions = 1 },
		func(r *record.Recorder) { r.Idle = time.Millisecond },
	} {
		r, err := record.New(server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		set(r)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- r.Serve(t.Context(), l) }()
		if err := smtp.SendMail(l.Addr().String(), nil, "boss@acme.test", []string{"mary@acme.test"}, []byte(realMail)); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if n := len(r.Draft().Mails); n != 1 {
			t.Errorf("%d messages were recorded", n)
		}
	}
}
