package wire

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

const testLimit = 1000

func TestReadReplyUnderstands(t *testing.T) {
	tests := []struct {
		name, in string
		want     spec.Reply
	}{
		{"one line", "250 ok\r\n", spec.Reply{Code: 250, Lines: []string{"ok"}}},
		{"several lines", "250-mx\r\n250-SIZE 10\r\n250 HELP\r\n", spec.Reply{Code: 250, Lines: []string{"mx", "SIZE 10", "HELP"}}},
		{"no text and no space", "354\r\n", spec.Reply{Code: 354, Lines: []string{""}}},
		{"no text but a space", "354 \r\n", spec.Reply{Code: 354, Lines: []string{""}}},
		{"an empty line among others", "250-\r\n250 x\r\n", spec.Reply{Code: 250, Lines: []string{"", "x"}}},
		{"bare LF", "250-a\n250 b\n", spec.Reply{Code: 250, Lines: []string{"a", "b"}}},
		{"a code no standard knows", "471 odd\r\n", spec.Reply{Code: 471, Lines: []string{"odd"}}},
		{"second digit above five", "590 odd\r\n", spec.Reply{Code: 590, Lines: []string{"odd"}}},
		{"enhanced code", "450 4.2.0 greylisted\r\n", spec.Reply{Code: 450, Enhanced: "4.2.0", Lines: []string{"greylisted"}}},
		{"enhanced code alone", "250 2.1.5\r\n", spec.Reply{Code: 250, Enhanced: "2.1.5", Lines: []string{""}}},
		{"enhanced code on every line", "550-5.1.1 no\r\n550 5.1.1 such user\r\n",
			spec.Reply{Code: 550, Enhanced: "5.1.1", Lines: []string{"no", "such user"}}},
		{"enhanced code on a later line", "550-no\r\n550 5.1.1 such user\r\n", spec.Reply{Code: 550, Enhanced: "5.1.1", Lines: []string{"no", "such user"}}},
		{"enhanced codes that differ", "550-5.7.1 no\r\n550 5.1.1 no\r\n", spec.Reply{Code: 550, Enhanced: "5.7.1", Lines: []string{"no", "no"}}},
		{"empty lines before it", "\r\n\n250 ok\r\n", spec.Reply{Code: 250, Lines: []string{"ok"}}},
		{"enhanced code of another class is text", "450 5.1.1 what\r\n", spec.Reply{Code: 450, Lines: []string{"5.1.1 what"}}},
		{"no enhanced code for 3yz", "354 3.0.0 go\r\n", spec.Reply{Code: 354, Lines: []string{"3.0.0 go"}}},
		{"four digits are no detail", "550 5.1.1000 x\r\n", spec.Reply{Code: 550, Lines: []string{"5.1.1000 x"}}},
		{"an address is no enhanced code", "550 5.1.1.1 blocked\r\n", spec.Reply{Code: 550, Lines: []string{"5.1.1.1 blocked"}}},
		{"UTF-8 stays, other bytes do not", "550 für \xff\x1b\x00\tx\r\n", spec.Reply{Code: 550, Lines: []string{"für ??? x"}}},
		{"a bare CR in the text", "250 a\rb\r\n", spec.Reply{Code: 250, Lines: []string{"a?b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bufio.NewReader(strings.NewReader(tt.in + "next"))
			got, err := ReadReply(r, testLimit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "next" {
				t.Errorf("left %q unread, want %q", rest, "next")
			}
		})
	}
}

func TestReadReplyRefuses(t *testing.T) {
	tests := []struct{ name, in, why string }{
		{"garbage", "hello\r\n", "three-digit"},
		{"an empty line within it", "250-a\r\n\r\n250 b\r\n", "three-digit"},
		{"too many empty lines", strings.Repeat("\r\n", testLimit/2) + "250 x\r\n", "too long"},
		{"two digits", "25\r\n", "three-digit"},
		{"four digits", "2500 ok\r\n", "neither space nor hyphen"},
		{"text that sticks to the code", "250ok\r\n", "neither space nor hyphen"},
		{"a tab after the code", "250\tok\r\n", "neither space nor hyphen"},
		{"1yz", "150 wait\r\n", "between 200 and 599"},
		{"6yz", "600 what\r\n", "between 200 and 599"},
		{"codes that differ", "250-ok\r\n550 no\r\n", "differs from 250"},
		{"garbage within a reply", "250-ok\r\nhello\r\n", "three-digit"},
		{"a line that is too long", "250 " + strings.Repeat("x", testLimit) + "\r\n", "too long"},
		{"too many lines", strings.Repeat("250-x\r\n", testLimit/7+1) + "250 x\r\n", "too long"},
		{"a line without end", strings.Repeat("x", 5000), "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadReply(bufio.NewReaderSize(strings.NewReader(tt.in), 16), testLimit)
			var bad *MalformedError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a MalformedError", err)
			}
			if !strings.Contains(bad.Error(), tt.why) {
				t.Errorf("%q does not say %q", bad, tt.why)
			}
			if len(bad.Line) > quotedLine {
				t.Errorf("the error keeps %d bytes of the line", len(bad.Line))
			}
		})
	}
}

func TestReadReplyPassesIOErrors(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name, in string
		end      error
		want     error
	}{
		{"end before the reply", "", io.EOF, io.EOF},
		{"end within a line", "250 o", io.EOF, io.ErrUnexpectedEOF},
		{"end between lines", "250-ok\r\n", io.EOF, io.ErrUnexpectedEOF},
		{"end after an empty line", "\r\n", io.EOF, io.EOF},
		{"fault before the reply", "", broken, broken},
		{"fault within a line", "250 o", broken, broken},
		{"fault between lines", "250-ok\r\n", broken, broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bufio.NewReader(io.MultiReader(strings.NewReader(tt.in), failing{tt.end}))
			if _, err := ReadReply(r, testLimit); err != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// An endless reply must be given up after the limit, not read for ever.
func TestReadReplyReadsNoMoreThanTheLimitAllows(t *testing.T) {
	for _, unit := range []string{"250-x\r\n", "x", "\r\n"} {
		endless := &endless{unit: unit}
		if _, err := ReadReply(bufio.NewReader(endless), testLimit); err == nil {
			t.Fatal("an endless reply was accepted")
		}
		if endless.read > 3*4096 {
			t.Errorf("%q: %d bytes were read", unit, endless.read)
		}
	}
}

type endless struct {
	unit string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.unit[(e.read+i)%len(e.unit)]
	}
	e.read += len(p)
	return len(p), nil
}

// What is well-formed is understood the same wherever the reads cut it.
func TestReadReplyDoesNotDependOnReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.IntRange(200, 599).Draw(t, "code")
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-z .]{0,20}`), 1, 5).Draw(t, "lines")
		var b strings.Builder
		for i, line := range lines {
			mark := "-"
			if i == len(lines)-1 {
				mark = " "
			}
			b.WriteString(spec.Reply{Code: code}.String() + mark + line + "\r\n")
		}
		size := rapid.IntRange(16, 64).Draw(t, "buffer")
		chunk := rapid.IntRange(1, 40).Draw(t, "chunk")
		got, err := ReadReply(bufio.NewReaderSize(&chunked{b.String(), chunk}, size), testLimit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(spec.Reply{Code: code, Lines: lines}, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

type chunked struct {
	rest string
	size int
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.rest == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "450 4.2.0 x\n", "250-a\r\n550 b\r\n", "x", "354\r\n", "250 \xff\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		reply, err := ReadReply(bufio.NewReaderSize(strings.NewReader(string(in)), 16), testLimit)
		if err != nil {
			var bad *MalformedError
			if !errors.As(err, &bad) && err != io.EOF && err != io.ErrUnexpectedEOF {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		if reply.Code < 200 || reply.Code > 599 || len(reply.Lines) == 0 {
			t.Fatalf("impossible reply %#v", reply)
		}
		if strings.ContainsAny(reply.String(), "\r\n\x00") {
			t.Fatalf("control characters in %q", reply.String())
		}
	})
}

func BenchmarkReadReply(b *testing.B) {
	for name, in := range map[string]string{
		"one line": "250 2.0.0 ok queued as 4f1xyz\r\n",
		"ehlo":     "250-mx.example.net\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			source := strings.NewReader(in)
			r := bufio.NewReader(source)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				source.Reset(in)
				r.Reset(source)
				if _, err := ReadReply(r, testLimit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
