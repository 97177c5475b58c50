package dsn

import (
	"testing"

	"github.com/postonce/postonce/spec"
)

func TestStatus(t *testing.T) {
	reply := func(code int, enhanced string) spec.Reply { return spec.Reply{Code: code, Enhanced: enhanced} }
	tests := []struct {
		name  string
		state spec.RecipientState
		stage spec.Stage
		event spec.Event
		reply spec.Reply
		want  string
	}{
		{"in doubt", spec.Unknown, spec.StageDot, spec.Cut, spec.Reply{}, "4.4.2"},
		{"in doubt after a malformed reply", spec.Unknown, spec.StageDot, spec.Malformed, spec.Reply{}, "4.4.2"},
		{"NXDOMAIN", spec.Failed, spec.StageResolve, spec.NoDomain, spec.Reply{}, "5.1.2"},
		{"null MX", spec.Failed, spec.StageResolve, spec.NullMX, spec.Reply{}, "5.1.10"},
		{"no address", spec.Failed, spec.StageResolve, spec.NoAddress, spec.Reply{}, "5.4.4"},
		{"loop", spec.Failed, spec.StageResolve, spec.Loop, spec.Reply{}, "5.4.6"},
		{"expired, DNS in trouble", spec.Failed, spec.StageResolve, spec.DNSTrouble, spec.Reply{}, "4.4.3"},
		{"expired, refused", spec.Failed, spec.StageConnect, spec.Refused, spec.Reply{}, "4.4.1"},
		{"expired, no connection in time", spec.Failed, spec.StageConnect, spec.Timeout, spec.Reply{}, "4.4.1"},
		{"expired, no greeting in time", spec.Failed, spec.StageGreeting, spec.Timeout, spec.Reply{}, "4.4.2"},
		{"expired, cut in the body", spec.Failed, spec.StageBody, spec.Cut, spec.Reply{}, "4.4.2"},
		{"expired, no reply in the grammar", spec.Failed, spec.StageMAIL, spec.Malformed, spec.Reply{}, "4.5.0"},
		{"expired, DATA answered with 250", spec.Failed, spec.StageDATA, spec.Reply2, reply(250, "2.0.0"), "4.5.0"},
		{"expired, no STARTTLS where policy requires it", spec.Failed, spec.StageSTARTTLS, spec.NotOffered, spec.Reply{}, "4.7.4"},
		{"expired, a certificate that is not the one required", spec.Failed, spec.StageHandshake, spec.Untrusted, spec.Reply{}, "4.7.5"},
		{"expired, no TLS in the handshake", spec.Failed, spec.StageHandshake, spec.Malformed, spec.Reply{}, "4.7.5"},
		{"expired without an attempt", spec.Failed, 0, 0, spec.Reply{}, "4.4.7"},
		{"the server's own code", spec.Failed, spec.StageRCPT, spec.Reply5, reply(550, "5.1.1"), "5.1.1"},
		{"expired, the server's own code", spec.Failed, spec.StageRCPT, spec.Reply4, reply(451, "4.7.1"), "4.7.1"},
		{"421 with a code", spec.Failed, spec.StageGreeting, spec.Reply421, reply(421, "4.3.2"), "4.3.2"},
		{"421 without", spec.Failed, spec.StageGreeting, spec.Reply421, reply(421, ""), "4.0.0"},
		{"5yz without", spec.Failed, spec.StageRCPT, spec.Reply5, reply(550, ""), "5.0.0"},
		{"a code of another class", spec.Failed, spec.StageRCPT, spec.Reply5, reply(550, "4.1.1"), "5.0.0"},
		{"a code that is none", spec.Failed, spec.StageRCPT, spec.Reply5, reply(550, "5.01.1"), "5.0.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Status(tt.state, tt.stage, tt.event, tt.reply); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestStatusIsWellFormedAndOfClass4Or5(t *testing.T) {
	for _, state := range []spec.RecipientState{spec.Failed, spec.Unknown} {
		for _, stage := range append(spec.Stages(), 0, 99) {
			for _, event := range append(spec.Events(), 0, 99) {
				got := Status(state, stage, event, spec.Reply{Code: 250, Enhanced: "2.0.0\r\n"})
				if !enhanced.MatchString(got) || got[0] == '2' {
					t.Errorf("%v, %v, %v: %q", state, stage, event, got)
				}
			}
		}
	}
}
