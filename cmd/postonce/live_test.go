package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// A site is the outside world of a live test: DNS on a real port, scripted
// servers on real listeners, and the relay as a process of its own.
type site struct {
	t      *testing.T
	dir    string
	binary string
	listen string
	// env is added to the environment of the relay's processes.
	env   []string
	port  int
	log   transcript
	cmd   *exec.Cmd
	ended chan error

	mu       sync.Mutex
	accepted map[string]int // "message recipient" -> acceptances
	reports  map[string]int // "message recipient state" -> reports
	changed  chan struct{}
	// onAccept is called when a server has accepted, before it replies.
	onAccept func(spec.Fact)
}

// A transcript is what the relay's processes printed.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// binary builds the relay once for all live tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "postonce-live")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "postonce")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// newSite starts DNS and servers: mx.example.net with the script, and
// mail.example.org, where reports arrive.
func newSite(t *testing.T, script, config string) *site {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: t.TempDir(), binary: path, accepted: map[string]int{}, reports: map[string]int{}, changed: make(chan struct{}, 1)}
	s.port = s.serve("mx.example.net", "127.0.0.2", 0, script)
	s.serve("mail.example.org", "127.0.0.3", s.port, "")
	dns := s.dns()
	s.listen = freeAddr(t)
	text := fmt.Sprintf("hostname: relay.example\nlisten: %s\nspool: %s\nport: %d\nresolvers: [%q]\n%s",
		s.listen, filepath.Join(s.dir, "spool"), s.port, dns, config)
	if err := os.WriteFile(filepath.Join(s.dir, "postonce.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) serve(name, ip string, port int, text string) int {
	s.t.Helper()
	script, err := fakesmtp.ParseScript(name, 1, text)
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", ip, port))
	if err != nil {
		s.t.Fatal(err)
	}
	server := fakesmtp.NewServer(name, script, s.note)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	s.t.Cleanup(func() {
		if err := server.Close(); err != nil {
			s.t.Error(err)
		}
		<-served
	})
	return l.Addr().(*net.TCPAddr).Port
}

func (s *site) dns() string {
	s.t.Helper()
	zones := map[string]mockdns.Zone{
		"example.net.":      {MX: []net.MX{{Host: "mx.example.net.", Pref: 10}}},
		"mx.example.net.":   {A: []string{"127.0.0.2"}},
		"example.org.":      {MX: []net.MX{{Host: "mail.example.org.", Pref: 10}}},
		"mail.example.org.": {A: []string{"127.0.0.3"}},
	}
	server, err := mockdns.NewServerWithLogger(zones, discard{}, false)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = server.Close() })
	return server.LocalAddr().String()
}

type discard struct{}

func (discard) Printf(string, ...any) {}

func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// note takes the servers' facts: the truth.
func (s *site) note(f spec.Fact) {
	s.mu.Lock()
	switch f.Kind {
	case spec.FactAccepted:
		for _, to := range f.To {
			s.accepted[f.Message+" "+to]++
		}
	case spec.FactReportSeen:
		s.reports[fmt.Sprint(f.Text, " ", f.To[0], " ", f.State)]++
	case spec.FactUnlawful:
		s.t.Errorf("unlawful at %s: %s", f.Stage, f.Text)
	}
	hook := s.onAccept
	s.mu.Unlock()
	if f.Kind == spec.FactAccepted && hook != nil {
		hook(f)
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// start runs the relay and waits until it takes mail.
func (s *site) start() {
	s.t.Helper()
	s.startLogging(&s.log)
}

// startLogging is start with another place for all that the relay prints.
func (s *site) startLogging(to io.Writer) {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, "serve", "--config", filepath.Join(s.dir, "postonce.yaml"))
	s.cmd.Stdout, s.cmd.Stderr = to, to
	s.cmd.Env = append(os.Environ(), s.env...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(s.cmd, s.ended)
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := net.Dial("tcp", s.listen)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case err := <-s.ended:
			s.t.Fatalf("the relay ended: %v\n%s", err, s.log.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.t.Fatal("the relay does not listen after 20 s")
}

func (s *site) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// stop asks the relay to end and checks that it does so cleanly.
func (s *site) stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.ended:
		if err != nil {
			s.t.Fatalf("SIGTERM: %v\n%s", err, s.log.String())
		}
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // the goroutines' stacks
		<-s.ended
		s.t.Fatalf("still running 20 s after SIGTERM\n%s", s.log.String())
	}
}

// submit sends one small message and returns nil when the relay said 250.
func (s *site) submit(id, to string) error {
	return s.send(to, fmt.Sprintf("Message-ID: <%s>\r\nFrom: alice@example.org\r\nSubject: live\r\n\r\nHello\r\n.dot\r\n", id))
}

// send submits a message. What comes after the 250 does not matter: the relay
// may be killed by then.
func (s *site) send(to, content string) error {
	c, err := smtp.Dial(s.listen)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := errors.Join(c.Mail("alice@example.org"), c.Rcpt(to)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit()
	return nil
}

// await waits until the condition holds, looking after each fact.
func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		ok := holds()
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			s.t.Fatalf("no %s after a minute; accepted %v, reports %v\n%s", what, s.accepted, s.reports, s.log.String())
		}
	}
}

// spool lists the stopped relay's queue.
func (s *site) spool() string {
	s.t.Helper()
	out, err := exec.Command(s.binary, "queue", "list", "--config", filepath.Join(s.dir, "postonce.yaml")).CombinedOutput()
	if err != nil {
		s.t.Fatalf("queue list: %v\n%s", err, out)
	}
	return string(out)
}

// decide decides about the one message in the spool, which is gone then.
func (s *site) decide(decision string) {
	id, _, _ := strings.Cut(s.spool(), " ")
	out, err := exec.Command(s.binary, "queue", "decide", decision, id, "--config", filepath.Join(s.dir, "postonce.yaml")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "is "+decision) {
		s.t.Errorf("%v: %s", err, out)
	}
	if list := s.spool(); list != "The queue is empty.\n" {
		s.t.Errorf("after the decision the spool lists:\n%s", list)
	}
}

// listed lists a killed relay's spool and shows the one message in it, which
// must not change a byte of it.
func (s *site) listed() {
	before := s.files()
	id, _, _ := strings.Cut(s.spool(), " ")
	if out, err := exec.Command(s.binary, "queue", "show", id, "--config", filepath.Join(s.dir, "postonce.yaml")).CombinedOutput(); err != nil {
		s.t.Errorf("queue show: %v\n%s", err, out)
	}
	if after := s.files(); after != before {
		s.t.Errorf("looking at the spool changed it from\n%s\nto\n%s", before, after)
	}
}

// files describes the files of the spool: names, modes and sums.
func (s *site) files() string {
	all := ""
	err := filepath.Walk(filepath.Join(s.dir, "spool"), func(path string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all += fmt.Sprintf("%s %v %x\n", path, info.Mode(), sha256.Sum256(b))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// TestKillBetweenDotAndReplyForReal kills the process with SIGKILL after the
// server took the message and before it replied, and starts it again.
func TestKillBetweenDotAndReplyForReal(t *testing.T) {
	tests := []struct {
		policy      string
		acceptances int
		report      bool
		held        bool
	}{
		{"report", 1, true, false},
		{"hold", 1, false, true},
		{"retry", 2, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "", "in_doubt: {default: "+tt.policy+"}\nschedule: {first: 1s, max: 1s}\n")
			killed := make(chan struct{})
			var once sync.Once
			s.mu.Lock()
			s.onAccept = func(f spec.Fact) {
				if f.Host == "mx.example.net" {
					once.Do(func() { s.kill(); close(killed) })
				}
			}
			s.mu.Unlock()
			s.start()
			if err := s.submit("one@submit.example", "bob@example.net"); err != nil {
				t.Fatal(err)
			}
			<-killed
			s.listed()
			s.start()
			_ = s.cmd.Process.Signal(syscall.SIGHUP) // changes nothing
			const key = "one@submit.example bob@example.net"
			switch {
			case tt.report:
				s.await("report", func() bool { return s.reports[key+" unknown"] == 1 })
			case tt.held:
			default:
				s.await("second acceptance", func() bool { return s.accepted[key] == 2 })
			}
			s.stop()
			if s.accepted[key] != tt.acceptances {
				t.Errorf("servers took it %d times, want %d", s.accepted[key], tt.acceptances)
			}
			if tt.held {
				defer s.decide("delivered")
			}
			if list := s.spool(); strings.Contains(list, "held") != tt.held || strings.Contains(list, "bob@example.net") != tt.held {
				t.Errorf("held should be %v; the spool lists:\n%s", tt.held, list)
			}
		})
	}
}

// TestKilledTenTimesUnderLoad submits 200 messages while the relay is killed
// at ten random moments. Whatever it said 250 to is delivered once, or the
// sender is told that nobody knows.
func TestKilledTenTimesUnderLoad(t *testing.T) {
	const messages, kills = 200, 10
	s := newSite(t, "at rcpt <grey*@example.net>, attempt 1: 451 4.7.1 Greylisted\nat rcpt <no*@example.net>: 550 5.1.1 No such user\nat dot: delay 30ms\n",
		"schedule: {first: 1s, max: 1s}\n")
	random := rand.New(rand.NewPCG(1, 2))
	s.start()
	kinds := []string{"ok", "ok", "ok", "grey", "no"}
	acked := map[string]bool{}
	next := 0
	for k := range kills + 1 {
		for ; next < messages*(k+1)/(kills+1); next++ {
			id := fmt.Sprintf("m%d@submit.example", next)
			to := fmt.Sprintf("%s%d@example.net", kinds[next%len(kinds)], next)
			if err := s.submit(id, to); err != nil {
				t.Fatalf("%s: %v\n%s", id, err, s.log.String())
			}
			acked[id+" "+to] = true
		}
		if k < kills {
			time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
			s.kill()
			s.start()
		}
	}
	// A report is mail too: one that was on its way in a kill is in doubt, and
	// is not sent twice either. Nobody may be untold for another reason.
	s.await("end", func() bool {
		untold := 0
		for key := range acked {
			if s.accepted[key] == 0 && s.reports[key+" failed"]+s.reports[key+" unknown"] == 0 {
				untold++
			}
		}
		return untold <= strings.Count(s.log.String(), "msg=doubt")-inDoubt(s.log.String(), "@example.net")
	})
	s.stop()
	unknown := 0
	for key := range acked {
		if s.accepted[key] > 1 {
			t.Errorf("%s was accepted %d times", key, s.accepted[key])
		}
		if n := s.reports[key+" failed"] + s.reports[key+" unknown"]; n > 1 {
			t.Errorf("%s was reported %d times", key, n)
		}
		if s.reports[key+" failed"] > 0 && s.accepted[key] > 0 {
			t.Errorf("%s was accepted, and reported as failed", key)
		}
		unknown += s.reports[key+" unknown"]
	}
	t.Logf("%d messages, %d kills: %d in doubt", messages, kills, unknown)
}

// inDoubt counts the recipients that the relay found in doubt in a domain.
func inDoubt(log, domain string) int {
	n := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=doubt") && strings.Contains(line, domain+" ") {
			n++
		}
	}
	return n
}

// TestFiftyMegabytesRelayInLittleMemory relays a message of 50 MB and looks at
// what the process needed at most.
func TestFiftyMegabytesRelayInLittleMemory(t *testing.T) {
	s := newSite(t, "offer PIPELINING, 8BITMIME, SIZE 100000000\n", "")
	s.start()
	if err := s.submit("small@submit.example", "bob@example.net"); err != nil {
		t.Fatal(err)
	}
	s.await("small message", func() bool { return s.accepted["small@submit.example bob@example.net"] == 1 })
	before := s.peak()
	line := strings.Repeat("x", 74) + "\r\n"
	content := "Message-ID: <big@submit.example>\r\nSubject: big\r\n\r\n" + strings.Repeat(line, 50_000_000/len(line))
	if err := s.send("bob@example.net", content); err != nil {
		t.Fatal(err)
	}
	s.await("big message", func() bool { return s.accepted["big@submit.example bob@example.net"] == 1 })
	extra := s.peak() - before
	s.stop()
	t.Logf("peak before %d KiB, extra %d KiB", before, extra)
	if extra > 32<<10 {
		t.Errorf("50 MB took %d KiB of extra memory, more than 32 MiB", extra)
	}
}

// peak is the process's peak resident memory in KiB (VmHWM of proc(5)).
func (s *site) peak() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		s.t.Skip("no /proc here")
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); !ok || err != nil {
		s.t.Fatalf("no VmHWM in %s", text)
	}
	return kib
}
