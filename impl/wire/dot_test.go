package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDotWriterStuffsAndTerminates(t *testing.T) {
	tests := []struct{ name, content, written, terminator string }{
		{"no content", "", "", ".\r\n"},
		{"no dots", "a\r\nb\r\n", "a\r\nb", "\r\n.\r\n"},
		{"dot at the start", ".a\r\n", "..a", "\r\n.\r\n"},
		{"dot alone", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb", "\r\n.\r\n"},
		{"dot within a line", "a.b\r\n", "a.b", "\r\n.\r\n"},
		{"two dots", "..\r\n", "...", "\r\n.\r\n"},
		{"an empty line", "\r\n", "", "\r\n.\r\n"},
		{"empty lines", "\r\n\r\n.\r\n\r\n", "\r\n\r\n..\r\n", "\r\n.\r\n"},
		{"last line without end", "a\r\nb", "a\r\nb", "\r\n.\r\n"},
		{"last line a dot without end", ".", "..", "\r\n.\r\n"},
		{"last line with half an end", "a\r", "a", "\r\n.\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// Cut at every byte, and not at all.
			for cut := range len(tt.content) + 1 {
				var b bytes.Buffer
				d := NewDotWriter(&b)
				for _, part := range []string{tt.content[:cut], tt.content[cut:]} {
					if n, err := d.Write([]byte(part)); n != len(part) || err != nil {
						t.Fatalf("cut at %d: wrote %d of %d bytes, %v", cut, n, len(part), err)
					}
				}
				if b.String() != tt.written || string(d.Terminator()) != tt.terminator {
					t.Errorf("cut at %d: got %q and %q, want %q and %q", cut, b.String(), d.Terminator(), tt.written, tt.terminator)
				}
			}
		})
	}
}

func TestDotWriterRefusesBareLineEnds(t *testing.T) {
	for _, content := range []string{"\n", "a\n", "a\n.\r\n", "a\r\n.\nb", "\ra", "a\rb\r\n", "a\r\r\n", "\r\r\n", "a\r\n\n"} {
		for cut := range len(content) + 1 {
			var b bytes.Buffer
			d := NewDotWriter(&b)
			_, err := d.Write([]byte(content[:cut]))
			if err == nil {
				_, err = d.Write([]byte(content[cut:]))
			}
			if !errors.Is(err, ErrBareLineEnd) {
				t.Errorf("%q cut at %d: got %v", content, cut, err)
			}
			if strings.Contains(b.String(), "\n.\r\n") {
				t.Errorf("%q cut at %d: a final dot was written: %q", content, cut, b.String())
			}
		}
	}
}

func TestDotWriterKeepsTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	d := NewDotWriter(failingWriter{broken})
	for range 2 {
		if _, err := d.Write([]byte(".a\r\n")); err != broken {
			t.Errorf("got %v, want %v", err, broken)
		}
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// However the content is cut, a server that undoes the stuffing gets it back,
// completed to whole lines, and sees the final dot at the end and only there.
func TestDotWriterRoundTrips(t *testing.T) {
	content := rapid.Custom(func(t *rapid.T) []byte {
		lines := rapid.SliceOfN(rapid.StringMatching(`\.{0,3}[ab]{0,3}\.?`), 0, 6).Draw(t, "lines")
		text := strings.Join(lines, "\r\n")
		return []byte(text + rapid.SampledFrom([]string{"", "\r\n"}).Draw(t, "end"))
	})
	rapid.Check(t, func(t *rapid.T) {
		x := content.Draw(t, "content")
		var b bytes.Buffer
		d := NewDotWriter(&b)
		for rest := x; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			if _, err := d.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		checkStuffed(t, x, append(b.Bytes(), d.Terminator()...))
	})
}

func FuzzDotWriter(f *testing.F) {
	f.Add([]byte("a\r\n.\r\n"), 2)
	f.Add([]byte("..\r"), 1)
	f.Fuzz(func(t *testing.T, x []byte, cut int) {
		if cut < 0 || cut > len(x) {
			return
		}
		var b bytes.Buffer
		d := NewDotWriter(&b)
		_, _ = d.Write(x[:cut])
		if _, err := d.Write(x[cut:]); err != nil {
			if !errors.Is(err, ErrBareLineEnd) {
				t.Fatal(err)
			}
			return
		}
		checkStuffed(t, x, append(b.Bytes(), d.Terminator()...))
	})
}

type fataler interface{ Fatalf(string, ...any) }

func checkStuffed(t fataler, content, wire []byte) {
	want := string(content)
	if want = strings.TrimSuffix(want, "\r"); want != "" && !strings.HasSuffix(want, "\r\n") || len(want) < len(content) {
		want += "\r\n"
	}
	got, rest, ok := unstuff(string(wire))
	if !ok || rest != "" {
		t.Fatalf("%q does not end where the final dot is: %q left", wire, rest)
	}
	if got != want {
		t.Fatalf("a server gets %q, want %q (wire %q)", got, want, wire)
	}
}

// unstuff is RFC 5321 section 4.5.2 from the server's side, written to be
// obvious.
func unstuff(wire string) (content, rest string, ok bool) {
	for {
		line, after, found := strings.Cut(wire, "\r\n")
		switch {
		case !found:
			return content, wire, false
		case line == ".":
			return content, after, true
		}
		content += strings.TrimPrefix(line, ".") + "\r\n"
		wire = after
	}
}

func BenchmarkDotWriter(b *testing.B) {
	content := []byte(strings.Repeat(strings.Repeat("x", 70)+"\r\n.dot\r\n", 400))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	w := bufio.NewWriterSize(io.Discard, 32<<10)
	for b.Loop() {
		if _, err := NewDotWriter(w).Write(content); err != nil {
			b.Fatal(err)
		}
	}
}
