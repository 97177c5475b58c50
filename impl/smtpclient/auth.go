package smtpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/postonce/postonce/impl/sasl"
	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// A Login is what a conversation logs in with.
type Login struct {
	// Login says who, by which mechanisms, and whether in clear.
	spec.Login
	// Read returns the secret; nil is Login's own.
	Read func() (spec.Secret, error)
	// Nonce draws a nonce (sasl.Nonce), for SCRAM.
	Nonce func() string
	// Done, when not nil, is called with the mechanism when the server has let us
	// in.
	Done func(spec.Mechanism)
}

// secret returns the secret, if it can be used.
func (l *Login) secret() (spec.Secret, error) {
	s := l.Secret
	if l.Read != nil {
		var err error
		if s, err = l.Read(); err != nil {
			return s, fmt.Errorf("the secret cannot be read: %w", err)
		}
	}
	if why := s.Trouble(); why != "" {
		return s, errors.New("the secret cannot be used: " + why)
	}
	return s, nil
}

// login makes us known to the server (RFC 4954), if there is a login. The
// result is that of the stage at which the conversation stands. EHLO is not
// said again after it: that is only for mechanisms with a security layer, which
// none of ours has.
//
// One mechanism is tried. Another one after it would be a weaker one.
func (c *Client) login(ctx context.Context, hello Result) Result {
	l := c.opts.Login
	if l == nil {
		return hello
	}
	x, err := c.begin(l)
	if err != nil {
		return Result{Stage: spec.StageAUTH, Event: spec.NotOffered, Text: err.Error()}
	}
	r := c.authenticate(ctx, x)
	if r.OK() && r.Event == spec.Reply2 && l.Done != nil {
		l.Done(x.Mechanism())
	}
	return r
}

// begin chooses a mechanism. The error says why there is none.
func (c *Client) begin(l *Login) (*sasl.Exchange, error) {
	if _, secured := c.stream.(*secured); !secured && !l.Clear {
		return nil, errors.New("the connection is in clear, and the login is not to be")
	}
	if len(c.ext.Auth) == 0 {
		return nil, errors.New("AUTH is not offered, and there is a login for this host")
	}
	mechanism, ok := l.Choose(c.ext.Auth)
	if !ok {
		return nil, fmt.Errorf("no mechanism in common: %s is offered, and %v may be used", strings.Join(c.ext.Auth, " "), l.Allowed())
	}
	secret, err := l.secret()
	if err != nil {
		return nil, err
	}
	nonce := ""
	if mechanism == spec.SCRAMSHA256 {
		nonce = l.Nonce()
	}
	c.hide(secret.Reveal())
	return sasl.New(mechanism, l.User, secret, nonce)
}

// authenticate carries out an exchange.
func (c *Client) authenticate(ctx context.Context, x *sasl.Exchange) Result {
	const stage = spec.StageAUTH
	line, waits := wire.AUTH(string(x.Mechanism()), x.Initial())
	c.hide(base64.StdEncoding.EncodeToString(x.Initial()))
	r := c.command(ctx, stage, line)
	for r.OK() && r.Event == spec.Reply3 {
		answer, err := c.answer(x, r.Reply, waits)
		if err != nil {
			return c.cancel(ctx, err)
		}
		waits = false
		r = c.command(ctx, stage, answer)
	}
	switch {
	case !r.OK() || x.Done() && !waits:
		return r
	case x.Proves():
		return Result{Stage: stage, Event: spec.Untrusted, Text: fmt.Sprintf("%v, and says %v", sasl.ErrUnproven, r.Reply)}
	}
	return Result{Stage: stage, Event: spec.Malformed, Text: fmt.Sprintf("the server says %v within %s", r.Reply, x.Mechanism())}
}

// answer returns the line that answers a challenge: the initial response, if it
// has waited for that.
func (c *Client) answer(x *sasl.Exchange, reply spec.Reply, waits bool) ([]byte, error) {
	challenge, err := wire.Challenge(reply)
	if err != nil {
		return nil, err
	}
	text := x.Initial()
	if !waits {
		if text, err = x.Next(challenge); err != nil {
			return nil, err
		}
	}
	c.hide(base64.StdEncoding.EncodeToString(text))
	return wire.Response(text)
}

// cancel ends an exchange that makes no sense (RFC 4954 section 4). The answer to
// that changes nothing.
func (c *Client) cancel(ctx context.Context, why error) Result {
	r := c.command(ctx, spec.StageAUTH, []byte(wire.AuthCancel))
	if r.Err != nil {
		return r
	}
	event := spec.Malformed
	if errors.Is(why, sasl.ErrUnproven) {
		event = spec.Untrusted
	}
	return Result{Stage: spec.StageAUTH, Event: event, Text: why.Error()}
}

// leastHidden is the length of the shortest text that is hidden: a shorter one
// stands in many a reply by chance, and tells nobody anything.
const leastHidden = 4

// hide has what a server says from now on shown without text. A server that
// says again what it was told would have it in logs and reports.
func (c *Client) hide(text string) {
	if len(text) >= leastHidden {
		c.hidden = append(c.hidden, text)
	}
}

// shown is text without what is hidden.
func (c *Client) shown(text string) string {
	for _, h := range c.hidden {
		text = strings.ReplaceAll(text, h, spec.SecretShown)
	}
	return text
}

// veil hides what is hidden in a result.
func (c *Client) veil(r Result) Result {
	if len(c.hidden) == 0 {
		return r
	}
	r.Text = c.shown(r.Text)
	lines := make([]string, len(r.Reply.Lines))
	for i, line := range r.Reply.Lines {
		lines[i] = c.shown(line)
	}
	if len(lines) > 0 {
		r.Reply.Lines = lines
	}
	return r
}
