package wire

import (
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

func TestAUTHIsOneCommandLine(t *testing.T) {
	const most = (512 - len("AUTH PLAIN \r\n")) / 4 * 3 // as many bytes have room in base64
	for _, c := range []struct {
		initial []byte
		want    string
		waits   bool
	}{
		{nil, "AUTH PLAIN\r\n", false},
		{[]byte{}, "AUTH PLAIN =\r\n", false},
		{[]byte("\x00a\x00b"), "AUTH PLAIN AGEAYg==\r\n", false},
		{make([]byte, most), "AUTH PLAIN " + strings.Repeat("AAAA", most/3) + "\r\n", false},
		{make([]byte, most+1), "AUTH PLAIN\r\n", true},
	} {
		if got, waits := AUTH("PLAIN", c.initial); string(got) != c.want || waits != c.waits {
			t.Errorf("%d bytes: %q, %t", len(c.initial), got, waits)
		}
	}
}

func TestResponsesAndChallengesAreBase64(t *testing.T) {
	if got, err := Response([]byte("tim")); string(got) != "dGlt\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Response(nil); string(got) != "\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Response(make([]byte, 12288/4*3)); err == nil {
		t.Error("a response that is too long is written")
	}
	for _, c := range []struct {
		reply spec.Reply
		want  string
		bad   bool
	}{
		{spec.Reply{Code: 334, Lines: []string{"dGlt"}}, "tim", false},
		{spec.Reply{Code: 334, Lines: []string{""}}, "", false},
		{spec.Reply{Code: 334}, "", false},
		{spec.Reply{Code: 334, Lines: []string{"dGl"}}, "", true},
		{spec.Reply{Code: 334, Lines: []string{"what?"}}, "", true},
		{spec.Reply{Code: 334, Lines: []string{"dGlt", "dGlt"}}, "", true},
		{spec.Reply{Code: 334, Lines: []string{strings.Repeat("AAAA", 12288/4+1)}}, "", true},
		{spec.Reply{Code: 354, Lines: []string{"dGlt"}}, "", true},
	} {
		if got, err := Challenge(c.reply); string(got) != c.want || (err != nil) != c.bad {
			t.Errorf("%.40v: %q, %v", c.reply, got, err)
		}
	}
}

func TestMechanismsMayBeOfferedInOldWays(t *testing.T) {
	for lines, want := range map[string]string{ // any order: each is judged by itself
		"AUTH PLAIN LOGIN": "PLAIN LOGIN", "auth plain": "PLAIN", "AUTH=PLAIN LOGIN": "PLAIN LOGIN", "AUTH PLAIN|AUTH=LOGIN": "PLAIN LOGIN",
		"AUTH": "", "AUTHX PLAIN": "", "AUTH=": "",
	} {
		got := ParseEHLO(spec.Reply{Code: 250, Lines: append([]string{"mx"}, strings.Split(lines, "|")...)}).Auth
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", lines, got, want)
		}
	}
}
