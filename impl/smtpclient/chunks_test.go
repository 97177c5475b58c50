package smtpclient

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

const (
	helloChunking = `
		S: 220 mx.test ESMTP
		C: EHLO relay.test
		S: 250-mx.test
		S: 250 CHUNKING`
	helloBoth = `
		S: 220 mx.test ESMTP
		C: EHLO relay.test
		S: 250-mx.test
		S: 250-PIPELINING
		S: 250 CHUNKING`
	// bodied leads up to the content, with c@y of three recipients refused.
	bodied = helloBoth + `
		C: MAIL FROM:<a@x>
		C: RCPT TO:<b@y>
		C: RCPT TO:<c@y>
		C: RCPT TO:<d@y>
		quiet 1m
		S: 250 ok
		S: 250 ok
		S: 550 no
		S: 250 ok`
	// single is for one recipient.
	single = helloChunking + `
		C: MAIL FROM:<a@x>
		S: 250 ok
		C: RCPT TO:<b@y>
		S: 250 ok`
)

// chunkily has the client say BDAT.
func chunkily(bytes int64, client func(t *testing.T, c *Client)) func(t *testing.T, c *Client) {
	return func(t *testing.T, c *Client) {
		c.opts.ChunkBytes = bytes
		client(t, c)
	}
}

func TestTheLastChunkWaitsForTheCommit(t *testing.T) {
	script := bodied + `
		C: BDAT 7
		C: hello
		S: 250 more
		quiet 2m
		C: BDAT 0 LAST
		quiet 10m
		S: 250 taken` + quit
	meet(t, script, chunkily(1000, func(t *testing.T, c *Client) {
		var steps []string
		tx := testTransaction(3)
		tx.Commit = func(accepted []int) error {
			time.Sleep(2*time.Minute + time.Second)
			steps = append(steps, fmt.Sprint("commit ", accepted))
			return nil
		}
		tx.Dot = func(accepted []int) { steps = append(steps, fmt.Sprint("dot ", accepted)) }
		got := show(deliver(t.Context(), c, tx))
		if diff := cmp.Diff([]string{"dot 2yz", "rcpt 5yz", "dot 2yz"}, got); diff != "" {
			t.Error(diff)
		}
		if !slices.Equal(steps, []string{"commit [0 2]", "dot [0 2]"}) {
			t.Errorf("the order was %v", steps)
		}
	}))
}

func TestChunkTranscripts(t *testing.T) {
	const lines = ".a\r\n..\r\n.\r\nb\r\n" // 14 octets
	again := strings.TrimPrefix(single, helloChunking)
	tests := []struct {
		name   string
		chunk  int64
		body   string
		script string
		want   []string
	}{
		{"a message smaller than a chunk is one", 15, lines, single + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			S: 250 taken` + quit, []string{"dot 2yz"}},
		{"chunks are of their size whatever lines there are, and the next waits for the reply", 5, lines, single + `
			C: BDAT 5
			B: ".a\r\n."
			quiet 1m
			S: 250 more
			C: BDAT 5
			B: ".\r\n.\r"
			quiet 1m
			S: 299 more
			C: BDAT 4
			B: "\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			S: 250 taken` + quit, []string{"dot 2yz"}},
		{"after a refused chunk comes no other, but RSET", 5, lines, single + `
			C: BDAT 5
			B: ".a\r\n."
			S: 552 too much
			C: RSET
			S: 250 ok` + again + `
			C: BDAT 5
			B: ".a\r\n."
			S: 250 more
			C: BDAT 5
			B: ".\r\n.\r"
			S: 452 no room
			C: RSET
			S: 250 ok` + quit, []string{"bdat 5yz", "bdat 4yz"}},
		{"a refused last chunk is followed by RSET too", 99, lines, single + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			S: 503 what
			C: RSET
			S: 250 ok` + again + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			S: 250 taken` + quit, []string{"dot 5yz", "dot 2yz"}},
		{"who is refused gets no chunk", 99, lines, helloBoth + `
			C: MAIL FROM:<a@x>
			C: RCPT TO:<b@y>
			quiet 1m
			S: 250 ok
			S: 550 no
			C: RSET
			S: 250 ok` + quit, []string{"rcpt 5yz"}},
		{"a reply too many before a chunk ends it", 99, lines, helloChunking + `
			C: MAIL FROM:<a@x>
			S: 250 ok
			C: RCPT TO:<b@y>
			R: "250 ok\r\n250 ok\r\n"
			eof`, []string{"bdat malformed"}},
		{"a lost reply to the last chunk is a doubt", 99, lines, single + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			close`, []string{"dot cut"}},
		{"silence after the last chunk is a doubt after the time for the dot", 99, lines, single + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			S: 250 more
			C: BDAT 0 LAST
			quiet 10m59s
			eof`, []string{"dot timeout"}},
		{"a reply too many between two chunks ends it", 5, lines, single + `
			C: BDAT 5
			B: ".a\r\n."
			R: "250 more\r\n250 more\r\n"
			eof`, []string{"bdat malformed"}},
		{"a reply too many before the last chunk accepts nothing", 99, lines, single + `
			C: BDAT 14
			B: ".a\r\n..\r\n.\r\nb\r\n"
			R: "250 more\r\n250 taken\r\n"
			eof`, []string{"body 2yz"}},
		{"a bare line end is not sent to its end", 99, "ab\ncd\r\nefghi\r\n", single + "\neof", []string{"body 5yz"}},
		{"a line end that two chunks share is no bare one", 4, "abc\r\n defg\r\n\r\n", single + `
			C: BDAT 4
			B: "abc\r"
			S: 250 more
			C: BDAT 4
			B: "\n de"
			S: 250 more
			C: BDAT 4
			B: "fg\r\n"
			S: 250 more
			C: BDAT 2
			B: "\r\n"
			S: 250 more
			C: BDAT 0 LAST
			S: 250 taken` + quit, []string{"dot 2yz"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			meet(t, tt.script, chunkily(tt.chunk, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tx.Size, tx.Body = int64(len(tt.body)), strings.NewReader(tt.body)
				got := show(deliver(t.Context(), c, tx))
				for range len(tt.want) - 1 {
					if ready, _ := c.Ready(t.Context()); ready {
						tx.Body = strings.NewReader(tt.body)
						got = append(got, show(c.Send(t.Context(), tx))...)
					}
				}
				if c.dirty && !c.broken {
					c.Ready(t.Context())
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			}))
		})
	}
}

func TestWithoutAnOfferOrASizeThereIsNoBDAT(t *testing.T) {
	data := func(hello string) string {
		return hello + `
			C: MAIL FROM:<a@x>
			S: 250 ok
			C: RCPT TO:<b@y>
			S: 250 ok
			C: DATA
			S: 354 go` + content + `
			C: .
			S: 250 taken` + quit
	}
	for name, tt := range map[string]struct { // any order: each is judged by itself
		hello string
		chunk int64
		size  int64
	}{
		"not offered": {hello, 1000, 7}, "off": {helloChunking, 0, 7}, "size unknown": {helloChunking, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			meet(t, data(tt.hello), chunkily(tt.chunk, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tx.Size = tt.size
				if got := show(deliver(t.Context(), c, tx)); got[0] != "dot 2yz" {
					t.Error(got)
				}
			}))
		})
	}
}

// A message that is not what it is said to be ends the attempt on this side,
// before the commit.
func TestAMessageOfAnotherSizeIsNotSent(t *testing.T) {
	for name, body := range map[string]string{ // any order: each is judged by itself
		"shorter": "hell\r\n", "longer": "hello\r\n\r\n", "no line": "hellooo", "half a line end": "hello!\r", "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			meet(t, single+"\neof", chunkily(1000, func(t *testing.T, c *Client) {
				tx := testTransaction(1)
				tx.Size, tx.Body = 7, strings.NewReader(body)
				tx.Commit = func([]int) error { t.Error("committed"); return nil }
				r := deliver(t.Context(), c, tx)[0]
				if r.Err == nil || r.Stage != spec.StageBody {
					t.Errorf("%+v", r)
				}
			}))
		})
	}
}

func TestAMessageThatCannotBeReadIsNotChunkedToItsEnd(t *testing.T) {
	meet(t, single+"\neof", chunkily(1000, func(t *testing.T, c *Client) {
		tx := testTransaction(1)
		tx.Body = iotest.ErrReader(errors.New("disk"))
		if r := deliver(t.Context(), c, tx)[0]; r.Err == nil || !strings.Contains(r.Text, "disk") {
			t.Errorf("%+v", r)
		}
	}))
}
