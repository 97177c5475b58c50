package scenarios

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// loginForm is how a login is written.
const loginForm = `login HOST USER "SECRET" [MECHANISM, ...] [in clear]`

// readLogin reads the credentials for a host.
func readLogin(l *line, p *spec.Policy) {
	host := strings.ToLower(l.hop())
	var login spec.Login
	if l.done() || l.text[l.pos] == '"' {
		login.User = l.quoted("the user")
	} else {
		login.User = l.word("the user")
	}
	login.Secret = spec.NewSecret(l.quoted("the secret"))
	for first := true; !l.done() && l.peek() != "in" && (first || l.comma()); first = false {
		name := l.choose("mechanism", mechanismWords())
		login.Mechanisms = append(login.Mechanisms, spec.Mechanism(name))
	}
	if l.accept("in") {
		l.expect("clear")
		login.Clear = true
	}
	if login.Secret.Empty() {
		l.fail(l.pos, "write "+loginForm, "the secret is empty")
	}
	if p.Logins == nil {
		p.Logins = make(map[string]spec.Login)
	}
	p.Logins[host] = login
}

// hop takes one host without a port.
func (l *line) hop() string {
	l.space()
	at := l.pos
	w := l.word("the host")
	if l.err == nil && (!validHop(w) || strings.LastIndexByte(w, ':') > strings.LastIndexByte(w, ']')) {
		l.fail(at, "write one of relays, route, sender_route and fallback, without a port", "%q is not a host", w)
	}
	return w
}

// mechanismWords are the mechanisms as words.
func mechanismWords() []string {
	var words []string
	for _, m := range spec.Mechanisms() {
		words = append(words, string(m))
	}
	return words
}

func showLogins(p, _ spec.Policy) []string {
	var out []string
	for _, host := range slices.Sorted(maps.Keys(p.Logins)) {
		l := p.Logins[host]
		user := l.User
		if strings.ContainsAny(user, " \t,\"") {
			user = strconv.Quote(user)
		}
		words := []string{host, user, strconv.Quote(l.Secret.Reveal())}
		for i, m := range l.Mechanisms {
			if word := string(m); i < len(l.Mechanisms)-1 {
				words = append(words, word+",")
			} else {
				words = append(words, word)
			}
		}
		if l.Clear {
			words = append(words, "in clear")
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

// A travelling scenario is one on its way to another process. Its secrets go
// beside it, for they do not show themselves.
type travelling struct {
	*plainScenario
	Secrets map[string]string
}

type plainScenario Scenario

// MarshalJSON implements json.Marshaler.
func (s *Scenario) MarshalJSON() ([]byte, error) {
	secrets := make(map[string]string)
	for host, l := range s.Policy.Logins { // any order: encoding/json sorts keys
		secrets[host] = l.Secret.Reveal()
	}
	return json.Marshal(travelling{(*plainScenario)(s), secrets})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Scenario) UnmarshalJSON(text []byte) error {
	t := travelling{plainScenario: (*plainScenario)(s)}
	if err := json.Unmarshal(text, &t); err != nil {
		return err
	}
	for host, secret := range t.Secrets { // any order: each goes to its own place
		l := s.Policy.Logins[host]
		l.Secret = spec.NewSecret(secret)
		s.Policy.Logins[host] = l
	}
	return nil
}
