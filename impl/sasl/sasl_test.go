package sasl

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/postonce/postonce/spec"
)

// A turn is a challenge and the answer to it.
type turn struct{ challenge, want string }

func begin(t *testing.T, m spec.Mechanism, user, secret, nonce string) *Exchange {
	t.Helper()
	x, err := New(m, user, spec.NewSecret(secret), nonce)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTheExamplesOfTheStandards(t *testing.T) {
	for _, c := range []struct {
		name      string
		mechanism spec.Mechanism
		user      string
		secret    string
		nonce     string
		initial   string
		turns     []turn
	}{
		{name: "RFC 4616 section 4", mechanism: spec.Plain, user: "tim", secret: "tanstaaftanstaaf", initial: "\x00tim\x00tanstaaftanstaaf"},
		{name: "RFC 4616 section 4, in another script", mechanism: spec.Plain, user: "Kurt", secret: "xipj3plmq世", initial: "\x00Kurt\x00xipj3plmq世"},
		{name: "RFC 2195 section 2", mechanism: spec.CRAMMD5, user: "tim", secret: "tanstaaftanstaaf",
			turns: []turn{{"<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890"}}},
		{name: "RFC 7677 section 3", mechanism: spec.SCRAMSHA256, user: "user", secret: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO",
			initial: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			turns: []turn{
				{"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
					"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="},
				{"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""},
			}},
		{name: "RFC 7628 section 4.1, without host and port", mechanism: spec.OAuthBearer, user: "user@example.com",
			secret:  "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
			initial: "n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"},
		{name: "Google's example", mechanism: spec.XOAuth2, user: "someuser@example.com", secret: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
			initial: "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01"},
		{name: "draft-murchison-sasl-login", mechanism: spec.LoginPlain, user: "tim", secret: "tanstaaftanstaaf",
			turns: []turn{{"User Name\x00", "tim"}, {"Password\x00", "tanstaaftanstaaf"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := begin(t, c.mechanism, c.user, c.secret, c.nonce)
			if string(x.Initial()) != c.initial || (x.Initial() == nil) != (c.initial == "") || x.Mechanism() != c.mechanism {
				t.Errorf("%s begins with %q, want %q", x.Mechanism(), x.Initial(), c.initial)
			}
			for _, turn := range c.turns {
				if x.Done() {
					t.Errorf("a yes would be believed before %q", turn.challenge)
				}
				if got, err := x.Next([]byte(turn.challenge)); string(got) != turn.want || err != nil {
					t.Errorf("%q is answered with %q, %v, want %q", turn.challenge, got, err, turn.want)
				}
			}
			if !x.Done() {
				t.Error("a yes would not be believed")
			}
		})
	}
}

func TestAServerThatRefusesMaySayWhy(t *testing.T) {
	for m, want := range map[spec.Mechanism]string{spec.OAuthBearer: "\x01", spec.XOAuth2: ""} { // any order: each is judged by itself
		x := begin(t, m, "user", "token", "")
		if got, err := x.Next([]byte(`{"status":"invalid_token"}`)); string(got) != want || got == nil || err != nil {
			t.Errorf("%s: %q, %v, want %q", m, got, err, want)
		}
		if x.Done() {
			t.Errorf("%s: a yes would be believed", m)
		}
		if _, err := x.Next(nil); err == nil {
			t.Errorf("%s: it may ask for ever", m)
		}
	}
}

func TestNoServerAsksForMoreThanTheMechanismHas(t *testing.T) {
	for _, m := range spec.Mechanisms() {
		x := begin(t, m, "user", "secret", "abc")
		asked := 0
		for ; asked < 10; asked++ {
			if _, err := x.Next([]byte("more")); err != nil {
				break
			}
		}
		if asked > 2 {
			t.Errorf("%s answers %d challenges", m, asked)
		}
	}
}

const serverFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

func TestAServerThatDoesNotKnowThePasswordIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		name, first, final string
		unproven, refused  bool
	}{
		{name: "another signature", first: serverFirst, final: "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", unproven: true},
		{name: "no signature", first: serverFirst, final: "v=", unproven: true},
		{name: "garbage for a signature", first: serverFirst, final: "what?", unproven: true},
		{name: "a refusal", first: serverFirst, final: "e=invalid-proof", refused: true},
		{name: "another nonce", first: strings.Replace(serverFirst, "r=rO", "r=RO", 1)},
		{name: "too few iterations", first: strings.Replace(serverFirst, "4096", "4095", 1)},
		{name: "iterations without end", first: strings.Replace(serverFirst, "4096", "999999999", 1)},
		{name: "more iterations than there are numbers", first: strings.Replace(serverFirst, "4096", "99999999999999999999", 1)},
		{name: "no salt", first: strings.Replace(serverFirst, "s=", "x=", 1)},
		{name: "garbage", first: "what?"},
		{name: "nothing"},
	} {
		x := begin(t, spec.SCRAMSHA256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO")
		_, err := x.Next([]byte(c.first))
		if (err == nil) != (c.final != "") {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_, err = x.Next([]byte(c.final))
		}
		if errors.Is(err, ErrUnproven) != c.unproven || (err == nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && x.Done() {
			t.Errorf("%s: a yes would be believed", c.name)
		}
	}
}

func TestUserAndPasswordArePrepared(t *testing.T) {
	const first = "r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	answer := func(user, secret string) string {
		x := begin(t, spec.SCRAMSHA256, user, secret, "abc")
		got, err := x.Next([]byte(first))
		if err != nil {
			t.Fatal(err)
		}
		return string(x.Initial()) + " " + string(got)
	}
	if a, b := answer("I\u00adX", "\u2168"), answer("IX", "IX"); a != b { // RFC 4013 section 3
		t.Errorf("%q differs from %q", a, b)
	}
	if got := answer("a=b,c", "x"); !strings.HasPrefix(got, "n,,n=a=3Db=2Cc,") { // RFC 5802 section 5.1
		t.Errorf("begins with %q", got)
	}
	const canary = "c4n4ry\u0007"
	_, err := New(spec.SCRAMSHA256, "user", spec.NewSecret(canary), "abc")
	if err == nil || strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), hex.EncodeToString([]byte(canary))) {
		t.Errorf("what SASLprep forbids: %v", err)
	}
}

func TestNoncesDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	for range 1000 {
		n := Nonce(r)
		if seen[n] || len(n) != 24 || strings.ContainsAny(n, ", ") {
			t.Fatalf("%q", n)
		}
		seen[n] = true
	}
}
