package hostos

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func TestDialReachesAListener(t *testing.T) {
	h := host(t, patient, "127.0.0.1")
	l, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	h.Start(func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "220 hello\r\n")
		_ = conn.Close()
	})
	conn, err := h.Dial(t.Context(), netip.Addr{}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "220 hello\r\n" {
		t.Errorf("read %q, %v", got, err)
	}
	_ = conn.Close()
	<-done
}

// TestAConnectionComesFromTheAddressThatItIsToComeFrom: or there is none.
func TestAConnectionComesFromTheAddressThatItIsToComeFrom(t *testing.T) {
	h := host(t, patient, "127.0.0.1")
	l, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if runtime.GOOS == "linux" { // elsewhere there is one loopback address
		conn, err := h.Dial(t.Context(), netip.MustParseAddr("127.0.0.7"), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if from := conn.LocalAddr().String(); !strings.HasPrefix(from, "127.0.0.7:") {
			t.Errorf("it comes from %s", from)
		}
	}
	if conn, err := h.Dial(t.Context(), netip.MustParseAddr("192.0.2.7"), l.Addr().String()); err == nil {
		t.Errorf("it comes from %s, and this machine has no 192.0.2.7", conn.LocalAddr())
	}
}

func TestAConnectionSaysWhetherSomethingHasArrived(t *testing.T) {
	h := host(t, patient, "127.0.0.1")
	l, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := h.Dial(t.Context(), netip.Addr{}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	peeked := near.(seam.Peeker)
	if peeked.Readable() {
		t.Error("readable before anything was sent")
	}
	// The other direction and a deadline that has passed change nothing.
	_, _ = io.WriteString(near, "hello")
	_ = near.SetDeadline(time.Unix(1, 0))
	if peeked.Readable() {
		t.Error("readable because of what was written, or of the deadline")
	}
	_ = near.SetDeadline(time.Time{})
	_, _ = io.WriteString(far, "2")
	if _, err := io.ReadFull(near, make([]byte, 1)); err != nil || peeked.Readable() {
		t.Errorf("after the one byte was read (%v): readable is %t", err, peeked.Readable())
	}
	_, _ = io.WriteString(far, "5")
	await(t, "a byte", near)
	if _, err := io.ReadFull(near, make([]byte, 1)); err != nil {
		t.Errorf("peeking has taken the byte: %v", err)
	}
	_ = far.Close()
	await(t, "the end", near)
}

// await waits until something arrives.
func await(t *testing.T, what string, c net.Conn) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err == nil {
		err = raw.Read(readable)
	}
	if err != nil || !c.(seam.Peeker).Readable() {
		t.Errorf("%s has arrived (%v), and is not seen", what, err)
	}
}

func TestDialRefusesNames(t *testing.T) {
	h := host(t, patient, "127.0.0.1")
	for _, addr := range []string{"localhost:25", "192.0.2.1", "192.0.2.1:smtp", ":25", ""} {
		if conn, err := h.Dial(t.Context(), netip.Addr{}, addr); err == nil {
			_ = conn.Close()
			t.Errorf("%q was dialled", addr)
		} else if !strings.Contains(err.Error(), "not an IP address and port") {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if conn, err := host(t, patient, "127.0.0.1").Dial(ctx, netip.Addr{}, "127.0.0.1:9"); err == nil {
		_ = conn.Close()
		t.Error("connected")
	}
}

func TestRandomStreamsDependOnSeedAndName(t *testing.T) {
	draw := func(seed uint64, name string) [4]uint64 {
		h, err := New(Config{Resolvers: []string{"127.0.0.1"}, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		h.Random("another").Uint64() // has no influence
		r := h.Random(name)
		return [4]uint64{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
	}
	first, again := draw(7, "route"), draw(7, "route")
	if first != again {
		t.Error("the same seed and name differ")
	}
	if first == draw(7, "queue") {
		t.Error("two names are the same stream")
	}
	if first == draw(8, "route") {
		t.Error("two seeds give the same stream")
	}
	if first, again = draw(0, "route"), draw(0, "route"); first == again {
		t.Error("without a seed, two processes draw the same")
	}
}

func TestNoteStampsFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got spec.Fact
		note := stamped(func(f spec.Fact) { got = f })
		time.Sleep(time.Minute)
		note(spec.Fact{Kind: spec.FactReady, Count: 3, Actor: "nobody"})
		if got.At != spec.WallOf(time.Now()) || got.Actor != spec.ActorRelay || got.Kind != spec.FactReady || got.Count != 3 {
			t.Errorf("%+v", got)
		}
		stamped(nil)(spec.Fact{})
	})
}

func TestNameServers(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name       string
		configured []string
		path       string
		want       []string
		err        string
	}{
		{name: "configured", configured: []string{"192.0.2.53", "192.0.2.54:5353", "2001:db8::53", "[2001:db8::54]:5353"},
			want: []string{"192.0.2.53:53", "192.0.2.54:5353", "[2001:db8::53]:53", "[2001:db8::54]:5353"}},
		{name: "a name", configured: []string{"dns.example.net"}, err: `"dns.example.net"`},
		{name: "a file", path: write("# local\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example.org\n"),
			want: []string{"192.0.2.53:53", "[fe80::1%eth0]:53"}},
		{name: "at most three of a file", path: write(strings.Repeat("nameserver 192.0.2.1\n", 5)),
			want: []string{"192.0.2.1:53", "192.0.2.1:53", "192.0.2.1:53"}},
		{name: "a file without servers", path: write("search example.org\n"), want: []string{"127.0.0.1:53"}},
		{name: "no file", path: filepath.Join(t.TempDir(), "none"), want: []string{"127.0.0.1:53"}},
		{name: "a file with a name", path: write("nameserver dns.example.net\n"), err: `"dns.example.net"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := nameServers(tt.configured, tt.path)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, %v; want an error with %s", got, err, tt.err)
				}
				return
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	if _, err := New(Config{Resolvers: []string{"x"}}); err == nil {
		t.Error("New took a name for a resolver")
	}
}

func TestLogNoteWritesOneLineOfWhatTheFactHas(t *testing.T) {
	at := spec.WallOf(time.Date(2026, 3, 2, 9, 0, 0, 5, time.UTC))
	tests := []struct {
		fact spec.Fact
		want string
	}{
		{spec.Fact{At: at, Actor: spec.ActorRelay, Kind: spec.FactReady},
			`time=2026-03-02T09:00:00.000Z level=INFO msg=ready relay=r1 actor=relay`},
		{spec.Fact{At: at, Kind: spec.FactTrouble, Queue: "q1", Stage: spec.StageRCPT, Event: spec.Reply4, Verdict: spec.Defer,
			Reply: "451 4.7.1 later\nor never"},
			`time=2026-03-02T09:00:00.000Z level=WARN msg=trouble relay=r1 queue=q1 stage=rcpt event=4yz verdict=defer reply="451 4.7.1 later\nor never"`},
		{spec.Fact{At: at, Kind: spec.FactHalt, Text: "disk"}, `time=2026-03-02T09:00:00.000Z level=ERROR msg=halt relay=r1 text=disk`},
		{spec.Fact{At: at, Kind: spec.FactDot}, `time=2026-03-02T09:00:00.000Z level=DEBUG msg=dot relay=r1`},
		{spec.Fact{At: at, Kind: spec.FactIdle}, `time=2026-03-02T09:00:00.000Z level=DEBUG msg=idle relay=r1`},
		{spec.Fact{At: at, Kind: spec.FactTLS, Host: "mx.x", Name: "mx.x", Names: []string{"x"}, Text: "TLS 1.3"},
			`time=2026-03-02T09:00:00.000Z level=INFO msg=tls relay=r1 host=mx.x name=mx.x names=[x] text="TLS 1.3"`},
		{spec.Fact{At: at, Kind: spec.FactOutcome,
			Message: "m1@x", Job: "j1", From: "<>", To: []string{"a@x", "b@x"}, Dest: "x", Host: "mx.x", Addr: "192.0.2.1:25",
			Session: "192.0.2.9:4", Attempt: 2, State: spec.Queued, Due: at, Count: 7, Hash: "h"},
			`time=2026-03-02T09:00:00.000Z level=INFO msg=outcome relay=r1 message=m1@x job=j1 to="[a@x b@x]" from=<> ` +
				`dest=x host=mx.x addr=192.0.2.1:25 session=192.0.2.9:4 attempt=2 state=queued due=2026-03-02T09:00:00.000000005Z count=7 hash=h`},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		LogNote(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})).With("relay", "r1"))(tt.fact)
		if got := b.String(); got != tt.want+"\n" {
			t.Errorf("got  %swant %s", got, tt.want)
		}
	}
}

func TestLogNoteKeepsToTheLevel(t *testing.T) {
	var b bytes.Buffer
	note := LogNote(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn})))
	note(spec.Fact{Kind: spec.FactDot})
	note(spec.Fact{Kind: spec.FactQueued})
	if b.Len() > 0 {
		t.Errorf("logged %s", &b)
	}
	for _, kind := range []spec.FactKind{spec.FactTrouble, spec.FactDoubt, spec.FactDamaged, spec.FactHalt} {
		b.Reset()
		if note(spec.Fact{Kind: kind}); b.Len() == 0 {
			t.Errorf("%s was not logged", kind)
		}
	}
}

func TestListenFailsOnAnAddressInUse(t *testing.T) {
	h := host(t, patient, "127.0.0.1")
	l, err := h.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if again, err := h.Listen(l.Addr().String()); err == nil {
		_ = again.Close()
		t.Errorf("%v was opened twice", l.Addr().(*net.TCPAddr))
	}
}
