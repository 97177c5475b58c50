package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

var all = Extensions{Size: true, EightBitMIME: true, DSN: true}

func TestCommandsAsTheyStandOnTheWire(t *testing.T) {
	asked := spec.Asked{Notify: spec.NotifySuccess | spec.NotifyDelay, Original: "rfc822;Bob+x y@example.com"}
	tracking := spec.Tracking{Return: spec.ReturnHeaders, EnvelopeID: "a b"}
	tests := []struct {
		name string
		got  func() ([]byte, error)
		want string
	}{
		{"EHLO", func() ([]byte, error) { return EHLO("relay.example.org") }, "EHLO relay.example.org\r\n"},
		{"EHLO with a literal", func() ([]byte, error) { return EHLO("[192.0.2.1]") }, "EHLO [192.0.2.1]\r\n"},
		{"HELO", func() ([]byte, error) { return HELO("relay.example.org") }, "HELO relay.example.org\r\n"},
		{"MAIL", func() ([]byte, error) { return MAIL("a@x.org", 9, true, 0, spec.Tracking{}, Extensions{}) }, "MAIL FROM:<a@x.org>\r\n"},
		{"MAIL, null sender", func() ([]byte, error) { return MAIL("", 0, false, 0, spec.Tracking{}, all) }, "MAIL FROM:<>\r\n"},
		{"MAIL with both", func() ([]byte, error) { return MAIL("a@x.org", 9, true, 0, spec.Tracking{}, all) }, "MAIL FROM:<a@x.org> SIZE=9 BODY=8BITMIME\r\n"},
		{"MAIL, size unknown", func() ([]byte, error) { return MAIL("a@x.org", 0, false, 0, spec.Tracking{}, all) }, "MAIL FROM:<a@x.org>\r\n"},
		{"RCPT", func() ([]byte, error) { return RCPT("b@y.org", spec.Asked{}, all) }, "RCPT TO:<b@y.org>\r\n"},
		{"MAIL with what is asked for", func() ([]byte, error) { return MAIL("a@x.org", 0, false, 0, tracking, all) },
			"MAIL FROM:<a@x.org> RET=HDRS ENVID=a+20b\r\n"},
		{"MAIL to a server without DSN", func() ([]byte, error) { return MAIL("a@x.org", 0, false, 0, tracking, Extensions{}) }, "MAIL FROM:<a@x.org>\r\n"},
		{"RCPT with what is asked for", func() ([]byte, error) { return RCPT("b@y.org", asked, all) },
			"RCPT TO:<b@y.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx+20y@example.com\r\n"},
		{"RCPT to a server without DSN", func() ([]byte, error) { return RCPT("b@y.org", asked, Extensions{}) }, "RCPT TO:<b@y.org>\r\n"},
		{"MAIL in UTF-8", func() ([]byte, error) {
			return MAIL("ü@x.org", 0, false, spec.NeedUTF8, spec.Tracking{}, Extensions{SMTPUTF8: true})
		},
			"MAIL FROM:<ü@x.org> SMTPUTF8\r\n"},
		{"MAIL with REQUIRETLS", func() ([]byte, error) {
			return MAIL("a@x.org", 0, false, spec.NeedTLS, spec.Tracking{}, Extensions{SMTPUTF8: true, RequireTLS: true})
		}, "MAIL FROM:<a@x.org> REQUIRETLS\r\n"},
		{"MAIL to a server that offers neither", func() ([]byte, error) {
			return MAIL("a@x.org", 0, false, spec.NeedTLS|spec.NeedUTF8, spec.Tracking{}, Extensions{})
		}, "MAIL FROM:<a@x.org>\r\n"},
		{"RCPT in UTF-8", func() ([]byte, error) { return RCPT("ü@y.org", spec.Asked{}, Extensions{SMTPUTF8: true}) }, "RCPT TO:<ü@y.org>\r\n"},
		{"RCPT, postmaster", func() ([]byte, error) { return RCPT("postmaster", spec.Asked{}, all) }, "RCPT TO:<postmaster>\r\n"},
		{"RCPT, quoted string", func() ([]byte, error) { return RCPT(`"a> \"b"@y.org`, spec.Asked{}, all) }, `RCPT TO:<"a> \"b"@y.org>` + "\r\n"},
		{"RCPT, longest", func() ([]byte, error) { return RCPT(strings.Repeat("x", 254), spec.Asked{}, all) }, "RCPT TO:<" + strings.Repeat("x", 254) + ">\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.got()
			if err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestCommandsRefuseWhatCouldInject(t *testing.T) {
	tests := []struct{ address, enhanced string }{
		{"a@x\r\nRCPT TO:<b@y", "5.1.3"},
		{"a@x\nb", "5.1.3"},
		{"a@x\rb", "5.1.3"},
		{"a@x\x00", "5.1.3"},
		{"a@x\x7f", "5.1.3"},
		{"\"a\r\nb\"@x", "5.1.3"},
		{"a@x> NOTIFY=NEVER", "5.1.3"},
		{"a@x>", "5.1.3"},
		{"<a@x", "5.1.3"},
		{"a b@x", "5.1.3"},
		{`"a@x`, "5.1.3"},
		{`"a\`, "5.1.3"},
		{`"a\"> NOTIFY=NEVER`, "5.1.3"},
		{"ä@x", "5.6.7"},
		{strings.Repeat("x", 255), "5.1.3"},
	}
	for _, tt := range tests {
		_, err := RCPT(tt.address, spec.Asked{}, all)
		var bad *CommandError
		if !errors.As(err, &bad) || bad.Enhanced != tt.enhanced {
			t.Errorf("RCPT %q: got %v, want a refusal with %s", tt.address, err, tt.enhanced)
		}
		_, err = MAIL(tt.address, 0, false, 0, spec.Tracking{}, Extensions{})
		if want := strings.Replace(tt.enhanced, "5.1.3", "5.1.7", 1); !errors.As(err, &bad) || bad.Enhanced != want {
			t.Errorf("MAIL %q: got %v, want a refusal with %s", tt.address, err, want)
		}
	}
	for _, address := range []string{"ü\r\nDATA@x", "ü\u0085@x", "ü@x> NOTIFY=NEVER", "ü\xff@x", "ü b@x"} {
		if b, err := RCPT(address, spec.Asked{}, Extensions{SMTPUTF8: true}); err == nil {
			t.Errorf("RCPT %q with SMTPUTF8 is written as %q", address, b)
		}
	}
	if _, err := RCPT("", spec.Asked{}, all); err == nil {
		t.Error("RCPT without a recipient was written")
	}
	for _, name := range []string{"", "a b", "a\r\nb", strings.Repeat("x", 256), "ä"} {
		if _, err := EHLO(name); err == nil {
			t.Errorf("EHLO %q was written", name)
		}
	}
}

// TestParametersRefuseWhatCouldInject: no address type brings parameters of its
// own.
func TestParametersRefuseWhatCouldInject(t *testing.T) {
	for _, original := range []string{"rfc822 SIZE=1;x", "x\r\nRSET;x", "rfc822;x\r\ny", "x"} {
		if b, err := RCPT("b@y.org", spec.Asked{Original: original}, all); err == nil {
			t.Errorf("ORCPT %q is written as %q", original, b)
		}
	}
	if b, err := MAIL("a@x.org", 0, false, 0, spec.Tracking{EnvelopeID: "a\r\nb"}, all); err == nil {
		t.Errorf("written: %q", b)
	}
}

// Whatever the addresses are, one command is one line.
func FuzzCommandsAreOneLine(f *testing.F) {
	f.Add("a@x")
	f.Add("a@x>\r\nDATA")
	f.Add(`"a\`)
	f.Fuzz(func(t *testing.T, address string) {
		write := []func() ([]byte, error){
			func() ([]byte, error) { return EHLO(address) },
			func() ([]byte, error) {
				return MAIL(address, 1, true, 0, spec.Tracking{}, Extensions{Size: true, EightBitMIME: true})
			},
			func() ([]byte, error) { return RCPT(address, spec.Asked{}, all) },
			func() ([]byte, error) {
				return MAIL(address, 1, true, spec.NeedUTF8, spec.Tracking{}, Extensions{SMTPUTF8: true})
			},
			func() ([]byte, error) { return RCPT(address, spec.Asked{}, Extensions{SMTPUTF8: true}) },
		}
		for _, w := range write {
			b, err := w()
			if err != nil {
				continue
			}
			text, ok := strings.CutSuffix(string(b), "\r\n")
			if !ok || strings.ContainsAny(text, "\r\n\x00") || len(b) > 512 {
				t.Fatalf("not one lawful line: %q", b)
			}
		}
	})
}
