package impl_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/xdg-go/scram"

	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// canary is a secret that must not come to light.
const canary = "c4n4ry-1n-th3-m1n3"

// A guarded inbox takes mail only from who proves to be the relay.
type guarded struct {
	inbox
	mechanism string
	in        bool
}

func (g *guarded) Mail(string, *smtp.MailOptions) error {
	if !g.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

// AuthMechanisms implements smtp.AuthSession.
func (g *guarded) AuthMechanisms() []string { return []string{g.mechanism} }

// Auth implements smtp.AuthSession.
func (g *guarded) Auth(string) (sasl.Server, error) {
	right := func(user, secret string) error {
		if g.in = user == "relay" && secret == canary; !g.in {
			return smtp.ErrAuthFailed
		}
		return nil
	}
	switch g.mechanism {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, secret string) error { return right(user, secret) }), nil
	case sasl.OAuthBearer:
		return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if right(o.Username, o.Token) != nil {
				return &sasl.OAuthBearerError{Status: "invalid_token"}
			}
			return nil
		}), nil
	}
	client, err := scram.SHA256.NewClient("relay", canary, "")
	if err != nil {
		return nil, err
	}
	keys, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "a salt", Iters: 4096})
	if err != nil {
		return nil, err
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return keys, nil })
	if err != nil {
		return nil, err
	}
	return &scramServer{guarded: g, talk: server.NewConversation()}, nil
}

type scramServer struct {
	*guarded
	talk *scram.ServerConversation
}

// Next implements sasl.Server.
func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	if s.talk.Done() {
		s.in = s.talk.Valid()
		return nil, true, nil
	}
	challenge, err := s.talk.Step(string(response))
	if err != nil {
		return nil, true, smtp.ErrAuthFailed
	}
	return []byte(challenge), false, nil
}

// Over TCP, under TLS, with a server and mechanisms that are not ours. No line of
// the log tells the secret.
func TestTheRelayLogsInAtARealServer(t *testing.T) {
	loopback := net.IPv4(127, 0, 0, 1)
	roots, certificate := certificates(t, loopback)
	for _, tt := range []struct {
		mechanism, secret, want string
	}{
		{"PLAIN", canary, "TLS 1.3"}, {"SCRAM-SHA-256", canary, "TLS 1.3"}, {"OAUTHBEARER", canary, "TLS 1.3"},
		{"PLAIN", canary + "x", "5yz"}, {"SCRAM-SHA-256", canary + "x", "5yz"}, {"OAUTHBEARER", canary + "x", "4yz"}, {"PLAIN", "", "not-offered"},
	} {
		t.Run(tt.mechanism+" "+tt.want, func(t *testing.T) {
			said := make(chan string, 8)
			server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
				return &guarded{inbox: inbox{c, said}, mechanism: tt.mechanism}, nil
			}))
			server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.ErrorLog = log.New(io.Discard, "", 0)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = server.Serve(l) }() // until it is closed
			defer server.Close()
			text := new(logged)
			note := hostos.LogNote(slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: slog.LevelDebug})))
			relayed(t, l.Addr().String(), roots, func(f spec.Fact) {
				note(f)
				if f.Kind == spec.FactTrouble && f.Verdict == spec.NextHost {
					said <- f.Event.String()
				}
			}, func(p *spec.Policy, h *seam.Host) {
				mechanism := spec.Mechanism(tt.mechanism)
				p.Logins = map[string]spec.Login{"127.0.0.1": {User: "relay", Mechanisms: []spec.Mechanism{mechanism}}}
				h.Secret = func(string) (spec.Secret, error) { return spec.NewSecret(tt.secret), nil }
			})
			if got := <-said; got != tt.want {
				t.Errorf("it went %s, want %s", got, tt.want)
			}
			if all := text.String(); strings.Contains(all, canary) || strings.Contains(all, "level=ERROR msg=alarm") != (tt.want == "5yz" || tt.want == "not-offered") {
				t.Errorf("the log: %s", all)
			}
		})
	}
}

// A logged text may be written and read at the same time.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
