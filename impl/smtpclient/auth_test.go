package smtpclient

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// byPlain is what it says by PLAIN, as a line of a script.
var byPlain = "C: AUTH PLAIN " + inBase64("\x00relay\x00hunter2") + "\n"

// testLogin may be said in clear.
func testLogin(mechanisms ...spec.Mechanism) *Login {
	return &Login{
		Login: spec.Login{User: "relay", Secret: spec.NewSecret("hunter2"), Mechanisms: mechanisms, Clear: true},
		Nonce: func() string { return "nonce" },
	}
}

// meetLogin has a server offer mechanisms, and a client log in; it returns what
// came of it, and the mechanism by which it was let in.
func meetLogin(t *testing.T, l *Login, offer, script string) (r Result, in spec.Mechanism) {
	t.Helper()
	l.Done = func(m spec.Mechanism) { in = m }
	meet(t, "S: 220 mx.test\nC: EHLO relay.test\nS: 250-mx.test\nS: 250 "+offer+"\n"+script, func(t *testing.T, c *Client) {
		c.opts.Login = l
		r = c.Hello(t.Context())
	})
	return r, in
}

func TestLoginTranscripts(t *testing.T) {
	const bye = "\nC: QUIT\nS: 221 bye"
	token := strings.Repeat("x", 600)
	long := testLogin(spec.XOAuth2)
	long.Secret = spec.NewSecret(token)
	for _, tt := range []struct {
		name   string
		login  *Login
		offer  string
		script string
		event  spec.Event
		text   string
	}{
		{"PLAIN", testLogin(), "AUTH PLAIN LOGIN", byPlain + "S: 235 2.7.0 in" + bye, spec.Reply2, ""},
		{"LOGIN", testLogin(), "AUTH LOGIN",
			"C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: cmVsYXk=\nS: 334 UGFzc3dvcmQ6\nC: aHVudGVyMg==\nS: 235 in" + bye, spec.Reply2, ""},
		{"LOGIN, asked for nothing by name", testLogin(), "AUTH=LOGIN",
			"C: AUTH LOGIN\nS: 334\nC: cmVsYXk=\nS: 334 \nC: aHVudGVyMg==\nS: 235 in" + bye, spec.Reply2, ""},
		{"CRAM-MD5", &Login{Login: spec.Login{User: "tim", Secret: spec.NewSecret("tanstaaftanstaaf"), Clear: true}}, "AUTH PLAIN CRAM-MD5",
			"C: AUTH CRAM-MD5\nS: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n" +
				"C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\nS: 235 in" + bye, spec.Reply2, ""}, // RFC 2195 section 2
		{"SCRAM-SHA-256", &Login{Login: spec.Login{User: "user", Secret: spec.NewSecret("pencil"), Clear: true},
			Nonce: func() string { return "rOprNGfwEbeRWgbNEkqO" }},
			"AUTH SCRAM-SHA-256 CRAM-MD5", "C: AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=\n" +
				"S: 334 cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY=\n" +
				"C: Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ==\n" +
				"S: 334 dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==\nC: \nS: 235 in" + bye, spec.Reply2, ""}, // RFC 7677 section 3
		{"a token", testLogin(spec.OAuthBearer), "AUTH OAUTHBEARER",
			"C: AUTH OAUTHBEARER " + inBase64("n,a=relay,\x01auth=Bearer hunter2\x01\x01") + "\nS: 235 in" + bye, spec.Reply2, ""},
		{"a token that is too long for a command", long, "AUTH XOAUTH2",
			"C: AUTH XOAUTH2\nS: 334 \nC: " + inBase64("user=relay\x01auth=Bearer "+token+"\x01\x01") + "\nS: 235 in" + bye, spec.Reply2, ""},
		{"a yes before the token", long, "AUTH XOAUTH2", "C: AUTH XOAUTH2\nS: 235 in" + bye, spec.Malformed, "within XOAUTH2"},
		{"a token that is refused", testLogin(spec.XOAuth2), "AUTH XOAUTH2", "C: AUTH XOAUTH2 " + inBase64("user=relay\x01auth=Bearer hunter2\x01\x01") +
			"\nS: 334 eyJzdGF0dXMiOiI0MDAifQ==\nC: \nS: 535 5.7.8 no" + bye, spec.Reply5, ""},
		{"refused", testLogin(), "AUTH PLAIN", byPlain + "S: 535 5.7.8 no" + bye, spec.Reply5, ""},
		{"refused, and a weaker one left", testLogin(), "AUTH PLAIN LOGIN", byPlain + "S: 504 5.5.4 what?" + bye, spec.Reply5, ""},
		{"no mechanism in common", testLogin(), "AUTH GSSAPI XOAUTH2", bye, spec.NotOffered, "no mechanism in common: GSSAPI XOAUTH2 is offered"},
		{"nothing offered", testLogin(), "SIZE", bye, spec.NotOffered, "AUTH is not offered"},
		{"a challenge that is no base64", testLogin(spec.CRAMMD5), "AUTH CRAM-MD5",
			"C: AUTH CRAM-MD5\nS: 334 what?\nC: *\nS: 501 ok" + bye, spec.Malformed, "no base64"},
		{"a challenge of two lines", testLogin(spec.CRAMMD5), "AUTH CRAM-MD5",
			"C: AUTH CRAM-MD5\nS: 334-eA==\nS: 334 eA==\nC: *\nS: 501 ok" + bye, spec.Malformed, "2 lines"},
		{"a 3yz that is no challenge", testLogin(), "AUTH LOGIN", "C: AUTH LOGIN\nS: 354 go\nC: *\nS: 501 ok" + bye, spec.Malformed, "354 is no challenge"},
		{"a challenge too many", testLogin(), "AUTH PLAIN", byPlain + "S: 334 eA==\nC: *\nS: 235 in" + bye, spec.Malformed, "a challenge too many for PLAIN"},
		{"a cancel that is not answered", testLogin(), "AUTH PLAIN", byPlain + "S: 334 eA==\nC: *\nclose", spec.Malformed, "a challenge too many"},
		{"a signature that is not the server's", testLogin(), "AUTH SCRAM-SHA-256", "C: AUTH SCRAM-SHA-256 " + inBase64("n,,n=relay,r=nonce") +
			"\nS: 334 " + inBase64("r=nonceX,s=c2FsdA==,i=4096") + "\nC: Yz1iaXdzLHI9bm9uY2VYLHA9MDBGaktpL29FR3M3OVk2U3JBcmtlWkxqdEtxb0RoRzhiZHpidjRXRHcvRT0=" +
			"\nS: 334 " + inBase64("v=AAAA") + "\nC: *\nS: 501 ok" + bye, spec.Untrusted, "has not proved"},
		{"another reply in one go", testLogin(), "AUTH PLAIN", byPlain + "R: \"334 eA==\\r\\n250 ok\\r\\n\"\neof", spec.Malformed, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, in := meetLogin(t, tt.login, tt.offer, tt.script)
			if r.Stage != spec.StageAUTH || r.Event != tt.event || !strings.Contains(r.Text, tt.text) || (in != "") != (tt.event == spec.Reply2) {
				t.Errorf("%v × %v, %q, in by %q", r.Stage, r.Event, r.Text, in)
			}
			checkTold(t, r)
		})
	}
}

func TestNoSecretIsSaidInClear(t *testing.T) {
	l := testLogin()
	l.Clear = false
	r, _ := meetLogin(t, l, "AUTH PLAIN", "C: QUIT\nS: 221 bye")
	if r.Event != spec.NotOffered || !strings.Contains(r.Text, "in clear") {
		t.Errorf("%v, %s", r.Event, r.Text)
	}
}

func TestLoginUnderTLS(t *testing.T) {
	l := testLogin()
	l.Clear = false
	i := strings.LastIndex(encrypted, "S: 250 mx.test")
	script := encrypted[:i] + "S: 250-mx.test\nS: 250 AUTH PLAIN\n" + byPlain + "S: 235 in\n" + inTurn + "\nC: QUIT\nS: 221 bye"
	meetTLS(t, shown(t, fakesmtp.Trusted, "mx.test"), at(t, spec.TLSRequired), script, func(t *testing.T, c *Client) {
		c.opts.Login = l
		if r := deliver(t.Context(), c, testTransaction(1))[0]; r.Stage != spec.StageDot || !r.OK() {
			t.Errorf("%+v", r)
		}
	})
}

func TestASecretThatCannotBeHadIsTroubleOfTheLogin(t *testing.T) {
	for _, read := range []func() (spec.Secret, error){
		func() (spec.Secret, error) { return spec.Secret{}, errors.New("no such file") },
		func() (spec.Secret, error) { return spec.NewSecret("hunter2\n"), nil },
	} {
		l := testLogin()
		l.Read = read
		r, _ := meetLogin(t, l, "AUTH PLAIN", "C: QUIT\nS: 221 bye")
		told := strings.Contains(r.Text, "the secret cannot be")
		if r.Stage != spec.StageAUTH || r.Event != spec.NotOffered || r.Err != nil || !told || strings.Contains(r.Text, "hunter2") {
			t.Errorf("%+v", r)
		}
	}
}

func TestASecretThatAServerSaysBackIsNotShown(t *testing.T) {
	said := inBase64("\x00relay\x00hunter2")
	for _, answer := range []string{"S: 535-hunter2 is wrong\nS: 535 and so is " + said, "S: what " + said, "S: 334 aHVudGVyMg==\nC: *\nS: 501 ok"} {
		script := byPlain + answer + "\n"
		if !strings.HasPrefix(answer, "S: what") {
			script += "C: QUIT\nS: 221 bye"
		}
		r, _ := meetLogin(t, testLogin(), "AUTH PLAIN", script)
		if shown := r.Reply.String() + r.Text; strings.Contains(shown, "hunter2") || strings.Contains(shown, said) || shown == "" {
			t.Errorf("%+v", r)
		}
	}
}
