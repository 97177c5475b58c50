package delivery

import (
	"strconv"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/impl/sasl"
	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/spec"
)

// login returns what a next hop is logged in at with; nil for nothing. A host
// that the DNS named is told nothing, though the operator gave it for other
// mail, or for when all else fails.
func (a *attempt) login(h hop) *smtpclient.Login {
	if !a.configured(h.Host) {
		return nil
	}
	l, ok := a.d.Policy.LoginFor(a.job.Dest, h.Name)
	if !ok {
		return nil
	}
	login := &smtpclient.Login{
		Login: l,
		Nonce: func() string {
			a.logins++
			return sasl.Nonce(a.d.Random("login " + a.job.ID + " " + strconv.Itoa(a.logins)))
		},
		Done: func(m spec.Mechanism) { a.note(spec.Fact{Kind: spec.FactLogin, Host: h.Name, Text: string(m)}) },
	}
	if a.d.Secret != nil {
		login.Read = func() (spec.Secret, error) { return a.d.Secret(h.Name) }
	}
	return login
}

// alarm raises one when a login failed so that waiting does not mend it. It speaks
// of the host, and of no mail.
func (a *attempt) alarm(host route.Host, r smtpclient.Result) {
	if r.Stage != spec.StageAUTH || r.Err != nil || !spec.Alarming(r.Event, r.Reply.Code) || a.d.Alarm == nil {
		return
	}
	a.d.Alarm(spec.Fact{Kind: spec.FactAlarm, Host: host.Name, Stage: r.Stage, Event: r.Event, Reply: r.Reply.String(), Text: r.Text})
}
