package spec

import (
	"slices"
	"testing"
)

func TestADomainHasOneForm(t *testing.T) {
	for address, want := range map[string]string{
		"a@München.example":         "xn--mnchen-3ya.example",
		"a@XN--MNCHEN-3YA.example.": "xn--mnchen-3ya.example",
		"a@Example.NET":             "example.net",
		"a@[IPv6:2001:db8::1]":      "[ipv6:2001:db8::1]",
		"a@xn--ü.example":           "xn--ü.example", // has no form, and is left
	} {
		if got := Domain(address); got != want {
			t.Errorf("the domain of %s is %s, want %s", address, got, want)
		}
	}
	if canonical("ö@München.example") != canonical("<ö@xn--mnchen-3ya.example>") {
		t.Error("two spellings of one domain make two mailboxes")
	}
}

func TestOnlyALocalPartNeedsUTF8(t *testing.T) {
	for address, want := range map[string]bool{"ö@x.example": true, `"ö b"@x.example`: true, "o@ö.example": false, "o@x.example": false, "": false, "ö": false} {
		if got := UTF8Local(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

func TestALabelsAreThoseOfLookUps(t *testing.T) {
	for domain, want := range map[string]string{"bücher.example": "xn--bcher-kva.example", "faß.example": "xn--fa-hia.example", "a..b": "a..b"} {
		if got, ok := ALabels(domain); !ok || got != want {
			t.Errorf("%s: %s, %v; want %s", domain, got, ok, want)
		}
	}
	for _, domain := range []string{"xn--ü.example", "a\u0301\u202eb.example", "-ü.example", "\xff.example"} {
		if got, ok := ALabels(domain); ok {
			t.Errorf("%q became %q", domain, got)
		}
	}
}

func TestNeedsAreNamedAsEHLODoes(t *testing.T) {
	if got := Needed(true, NeedTLS|NeedUTF8); !slices.Equal(got, []string{"8BITMIME", "SMTPUTF8", "REQUIRETLS"}) {
		t.Errorf("got %q", got)
	}
	if got := Needed(false, 0); got != nil {
		t.Errorf("nothing is %q", got)
	}
}

func TestRequireTLSAsksForAProof(t *testing.T) {
	p := DefaultPolicy("relay.example.org")
	p.TLS = TLSOff
	for _, tt := range []struct {
		sender string
		needs  Needs
		want   TLSLevel
	}{{"a@example.org", NeedTLS, TLSVerified}, {"", NeedTLS, TLSOff}, {"a@example.org", NeedUTF8, TLSOff}} {
		if got := p.TLSLevelFor(tt.sender, tt.needs, "example.net", "mx1.example.net"); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
