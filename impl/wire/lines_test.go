package wire

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestALineWriterChangesNothing(t *testing.T) {
	for content, ended := range map[string]bool{ // any order: each is judged by itself
		"": true, ".\r\n": true, "a\r\n..\r\n.b\r\n": true, "\r\n\r\n": true, "a": false, "a\r\nb": false, "a\r": false,
	} {
		for cut := range len(content) + 1 {
			var b bytes.Buffer
			l := NewLineWriter(&b)
			for _, part := range []string{content[:cut], content[cut:]} {
				if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("%q cut at %d: wrote %d of %d bytes, %v", content, cut, n, len(part), err)
				}
			}
			if b.String() != content || l.Ended() != ended {
				t.Errorf("%q cut at %d: got %q, which ends a line: %t", content, cut, b.String(), l.Ended())
			}
		}
	}
}

// What may not be sent after DATA may not be sent after BDAT either.
func TestALineWriterRefusesWhatADotWriterRefuses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		content := rapid.StringMatching(`[a.\r\n]{0,12}`).Draw(rt, "content")
		cut := rapid.IntRange(0, len(content)).Draw(rt, "cut")
		var stuffed, plain bytes.Buffer
		d, l := NewDotWriter(&stuffed), NewLineWriter(&plain)
		var derr, lerr error
		for _, part := range []string{content[:cut], content[cut:]} {
			_, derr = d.Write([]byte(part))
			_, lerr = l.Write([]byte(part))
		}
		if !errors.Is(lerr, derr) || lerr != nil && !errors.Is(lerr, ErrBareLineEnd) {
			rt.Fatalf("%q: %v after DATA, %v after BDAT", content, derr, lerr)
		}
	})
}
