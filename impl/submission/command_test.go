package submission

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRepliesAreInPlainWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.dial()
		c.expect("220 relay.example.org ESMTP")
		for _, step := range [][2]string{
			{"MAIL FROM:<alice@example.org>", "503 5.5.1 EHLO comes first"},
			{"HELO client.example.com", "250 2.0.0 Hello client.example.com"},
			{"MAIL FROM:<alice@example.org>", "250 2.1.0 sender ok"},
			{"RCPT TO:<bob@example.net>", "250 2.1.5 recipient ok"},
			{"NOOP", "250 2.0.0 ok"},
		} {
			if got := c.say(step[0], ""); got != step[1] {
				t.Errorf("after %s: %q, want %q", step[0], got, step[1])
			}
		}
		c.close()
		r.shutdown()
	})
}

// RFC 5321 section 4.5.1 demands it.
func TestPostmasterIsTakenWithoutADomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<>", "250 ")
		c.say("RCPT TO:<Postmaster>", "250 2.1.5 ")
		c.say("RCPT TO:<bob>", "501 ")
		c.say("DATA", "354 ")
		// Content is no command.
		c.send("Subject: x\r\n\r\nRCPT TO:<postmaster>\r\nHELO <x>\r\nMAIL FROM:x\r\n.\r\n")
		c.expect("250 ")
		c.close()
		r.shutdown()
		m := r.queue.taken()[0]
		if !slices.Equal(m.Envelope.Recipients, []string{"Postmaster@relay.example.org"}) {
			t.Errorf("recipients: %q", m.Envelope.Recipients)
		}
	})
}

// After DATA and its content go-smtp must not have read ahead: the next
// command is one, in whichever packet it comes.
func TestCommandsBehindTheDotAreCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		for range 2 {
			c.say("MAIL FROM:<>", "250 ")
			c.say("RCPT TO:<bob@example.net>", "250 ")
			c.say("DATA", "354 ")
			c.send("a\x00b\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nHELO <x>\r\nRSET\r\n")
			for _, want := range []string{"554 5.6.0 ", "250 2.1.0 ", "250 2.1.5 ", "501 5.5.4 ", "250 "} {
				c.expect(want)
			}
		}
		c.close()
		r.shutdown()
	})
}

func TestCommandLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("NOOP "+strings.Repeat("x", 50_000), "500 5.5.2 ")
		c.say("NOOP", "250 ")
		c.send("NOOP\n")
		c.expect("500 5.5.2 ")
		c.expect("error: EOF")
		r.shutdown()
	})
}

func TestErrorsWithoutEndEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		for range maxErrors {
			c.say("MAIL FROM:x", "501 5.1.7 ")
		}
		c.say("MAIL FROM:x", "421 4.7.0 ")
		c.expect("error: EOF")
		r.shutdown()
	})
}

func TestRefusalsAreLoggedWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<alice@-example.org>", "501 ")
		c.mail("a\x00b\r\n", "554 ")
		c.close()
		r.shutdown()
		for _, want := range []string{"command refused", "command=MAIL", "message refused", "NUL", "client=192.0.2.7"} {
			if !strings.Contains(r.log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, r.log.String())
			}
		}
	})
}
