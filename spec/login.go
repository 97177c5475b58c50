package spec

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Secret is a password or a token. However it is printed, it prints as
// "(secret)"; it has no other way out than Reveal.
type Secret struct{ text string }

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns what is kept secret: for a mechanism of a login, and for files
// that are secret themselves or of tests.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is none.
func (s Secret) Empty() bool { return s.text == "" }

// Equal reports whether two secrets are the same; for tests, which cannot look
// into them.
func (s Secret) Equal(t Secret) bool { return s == t }

// SecretShown is what stands where a Secret is printed.
const SecretShown = "(secret)"

// Format implements fmt.Formatter, for all verbs.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(SecretShown)) }

// MarshalText implements encoding.TextMarshaler, for JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(SecretShown), nil }

// UnmarshalText implements encoding.TextUnmarshaler: of what was printed nothing
// comes back.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) != SecretShown {
		return errors.New("a secret is not read from a text that shows it")
	}
	*s = Secret{}
	return nil
}

// Trouble says why a secret cannot be used, without telling it; empty when it
// can. PLAIN separates with NUL (RFC 4616 section 2), and no mechanism has
// room for what is not UTF-8. Other control characters are no part of a
// password (RFC 4013 section 2.3) or a token (RFC 6750 section 2.1), but of a
// file that holds more than that.
func (s Secret) Trouble() string { return credentialTrouble(s.text) }

// mostSecret is the size of the largest secret in bytes: in base64 it has to
// pass through a line of an exchange (RFC 4954 section 4).
const mostSecret = 8 << 10

func credentialTrouble(text string) string {
	switch {
	case text == "":
		return "it is empty"
	case len(text) > mostSecret:
		return fmt.Sprintf("it is longer than %d bytes", mostSecret)
	case strings.IndexByte(text, 0) >= 0:
		return "it has a NUL"
	case !utf8.ValidString(text):
		return "it is not UTF-8"
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return "it has a control character, such as the end of a line"
		}
	}
	return ""
}

// A Mechanism is one by which a client proves who it is (SASL, RFC 4422), as
// servers offer it after AUTH (RFC 4954).
type Mechanism string

// The mechanisms. A password goes with the first four, a token with the others.
const (
	SCRAMSHA256 Mechanism = "SCRAM-SHA-256" // RFC 7677
	CRAMMD5     Mechanism = "CRAM-MD5"      // RFC 2195
	Plain       Mechanism = "PLAIN"         // RFC 4616
	LoginPlain  Mechanism = "LOGIN"         // draft-murchison-sasl-login
	OAuthBearer Mechanism = "OAUTHBEARER"   // RFC 7628
	XOAuth2     Mechanism = "XOAUTH2"       // Google's
)

// Mechanisms lists all mechanisms, the strongest first: those that do not hand
// the secret over before those that do, standards before what is none.
func Mechanisms() []Mechanism {
	return []Mechanism{SCRAMSHA256, CRAMMD5, OAuthBearer, XOAuth2, Plain, LoginPlain}
}

// ParseMechanism returns the mechanism called name, in any case.
func ParseMechanism(name string) (Mechanism, error) {
	for _, m := range Mechanisms() {
		if strings.EqualFold(string(m), name) {
			return m, nil
		}
	}
	return "", fmt.Errorf("no mechanism is called %.40q: choose of %v", name, Mechanisms())
}

// TakesToken reports whether the mechanism's secret is a token and no password.
func (m Mechanism) TakesToken() bool { return m == OAuthBearer || m == XOAuth2 }

// A Login is how the relay makes itself known to a host (RFC 4954).
type Login struct {
	User   string
	Secret Secret
	// Mechanisms are those that may be used; none stands for all that take a
	// password.
	Mechanisms []Mechanism
	// Clear allows it without TLS. Else a host with a login has TLSRequired at
	// least: see Policy.TLSFor.
	Clear bool
}

// Allowed lists the mechanisms that may be used, the strongest first.
func (l Login) Allowed() []Mechanism {
	return slices.DeleteFunc(Mechanisms(), func(m Mechanism) bool {
		if len(l.Mechanisms) == 0 {
			return m.TakesToken()
		}
		return !slices.Contains(l.Mechanisms, m)
	})
}

// Choose returns the strongest mechanism that is offered and allowed; false when
// there is none.
func (l Login) Choose(offered []string) (Mechanism, bool) {
	for _, m := range l.Allowed() {
		if slices.ContainsFunc(offered, func(name string) bool { return strings.EqualFold(name, string(m)) }) {
			return m, true
		}
	}
	return "", false
}

// LoginFor returns the login for a host to which mail for a destination goes. It
// is for hosts that the operator gave: an MX record names nobody to whom
// credentials would be told.
func (p Policy) LoginFor(destination, host string) (Login, bool) {
	if len(p.Logins) == 0 || !p.configured(destination, host) {
		return Login{}, false
	}
	l, ok := p.Logins[hostName(host)]
	if !ok {
		l, ok = p.Logins[unbracketed(hostName(host))]
	}
	return l, ok
}

// Gives reports whether the operator gave a host, for whatever mail. A 530 from
// such a host (RFC 4954 section 6) speaks of the relay's login, which is the
// operator's to mend, and not of the mail.
func (p Policy) Gives(host string) bool {
	name := unbracketed(hostName(host))
	return slices.ContainsFunc(p.allHosts(), func(entry string) bool { return unbracketed(hostName(withoutPort(entry))) == name })
}

// GivesFor reports whether the operator gave a host, for whatever mail or for that
// of a destination: who rerouted it there gave the hosts of no other.
func (p Policy) GivesFor(destination, host string) bool {
	return p.Gives(host) || p.configured(destination, host)
}

// allHosts lists all hosts that the operator gave.
func (p Policy) allHosts() []string {
	all := slices.Concat(p.Relays, p.Fallback)
	for _, name := range slices.Sorted(maps.Keys(p.Routes)) {
		all = append(all, p.Routes[name]...)
	}
	for _, name := range slices.Sorted(maps.Keys(p.SenderRoutes)) {
		all = append(all, p.SenderRoutes[name]...)
	}
	return all
}

// ReplyAuthRequired is what a server says to mail before a login that it wants
// (RFC 4954 section 6).
const ReplyAuthRequired = 530

// Alarming reports whether what was met at StageAUTH raises an alarm: waiting
// does not mend it, the operator does. A 4yz passes, but for 432, which asks
// for a password transition (RFC 4954 section 6); so does a connection that is
// lost.
func Alarming(event Event, code int) bool {
	switch event {
	case Reply5, Malformed, NotOffered, Untrusted:
		return true
	case Reply4:
		return code == 432
	default: // somebody may have stumbled over the cable
		return false
	}
}

// LoginTrouble says what is wrong with the login for a host; nil for nothing.
// The secret is looked at by Secret.Trouble, for it may come later.
func (p Policy) LoginTrouble(host string) error {
	l := p.Logins[host]
	if why := credentialTrouble(l.User); why != "" {
		return fmt.Errorf("login for %.100q: the user: %s", host, why)
	}
	for i, m := range l.Mechanisms {
		if _, err := ParseMechanism(string(m)); err != nil {
			return fmt.Errorf("login for %.100q: %w", host, err)
		}
		if slices.Contains(l.Mechanisms[:i], m) {
			return fmt.Errorf("login for %.100q: %s stands there twice", host, m)
		}
		if m.TakesToken() != l.Mechanisms[0].TakesToken() {
			return fmt.Errorf("login for %.100q: %s and %s do not go together: a secret is not a password and a token", host, l.Mechanisms[0], m)
		}
	}
	at, named := p.TLSAt[host]
	switch {
	case strings.ToLower(host) != host || strings.HasSuffix(host, "."):
		return fmt.Errorf("login for %.100q: write the host in small letters and without a dot at its end", host)
	case !p.Gives(host):
		return fmt.Errorf("login for %.100q: no mail goes there: it is none of relays, routes, sender routes and fallback", host)
	case named && at < TLSRequired && !l.Clear:
		return fmt.Errorf("login for %.100q: tls is %s there, and a login asks for required or verified; or say clear, and it may be said in clear",
			host, at)
	}
	return nil
}

// validateLogins returns the first error of the logins.
func (p Policy) validateLogins() error {
	for _, host := range slices.Sorted(maps.Keys(p.Logins)) {
		if err := p.LoginTrouble(host); err != nil {
			return err
		}
		if l := p.Logins[host]; !l.Secret.Empty() && l.Secret.Trouble() != "" {
			return fmt.Errorf("login for %.100q: the secret: %s", host, l.Secret.Trouble())
		}
	}
	return nil
}
