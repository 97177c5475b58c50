package fakesmtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	gosmtp "net/smtp"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

func TestStandardLibraryDelivers(t *testing.T) {
	s := New(t, "at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted")
	send := func() error {
		return gosmtp.SendMail(s.Addr(), nil, "alice@example.org", []string{"bob@example.net"}, []byte(content+".\r\n"))
	}
	if err := send(); err == nil || !strings.Contains(err.Error(), "451") {
		t.Errorf("the first attempt ends with %v", err)
	}
	if err := send(); err != nil {
		t.Error(err)
	}
	a := s.Accepted()
	if len(a) != 1 || a[0].Hash != contentHash(content+".\r\n") || string(a[0].Content) != content+".\r\n" {
		t.Errorf("accepted %+v", a)
	}
}

func TestGoSMTPDelivers(t *testing.T) {
	s := New(t, "offer PIPELINING, SIZE 1000, 8BITMIME, SMTPUTF8, DSN\nat dot, nth 2: 550-5.7.1 I do not|550 5.7.1 like it")
	for i := range 3 {
		c, err := smtp.Dial(s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		err = c.SendMail("alice@example.org", []string{"bob@example.net", "carol@example.net"}, strings.NewReader(content))
		if (err != nil) != (i == 1) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
		if err := c.Quit(); err != nil {
			t.Error(err)
		}
	}
	if n := len(s.Accepted()); n != 2 {
		t.Errorf("%d messages are accepted", n)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	s := New(t, "")
	var wg sync.WaitGroup
	const n = 20
	for i := range n {
		wg.Go(func() {
			to := fmt.Sprintf("r%d@example.net", i)
			if err := gosmtp.SendMail(s.Addr(), nil, "alice@example.org", []string{to}, []byte(content)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, a := range s.Accepted() {
		seen[a.To[0]] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d arrived", len(seen), n)
	}
}

func TestEndsOnTCP(t *testing.T) {
	for _, test := range []struct {
		script string
		want   error
	}{
		{"at ehlo: cut", syscall.ECONNRESET},
		{"at ehlo: 421 4.3.2 Closing; fin", io.EOF},
		{"at ehlo: fin", io.EOF},
	} {
		s := New(t, test.script)
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(conn)
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "EHLO x\r\n")
		for err == nil {
			_, err = in.ReadString('\n')
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: the connection ends with %v, want %v", test.script, err, test.want)
		}
		conn.Close()
	}
}

func TestClosedServerServesNoMore(t *testing.T) {
	s := NewServer("mx1", nil, nil)
	if s.Addr() != "" {
		t.Errorf("address %s before Serve", s.Addr())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	l := newListener()
	if err := s.Serve(l); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestServeReturnsWhatTheListenerSays(t *testing.T) {
	l := newListener()
	l.Close()
	s := NewServer("mx1", nil, nil)
	defer s.Close()
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returns %v", err)
	}
}

func TestGlobIsARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[abA*]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[abB]{0,8}`).Draw(t, "text")
		want := regexp.MustCompile("(?i)^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(text)
		if got := glob(pattern, text); got != want {
			t.Fatalf("glob(%q, %q) is %v", pattern, text, got)
		}
	})
}

func TestBigMessageNeedsLittleMemory(t *testing.T) {
	const size = 50 << 20
	s := New(t, "")
	c, err := gosmtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, err := range []error{c.Hello("x"), c.Mail("a@b"), c.Rcpt("c@d")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 62) + "\r\n")
	for range size / len(line) {
		if _, err := body.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
	if a := s.Accepted(); len(a) != 1 || a[0].Size != size || a[0].Content != nil {
		t.Errorf("accepted %d messages", len(a))
	}
}

// FuzzSession gives a server any input: it must end when the client does, and
// accept only what it says that it accepts.
func FuzzSession(f *testing.F) {
	f.Add("", []byte("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"+content+".\r\nQUIT\r\n"))
	f.Add("at body: 250 early\nat rset: raw \"x\"", []byte("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nRSET\r\n\x00\n\r\r\n"))
	f.Add("at data: 354 go\nat rcpt: 550 no", []byte("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n..\r\n.\n.\r\n"))
	f.Add("at dot: accept; cut after 2; 250 x",
		[]byte(strings.Repeat("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"+strings.Repeat("x", 5000)+"\r\r\n.\r\n", 2)))
	f.Fuzz(func(t *testing.T, script string, input []byte) {
		parsed, err := ParseScript("script", 1, script)
		if err != nil || strings.Contains(script, "delay") || strings.Contains(script, "drip") ||
			strings.Contains(script, "repeat") || strings.Contains(script, "silence") || strings.Contains(script, "persona") {
			t.Skip("it is no script, or takes time")
		}
		accepted := 0
		s := NewServer("mx1", parsed, func(f spec.Fact) {
			if f.Kind == spec.FactAccepted {
				accepted++
			}
			if len(f.Text) > 4096 || len(f.Reply) > 4096 {
				t.Errorf("a long fact: %s", f)
			}
		})
		l := newListener()
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		conn := l.dial()
		go func() {
			conn.Write(input)
			conn.Close()
		}()
		io.Copy(io.Discard, conn)
		if err := errors.Join(s.Close(), <-served); err != nil {
			t.Error(err)
		}
		if n := len(s.Accepted()); n != accepted {
			t.Errorf("%d messages are accepted, %d were told", n, accepted)
		}
	})
}
