// Package sasl is the client's side of the mechanisms by which the relay makes
// itself known to a server (RFC 4422): what is said, step by step. How it is
// said in SMTP (RFC 4954) is package smtpclient's.
package sasl

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/postonce/postonce/spec"
)

// ErrUnproven is what Next's error wraps when the server has not proved that it
// knows the secret, too (RFC 5802 section 3).
var ErrUnproven = errors.New("the server has not proved that it knows the secret")

// errPrepare does not say more: what libraries say may have the secret in it.
var errPrepare = errors.New("user or secret cannot be prepared by SASLprep (RFC 4013)")

// A step answers a challenge.
type step func(challenge []byte) ([]byte, error)

// An Exchange is one login under way. A mechanism is a list of steps, so a
// server cannot ask for more than it has.
type Exchange struct {
	mechanism spec.Mechanism
	// initial is the initial response, nil when the server speaks first.
	initial []byte
	steps   []step
	// excuse is what answers one challenge after the last step, with which the
	// mechanism has the server say why it will refuse; nil for none.
	excuse []byte
	// refused is true once the server has said that it will refuse.
	refused bool
	// proves is true when the server proves something, too.
	proves bool
}

// New begins an exchange. It takes a nonce, of which no two logins may have the
// same one (RFC 5802 section 5.1).
func New(m spec.Mechanism, user string, secret spec.Secret, nonce string) (*Exchange, error) {
	x := &Exchange{mechanism: m}
	password := secret.Reveal()
	switch m {
	case spec.Plain:
		_, x.initial, _ = gosasl.NewPlainClient("", user, password).Start() // it never fails
	case spec.LoginPlain:
		// What the server asks for by name is not agreed upon: "User Name",
		// "Username:". The order is.
		x.steps = []step{says(user), says(password)}
	case spec.CRAMMD5:
		x.steps = []step{func(challenge []byte) ([]byte, error) { return cramMD5(user, password, challenge), nil }}
	case spec.SCRAMSHA256:
		return x, x.scram(user, password, nonce)
	case spec.OAuthBearer:
		options := &gosasl.OAuthBearerOptions{Username: user, Token: password}
		_, x.initial, _ = gosasl.NewOAuthBearerClient(options).Start() // nor does this
		x.excuse = []byte{1}                                           // RFC 7628 section 3.2.3
	case spec.XOAuth2:
		// https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
		x.initial = []byte("user=" + user + "\x01auth=Bearer " + password + "\x01\x01")
		x.excuse = []byte{}
	default:
		return nil, fmt.Errorf("no mechanism is called %q", m)
	}
	return x, nil
}

// Mechanism is the one that was chosen.
func (x *Exchange) Mechanism() spec.Mechanism { return x.mechanism }

// Initial is the initial response; nil when the server speaks first.
func (x *Exchange) Initial() []byte { return x.initial }

// Done reports whether a yes of the server can be believed: all is said.
func (x *Exchange) Done() bool { return len(x.steps) == 0 && !x.refused }

// Proves reports whether the server proves in this mechanism that it knows the
// secret.
func (x *Exchange) Proves() bool { return x.proves }

// Next answers a challenge. An error ends the exchange.
func (x *Exchange) Next(challenge []byte) ([]byte, error) {
	switch {
	case len(x.steps) > 0:
		next := x.steps[0]
		x.steps = x.steps[1:]
		return next(challenge)
	case x.excuse != nil && !x.refused:
		x.refused = true
		return x.excuse, nil
	}
	return nil, fmt.Errorf("a challenge too many for %s", x.mechanism)
}

// says answers any challenge with a text.
func says(text string) step {
	return func([]byte) ([]byte, error) { return []byte(text), nil }
}

// cramMD5 is RFC 2195 section 2.
func cramMD5(user, password string, challenge []byte) []byte {
	mac := hmac.New(md5.New, []byte(password))
	mac.Write(challenge)
	return []byte(user + " " + hex.EncodeToString(mac.Sum(nil)))
}

// mostIterations bounds the work that a server can ask for with one challenge:
// about a second. RFC 7677 section 4 asks for 4096 at least.
const mostIterations = 2_000_000

// scram has the steps of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel
// binding.
func (x *Exchange) scram(user, password, nonce string) error {
	client, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return errPrepare
	}
	talk := client.WithNonceGenerator(func() string { return nonce }).NewConversation()
	first, err := talk.Step("")
	if err != nil {
		return err
	}
	x.initial, x.proves = []byte(first), true
	x.steps = []step{
		func(challenge []byte) ([]byte, error) {
			if i := iterations(string(challenge)); i > mostIterations {
				return nil, fmt.Errorf("the server asks for %d iterations, more than %d", i, mostIterations)
			}
			answer, err := talk.Step(string(challenge))
			if err != nil {
				return nil, fmt.Errorf("the server's first message: %w", err)
			}
			return []byte(answer), nil
		},
		func(challenge []byte) ([]byte, error) {
			if strings.HasPrefix(string(challenge), "e=") { // RFC 5802 section 7
				x.refused = true
				return []byte{}, nil
			}
			if _, err := talk.Step(string(challenge)); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrUnproven, err)
			}
			return []byte{}, nil
		},
	}
	return nil
}

// iterations is what the server's first message asks for; 0 when it does not say.
func iterations(message string) int {
	for field := range strings.SplitSeq(message, ",") {
		if digits, ok := strings.CutPrefix(field, "i="); ok {
			if len(digits) > 9 {
				return 1_000_000_000
			}
			n, _ := strconv.Atoi(digits) // the conversation complains of what is none
			return n
		}
	}
	return 0
}

// Nonce draws a nonce: 18 bytes, as printable text without commas (RFC 5802
// section 5.1).
func Nonce(r *rand.Rand) string {
	var b [18]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return base64.RawStdEncoding.EncodeToString(b[:])
}
