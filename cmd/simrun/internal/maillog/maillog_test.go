package maillog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples adds the sample logs to a fuzz target, line by line where it wants lines.
func samples(f *testing.F, byLine bool) {
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) != 3 {
		f.Fatalf("%d samples: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if !byLine {
			f.Add(string(text))
			continue
		}
		for line := range strings.Lines(string(text)) {
			f.Add(line)
		}
	}
}

// FuzzLine has every reader read anything.
func FuzzLine(f *testing.F) {
	samples(f, true)
	f.Fuzz(func(t *testing.T, line string) {
		for _, read := range readers() {
			if e := read(line); e != nil && e.at.IsZero() && e.queue == "" && e.host == "" && len(e.to) == 0 {
				t.Errorf("nothing is read of %q", line)
			}
		}
	})
}

// FuzzLog has a draft made of anything: what is a draft is a scenario, too.
func FuzzLog(f *testing.F) {
	samples(f, false)
	f.Fuzz(func(t *testing.T, log string) {
		d, err := Read(strings.NewReader(log))
		if err != nil {
			return
		}
		if _, err := d.Build(); err != nil && !strings.Contains(err.Error(), "there is no story") {
			t.Error(err)
		}
	})
}

func TestLinesOfALogAreRead(t *testing.T) {
	const postfix = "Nov 24 10:00:00 out postfix/smtp[1]: 4B: to=<b@a.test>, relay=mx.a.test[198.18.0.1]:25, delay=1, dsn=4.0.0, status=deferred "
	const exim = "2026-11-24 10:00:00 1vNabc-000000001Xy-0000 == b@a.test R=r T=t defer (0) H=mx.a.test [198.18.0.1]"
	for line, want := range map[string]string{
		postfix + "(host mx.a.test[198.18.0.1] said: 452 4.3.1 no (in reply to end of DATA command))":           "dot 452 4.3.1 no",
		postfix + "(host mx.a.test[198.18.0.1] said: 450 no (in reply to MAIL FROM command))":                   "mail 450 no",
		postfix + "(host mx.a.test[198.18.0.1] refused to talk to me: 421 busy)":                                "greeting 421 busy",
		postfix + "(lost connection with mx.a.test[198.18.0.1] while sending RCPT TO)":                          "rcpt  cut",
		postfix + "(conversation with mx.a.test[198.18.0.1] timed out while sending message body)":              "body  silence",
		postfix + "(connect to mx.a.test[198.18.0.1]:25: Connection timed out)":                                 " silent",
		exim + ": SMTP error from remote mail server after initial connection: 421 busy":                        "greeting 421 busy",
		exim + ": SMTP error from remote mail server after pipelined MAIL FROM:<x@y.test> SIZE=1700: 450 later": "mail 450 later",
		exim + ": Connection refused":                                       " refused",
		exim + ": Remote host closed connection in response to end of data": "dot  fin",
	} {
		for _, read := range readers() {
			e := read(line)
			if e == nil {
				continue
			}
			got := e.reply + " " + string(e.end) + e.network
			if got = strings.TrimRight(got, " "); e.stage != 0 {
				got = e.stage.String() + " " + got
			}
			if got != want || e.host != "mx.a.test" || len(e.to) != 1 || e.to[0] != "b@a.test" {
				t.Errorf("%s\nis read as %q at %q", line, got, e.host)
			}
			want = ""
			break
		}
		if want != "" {
			t.Errorf("nobody reads %s", line)
		}
	}
}
