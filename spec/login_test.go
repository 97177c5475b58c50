package spec

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// canary is a secret that must not come to light.
const canary = "c4n4ry-in-the-mine"

func TestASecretDoesNotPrint(t *testing.T) {
	p := DefaultPolicy("relay.example.org")
	p.Logins = map[string]Login{"smart1.example.com": {User: "relay", Secret: NewSecret(canary)}}
	asJSON, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", NewSecret(canary), "policy", p, "login", p.Logins)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", NewSecret(canary), "policy", p, "login", p.Logins)
	for _, text := range []string{
		fmt.Sprint(p), fmt.Sprintf("%+v %#v %v %q %x %v %v", p, p.Logins, p.Logins, NewSecret(canary), NewSecret(canary), &p, p.Logins),
		string(asJSON), log.String(), fmt.Errorf("%w %v", p.Validate(), p.Logins["smart1.example.com"]).Error(),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) || !strings.Contains(text, SecretShown) {
			t.Errorf("the secret is told, or not shown to be one: %s", text)
		}
	}
}

func TestCredentialsThatNoMechanismTakesAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"hunter2", ""}, {"Grüße, 世界", ""}, {"", "empty"}, {"a\x00b", "NUL"}, {"a\xffb", "UTF-8"}, {"a\nb", "control"}, {"a\x01b", "control"},
		{strings.Repeat("x", mostSecret+1), "longer"}, {strings.Repeat("x", mostSecret), ""},
	} {
		why := NewSecret(c.text).Trouble()
		if (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%.20q: %q, want %q", c.text, why, c.want)
		}
	}
}

func TestTheStrongestMechanismIsChosen(t *testing.T) {
	all := []string{"LOGIN", "PLAIN", "XOAUTH2", "cram-md5", "OAUTHBEARER", "SCRAM-SHA-256", "GSSAPI"}
	for _, c := range []struct {
		offered []string
		allowed []Mechanism
		want    Mechanism
	}{
		{all, nil, SCRAMSHA256},
		{all[:5], nil, CRAMMD5},
		{all[:3], nil, Plain},
		{all[:1], nil, LoginPlain},
		{all[2:3], nil, ""}, // a password is no token
		{all, []Mechanism{XOAuth2, OAuthBearer}, OAuthBearer},
		{all, []Mechanism{XOAuth2}, XOAuth2},
		{all, []Mechanism{LoginPlain, Plain}, Plain},
		{all[6:], nil, ""},
		{nil, nil, ""},
	} {
		if got, ok := (Login{Mechanisms: c.allowed}).Choose(c.offered); got != c.want || ok != (c.want != "") {
			t.Errorf("of %v, of which %v are allowed: %q, want %q", c.offered, c.allowed, got, c.want)
		}
	}
}

func TestALoginIsForTheOperatorsHosts(t *testing.T) {
	p := DefaultPolicy("relay.example.org")
	p.Relays, p.Fallback = []string{"smart1.example.com:587"}, []string{"192.0.2.7:587"}
	p.Routes = map[string][]string{"example.net": {"Way1.example.com"}}
	p.Logins = map[string]Login{
		"smart1.example.com": {User: "a"}, "192.0.2.7": {User: "b"}, "way1.example.com": {User: "c", Clear: true}, "mx.example.org": {User: "d"},
	}
	for _, c := range []struct {
		dest, host, user string
		level            TLSLevel
	}{
		{RelayDestination, "smart1.example.com", "a", TLSRequired},
		{"example.net", "smart1.example.com", "", TLSOpportunistic}, // not where its mail goes
		{RelayDestination, "[192.0.2.7]", "b", TLSRequired},
		{"example.net", "[192.0.2.7]", "b", TLSRequired}, // fallback is for all
		{"example.net", "way1.example.com", "c", TLSOpportunistic},
		{"example.org", "mx.example.org", "", TLSOpportunistic}, // the DNS named it
	} {
		l, ok := p.LoginFor(c.dest, c.host)
		if l.User != c.user || ok != (c.user != "") || p.TLSFor(c.dest, c.host) != c.level {
			t.Errorf("mail for %s at %s: login of %q under %v, want %q under %v", c.dest, c.host, l.User, p.TLSFor(c.dest, c.host), c.user, c.level)
		}
	}
	for host, want := range map[string]bool{ // any order: each is judged by itself
		"smart1.example.com": true, "[192.0.2.7]": true, "way1.example.com": true, "mx.example.org": false,
	} {
		if got := p.Gives(host); got != want {
			t.Errorf("the operator gave %s: %t", host, got)
		}
	}
}

func TestALoginThatCannotWorkIsRefused(t *testing.T) {
	at := func(host string, l Login) map[string]Login { return map[string]Login{host: l} }
	const smart = "smart1.example.com"
	for _, c := range []struct {
		logins map[string]Login
		tls    TLSLevel
		want   string
	}{
		{at(smart, Login{User: "relay", Secret: NewSecret("x")}), TLSVerified, ""},
		{at(smart, Login{User: "relay"}), TLSVerified, ""}, // the secret comes from the machine
		{at(smart, Login{}), TLSVerified, "the user: it is empty"},
		{at(smart, Login{User: "a\x00"}), TLSVerified, "the user: it has a NUL"},
		{at(smart, Login{User: "relay", Secret: NewSecret("a\x00" + canary)}), TLSVerified, "the secret: it has a NUL"},
		{at(smart, Login{User: "relay", Mechanisms: []Mechanism{"GSSAPI"}}), TLSVerified, "no mechanism is called"},
		{at(smart, Login{User: "relay", Mechanisms: []Mechanism{Plain, Plain}}), TLSVerified, "PLAIN stands there twice"},
		{at(smart, Login{User: "relay", Mechanisms: []Mechanism{Plain, XOAuth2}}), TLSVerified, "PLAIN and XOAUTH2 do not go together"},
		{at("Smart1.example.com", Login{User: "relay"}), TLSVerified, "small letters"},
		{at("mx1.example.net", Login{User: "relay"}), TLSVerified, "no mail goes there"},
		{at(smart, Login{User: "relay"}), TLSOff, "tls is off there"},
		{at(smart, Login{User: "relay"}), TLSOpportunistic, "tls is opportunistic there"},
		{at(smart, Login{User: "relay", Clear: true}), TLSOff, ""},
	} {
		p := DefaultPolicy("relay.example.org")
		p.Relays, p.Logins, p.TLSAt = []string{smart}, c.logins, map[string]TLSLevel{smart: c.tls}
		got := ""
		if err := p.Validate(); err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) || strings.Contains(got, canary) {
			t.Errorf("%v: %q, want %q", c.logins, got, c.want)
		}
	}
}
