package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

const serverAddr = "192.0.2.10:25"

// connected runs f with the two ends of a connection: the relay's and that of
// the server.
func connected(t *testing.T, f func(t *testing.T, w *world, client, server net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := emptyWorld(nil)
		p := w.newProcess()
		l, err := w.listen(w.nature, serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		client, err := w.dial(t.Context(), p, relayIP, serverAddr)
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		f(t, w, client, server)
		w.mu.Lock()
		p.kill(true)
		w.nature.kill(true)
		w.mu.Unlock()
	})
}

// read reads until an error, which it returns with what came.
func read(c net.Conn) (string, error) {
	var b bytes.Buffer
	_, err := io.Copy(&b, c)
	return b.String(), err
}

// TestAReadThatWouldNotWaitIsForeseen: bytes have come, or the end has, of
// either kind; and not before.
func TestAReadThatWouldNotWaitIsForeseen(t *testing.T) {
	for name, does := range map[string]func(s net.Conn){
		"bytes": func(s net.Conn) { _, _ = io.WriteString(s, "x") },
		"FIN":   func(s net.Conn) { s.Close() },
		"RST":   func(s net.Conn) { _ = s.(*conn).SetLinger(0); s.Close() },
	} {
		connected(t, func(t *testing.T, _ *world, client, server net.Conn) {
			c := client.(seam.Peeker)
			if c.Readable() {
				t.Errorf("%s: it is readable before", name)
			}
			does(server)
			time.Sleep(time.Second)
			if !c.Readable() {
				t.Errorf("%s: it is not readable after", name)
			}
			client.Close()
			if c.Readable() {
				t.Errorf("%s: it is readable though closed", name)
			}
		})
	}
}

func TestConnectionEnds(t *testing.T) {
	say := func(c net.Conn, text string) { _, _ = io.WriteString(c, text) }
	for _, tt := range []struct {
		name string
		// server does what it does; then the client reads to the end.
		server func(s net.Conn)
		want   string
		err    error
	}{
		{"close sends FIN behind the data", func(s net.Conn) { say(s, "bye"); s.Close() }, "bye", nil},
		{"close-write sends FIN", func(s net.Conn) { say(s, "bye"); _ = s.(*conn).CloseWrite() }, "bye", nil},
		{"linger 0 sends RST", func(s net.Conn) { say(s, "b"); _ = s.(*conn).SetLinger(0); s.Close() }, "b", syscall.ECONNRESET},
		{"closing with unread input sends RST", func(s net.Conn) {
			time.Sleep(time.Second) // until the client's words have come
			s.Close()
		}, "", syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			connected(t, func(t *testing.T, w *world, client, server net.Conn) {
				say(client, "hello")
				if !strings.Contains(tt.name, "unread") {
					if _, err := io.ReadFull(server, make([]byte, 5)); err != nil {
						t.Fatal(err)
					}
				}
				tt.server(server)
				got, err := read(client)
				if got != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("read %q, %v; want %q, %v", got, err, tt.want, tt.err)
				}
			})
		})
	}
}

func TestWriteToAClosedPeerIsReset(t *testing.T) {
	connected(t, func(t *testing.T, w *world, client, server net.Conn) {
		server.Close()
		if _, err := client.Write([]byte("lost")); err != nil {
			t.Errorf("the first write cannot know: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := client.Write([]byte("lost")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("the write after the RST: %v", err)
		}
	})
}

func TestWriterWaitsForTheWindow(t *testing.T) {
	connected(t, func(t *testing.T, w *world, client, server net.Conn) {
		big := bytes.Repeat([]byte("0123456789"), window/4)
		if err := client.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Write(big); n != window || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes to a peer that does not read, %v; the window is %d", n, err, window)
		}
		_ = client.SetWriteDeadline(time.Time{})
		go func() {
			_, _ = client.Write(big[window:])
			client.Close()
		}()
		if got, err := read(server); got != string(big) || err != nil {
			t.Errorf("%d of %d bytes came whole: %v", len(got), len(big), err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	connected(t, func(t *testing.T, w *world, client, server net.Conn) {
		began := time.Now()
		_ = client.SetReadDeadline(began.Add(5 * time.Minute))
		_, err := client.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read past its deadline: %v", err)
		}
		if took := time.Since(began); took < 5*time.Minute || took > 5*time.Minute+time.Millisecond {
			t.Errorf("the deadline of 5m fired after %v", took)
		}
		_ = client.SetReadDeadline(time.Time{})
		_, _ = server.Write([]byte("x"))
		time.Sleep(time.Second)
		_ = client.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a deadline in the past does not count before data: %v", err)
		}
	})
}

func TestDeadlineWakesAReader(t *testing.T) {
	connected(t, func(t *testing.T, w *world, client, server net.Conn) {
		woken := make(chan error)
		go func() {
			_, err := client.Read(make([]byte, 1))
			woken <- err
		}()
		synctest.Wait()
		_ = client.SetReadDeadline(time.Now())
		if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the reader was told %v", err)
		}
	})
}

func TestCloseWakesAReader(t *testing.T) {
	connected(t, func(t *testing.T, w *world, client, server net.Conn) {
		woken := make(chan error)
		go func() {
			_, err := client.Read(make([]byte, 1))
			woken <- err
		}()
		synctest.Wait()
		client.Close()
		if err := <-woken; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the reader was told %v", err)
		}
	})
}

func TestCrashAsPeersSeeIt(t *testing.T) {
	for _, silent := range []bool{false, true} {
		connected(t, func(t *testing.T, w *world, client, server net.Conn) {
			w.mu.Lock()
			w.crash(&crashStep{Step: scenarios.Step{Silent: silent}})
			w.mu.Unlock()
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the dead process reads: %v", err)
			}
			_ = server.SetReadDeadline(time.Now().Add(time.Hour))
			_, err := server.Read(make([]byte, 1))
			if want := map[bool]error{false: syscall.ECONNRESET, true: os.ErrDeadlineExceeded}[silent]; !errors.Is(err, want) {
				t.Errorf("silent %t: the peer reads %v, want %v", silent, err, want)
			}
		})
	}
}

// What a dead process still does hangs on the scheduler, and must not be seen:
// not even in how long the next process takes.
func TestADeadProcessDialsNobody(t *testing.T) {
	connected(t, func(t *testing.T, w *world, _, _ net.Conn) {
		w.mu.Lock()
		p := w.newProcess()
		p.kill(true)
		w.mu.Unlock()
		if _, err := w.dial(t.Context(), p, relayIP, serverAddr); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the dead process connects: %v", err)
		}
		if n := w.network.dials[serverAddr]; n != 1 {
			t.Errorf("%d dials are counted, want that of the living", n)
		}
	})
}

func TestDial(t *testing.T) {
	sc := func(network string, until time.Duration) *scenarios.Scenario {
		return &scenarios.Scenario{
			Name: "test", Seed: 1, Policy: spec.DefaultPolicy("relay.example"),
			DNS:     []scenarios.Record{{Name: "mx1.example.net.", Type: "A", Value: "192.0.2.10"}},
			Servers: []scenarios.Server{{Name: "mx1.example.net", Peer: true, Network: network, NetworkUntil: until}},
		}
	}
	for _, tt := range []struct {
		name     string
		scenario *scenarios.Scenario
		addr     string
		patience time.Duration
		want     error
		took     time.Duration
	}{
		{"a server answers", sc("", 0), serverAddr, 0, nil, 0},
		{"a refused one does not", sc("refused", 0), serverAddr, 0, syscall.ECONNREFUSED, 0},
		{"nor an unreachable one", sc("unreachable", 0), serverAddr, 0, syscall.EHOSTUNREACH, 0},
		{"an address of nobody refuses", sc("", 0), "192.0.2.99:25", 0, syscall.ECONNREFUSED, 0},
		{"silence lasts as long as the context", sc("silent", 0), serverAddr, 30 * time.Second, context.DeadlineExceeded, 30 * time.Second},
		{"or as TCP tries", sc("silent", 0), serverAddr, 0, syscall.ETIMEDOUT, tcpTimeout},
		{"trouble ends in time", sc("refused", time.Nanosecond), serverAddr, 0, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := emptyWorld(tt.scenario)
				p := w.newProcess()
				time.Sleep(time.Microsecond)
				ctx := t.Context()
				if tt.patience > 0 {
					bounded, cancel := context.WithTimeout(ctx, tt.patience)
					defer cancel()
					ctx = bounded
				}
				began := time.Now()
				c, err := w.dial(ctx, p, relayIP, tt.addr)
				if !errors.Is(err, tt.want) {
					t.Errorf("dialling: %v, want %v", err, tt.want)
				}
				if took := time.Since(began); took < tt.took || took > tt.took+time.Second {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if err == nil {
					c.Close()
				}
				w.relay.done = make(chan struct{})
				close(w.relay.done)
				w.relay.cancel = func() {}
				w.finish()
			})
		})
	}
}

func TestInstantsAreNeverSharedInOneWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		seen := map[time.Duration]bool{}
		for i := range 10_000 {
			at := c.claim(time.Duration(i%7) * time.Second)
			if at <= c.now() || seen[at%time.Second] {
				t.Fatalf("instant %v is in the past, or shares its fraction of a second with another", at)
			}
			seen[at%time.Second] = true
		}
	})
}

func TestStreamsAreSplitByName(t *testing.T) {
	a, b, c := stream(1, "a"), stream(1, "a"), stream(1, "b")
	x, y, z := a.Uint64(), b.Uint64(), c.Uint64()
	if x != y || x == z || x == stream(2, "a").Uint64() {
		t.Errorf("one seed and name gave %x and %x; another name %x", x, y, z)
	}
}

// TestAProcessThatEndsSaysGoodbye: its system ends what it left open with FIN,
// or with RST where something is unread (RFC 2525 section 2.17).
func TestAProcessThatEndsSaysGoodbye(t *testing.T) {
	for name, test := range map[string]struct {
		unread string
		want   error
	}{"nothing unread": {"", io.EOF}, "something unread": {"220 mx1\r\n", syscall.ECONNRESET}} {
		connected(t, func(t *testing.T, w *world, client, server net.Conn) {
			if _, err := server.Write([]byte(test.unread)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.mu.Lock()
			client.(*conn).owner.leave()
			w.mu.Unlock()
			if _, err := server.Read(make([]byte, 10)); !errors.Is(err, test.want) {
				t.Errorf("%s: the server reads %v, want %v", name, err, test.want)
			}
		})
	}
}
