package fakesmtp

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

// The server's side of the mechanisms. It shares nothing with any client.

// A mechanism is the server's side of a login under way; without a server there
// is none that would let anybody in.
type mechanism struct{ sasl.Server }

// reply takes an answer and returns what is replied to it, nil for none yet.
func (m mechanism) reply(answer []byte) string {
	if m.Server == nil {
		return "454 4.7.0 Not now"
	}
	challenge, done, err := m.Next(answer)
	switch {
	case err != nil:
		return "535 5.7.8 Not you"
	case done:
		return "235 2.7.0 Come in"
	}
	return strings.TrimSpace("334 " + base64.StdEncoding.EncodeToString(challenge))
}

var errNotYou = errors.New("the credentials are others")

// mechanism begins the one called name.
func (c *session) mechanism(name string) mechanism {
	a := c.server.script.Auth
	if !a.asked() {
		return mechanism{}
	}
	right := func(user, secret string) error {
		if user != a.User || secret != a.Secret {
			return errNotYou
		}
		return nil
	}
	id := fmt.Sprintf("%d.%s", c.number, c.server.name)
	switch name {
	case "PLAIN":
		return mechanism{sasl.NewPlainServer(func(_, user, secret string) error { return right(user, secret) })}
	case "LOGIN":
		return mechanism{&loginServer{right: right}}
	case "CRAM-MD5":
		return mechanism{&cramServer{auth: a, challenge: "<" + id + ">"}}
	case "SCRAM-SHA-256":
		return mechanism{&scramServer{auth: a, id: id, keys: c.server.scramKeys}}
	case "OAUTHBEARER":
		return mechanism{&bearerServer{sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if right(o.Username, o.Token) != nil {
				return &sasl.OAuthBearerError{Status: "invalid_token"}
			}
			return nil
		})}}
	case "XOAUTH2":
		return mechanism{&xoauth2Server{right: right}}
	}
	return mechanism{}
}

// A loginServer asks for user and secret, one after the other.
type loginServer struct {
	right func(user, secret string) error
	asked int
	user  string
}

// Next implements sasl.Server.
func (s *loginServer) Next(answer []byte) ([]byte, bool, error) {
	if s.asked == 0 && answer == nil {
		s.asked = 1
		return []byte("Username:"), false, nil
	}
	if s.asked < 2 { // also as an initial response, which some say
		s.asked, s.user = 2, string(answer)
		return []byte("Password:"), false, nil
	}
	return nil, true, s.right(s.user, string(answer))
}

// A cramServer is RFC 2195.
type cramServer struct {
	auth      Auth
	challenge string
	asked     bool
}

// Next implements sasl.Server.
func (s *cramServer) Next(answer []byte) ([]byte, bool, error) {
	if !s.asked {
		s.asked = true
		if answer != nil {
			return nil, true, errors.New("the client speaks first")
		}
		return []byte(s.challenge), false, nil
	}
	mac := hmac.New(md5.New, []byte(s.auth.Secret))
	mac.Write([]byte(s.challenge))
	if string(answer) != s.auth.User+" "+hex.EncodeToString(mac.Sum(nil)) {
		return nil, true, errNotYou
	}
	return nil, true, nil
}

// An xoauth2Server says why it refuses, and refuses at the next answer.
type xoauth2Server struct {
	right         func(user, secret string) error
	asked, refuse bool
}

// Next implements sasl.Server.
func (s *xoauth2Server) Next(answer []byte) ([]byte, bool, error) {
	switch {
	case s.refuse:
		return nil, true, errNotYou
	case answer == nil && !s.asked:
		s.asked = true
		return nil, false, nil
	}
	user, rest, _ := strings.Cut(strings.TrimPrefix(string(answer), "user="), "\x01auth=Bearer ")
	token, whole := strings.CutSuffix(rest, "\x01\x01")
	if err := s.right(user, token); err != nil || !whole {
		s.refuse = true
		return []byte(`{"status":"400","schemes":"Bearer"}`), false, nil
	}
	return nil, true, nil
}

// A bearerServer keeps an empty answer from a library that has no room for it.
type bearerServer struct{ sasl.Server }

// Next implements sasl.Server.
func (s *bearerServer) Next(answer []byte) ([]byte, bool, error) {
	if answer != nil && len(answer) == 0 {
		return nil, true, errors.New("an empty answer")
	}
	return s.Server.Next(answer)
}

// scramIterations is the least number that RFC 7677 section 4 allows: these are
// no passwords that anybody would guess.
const scramIterations = 4096

// scramKeys are what a server keeps of a password (RFC 5802 section 3).
type scramKeys struct{ salt, stored, server []byte }

// scramServer is the server's side of RFC 5802 with SHA-256 (RFC 7677).
type scramServer struct {
	auth Auth
	// id makes its nonces different; keys returns what it keeps.
	id   string
	keys func() scramKeys
	// bare and first are the two messages that the proof is about; nonce is that
	// of both.
	bare, first, nonce string
	step               int
}

// Next implements sasl.Server.
func (s *scramServer) Next(answer []byte) ([]byte, bool, error) {
	s.step++
	switch {
	case s.step == 1 && answer == nil:
		s.step = 0
		return nil, false, nil
	case s.step == 1:
		return s.begin(string(answer))
	case s.step == 2:
		return s.proof(string(answer))
	case len(answer) == 0:
		return nil, true, nil
	}
	return nil, true, errors.New("an answer to no question")
}

// begin takes the client's first message.
func (s *scramServer) begin(message string) ([]byte, bool, error) {
	bare, plain := strings.CutPrefix(message, "n,,")
	fields := strings.Split(bare, ",")
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.auth.User)
	if !plain || len(fields) != 2 || fields[0] != "n="+name || !strings.HasPrefix(fields[1], "r=") || len(fields[1]) < 8 {
		return nil, true, errNotYou
	}
	sum := sha256.Sum256([]byte(s.id + message))
	s.bare, s.nonce = bare, strings.TrimPrefix(fields[1], "r=")+hex.EncodeToString(sum[:12])
	s.first = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(s.keys().salt), scramIterations)
	return []byte(s.first), false, nil
}

// proof takes the client's proof, and returns the server's.
func (s *scramServer) proof(message string) ([]byte, bool, error) {
	without, said, _ := strings.Cut(message, ",p=")
	proof, err := base64.StdEncoding.DecodeString(said)
	if err != nil || without != "c=biws,r="+s.nonce || len(proof) != sha256.Size {
		return nil, true, errNotYou
	}
	keys, about := s.keys(), s.bare+","+s.first+","+without
	signature := keyed(keys.stored, about)
	for i := range proof {
		proof[i] ^= signature[i] // the client's key
	}
	if stored := sha256.Sum256(proof); !hmac.Equal(stored[:], keys.stored) {
		return nil, true, errNotYou
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(keyed(keys.server, about))), false, nil
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// scramKeys makes them once: that takes about a millisecond.
func (s *Server) scramKeys() scramKeys {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scram.salt == nil {
		a := s.script.Auth
		salt := sha256.Sum256([]byte(a.User))
		salted, err := pbkdf2.Key(sha256.New, a.Secret, salt[:16], scramIterations, sha256.Size)
		if err != nil {
			panic(err) // the numbers above are good ones
		}
		client := sha256.Sum256(keyed(salted, "Client Key"))
		s.scram = scramKeys{salt: salt[:16], stored: client[:], server: keyed(salted, "Server Key")}
	}
	return s.scram
}
