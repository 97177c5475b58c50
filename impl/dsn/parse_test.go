package dsn

import (
	"bufio"
	"bytes"
	"io"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"unicode"

	"github.com/emersion/go-message"
)

// fataler is *testing.T and *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// A parsed is a report read back by code that is not ours.
type parsed struct {
	header  mail.Header
	human   string
	fields  textproto.MIMEHeader   // per message
	rcpts   []textproto.MIMEHeader // per recipient
	headers string                 // the third part, decoded
}

// parse fails the test unless content is a well-formed report in safe bytes.
func parse(t fataler, content []byte) parsed {
	t.Helper()
	checkBytes(t, content)
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("net/mail: %v", err)
	}
	p := parsed{header: m.Header}
	entity, err := message.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	kind, params, err := entity.Header.ContentType()
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("Content-Type %q %v: %v", kind, params, err)
	}
	parts := entity.MultipartReader()
	third := "text/rfc822-headers"
	if bytes.Contains(content, []byte("\r\nContent-Type: message/rfc822\r\n")) {
		third = "message/rfc822"
	}
	status := "message/delivery-status"
	if bytes.Contains(content, []byte(global)) {
		status = "message/global-delivery-status"
	}
	for i, want := range []string{"text/plain", status, third} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatalf("part %d: %v", i+1, err)
		}
		if kind, _, err := part.Header.ContentType(); err != nil || kind != want {
			t.Fatalf("part %d is %q, want %q: %v", i+1, kind, want, err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatalf("part %d: %v", i+1, err)
		}
		switch i {
		case 0:
			p.human = string(body)
		case 1:
			p.fields, p.rcpts = groups(t, body)
		case 2:
			p.headers = string(body)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Fatalf("after the third part: %v", err)
	}
	return p
}

// groups splits the fields of a message/delivery-status (RFC 3464 section 2.1).
func groups(t fataler, body []byte) (first textproto.MIMEHeader, rest []textproto.MIMEHeader) {
	t.Helper()
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(body)))
	for {
		fields, err := r.ReadMIMEHeader()
		if err != nil && err != io.EOF {
			t.Fatalf("delivery-status: %v in %q", err, body)
		}
		if len(fields) > 0 {
			if first == nil {
				first = fields
			} else {
				rest = append(rest, fields)
			}
		}
		if err == io.EOF {
			return first, rest
		}
	}
}

// global is the type of the second part of a report that may be UTF-8.
const global = "\r\nContent-Type: message/global-delivery-status\r\n"

// checkBytes fails unless content is ASCII, or UTF-8 if it says so, in lines of at
// most 998 octets, ended by CRLF.
func checkBytes(t fataler, content []byte) {
	t.Helper()
	if !bytes.HasSuffix(content, []byte("\r\n")) {
		t.Fatalf("the last line has no end")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(content), "\r\n"), "\r\n") {
		if len(line) > 998 {
			t.Fatalf("a line of %d octets: %.60q...", len(line), line)
		}
		unsafe := func(c rune) bool { return c != '\t' && (c < ' ' || c > '~') }
		if bytes.Contains(content, []byte(global)) {
			unsafe = func(c rune) bool { return c != '\t' && (!unicode.IsGraphic(c) || c == unicode.ReplacementChar) }
		}
		if i := strings.IndexFunc(line, unsafe); i >= 0 {
			t.Fatalf("octet %#x in %q", line[i], line)
		}
	}
}

func TestCheckBytesRefusesWhatIsUnsafe(t *testing.T) {
	for _, bad := range []string{"a", "a\n", "a\rb\r\n", "a\nb\r\n", "ü\r\n", "\x00\r\n", strings.Repeat("a", 999) + "\r\n"} {
		var f failing
		checkBytes(&f, []byte(bad))
		if !f.failed {
			t.Errorf("%.20q passed", bad)
		}
	}
}

type failing struct{ failed bool }

func (f *failing) Helper()               {}
func (f *failing) Fatalf(string, ...any) { f.failed = true }
