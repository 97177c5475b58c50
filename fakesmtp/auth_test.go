package fakesmtp

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// rightPlain is what who may come in says by PLAIN.
var rightPlain = inBase64("\x00tim\x00tanstaaftanstaaf")

func TestWhoMaySendProvesIt(t *testing.T) {
	const auth = `auth tim "tanstaaftanstaaf" `
	for _, tt := range []struct {
		name, script string
		dialogue     []string
	}{
		{"nobody else may", auth, []string{"MAIL FROM:<a@b> = 530 5.7.0"}},
		{"PLAIN", auth, []string{"AUTH PLAIN " + rightPlain + " = 235 2.7.0"}},
		{"PLAIN, asked first", auth, []string{"AUTH plain = 334", rightPlain + " = 235"}},
		{"LOGIN", auth + "LOGIN", []string{"AUTH LOGIN = 334 VXNlcm5hbWU6", "dGlt = 334 UGFzc3dvcmQ6", "dGFuc3RhYWZ0YW5zdGFhZg== = 235"}},
		{"LOGIN, the user at once", auth + "LOGIN", []string{"AUTH LOGIN dGlt = 334 UGFzc3dvcmQ6", "dGFuc3RhYWZ0YW5zdGFhZg== = 235"}},
		{"CRAM-MD5", auth, []string{"AUTH CRAM-MD5 = 334 " + inBase64("<1.mx1>"), inBase64("tim 7e6aa506d350cf273a4c25b2a547fc52") + " = 235"}},
		{"SCRAM-SHA-256", auth, []string{"AUTH SCRAM-SHA-256 " + inBase64("n,,n=tim,r=abcdef") +
			" = 334 " + inBase64("r=abcdefe36c7af5036ddbcb032115ba,s=wNGeRINXH/B8sBpNP1SEEA==,i=4096"),
			inBase64("c=biws,r=abcdefe36c7af5036ddbcb032115ba,p=Vlktdszx51foiQoz1MoEGXHZ3S28dKb97b9tkYbUWZI=") +
				" = 334 " + inBase64("v=ejtHWoNezYPU0Wiuz4WkJQvHgAw9FhitScwykykifjw="), " = 235"}}, // computed by other means
		{"CRAM-MD5, without enhanced codes", "offer none\n" + auth, []string{"AUTH CRAM-MD5 = 334 " + inBase64("<1.mx1>"),
			inBase64("tim 7e6aa506d350cf273a4c25b2a547fc52") + " = 235 Come in"}},
		{"SCRAM-SHA-256, another proof", auth, []string{"AUTH SCRAM-SHA-256 " + inBase64("n,,n=tim,r=abcdef") + " = 334",
			inBase64("c=biws,r=abcdefe36c7af5036ddbcb032115ba,p=ejtHWoNezYPU0Wiuz4WkJQvHgAw9FhitScwykykifjw=") + " = 535"}},
		{"a token", auth + "OAUTHBEARER, XOAUTH2", []string{"AUTH OAUTHBEARER " + inBase64("n,a=tim,\x01auth=Bearer tanstaaftanstaaf\x01\x01") + " = 235"}},
		{"a token, in Google's way", auth + "XOAUTH2", []string{"AUTH XOAUTH2 " + inBase64("user=tim\x01auth=Bearer tanstaaftanstaaf\x01\x01") + " = 235"}},
		{"another secret", auth, []string{"AUTH PLAIN " + inBase64("\x00tim\x00x") + " = 535 5.7.8", "MAIL FROM:<a@b> = 530"}},
		{"another token", auth + "XOAUTH2", []string{"AUTH XOAUTH2 " + inBase64("user=tim\x01auth=Bearer x\x01\x01") + " = 334 eyJ", " = 535"}},
		{"another token, in the standard's way", auth + "OAUTHBEARER", []string{"AUTH OAUTHBEARER " + inBase64("n,a=tim,\x01auth=Bearer x\x01\x01") + " = 334 eyJ",
			"AQ== = 535"}},
		{"and an empty answer", auth + "OAUTHBEARER", []string{"AUTH OAUTHBEARER " + inBase64("n,a=tim,\x01auth=Bearer x\x01\x01") + " = 334 eyJ", " = 535"}},
		{"one that is cancelled", auth, []string{"AUTH LOGIN = 334", "* = 501", "AUTH PLAIN " + rightPlain + " = 235"}},
		{"a rule", auth + "\nat auth, first 1: 454 4.7.0 Not now", []string{"AUTH PLAIN " + rightPlain + " = 454", "AUTH PLAIN " + rightPlain + " = 235"}},
		{"a yes too early", auth + "\nat auth: 235 fine", []string{"AUTH LOGIN = 235", "MAIL FROM:<a@b> = 250"}},
		{"challenges without end", auth + "\nat auth: 334 eA==", []string{"AUTH LOGIN = 334", "eA== = 334", "eA== = 334", "eA== = 334"}},
		{"an offer without anybody behind it", "offer AUTH PLAIN", []string{"AUTH PLAIN " + rightPlain + " = 454", "MAIL FROM:<a@b> = 250"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, tt.script, func(w *world) {
				k := w.connect().greet()
				k.do(tt.dialogue...)
				if last := tt.dialogue[len(tt.dialogue)-1]; strings.Contains(last, "= 235") {
					k.do("MAIL FROM:<alice@example.org> = 250")
				}
				k.conn.Close()
				if told := w.told(spec.FactUnlawful); len(told) > 0 {
					t.Errorf("it is told: %q", told)
				}
			})
		})
	}
}

func TestALoginIsNotOfferedInClearWhereThereIsTLS(t *testing.T) {
	const script = "offer STARTTLS\nauth tim \"tanstaaftanstaaf\" PLAIN"
	inWorld(t, script, func(w *world) {
		k := w.connect()
		k.read("220")
		k.do("EHLO client.example = 250-mx1|250 STARTTLS", "AUTH PLAIN "+rightPlain+" = 538")
		if err := k.secure(trusting(t, "mx1")); err != nil {
			t.Fatal(err)
		}
		k.do("EHLO client.example = 250-mx1|250 AUTH PLAIN", "AUTH PLAIN "+rightPlain+" = 235", "MAIL FROM:<a@b> = 250")
		k.conn.Close()
		w.check("0s unlawful AUTH in clear, which was not offered (RFC 4954 section 6)")
	})
	inWorld(t, script+" in clear", func(w *world) {
		k := w.connect()
		k.read("220")
		k.do("EHLO client.example = 250-mx1|250-STARTTLS|250 AUTH PLAIN", "AUTH PLAIN "+rightPlain+" = 235")
		if err := k.secure(trusting(t, "mx1")); err != nil {
			t.Fatal(err)
		}
		k.do("EHLO client.example = 250-mx1|250 AUTH PLAIN", "MAIL FROM:<a@b> = 530") // what was said in clear is forgotten
		k.conn.Close()
		w.check()
	})
}

func TestUnlawfulLogins(t *testing.T) {
	const auth = `auth tim "tanstaaftanstaaf" PLAIN, LOGIN`
	for _, tt := range []struct {
		name     string
		dialogue []string
		want     string
	}{
		{"before EHLO", []string{"AUTH PLAIN = 503"}, "AUTH before EHLO"},
		{"twice", []string{"EHLO x = 250", "AUTH PLAIN " + rightPlain + " = 235", "AUTH PLAIN " + rightPlain + " = 503"}, "AUTH after a login"},
		{"within a transaction", []string{"EHLO x = 250", "AUTH PLAIN " + rightPlain + " = 235", "MAIL FROM:<a@b> = 250", "AUTH PLAIN = 503"}, "AUTH after a login"},
		{"by what was not offered", []string{"EHLO x = 250", "AUTH XOAUTH2 = 504"}, `AUTH by "XOAUTH2", which was not offered`},
		{"by nothing", []string{"EHLO x = 250", "AUTH = 504"}, `AUTH by ""`},
		{"no base64 at once", []string{"EHLO x = 250", "AUTH PLAIN x = 501"}, "initial response is no base64"},
		{"no base64", []string{"EHLO x = 250", "AUTH PLAIN = 334", "x = 501"}, "a response that is no base64"},
		{"a line too long", []string{"EHLO x = 250", "AUTH PLAIN " + strings.Repeat("AAAA", 130) + " = 500"}, "longer than 512 octets"},
		{"a response too long", []string{"EHLO x = 250", "AUTH PLAIN = 334", strings.Repeat("AAAA", 3072) + " = 500"}, "longer than 12288 octets"},
		{"a response after a refusal", []string{"EHLO x = 250", "AUTH PLAIN AAAA = 535", rightPlain + " = 500"}, "a response after the login was decided"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, auth, func(w *world) {
				k := w.connect()
				k.read("220")
				k.do(tt.dialogue...)
				k.conn.Close()
				if told := strings.Join(w.told(spec.FactUnlawful), "|"); !strings.Contains(told, tt.want) || strings.Contains(told, "|") {
					t.Errorf("it is told: %s", told)
				}
				for _, f := range w.facts {
					if text := f.String(); strings.Contains(text, rightPlain) || strings.Contains(text, "tanstaaf") {
						t.Errorf("a fact has the secret: %s", text)
					}
				}
			})
		})
	}
}

func TestALoginIsAFactWithoutItsResponses(t *testing.T) {
	inWorld(t, `auth tim "tanstaaftanstaaf" PLAIN, LOGIN`, func(w *world) {
		k := w.connect().greet()
		k.do("AUTH PLAIN AAAA = 535", "auth  PLAIN AAAA = 504", "AUTH LOGIN = 334", "dGlt = 334", "* = 501")
		k.conn.Close()
		var said []string
		for _, f := range w.facts {
			if f.Kind == spec.FactCommand && f.Stage == spec.StageAUTH {
				said = append(said, f.Text)
			}
		}
		if got := strings.Join(said, "|"); got != "AUTH PLAIN (response)|AUTH  (response)|AUTH LOGIN|(response)|*" {
			t.Errorf("facts say %s", got)
		}
	})
}
