package submission

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec/seam"
)

func TestContent(t *testing.T) {
	const added = "Message-ID: <Q1@relay>\r\n"
	received := strings.Repeat("Received: by x;\r\n\ta date\r\n", 100)
	long := strings.Repeat("x", 998)
	for _, c := range []struct {
		name, in, out, id string
		eightBit          bool
		err               error
	}{
		{name: "with Message-ID", in: "Message-ID: <a@b>\r\n\r\nx\r\n", out: "Message-ID: <a@b>\r\n\r\nx\r\n", id: "a@b"},
		{name: "any case, folded, with comment", in: "MESSAGE-id :\r\n (c)\r\n <a@b>\r\n\r\n", out: "MESSAGE-id :\r\n (c)\r\n <a@b>\r\n\r\n", id: "a@b"},
		{name: "without brackets", in: "Message-ID: a@b \r\n\r\n", out: "Message-ID: a@b \r\n\r\n", id: "a@b"},
		{name: "empty Message-ID", in: "Message-ID:\r\nTo: x\r\n\r\n", out: "Message-ID:\r\nTo: x\r\n\r\n", id: "Q1@relay"},
		{name: "two, the first counts", in: "Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", out: "Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", id: "a@b"},
		{name: "missing", in: "To: x\r\n\r\nMessage-ID: <a@b>\r\n", out: "To: x\r\n" + added + "\r\nMessage-ID: <a@b>\r\n", id: "Q1@relay"},
		{name: "missing, no body", in: "To: x\r\n", out: "To: x\r\n" + added, id: "Q1@relay"},
		{name: "no header", in: "\r\nx\r\n", out: added + "\r\nx\r\n", id: "Q1@relay"},
		{name: "header ends without an empty line", in: "To: x\r\nHello\r\nMessage-ID: <a@b>\r\n",
			out: "To: x\r\n" + added + "Hello\r\nMessage-ID: <a@b>\r\n", id: "Q1@relay"},
		{name: "continuation of nothing", in: " x\r\n", out: added + " x\r\n", id: "Q1@relay"},
		{name: "empty", in: "", out: added, id: "Q1@relay"},
		{name: "no line end", in: "\r\nx", out: added + "\r\nx\r\n", id: "Q1@relay"},
		{name: "8-bit", in: "\r\n\xff\r\n", out: added + "\r\n\xff\r\n", id: "Q1@relay", eightBit: true},
		{name: "NUL", in: "\r\n\x00\r\n", err: refuseNUL},
		{name: "longest line", in: "\r\n" + long + "\r\n", out: added + "\r\n" + long + "\r\n", id: "Q1@relay"},
		{name: "line too long", in: "\r\n" + long + "x\r\n", err: refuseLine},
		{name: "line far too long", in: "\r\n" + strings.Repeat(long, 9) + "\r\n", err: refuseLine},
		{name: "bare LF", in: "\r\nx\ny\r\n", err: refuseBare},
		{name: "bare CR", in: "\r\nx\ry\r\n", err: refuseBare},
		{name: "CR CR LF", in: "\r\nx\r\r\n", err: refuseBare},
		{name: "CR at the end", in: "\r\nx\r", err: refuseBare},
		{name: "bare LF in the header", in: "To: x\n\r\n", err: refuseBare},
		{name: "as many hops as there may be", in: received + "\r\n", out: received + added + "\r\n", id: "Q1@relay"},
		{name: "a hop too many", in: received + "RECEIVED: by y; z\r\n\r\n", err: refuseLoop},
		{name: "Received in the body", in: "\r\n" + received + received, out: added + "\r\n" + received + received, id: "Q1@relay"},
		{name: "largest", in: "\r\n" + strings.Repeat("x\r\n", 3332) + "x\r\n", out: added + "\r\n" + strings.Repeat("x\r\n", 3333), id: "Q1@relay"},
		{name: "too large", in: "\r\n" + strings.Repeat("x\r\n", 3333) + "x\r\n", err: refuseLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			got := content{messageID: "Q1@relay", limit: 10001}
			err := got.copy(&out, strings.NewReader(c.in))
			if c.err != nil || err != nil {
				if !errors.Is(err, c.err) {
					t.Errorf("got error %v, want %v", err, c.err)
				}
				return
			}
			if out.String() != c.out || got.messageID != c.id || got.eightBit != c.eightBit {
				t.Errorf("got %q, Message-ID %q, 8-bit %t", out.String(), got.messageID, got.eightBit)
			}
		})
	}
}

// TestContentIsNotChanged: whatever is taken is stored as it was, but for at
// most one Message-ID line.
func TestContentIsNotChanged(t *testing.T) {
	piece := rapid.SampledFrom([]string{"\r\n", "\r\n", "x", "To: y\r\n", "Message-ID: <a@b>\r\n", " folded\r\n", ".", "\r", "\n", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "pieces"), "")
		var out strings.Builder
		c := content{messageID: "new@relay", limit: 1 << 20}
		err := c.copy(&out, strings.NewReader(in))
		if strings.Count(in, "\r") != strings.Count(in, "\n") || strings.Count(in, "\r\n") != strings.Count(in, "\n") {
			if !errors.Is(err, refuseBare) {
				t.Fatalf("a bare CR or LF gave error %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if in != "" && !strings.HasSuffix(in, "\r\n") {
			in += "\r\n"
		}
		if got := strings.Replace(out.String(), "Message-ID: <new@relay>\r\n", "", 1); got != in {
			t.Fatalf("stored %q of %q", got, in)
		}
	})
}

func TestAFailingSpoolIsNotTheClientsFault(t *testing.T) {
	full := errors.New("full")
	c := content{messageID: "x", limit: 1000}
	if err := c.copy(failing{full}, strings.NewReader("\r\nx\r\n")); !errors.Is(err, full) || errors.Is(err, errRead) {
		t.Errorf("got %v", err)
	}
	if err := c.copy(io.Discard, io.MultiReader(strings.NewReader("x\r\n"), failing{full})); !errors.Is(err, errRead) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestContentThatIsRefused is TestContent through the whole server: the
// refusal comes after the dot, and the session goes on.
func TestContentThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxMessageBytes = 5000 })
		c := r.hello()
		for _, step := range []struct{ content, want string }{
			{"a\nb\r\n", "554 5.6.11 "},
			{"a\rb\r\n", "554 5.6.11 "},
			{"a\r\r\n\r\n", "554 5.6.11 "},
			{"a\n.\r\nMAIL FROM:<x@y>\r\n", "554 5.6.11 "}, // SMTP smuggling.
			{"a\r\n.\n\r\n", "554 5.6.11 "},
			{"a\r\n.\rb\r\n", "554 5.6.11 "}, // go-smtp takes this CR out of what it shows.
			{"a\r\n.\r\r\n\r\n", "554 5.6.11 "},
			{strings.Repeat("x", 999) + "\r\n", "554 5.6.0 "},
			{strings.Repeat("x", 4000) + "\r\n", "554 5.6.0 "},
			{strings.Repeat("x", 200_000) + "\r\n", "554 5.6.0 "},
			{"a\x00b\r\n", "554 5.6.0 "},
			{strings.Repeat("x\r\n", 1666) + "\r\n", "250 2.0.0 "},   // 5000 octets.
			{strings.Repeat("x\r\n", 1666) + "y\r\n", "552 5.3.4 "},  // 5001.
			{strings.Repeat("x\r\n", 5000) + "yy\r\n", "552 5.3.4 "}, // Above go-smtp's limit too.
			{strings.Repeat("Received: x\r\n", 101) + "\r\n", "554 5.4.6 "},
			{hello, "250 2.0.0 "},
		} {
			c.mail(step.content, step.want)
		}
		if got := len(r.queue.taken()); got != 2 {
			t.Errorf("%d messages were taken", got)
		}
		if left := r.left(); len(left) > 0 {
			t.Errorf("left in the spool: %q", left)
		}
		c.say("QUIT", "221 ")
		r.shutdown()
	})
}

func TestTheContentSaysWhetherItIsEightBit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<a@example.org> BODY=8BITMIME", "250 ")
		c.say("RCPT TO:<b@example.net>", "250 ")
		c.say("DATA", "354 ")
		c.say("Subject: x\r\n\r\nplain\r\n.", "250 ")
		c.close()
		r.shutdown()
		if r.queue.taken()[0].Envelope.Body8Bit {
			t.Errorf("ASCII was taken for 8-bit content, because the client had declared some")
		}
	})
}

func TestEightBitContentIsTakenUndeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.mail("Subject: x\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n", "250 ")
		c.close()
		r.shutdown()
		if !r.queue.taken()[0].Envelope.Body8Bit {
			t.Errorf("8-bit content was not noticed")
		}
	})
}

// A sink is a store that forgets what is written and counts it.
type sink struct {
	seam.Store // Nil: nothing is read.
	bytes      int64
}

func (s *sink) Write(ops []seam.Op) error {
	for _, op := range ops {
		s.bytes += int64(len(op.Value))
	}
	return nil
}

func (s *sink) Apply(ops []seam.Op, done func(error)) {
	_ = s.Write(ops)
	go done(nil)
}

func (s *sink) Close() error { return nil }

func TestALargeMessageNeedsLittleMemory(t *testing.T) {
	store := &sink{}
	r := newRig(t, func(c *Config) { c.Store, c.MaxMessageBytes = store, 64<<20 })
	r.queue.store = store
	c := r.hello()
	c.say("MAIL FROM:<alice@example.org>", "250 ")
	c.say("RCPT TO:<bob@example.net>", "250 ")
	c.say("DATA", "354 ")
	piece := []byte(strings.Repeat(strings.Repeat("x", 78)+"\r\n", 400))
	const size, limit = 50 << 20, 4 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := 0
	for ; sent < size; sent += len(piece) {
		if _, err := c.conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	c.send(".\r\n")
	c.expect("250 ")
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > limit {
		t.Errorf("a message of %d bytes allocated %d bytes in all, more than %d", sent, used, limit)
	}
	if store.bytes < int64(sent) {
		t.Errorf("of %d bytes %d were stored", sent, store.bytes)
	}
	c.close()
	r.shutdown()
}

func FuzzContent(f *testing.F) {
	for _, seed := range []string{hello, "\r\n.\r\n", "a\nb", "Message-ID: <\r\n >\r\n", "a:\r\n\tb\r\n\r", strings.Repeat("x", 1001)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var out strings.Builder
		c := content{messageID: "new@relay", limit: 1 << 20}
		if err := c.copy(&out, strings.NewReader(in)); err != nil {
			return
		}
		if err := lawful(out.String()); err != nil {
			t.Errorf("%q became %q: %v", in, out.String(), err)
		}
	})
}

// lawful reports whether content may be sent as it is.
func lawful(s string) error {
	for line := range strings.Lines(s) {
		text, ok := strings.CutSuffix(line, "\r\n")
		switch {
		case !ok || strings.ContainsAny(text, "\r\n"):
			return fmt.Errorf("bare CR or LF in %q", line)
		case len(line) > 1000:
			return fmt.Errorf("line of %d octets", len(line))
		}
	}
	return nil
}

// TestABareCRDoesNotHideTheEndOfTheContent: nobody waits for a dot that was there.
func TestABareCRDoesNotHideTheEndOfTheContent(t *testing.T) {
	for name, text := range map[string]string{
		"before the end":             "Subject: x\r\n\r\ntext\r\r\n",
		"several":                    "Subject: x\r\n\r\n\r\r\r\r\n",
		"after a dot":                "Subject: x\r\n\r\n..\r\r\n",
		"where a buffer ends":        "Subject: x\r\n\r\n" + strings.Repeat("y", maxCommand-1) + "\r\r\n",
		"just before a buffer ends":  "Subject: x\r\n\r\n" + strings.Repeat("y", maxCommand-2) + "\r\r\n",
		"just behind where one ends": "Subject: x\r\n\r\n" + strings.Repeat("y", maxCommand) + "\r\r\n",
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, nil)
			c, began := r.hello(), time.Now()
			c.mail(text, "554 ")
			if waited := time.Since(began); waited > 0 {
				t.Errorf("the refusal came after %v", waited)
			}
			c.mail("Subject: y\r\n\r\nHi\r\n", "250 ")
			c.close()
			r.shutdown()
			if n := len(r.queue.taken()); n != 1 {
				t.Errorf("%d messages were taken, want the one without", n)
			}
		})
	}
}
