package smtpclient

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// accepted leads up to the content, with c@y of three recipients refused.
const accepted = hello + `
	C: MAIL FROM:<a@x>
	S: 250 ok
	C: RCPT TO:<b@y>
	S: 250 ok
	C: RCPT TO:<c@y>
	S: 550 no
	C: RCPT TO:<d@y>
	S: 250 ok
	C: DATA
	S: 354 go`

func TestCommitComesBetweenContentAndDot(t *testing.T) {
	meet(t, accepted+begun+"\nquiet 2m\nB: \"\\r\\n.\\r\\n\"\nS: 250 taken"+quit, func(t *testing.T, c *Client) {
		var steps []string
		tx := testTransaction(3)
		tx.Commit = func(accepted []int) error {
			if !slices.Equal(accepted, []int{0, 2}) {
				t.Errorf("committed for %v", accepted)
			}
			time.Sleep(2*time.Minute + time.Second)
			steps = append(steps, "commit")
			return nil
		}
		tx.Dot = func(accepted []int) {
			if !slices.Equal(accepted, []int{0, 2}) {
				t.Errorf("dot for %v", accepted)
			}
			steps = append(steps, "dot")
		}
		got := show(deliver(t.Context(), c, tx))
		if diff := cmp.Diff([]string{"dot 2yz", "rcpt 5yz", "dot 2yz"}, got); diff != "" {
			t.Error(diff)
		}
		if !slices.Equal(steps, []string{"commit", "dot"}) {
			t.Errorf("the order was %v", steps)
		}
	})
}

func TestNoDotWithoutCommit(t *testing.T) {
	meet(t, accepted+begun+"\neof", func(t *testing.T, c *Client) {
		failed := errors.New("disk full")
		tx := testTransaction(3)
		tx.Commit = func([]int) error { return failed }
		tx.Dot = func([]int) { t.Error("the dot left") }
		for i, r := range deliver(t.Context(), c, tx) {
			if i != 1 && (!errors.Is(r.Err, failed) || r.Stage != spec.StageBody || r.OK()) {
				t.Errorf("recipient %d: %+v", i, r)
			}
			if i == 1 && (r.Err != nil || r.Event != spec.Reply5) {
				t.Errorf("the refused recipient: %+v", r)
			}
		}
	})
}

func TestNoDotWhenTheMessageCannotBeRead(t *testing.T) {
	meet(t, accepted+"\neof", func(t *testing.T, c *Client) {
		failed := errors.New("bad sector")
		tx := testTransaction(3)
		tx.Body = io.MultiReader(strings.NewReader("hello\r\n"), iotest.ErrReader(failed))
		tx.Commit = func([]int) error { t.Error("committed"); return nil }
		if r := deliver(t.Context(), c, tx)[0]; !errors.Is(r.Err, failed) || r.Stage != spec.StageBody {
			t.Errorf("%+v", r)
		}
	})
}

// Before the dot a done context ends the conversation at once, wherever it is.
func TestCancelBeforeTheDot(t *testing.T) {
	begin := strings.Split(strings.TrimSpace(accepted), "\n")
	for i, line := range begin {
		if strings.HasPrefix(strings.TrimSpace(line), "C:") {
			continue
		}
		t.Run("waiting for "+strings.TrimSpace(line), func(t *testing.T) {
			meet(t, strings.Join(begin[:i], "\n")+"\neof", func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				time.AfterFunc(time.Second, cancel)
				rs := deliver(ctx, c, testTransaction(3))
				r := rs[len(rs)-1]
				if !errors.Is(r.Err, context.Canceled) || time.Since(start) != time.Second {
					t.Errorf("after %v: %+v", time.Since(start), r)
				}
			})
		})
	}
	t.Run("during the content", func(t *testing.T) {
		script := strings.Replace(accepted, "S: 354 go", "stall\nS: 354 go", 1)
		meet(t, script+"\neof", func(t *testing.T, c *Client) {
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			time.AfterFunc(time.Second, cancel)
			if r := deliver(ctx, c, testTransaction(3))[0]; !errors.Is(r.Err, context.Canceled) || time.Since(start) != time.Second {
				t.Errorf("after %v: %+v", time.Since(start), r)
			}
		})
	})
	t.Run("during the commit", func(t *testing.T) {
		meet(t, accepted+begun+"\neof", func(t *testing.T, c *Client) {
			ctx, cancel := context.WithCancel(t.Context())
			tx := testTransaction(3)
			tx.Commit = func([]int) error { cancel(); return nil }
			tx.Dot = func([]int) { t.Error("the dot left") }
			if r := deliver(ctx, c, tx)[0]; !errors.Is(r.Err, context.Canceled) || r.Stage != spec.StageBody {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("before it began", func(t *testing.T) {
		meet(t, "eof", func(t *testing.T, c *Client) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if r := c.Hello(ctx); !errors.Is(r.Err, context.Canceled) {
				t.Errorf("%+v", r)
			}
		})
	})
}

// After the dot a done context must not make a doubt, nor hide one.
func TestCancelAfterTheDot(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second} {
		for reply, want := range map[string]string{"wait 10m\nS: 250 taken\neof": "dot 2yz", "wait 10m\nreset": "dot cut"} {
			meet(t, accepted+content+"\nC: .\n"+reply, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancel(t.Context())
				tx := testTransaction(3)
				tx.Dot = func([]int) {
					if after == 0 {
						cancel()
					}
					time.AfterFunc(after, cancel)
				}
				r := deliver(ctx, c, tx)[0]
				if got := show([]Result{r})[0]; got != want || r.Err != nil {
					t.Errorf("cancelled after %v: %+v, want %s", after, r, want)
				}
				c.Quit(ctx)
			})
		}
	}
}

func TestTheWaitForTheDotIsNeverShort(t *testing.T) {
	meet(t, accepted+content+"\nC: .\nwait 9m59s\nS: 250 taken"+quit, func(t *testing.T, c *Client) {
		opts := testOptions
		opts.Timeouts.Dot = time.Second
		*c = *New(c.conn, opts)
		if r := deliver(t.Context(), c, testTransaction(3))[0]; r.Stage != spec.StageDot || !r.OK() {
			t.Errorf("%+v", r)
		}
	})
}

// A server that closes while content or dot are written has its last words
// heard: refusals count, an acceptance of what was not sent does not.
func TestLastWords(t *testing.T) {
	tests := []struct {
		name, words string
		atDot       bool
		want        string
	}{
		{"421 during the content", "S: 421 bye\nclose", false, "body 421"},
		{"4yz during the content", "S: 452 full\nclose", false, "body 4yz"},
		{"5yz during the content", "S: 552 too much\nclose", false, "body 5yz"},
		{"2yz during the content", "S: 250 taken\nclose", false, "body cut"},
		{"nothing during the content", "reset", false, "body cut"},
		{"4yz before the dot", "S: 452 full\nclose", true, "dot 4yz"},
		{"5yz before the dot", "S: 552 too much\nclose", true, "dot 5yz"},
		{"2yz before the dot", "S: 250 taken\nclose", true, "dot cut"},
		{"garbage before the dot", "S: what\nclose", true, "dot cut"},
		{"nothing before the dot", "reset", true, "dot cut"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script := accepted + content + "\n" + tt.words
			if tt.atDot {
				script = accepted + begun + "\nwait 500ms\n" + tt.words
			}
			meet(t, script, func(t *testing.T, c *Client) {
				tx := testTransaction(3)
				if tt.atDot {
					// After the last look at what the server says, which waits as well.
					tx.Dot = func([]int) { time.Sleep(time.Second) }
				} else {
					// The first block is written, then the server closes, then the next.
					tx.Body = io.MultiReader(
						strings.NewReader("hello\r\n"+strings.Repeat("x", blockBytes)),
						&slowly{strings.NewReader(strings.Repeat("x", 2*blockBytes))})
				}
				if got := show(deliver(t.Context(), c, tx))[0]; got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

type slowly struct{ r io.Reader }

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return s.r.Read(p)
}

// In answer to a command last words are told but refuse nobody.
func TestLastWordsToACommand(t *testing.T) {
	for words, want := range map[string]string{"554 bye": "mail cut", "250 what": "mail cut", "421 bye": "mail 421"} {
		meet(t, hello+"\nwait 1s\nS: "+words+"\nclose", func(t *testing.T, c *Client) {
			c.Hello(t.Context())
			time.Sleep(2 * time.Second)
			rs := c.Send(t.Context(), testTransaction(2))
			if got := show(rs); !slices.Equal(got, []string{want, want}) {
				t.Errorf("after %q: %v", words, got)
			}
			if told := rs[0].Reply.String() + rs[0].Text; words != "250 what" && !strings.Contains(told, words) {
				t.Errorf("after %q: %q", words, told)
			}
		})
	}
}

// Replies read before the context was done keep their meaning.
func TestCancelWithinAGroup(t *testing.T) {
	meet(t, helloPipelining+"\nC: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: RCPT TO:<c@y>\nC: DATA\nS: 250 ok\nS: 550 no\neof",
		func(t *testing.T, c *Client) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			rs := deliver(ctx, c, testTransaction(2))
			if rs[0].Event != spec.Reply5 || rs[0].Err != nil || !errors.Is(rs[1].Err, context.Canceled) {
				t.Errorf("%+v", rs)
			}
		})
}

// What a server says before the dot leaves is no answer to it, whenever it
// comes: the dot does not leave, and nobody is taken for delivered.
func TestWordsBeforeTheDotAreNotItsReply(t *testing.T) {
	for _, tt := range []struct{ words, want string }{
		{"S: 250 2.0.0 Early", "body 2yz"}, {"S: 451 no\nclose", "body 4yz"}, {"S: 554 spam", "body 5yz"}, {"S: 421 bye\nclose", "body 421"},
		{"S: what", "body malformed"}, {"close", "body cut"}, {"reset", "body cut"},
	} {
		check := func(script string, prepare func(*Transaction)) {
			t.Helper()
			meet(t, script, func(t *testing.T, c *Client) {
				tx := testTransaction(3)
				prepare(&tx)
				tx.Dot = func([]int) { t.Error("the dot left") }
				if diff := cmp.Diff([]string{tt.want, "rcpt 5yz", tt.want}, show(deliver(t.Context(), c, tx))); diff != "" {
					t.Errorf("after %q: %s", tt.words, diff)
				}
			})
		}
		check(accepted+begun+"\nwait 1s\n"+tt.words, func(tx *Transaction) {
			tx.Commit = func([]int) error { time.Sleep(2 * time.Second); return nil }
		})
		if strings.HasPrefix(tt.words, "S:") && !strings.Contains(tt.words, "close") {
			check(accepted+"\nwait 1s\n"+tt.words+begun+"\neof", func(tx *Transaction) {
				tx.Body = &slowly{tx.Body}
				tx.Commit = func([]int) error { t.Error("committed"); return nil }
			})
		}
	}
}
