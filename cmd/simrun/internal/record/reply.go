package record

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// replies passes on what the server says.
func (s *session) replies() {
	var reply []byte
	for {
		line, err := readLine(s.out)
		if room := maxReply - len(reply); len(line) > 0 {
			reply = append(reply, line[:min(len(line), room)]...)
		}
		whole := len(line) > 0 && !goesOn(line)
		stage, code := spec.Stage(0), 0
		if whole {
			stage, code = s.replied(reply)
			reply = nil
		}
		if len(line) > 0 {
			if _, err := s.client.Write(line); err != nil {
				return // the client has gone, and the other goroutine notes it
			}
		}
		upgrade := stage == spec.StageSTARTTLS && code/100 == 2
		if upgrade && !s.secured() {
			s.gone()
			return
		}
		if upgrade {
			s.told(code)
		}
		if err != nil {
			s.hungUp(reply, err)
			return
		}
	}
}

// goesOn reports whether a line is one of a reply that has more.
func goesOn(line []byte) bool {
	return line[len(line)-1] != '\n' || len(line) >= 4 && line[3] == '-' && codeOf(line) > 0
}

// codeOf is the code that a reply begins with; 0 for none.
func codeOf(reply []byte) int {
	code, err := strconv.Atoi(string(reply[:min(3, len(reply))]))
	if err != nil || code < 100 {
		return 0
	}
	return code
}

// replied notes a whole reply, and says to what.
func (s *session) replied(reply []byte) (spec.Stage, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, code := s.r.Now(), codeOf(reply)
	e := draft.Event{Stage: spec.StageIdle, Reply: reply}
	since := s.lastReply
	switch {
	case len(s.asked) > 0:
		a := s.asked[0]
		e.Stage, e.To = a.stage, a.to
		if a.at.After(since) {
			since = a.at
		}
	case s.content:
		e.Stage = spec.StageBody
	}
	e.Wait = now.Sub(since)
	s.lastReply, s.lastStage = now, e.Stage
	s.outcome(&e, code)
	if e.Stage != 0 {
		s.r.note(e)
	}
	if e.Stage != spec.StageSTARTTLS || code/100 != 2 {
		s.answer(code)
	}
	return e.Stage, code
}

// answer takes a command for answered. After a STARTTLS that was taken, that is
// when the handshake is over.
func (s *session) answer(code int) {
	if s.code = code; len(s.asked) > 0 {
		s.asked = s.asked[1:]
	}
	s.cond.Broadcast()
}

// outcome draws the conclusions from a reply.
func (s *session) outcome(e *draft.Event, code int) {
	switch ok := code/100 == 2; {
	case e.Stage == spec.StageEHLO && ok:
		if s.r.offered(offers(e.Reply), s.secure) {
			e.Reply = nil // it goes without saying
		}
	case e.Stage == spec.StageRCPT && ok && s.mail != nil:
		s.mail.taken = append(s.mail.taken, e.To)
	case e.Stage == spec.StageDATA && code == 354:
		s.content, s.sent = true, 0
	case e.Stage == spec.StageDot && s.mail != nil:
		s.mail.done = s.mail.done || ok || code/100 == 5
	}
}

// told lets the other goroutine know of a handshake that is over.
func (s *session) told(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer(code)
}

// loggedIn notes that the client logs in.
func (r *Recorder) loggedIn(secure bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.login, r.host.Clear = true, r.host.Clear || !secure
}

// offers reads the extensions of a reply to EHLO.
func offers(reply []byte) []fakesmtp.Extension {
	all := []fakesmtp.Extension{}
	lines := strings.Split(strings.TrimRight(string(reply), "\r\n"), "\r\n")
	for _, line := range lines[min(1, len(lines)):] {
		fields := strings.Fields(line[min(4, len(line)):])
		if len(fields) > 0 {
			all = append(all, fakesmtp.Extension{Keyword: fields[0], Params: strings.Join(fields[1:], " ")})
		}
	}
	return all
}

// offered notes what a reply to EHLO offers, and reports whether that is what was
// offered before; under TLS without STARTTLS, and with or without AUTH.
func (r *Recorder) offered(all []fakesmtp.Extension, secure bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.host.Offer == nil {
		r.host.Offer = all
		return true
	}
	told := func(list []fakesmtp.Extension) []fakesmtp.Extension {
		return slices.DeleteFunc(slices.Clone(list), func(e fakesmtp.Extension) bool {
			keyword := strings.ToUpper(e.Keyword)
			return secure && keyword == "STARTTLS" || strings.HasPrefix(keyword, "AUTH")
		})
	}
	return slices.Equal(told(r.host.Offer), told(all))
}

// judge says what is wrong with a certificate.
func (r *Recorder) judge(state tls.ConnectionState, host string) fakesmtp.CertificateKind {
	if len(state.PeerCertificates) == 0 {
		return fakesmtp.UnknownAuthority
	}
	leaf := state.PeerCertificates[0]
	o := x509.VerifyOptions{Roots: r.Roots, Intermediates: x509.NewCertPool(), CurrentTime: r.Now()}
	for _, c := range state.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(o)
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil && leaf.VerifyHostname(host) != nil:
		return fakesmtp.WrongName
	case err == nil:
		return fakesmtp.Trusted
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && r.Now().Before(leaf.NotBefore):
		return fakesmtp.NotYetValid
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fakesmtp.Expired
	case bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		return fakesmtp.SelfSigned
	}
	return fakesmtp.UnknownAuthority
}

// ended says how a connection ended, by the error of reading from it.
func ended(err error) draft.End {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return draft.Fin
	}
	return draft.Cut
}

// hungUp notes that the server has ended the connection, maybe within a reply,
// and does the same to the client.
func (s *session) hungUp(torn []byte, err error) {
	s.mu.Lock()
	client, gone := s.client, s.clientGone || s.closed
	end := ended(err)
	if !gone {
		s.cutOff(torn, end)
	}
	s.mu.Unlock()
	s.gone()
	if end == draft.Cut {
		if secure, ok := client.(*tls.Conn); ok {
			client = secure.NetConn()
		}
		reset(client)
	} else {
		_ = client.Close()
	}
}

// cutOff writes down at what stage the connection has ended.
func (s *session) cutOff(torn []byte, end draft.End) {
	const idle = time.Second
	now := s.r.Now()
	switch {
	case len(s.asked) > 0 && s.asked[0].stage != 0:
		a := s.asked[0]
		s.r.note(draft.Event{Stage: a.stage, To: a.to, Reply: torn, Wait: now.Sub(a.at), End: end})
	case s.content:
		s.r.note(draft.Event{Stage: spec.StageBody, Reply: torn, Count: s.sent, End: end})
	case s.quit:
	case s.lastStage == spec.StageDot && now.Sub(s.lastReply) >= idle:
		s.r.note(draft.Event{Stage: spec.StageIdle, Reply: torn, Wait: now.Sub(s.lastReply), End: end})
	default:
		s.r.amend(s.lastStage, func(e *draft.Event) { e.End = end })
	}
}

// gone lets the other goroutine know that nothing more comes from the server.
func (s *session) gone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serverGone = true
	s.cond.Broadcast()
}
