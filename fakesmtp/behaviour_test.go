package fakesmtp

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

func TestServerBehavesWellWithoutRules(t *testing.T) {
	inWorld(t, "", func(w *world) {
		k := w.connect()
		k.read("220 mx1 ESMTP")
		k.do("EHLO client.example = 250-mx1|250-PIPELINING|250-8BITMIME|250-SIZE 67108864|250 ENHANCEDSTATUSCODES",
			"NOOP = 250 2.0.0", "VRFY bob = 252", "HELP = 214", "EXPN x = 502", "RSET = 250")
		k.envelope("bob@example.net", "carol@example.net").do(content + "..dot\r\n. = 250 2.0.0")
		k.do("MAIL FROM:<> SIZE=10 BODY=7BIT", "RCPT TO:<postmaster>", "RSET", "QUIT = 221")
		k.ended("")
		w.check("0s accepted m1@example.org bob@example.net,carol@example.net", "0s replied m1@example.org bob@example.net,carol@example.net")
		want := []Acceptance{{
			Session: "pipe", From: "alice@example.org", To: []string{"bob@example.net", "carol@example.net"},
			Message: "m1@example.org", Hash: contentHash(content + ".dot\r\n"), Size: 57, Content: []byte(content + ".dot\r\n"),
		}}
		if d := cmp.Diff(want, w.Accepted()); d != "" {
			t.Errorf("accepted (-want +got):\n%s", d)
		}
	})
}

func TestHeloEraServerOffersNothing(t *testing.T) {
	inWorld(t, "hostname old\noffer none\nat ehlo: 502 what?", func(w *world) {
		k := w.connect()
		k.read("220 old")
		k.do("EHLO client.example = 502 what?", "HELO client.example = 250 old", "MAIL FROM:<alice@example.org> = 250 Sender ok",
			"QUIT = 221 Goodbye")
		k.ended("")
		w.check("0s fault at ehlo: 502 what?")
	})
}

func TestReplyToEHLOIsWhatIsOffered(t *testing.T) {
	inWorld(t, "at ehlo: 250-mx1|250-size 100|250 X", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<a@b> SIZE=101 = 552", "MAIL FROM:<a@b> SIZE=100", "RCPT TO:<bob@example.net>",
			"DATA = 354", strings.Repeat("x", 99)+"\r\n. = 552")
		w.check()
	})
}

func TestGreylistingIsByRecipient(t *testing.T) {
	inWorld(t, "at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<alice@example.org>", "RCPT TO:<Bob@example.net> = 451 4.7.1 Greylisted", "RCPT TO:<carol@example.net>",
			"RCPT TO:<bob@example.net>")
		w.check("0s fault at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted",
			"0s refused-recipient Bob@example.net 451 4.7.1 Greylisted")
	})
}

// At the dot it matters most what is taken, what is said, and when.
func TestDot(t *testing.T) {
	const id = "m1@example.org bob@example.net"
	for _, test := range []struct {
		rule string
		// rest is what the client reads until the connection ends.
		rest  string
		facts []string
	}{
		{"at dot, first 1: accept; cut", "", []string{"0s accepted " + id}},
		{"at dot: lose", "", []string{"0s accepted " + id}},
		{"at dot: cut", "", nil},
		{"at dot: fin", "", nil},
		{"at dot: accept; delay 15m; 250 late; fin", "250 late\r\n", []string{"0s accepted " + id, "15m0s replied " + id}},
		{"at dot: delay 15m; 250 late; fin", "250 late\r\n", []string{"15m0s accepted " + id, "15m0s replied " + id}},
		{"at dot: 451 4.3.0 later; fin", "451 4.3.0 later\r\n", nil},
		{"at dot: accept; 451 liar; fin", "451 liar\r\n", []string{"0s accepted " + id, "0s replied " + id}},
		{"at dot: cut after 2; 250 ok", "25", []string{"0s accepted " + id}},
		{"at dot: drip 1s; cut after 3; 250 ok", "250", []string{"0s accepted " + id}},
		{`at dot: raw "2"; delay 1s; raw "50 o"; delay 1s; raw "k\r\n"; fin`, "250 ok\r\n", []string{"0s accepted " + id, "2s replied " + id}},
		{`at dot: raw "\r\n250 ok\r\n"; fin`, "\r\n250 ok\r\n", []string{"0s accepted " + id, "0s replied " + id}},
		{`at dot: raw "garbage\r\n"; fin`, "garbage\r\n", nil},
		{`at dot: accept; raw "garbage\r\n"; cut`, "garbage\r\n", []string{"0s accepted " + id, "0s replied " + id}},
		{`at dot: raw "250-a\r\n550 b\r\n"; fin`, "250-a\r\n550 b\r\n", nil},
	} {
		t.Run(test.rule, func(t *testing.T) {
			inWorld(t, test.rule, func(w *world) {
				k := w.connect().greet().envelope("bob@example.net")
				k.send(content + ".\r\n")
				k.ended(test.rest)
				rule := mustParse(t, test.rule).Rules[0]
				w.check(append([]string{"0s fault " + rule.String()}, test.facts...)...)
			})
		})
	}
}

func TestMessageIsTakenThoughTheClientIsGone(t *testing.T) {
	inWorld(t, "at dot: delay 15m", func(w *world) {
		k := w.connect().greet().envelope("bob@example.net")
		k.send(content + ".\r\n")
		time.Sleep(10 * time.Minute)
		k.conn.Close()
		time.Sleep(time.Hour)
		w.check("0s fault at dot: delay 15m", "15m0s accepted m1@example.org bob@example.net")
	})
}

func TestDelayElsewhereEndsWithTheClient(t *testing.T) {
	inWorld(t, "at rcpt: delay 15m", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<alice@example.org>")
		k.send("RCPT TO:<bob@example.net>\r\n")
		time.Sleep(time.Minute)
		k.conn.Close()
		synctest.Wait()
		w.mu.Lock()
		open := len(w.open)
		w.mu.Unlock()
		if open != 0 {
			t.Error("the session goes on")
		}
	})
}

func TestDelayAloneIsFollowedByTheNormalReply(t *testing.T) {
	inWorld(t, "at rcpt: delay 5m", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<alice@example.org>", "RCPT TO:<bob@example.net> = 250 2.1.5")
		if d := time.Since(w.start); d != 5*time.Minute {
			t.Errorf("it took %s", d)
		}
	})
}

func TestDripSendsAByteAtATime(t *testing.T) {
	inWorld(t, "at mail: drip 1s; 250 ok", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<alice@example.org> = 250 ok")
		if d := time.Since(w.start); d != 7*time.Second {
			t.Errorf("eight bytes took %s, want 7s", d)
		}
	})
}

func TestRepeat(t *testing.T) {
	inWorld(t, `at rset: repeat 3; raw "250-x\r\n"; 250 end`, func(w *world) {
		w.connect().greet().do("RSET = 250-x|250-x|250-x|250 end")
	})
}

func TestBeginningOfASession(t *testing.T) {
	for _, test := range []struct {
		rule, rest string
		took       time.Duration
	}{
		{"at connect: cut", "", 0},
		{"at connect: delay 1h; fin", "", time.Hour},
		{"at greeting: 421 4.3.2 Busy; fin", "421 4.3.2 Busy\r\n", 0},
		{`at greeting: raw "220 mx1 re"; delay 1s; raw "ady\r\n"; cut`, "220 mx1 ready\r\n", time.Second},
		{"persona two-connections\nat greeting, connection 1: fin", "", 0},
	} {
		t.Run(test.rule, func(t *testing.T) {
			inWorld(t, test.rule, func(w *world) {
				w.connect().ended(test.rest)
				if d := time.Since(w.start); d != test.took {
					t.Errorf("it took %s, want %s", d, test.took)
				}
			})
		})
	}
}

func TestRefusingGreetingIsKept(t *testing.T) {
	inWorld(t, "persona blocklist", func(w *world) {
		k := w.connect()
		k.read("554 5.7.1")
		k.do("EHLO client.example = 503", "QUIT = 221")
		k.ended("")
	})
}

func TestSilenceLastsUntilTheClientGoes(t *testing.T) {
	for _, stage := range []string{"greeting", "mail"} {
		inWorld(t, "at "+stage+": silence", func(w *world) {
			k := w.connect()
			if stage == "mail" {
				k.greet().send("MAIL FROM:<a@b>\r\n")
			}
			k.conn.SetReadDeadline(time.Now().Add(24 * time.Hour))
			if b, err := k.in.ReadByte(); err == nil {
				t.Errorf("%s: the server says %q", stage, b)
			}
			k.conn.Close()
		})
	}
}

func TestBody(t *testing.T) {
	long := strings.Repeat("line\r\n", 10_000)
	for _, test := range []struct {
		rule, rest string
		facts      []string
	}{
		{"at body: cut", "", nil},
		{"at body: cut after 100", "", nil},
		{"at body: cut after 1000000", "", nil}, // more than there is
		{"at body: 552 5.3.4 Too big; fin", "552 5.3.4 Too big\r\n", nil},
		{"at body: 552 5.3.4 Too big\nat rset: fin", "552 5.3.4 Too big\r\n", nil},
		{"at body: 250 early\nat rset: fin", "250 early\r\n", []string{"0s accepted  bob@example.net", "0s replied  bob@example.net"}},
		{"at body: delay 1m\nat rset: fin", "250 2.0.0 Accepted\r\n", []string{"1m0s accepted  bob@example.net",
			"1m0s replied  bob@example.net"}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			inWorld(t, test.rule, func(w *world) {
				k := w.connect().greet().envelope("bob@example.net")
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					io.WriteString(k.conn, long+".\r\nRSET\r\n")
				}()
				k.ended(test.rest)
				<-sent
				var want []string
				for _, f := range test.facts {
					want = append(want, strings.Replace(f, "  ", " ", 1))
				}
				got := w.told(spec.FactAccepted, spec.FactReplied)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("facts (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestConditions(t *testing.T) {
	inWorld(t, `
		at rcpt <x*@example.net> from <>: 550 from null
		at rcpt, after 1h, until 2h: 450 second hour
		at rcpt, over 2 recipients: 452 too many
		at mail, over 2 messages: 421 enough
		at mail, parameters: 555 no parameters
		at rset, nth 2: 500 second
		at ehlo, connection 2: 550 second connection
		at dot, attempt 2: 451 second attempt
		at quit, over 1 connections: 500 two of you
	`, func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<> = 250", "RCPT TO:<x1@EXAMPLE.NET> = 550 from null", "RCPT TO:<y@example.net> = 250", "RCPT TO:<z@example.net> = 250",
			"RCPT TO:<a@example.net> = 452 too many", "RSET = 250", "RSET = 500 second", "RSET = 250", "MAIL FROM:<a@b> SIZE=1 = 555")
		other := w.connect()
		other.read("220")
		other.do("EHLO x = 550 second connection", "EHLO x = 550", "QUIT = 500 two of you")
		other.ended("")
		k.do("MAIL FROM:<a@b> = 421 enough")
		third := w.connect().greet()
		third.envelope("x@example.net").do(content + ". = 250")
		time.Sleep(time.Hour)
		third.do("MAIL FROM:<alice@example.org>", "RCPT TO:<x@example.net> = 450 second hour")
		time.Sleep(time.Hour)
		third.do("RCPT TO:<x@example.net> = 250", "DATA = 354", content+". = 451 second attempt")
		if u := w.Unused(); len(u) != 0 {
			t.Errorf("unused: %s", u)
		}
	})
}

func TestRuleThatNeverMatchedIsUnused(t *testing.T) {
	inWorld(t, "persona greylister\npersona tarpit\n\nat rset: cut\nat greeting: 220 hi", func(w *world) {
		k := w.connect()
		k.read("220 hi")
		k.do("EHLO x")
		u := w.Unused()
		if len(u) != 2 || u[0].Line != 4 || u[0].String() != "at rset: cut" || u[1].Stage != spec.StageRCPT || u[1].Line != 0 {
			t.Errorf("unused: %+v", u)
		}
	})
}

func TestHealedServerHasNoFaults(t *testing.T) {
	inWorld(t, "at mail: 250 hello\nat rcpt: 451 no\nat dot: cut", func(w *world) {
		k := w.connect().greet()
		k.do("MAIL FROM:<a@b> = 250 hello", "RCPT TO:<c@d> = 451 no")
		w.Heal()
		k.do("RCPT TO:<c@d> = 250", "DATA = 354", content+". = 250", "MAIL FROM:<a@b> = 250 hello")
	})
}

func TestCloseEndsEverything(t *testing.T) {
	inWorld(t, "at mail: delay 5d\nat rcpt: silence\nat dot: accept; delay 5d", func(w *world) {
		w.connect() // never reads its greeting
		w.connect().greet().send("MAIL FROM:<a@b>\r\n")
		k := w.connect()
		k.read("220")
		start := time.Now()
		synctest.Wait()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("closing took %s", d)
		}
		k.ended("")
	})
}

func TestContentIsBounded(t *testing.T) {
	inWorld(t, "", func(w *world) {
		w.MaxContent = 3 << 20
		k := w.connect().greet()
		for _, lines := range []int{30_000, 40_000} { // 2.0 and 2.6 MiB
			text := content + strings.Repeat(strings.Repeat("y", 68)+"\r\n", lines)
			k.envelope("bob@example.net").do(text + ". = 250")
			all := w.Accepted()
			if a := all[len(all)-1]; a.Content != nil || a.Size != int64(len(text)) || a.Hash != contentHash(text) || a.Message != "m1@example.org" {
				t.Errorf("%d bytes are accepted as %+v", len(text), a)
			}
		}
		k.envelope("bob@example.net").do(strings.Repeat(strings.Repeat("y", 68)+"\r\n", 50_000) + ". = 552 5.3.4")
		w.KeepContent = false
		k.envelope("bob@example.net").do(content + ". = 250")
		if a := w.Accepted()[2]; a.Content != nil || a.Size != int64(len(content)) {
			t.Errorf("content is kept: %+v", a)
		}
	})
}

func TestEarlyReplyStopsNothingElse(t *testing.T) {
	inWorld(t, "at body, first 1: 552 5.3.4 Too big", func(w *world) {
		k := w.connect().greet().envelope("bob@example.net")
		k.send("first line\r\n")
		k.read("552")
		k.send(".\r\n")
		k.envelope("bob@example.net").do(content + ". = 250")
		if n := len(w.Accepted()); n != 1 {
			t.Errorf("%d messages are accepted, want the second", n)
		}
	})
}

func TestMessageID(t *testing.T) {
	for content, want := range map[string]string{
		"Message-ID: <a@b>\r\n\r\n":                      "a@b",
		"message-id:\r\n <a@b>\r\nTo: x\r\n\r\n":         "a@b",
		"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n":        "",
		"To: x\r\n Message-ID: <no@b>\r\nMessage-Id : y": "y",
		"": "",
	} {
		if got := messageID([]byte(content)); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
	if got := messageID(bytes.Repeat([]byte("x"), maxKept)); got != "" {
		t.Errorf("one long line: %q", got)
	}
}
