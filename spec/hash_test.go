package spec

import (
	"testing"

	"pgregory.net/rapid"
)

func hashOf(content string) string {
	h := NewContentHash()
	h.Write([]byte(content))
	return h.Sum()
}

func TestContentHashLeavesOutTraceFieldsAtTheTop(t *testing.T) {
	const submitted = "From: a\r\nReceived: from elsewhere\r\n\r\nhello\r\n"
	for name, relayed := range map[string]string{
		"same":              submitted,
		"received":          "Received: from x\r\n" + submitted,
		"folded":            "Received: from x\r\n\tby y;\r\n  today\r\n" + submitted,
		"return-path":       "Return-Path: <a@example.org>\r\nReceived: from x\r\n\tby y\r\n" + submitted,
		"in capitals":       "RECEIVED: from x\r\nreturn-PATH:<>\r\n" + submitted,
		"no CRLF at end":    submitted[:len(submitted)-2],
		"received at first": "Received: 1\r\nReceived: 2\r\n" + submitted,
	} {
		if hashOf(relayed) != hashOf(submitted) {
			t.Errorf("%s: hash differs", name)
		}
	}
}

func TestContentHashCountsEverythingElse(t *testing.T) {
	const submitted = "From: a\r\nReceived: from elsewhere\r\n\r\nhello\r\n"
	for name, relayed := range map[string]string{
		"one byte":             "From: b\r\nReceived: from elsewhere\r\n\r\nhello\r\n",
		"blank line at end":    submitted + "\r\n",
		"bare LF":              "From: a\nReceived: from elsewhere\r\n\r\nhello\r\n",
		"lower received":       "From: a\r\nReceived: from another\r\n\r\nhello\r\n",
		"other field on top":   "Received-SPF: pass\r\n" + submitted,
		"continuation on top":  " folded\r\n" + submitted,
		"dot not unstuffed":    "From: a\r\nReceived: from elsewhere\r\n\r\n.hello\r\n",
		"only trace fields":    "Received: x\r\n",
		"begins like a trace":  "Recei",
		"begins like it, CRLF": "Rece\r\n",
		"empty":                "",
	} {
		if hashOf(relayed) == hashOf(submitted) {
			t.Errorf("%s: hash is the same", name)
		}
	}
	if hashOf("Recei") == hashOf("") || hashOf("Recei") != hashOf("Recei\r\n") {
		t.Error("a content that ends within what looks like a field name is lost")
	}
}

func TestContentHashIsFinalAfterSum(t *testing.T) {
	h := NewContentHash()
	h.Write([]byte("x"))
	first := h.Sum()
	h.Write([]byte("y"))
	if h.Sum() != first {
		t.Error("a write after Sum changed it")
	}
}

func TestContentHashOfAnyChunking(t *testing.T) {
	line := rapid.SampledFrom([]string{"Received: x\r\n", "Return-Path: <>\r\n", "\tfolded\r\n", " \r\n", "From: y\r\n", "\r\n", "\n", "\r", "Rec",
		"Return-", ".", "text"})
	rapid.Check(t, func(t *rapid.T) {
		var content string
		for _, l := range rapid.SliceOfN(line, 0, 12).Draw(t, "lines") {
			content += l
		}
		h := NewContentHash()
		for rest := content; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
			h.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		if h.Sum() != hashOf(content) {
			t.Errorf("%q: the hash depends on the chunks", content)
		}
	})
}

func BenchmarkContentHash(b *testing.B) {
	body := make([]byte, 64<<10)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		h := NewContentHash()
		h.Write(body)
		h.Sum()
	}
}
