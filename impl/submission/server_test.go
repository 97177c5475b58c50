package submission

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

const hello = "Subject: hello\r\nMessage-ID: <m1@example.org>\r\n\r\nHello.\r\n"

func TestAMessageIsStoredAsItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		if got := c.mail(hello+"..dot\r\n...\r\n", "250 2.0.0 "); got != "250 2.0.0 queued as Q1" {
			t.Errorf("the reply is %q", got)
		}
		c.say("QUIT", "221 ")
		m := r.queue.taken()[0]
		trace, body := r.body(m)
		if want := hello + ".dot\r\n..\r\n"; body != want {
			t.Errorf("stored %q, want %q", body, want)
		}
		want := "Received: from client.example.com ([192.0.2.7])\r\n\tby relay.example.org with ESMTP id Q1;\r\n\t" +
			"Sat, 1 Jan 2000 00:00:00 +0000\r\n"
		if trace != want {
			t.Errorf("the trace is %q, want %q", trace, want)
		}
		if m.MessageID != "m1@example.org" || m.Envelope.Sender != "alice@example.org" || m.Envelope.Body8Bit ||
			!slices.Equal(m.Envelope.Recipients, []string{"bob@example.net"}) {
			t.Errorf("submitted: %+v", m)
		}
		r.shutdown()
	})
}

func TestNo250BeforeTheMessageIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		durable := make(chan error)
		r.queue.hold = func(Message) error { return <-durable }
		c := r.hello()
		c.say("MAIL FROM:<>", "250 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("DATA", "354 ")
		c.send(hello + ".\r\n")
		replied := make(chan string, 1)
		go func() { replied <- c.reply() }()
		synctest.Wait()
		select {
		case got := <-replied:
			t.Fatalf("the server said %q before the message was durable", got)
		default:
		}
		durable <- nil
		if got := <-replied; got != "250 2.0.0 queued as Q1" {
			t.Errorf("the server said %q", got)
		}
		c.close()
		r.shutdown()
	})
}

func TestAMessageThatCannotBeStoredIsRefusedWithoutInternals(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"any error", errors.New("disk sda1 at /var/spool is on fire"), "451 4.3.0 the message cannot be stored now: try again later"},
		{"a refusal", &Refusal{spec.Reply{Code: 452, Enhanced: "4.3.1", Lines: []string{"the spool is full"}}}, "452 4.3.1 the spool is full"},
		{"a wrapped refusal", errors.Join(errors.New("x"), &Refusal{spec.Reply{Code: 550, Enhanced: "5.7.1", Lines: []string{"no"}}}), "550 5.7.1 no"},
		{"a refusal that is none", &Refusal{spec.Reply{Code: 250, Lines: []string{"ok"}}}, "451 4.3.0 "},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.queue.hold = func(Message) error { return c.err }
			client := r.hello()
			client.mail(hello+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 3000), c.want)
			if left := r.left(); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
			r.queue.hold = nil
			client.mail(hello, "250 2.0.0 queued as Q2")
			client.close()
			r.shutdown()
		})
	}
}

func TestAStoreThatFailsIsATemporaryRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		_ = r.store.Close()
		c.mail(hello+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 3000), "451 4.3.0 ")
		c.mail(hello, "451 4.3.0 ")
		c.close()
		r.shutdown()
	})
}

func TestRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxRecipients = 4 })
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<Bob@example.net>", "250 ")
		c.say("RCPT TO:<Bob@EXAMPLE.net>", "250 ")
		c.say(`RCPT TO:<"Bob"@example.net>`, "250 ")
		c.say("RCPT TO:<bob@example..net>", "501 5.1.3 ")
		c.say("RCPT TO:<b\xc3\xb6b@example.net>", "553 5.6.7 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("RCPT TO:<carol@example.net>", "452 4.5.3 ")
		c.say("DATA", "354 ")
		c.send(hello + ".\r\n")
		c.expect("250 ")
		if got := r.queue.taken()[0].Envelope.Recipients; !slices.Equal(got, []string{"Bob@example.net", "bob@example.net"}) {
			t.Errorf("recipients: %q", got)
		}
		c.close()
		r.shutdown()
	})
}

func TestCommandsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxMessageBytes = 1000 })
		c := r.hello()
		for _, step := range []struct{ line, want string }{
			{"MAIL FROM:<alice@-example.org>", "501 5.1.3 "},
			{"MAIL FROM:<alice@example.org> SIZE=1001", "552 5.3.4 "},
			{"MAIL FROM:<alice@example.org> SIZE=5000", "552 5.3.4 "},
			{"MAIL FROM:<alice@example.org> SIZE=4294967296", "552 5.3.4 "},
			{"MAIL FROM:<alice@example.org> SIZE=99999999999999999999 BODY=8BITMIME", "552 5.3.4 "},
			{"MAIL FROM:<alice@example.org> SIZE=many", "501 5.5.4 "},
			{"MAIL FROM:alice@example.org", "501 5.1.7 "},
			{"MAIL FROM: alice@example.org <x@y>", "501 5.1.7 "},
			{"EHLO <script>alert(1)</script>", "501 5.5.4 "},
			{"HELO", "501 5.5.4 "},
			{"EHLO a b", "501 5.5.4 "},
			{"AUTH PLAIN AGEAYg==", "502 5.5.1 "},
			{"STARTTLS", "502 5.5.1 "},
			{"MAIL FROM:<älice@example.org>", "553 5.6.7 "},
			{"MAIL FROM:<alice@exämple.org>", "553 5.6.7 "},
			{"MAIL FROM:<\xe4lice@example.org> SMTPUTF8", "501 5.1.3 "},
			{"MAIL FROM:<alice@example.org> REQUIRETLS", "555 5.5.4 "},
			{"RCPT TO:<bob@example.net>", "503 5.5.1 "},
			{"DATA", "503 5.5.1 "},
			{"MAIL FROM:<alice@example.org> SIZE=1000 BODY=8BITMIME", "250 "},
			{"MAIL FROM:<mallory@example.org>", "503 5.5.1 "},
			{"DATA", "503 5.5.1 "},
			{"RSET", "250 "},
			{"MAIL FROM:<>", "250 "},
			{"EHLO again.example.com", "250 "},
			{"MAIL FROM:<@a.example,@b.example:alice@example.org>", "250 "},
			{"RCPT TO:<bob@[192.0.2.9]>", "250 "},
			{"DATA", "354 "},
			{".", "250 "},
			{"QUIT", "221 "},
		} {
			c.say(step.line, step.want)
		}
		m := r.queue.taken()
		if len(m) != 1 || m[0].Envelope.Sender != "alice@example.org" || m[0].Envelope.Recipients[0] != "bob@[192.0.2.9]" {
			t.Errorf("taken: %+v", m)
		}
		r.shutdown()
	})
}

func TestASlowClientHasFiveMinutesForEachPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("DATA", "354 ")
		for range 10 {
			time.Sleep(4 * time.Minute)
			c.send("a line\r\n")
		}
		c.send(".\r\n")
		c.expect("250 ")
		begin := time.Now()
		c.expect("421 4.4.2 ")
		if waited := time.Since(begin); waited != 5*time.Minute {
			t.Errorf("a silent client was let go after %v", waited)
		}
		c.close()
		r.shutdown()
	})
}

func TestASilentClientWithinAMessageIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("DATA", "354 ")
		c.send("Subject: half\r\n")
		begin := time.Now()
		c.expect("451 4.4.2 ")
		c.expect("421 4.4.2 ")
		if waited := time.Since(begin); waited != 5*time.Minute {
			t.Errorf("the client was let go after %v", waited)
		}
		if len(r.queue.taken()) != 0 || len(r.left()) != 0 {
			t.Errorf("half a message was taken")
		}
		c.close()
		r.shutdown()
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxConnections = 2 })
		first, second := r.hello(), r.hello()
		third := r.dial()
		third.expect("421 4.3.2 ")
		third.expect("error: EOF")
		first.say("QUIT", "221 ")
		first.expect("error: EOF")
		synctest.Wait()
		fourth := r.hello()
		second.mail(hello, "250 ")
		fourth.close()
		second.close()
		r.shutdown()
	})
}

func TestShutdownLetsTransactionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		idle, busy := r.hello(), r.hello()
		busy.say("MAIL FROM:<alice@example.org>", "250 ")
		busy.say("RCPT TO:<bob@example.net>", "250 ")
		done := make(chan error, 1)
		go func() { done <- r.server.Shutdown(context.Background()) }()
		idle.expect("421 4.3.2 ")
		idle.expect("error: EOF")
		synctest.Wait()
		busy.say("DATA", "354 ")
		busy.send(hello + ".\r\n")
		busy.expect("250 2.0.0 queued as Q1")
		busy.expect("421 4.3.2 ")
		busy.expect("error: EOF")
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-r.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := r.server.Shutdown(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("a second Shutdown: %v", err)
		}
		if err := r.server.Serve(newPipes()); !errors.Is(err, ErrClosed) {
			t.Errorf("Serve after Shutdown: %v", err)
		}
		_ = r.store.Close()
	})
}

func TestShutdownEndsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("DATA", "354 ")
		c.send("Subject: half\r\n")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := r.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("Shutdown took %v", took)
		}
		if got := c.reply(); got != "error: EOF" {
			t.Errorf("the client read %q", got)
		}
		if len(r.queue.taken()) != 0 || len(r.left()) != 0 {
			t.Errorf("half a message was taken")
		}
		<-r.served
		_ = r.store.Close()
	})
}

// TestShutdownWaitsForTheQueue is why a message that the queue has been given
// is never abandoned: its batch may become durable.
func TestShutdownWaitsForTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.queue.hold = func(Message) error { time.Sleep(time.Hour); return nil }
		c := r.hello()
		c.say("MAIL FROM:<alice@example.org>", "250 ")
		c.say("RCPT TO:<bob@example.net>", "250 ")
		c.say("DATA", "354 ")
		c.send(hello + ".\r\n")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if len(r.queue.taken()) != 1 {
			t.Errorf("Shutdown did not wait for the queue")
		}
		<-r.served
		_ = r.store.Close()
	})
}

func TestServeSaysWhyItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		_ = r.listener.Close()
		if err := <-r.served; err == nil || !strings.Contains(err.Error(), "192.0.2.1:25") {
			t.Errorf("Serve: %v", err)
		}
		if err := r.server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		_ = r.store.Close()
	})
}

// cuts runs a session of which the client sends only the first n bytes, for
// every n, and then goes. whole is where the message is complete.
func cuts(t *testing.T, input string, whole int) {
	for n := 0; n <= len(input); n++ {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial()
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				_, _ = io.Copy(io.Discard, c.in)
			}()
			_, _ = io.WriteString(c.conn, input[:n])
			synctest.Wait()
			c.close()
			<-drained
			synctest.Wait()
			if got := len(r.queue.taken()); (got == 1) != (n >= whole) || got > 1 {
				t.Errorf("the client went after %d of %d bytes (...%q), and %d messages were queued", n, len(input), input[max(0, n-12):n], got)
			}
			for _, m := range r.queue.taken() {
				if _, body := r.body(m); body != hello {
					t.Errorf("queued %q", body)
				}
			}
			if left := r.left(); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
			r.shutdown()
		})
	}
}

func TestAClientThatGoesWithinDATANeverSubmitsATruncatedMessage(t *testing.T) {
	input := "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + hello + ".\r\n"
	cuts(t, input+"QUIT\r\n", len(input))
}

func TestChunkingIsNeitherOfferedNorTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.dial()
		c.expect("220 ")
		c.send("EHLO client.example.com\r\n")
		var offered []string
		for more := true; more; {
			line, err := c.in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			more = line[3] == '-'
			offered = append(offered, strings.TrimSpace(line[4:]))
		}
		want := []string{"Hello client.example.com", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN", "SIZE 52428800", "LIMITS RCPTMAX=100"}
		if !slices.Equal(offered, want) {
			t.Errorf("offered %q", offered)
		}
		c.mail(hello, "250 2.0.0 queued as Q1")
		c.close()
		r.shutdown()
	})
}

// What follows BDAT is content, and nobody says how much where the size cannot be
// read: it must not be taken for commands.
func TestAChunkEndsTheConnection(t *testing.T) {
	for _, chunk := range []string{"BDAT 4\r\nSubj", "bdat 4 LAST\r\nSubj", "BDAT 0 LAST\r\n", "BDAT\r\n", "BDAT 1000 X\r\nMAIL FROM:<a@b>\r\nHELO <x>\r\n",
		"BDAT " + strings.Repeat("0", 5000) + "4\r\nSubj"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.hello()
			c.say("MAIL FROM:<alice@example.org>", "250 ")
			c.say("RCPT TO:<bob@example.net>", "250 ")
			go func() { _, _ = c.conn.Write([]byte(chunk)) }() // the server does not read all of it
			c.expect("502 5.5.1 CHUNKING is not offered: closing")
			c.expect("error: EOF")
			c.close()
			r.shutdownThen(func() {
				if left := r.left(); len(left) > 0 {
					t.Errorf("%q: left in the spool: %q", chunk, left)
				}
			})
		})
	}
}

func TestALargeMessageLeavesNoWritingKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		c := r.hello()
		text := hello + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 5000)
		c.mail(text, "250 ")
		if _, body := r.body(r.queue.taken()[0]); body != text {
			t.Errorf("a message of %d bytes is stored as %d bytes", len(text), len(body))
		}
		if got, _ := r.store.Scan(seam.SpaceWriting, "", "", 10); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
		c.close()
		r.shutdown()
	})
}
