package fakesmtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// A listener is one in memory, on net.Pipe.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newListener() *listener { return &listener{conns: make(chan net.Conn), done: make(chan struct{})} }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

func (l *listener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// A world is a server in a bubble, and what it said of its clients.
type world struct {
	t *testing.T
	*Server
	l     *listener
	start time.Time
	mu    sync.Mutex
	facts []spec.Fact
}

// inWorld runs f in a bubble with a server that follows script.
func inWorld(t *testing.T, script string, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, l: newListener(), start: time.Now()}
		w.Server = NewServer("mx1", mustParse(t, script), w.note)
		served := make(chan error, 1)
		go func() { served <- w.Serve(w.l) }()
		f(w)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func (w *world) note(f spec.Fact) {
	if f.Actor != "server mx1" || f.Host != "mx1" || f.Session == "" {
		w.t.Errorf("a fact of nobody: %s", f)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.At = spec.WallOf(time.Now())
	w.facts = append(w.facts, f)
}

// told returns the facts of the given kinds, with the time since the start.
func (w *world) told(kinds ...spec.FactKind) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, f := range w.facts {
		if !slices.Contains(kinds, f.Kind) {
			continue
		}
		parts := []string{f.At.Time().Sub(w.start).String(), string(f.Kind)}
		for _, p := range []string{f.Message, strings.Join(f.To, ","), f.Reply, f.Text} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		if f.State != 0 {
			parts = append(parts, f.State.String())
		}
		all = append(all, strings.Join(parts, " "))
	}
	return all
}

// happened is what is told beside the dialogue.
func (w *world) happened() []string {
	return w.told(spec.FactFault, spec.FactRefusedRecipient, spec.FactAccepted, spec.FactReplied, spec.FactReportSeen, spec.FactUnlawful)
}

func (w *world) check(want ...string) {
	w.t.Helper()
	synctest.Wait()
	if d := cmp.Diff(want, w.happened()); d != "" {
		w.t.Errorf("facts (-want +got):\n%s", d)
	}
}

// A talk is a raw client.
type talk struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (w *world) connect() *talk {
	conn := w.l.dial()
	return &talk{w.t, conn, bufio.NewReader(conn)}
}

// send writes text, in one piece.
func (k *talk) send(text string) {
	k.t.Helper()
	if _, err := io.WriteString(k.conn, text); err != nil {
		k.t.Errorf("sending %.40q: %v", text, err)
	}
}

// read reads a reply and demands that it begins with want.
func (k *talk) read(want string) {
	k.t.Helper()
	var lines []string
	for {
		line, err := k.in.ReadString('\n')
		if err != nil {
			k.t.Fatalf("reading %s: %v after %q", want, err, append(lines, line))
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			break
		}
	}
	if got := strings.Join(lines, "|"); !strings.HasPrefix(got, want) {
		k.t.Fatalf("read %q, want %q", got, want)
	}
}

// ended demands that the server has ended the connection, after rest.
func (k *talk) ended(rest string) {
	k.t.Helper()
	got, err := io.ReadAll(k.in)
	if string(got) != rest || err != nil && !errors.Is(err, io.ErrClosedPipe) {
		k.t.Errorf("the connection ends after %q with %v, want %q", got, err, rest)
	}
	k.conn.Close()
}

// do sends commands, one by one, and demands a reply to each: "COMMAND = CODE".
func (k *talk) do(dialogue ...string) {
	k.t.Helper()
	for _, d := range dialogue {
		command, want, ok := strings.Cut(d, " = ")
		if !ok {
			command, want = d, "2"
		}
		k.send(command + "\r\n")
		k.read(want)
	}
}

// greet goes as far as EHLO.
func (k *talk) greet() *talk {
	k.t.Helper()
	k.read("220 mx1")
	k.do("EHLO client.example")
	return k
}

// envelope goes as far as 354.
func (k *talk) envelope(to ...string) *talk {
	k.t.Helper()
	k.do("MAIL FROM:<alice@example.org>")
	for _, r := range to {
		k.do(fmt.Sprintf("RCPT TO:<%s>", r))
	}
	k.do("DATA = 354")
	return k
}

const content = "Message-ID: <m1@example.org>\r\nSubject: x\r\n\r\nHello\r\n"

// The hash of content.
func contentHash(text string) string {
	h := spec.NewContentHash()
	io.WriteString(h, text)
	return h.Sum()
}
