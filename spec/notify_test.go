package spec

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNotifyIsReadAsItIsWritten(t *testing.T) {
	for n := range Notify(1 << 5) {
		if !n.Valid() {
			continue
		}
		if got, err := ParseNotify(n.String()); got != n || err != nil {
			t.Errorf("%v is read as %v: %v", n, got, err)
		}
		if got, err := ParseKeywords(n.Keywords()); n != 0 && (got != n || err != nil) {
			t.Errorf("NOTIFY=%s is read as %v: %v", n.Keywords(), got, err)
		}
	}
	for _, wrong := range []string{"", "NEVER,SUCCESS", "ALWAYS", "DELAY,DELAY", "SUCCESS,", "DEFAULT", "SUCCESS FAILURE"} {
		if n, err := ParseKeywords(wrong); err == nil {
			t.Errorf("NOTIFY=%s is read as %v", wrong, n)
		}
	}
}

// TestWhoAsksForNothingIsToldOfFailureAlone: RFC 3461 section 4.1.
func TestWhoAsksForNothingIsToldOfFailureAlone(t *testing.T) {
	for _, tt := range []struct {
		n                       Notify
		success, failure, delay bool
	}{
		{0, false, true, false},
		{NotifyNever, false, false, false},
		{NotifySuccess, true, false, false},
		{NotifyFailure, false, true, false},
		{NotifyDelay | NotifyFailure, false, true, true},
	} {
		if tt.n.Success() != tt.success || tt.n.Failure() != tt.failure || tt.n.Delay() != tt.delay {
			t.Errorf("%v: success %v, failure %v, delay %v", tt.n, tt.n.Success(), tt.n.Failure(), tt.n.Delay())
		}
	}
}

func TestXTextIsReadAsItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		x := XText(want)
		if strings.ContainsAny(x, " =\r\n\t\x00") {
			t.Fatalf("%q is written as %q", want, x)
		}
		if got, err := ParseXText(x); got != want || err != nil {
			t.Fatalf("%q is written as %q and read as %q: %v", want, x, got, err)
		}
	})
	if got := XText("a b+c=d"); got != "a+20b+2Bc+3Dd" {
		t.Errorf("written as %q", got)
	}
	for _, wrong := range []string{"a b", "a=b", "+", "+2", "+2b", "+G0", "é", "a\r"} {
		if got, err := ParseXText(wrong); err == nil {
			t.Errorf("%q is read as %q", wrong, got)
		}
	}
}

func TestWhatCannotBeSentOnIsNotTaken(t *testing.T) {
	long := strings.Repeat("x", MaxEnvelopeID)
	for _, tt := range []struct {
		t  Tracking
		ok bool
	}{
		{Tracking{}, true}, {Tracking{ReturnFull, "QQ 314159"}, true}, {Tracking{EnvelopeID: long}, true}, {Tracking{EnvelopeID: long + "x"}, false},
		{Tracking{EnvelopeID: strings.Repeat("+", 34)}, false}, {Tracking{EnvelopeID: "a\r\nRSET"}, false}, {Tracking{Return: 3}, false},
	} {
		if err := tt.t.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.t, err)
		}
	}
	for _, tt := range []struct {
		original string
		ok       bool
	}{
		{"", true}, {"rfc822;Bob@example.com", true}, {"utf-8;x", true}, {"rfc822", false}, {";x", false}, {"rfc822;", false},
		{"a b;x", false}, {"rfc822;a\r\nb", false}, {"rfc822;" + strings.Repeat("x", 493), true}, {"rfc822;" + strings.Repeat("x", 494), false},
	} {
		if err := (Asked{Original: tt.original}).Validate(); (err == nil) != tt.ok {
			t.Errorf("ORCPT %q: %v", tt.original, err)
		}
	}
	if err := (Asked{Notify: NotifyNever | NotifyDelay}).Validate(); err == nil {
		t.Errorf("NEVER and DELAY are taken together")
	}
}
