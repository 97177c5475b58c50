package maillog

import (
	"regexp"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/spec"
)

// stages are how logs call them, the longer names first.
var stages = []struct {
	text  string
	stage spec.Stage
}{
	{"end of data", spec.StageDot}, {"end-of-data", spec.StageDot}, {"message body", spec.StageBody}, {"sending data block", spec.StageBody},
	{"data", spec.StageDATA}, {"rcpt to", spec.StageRCPT}, {"mail from", spec.StageMAIL},
	{"starttls", spec.StageSTARTTLS}, {"ehlo", spec.StageEHLO}, {"helo", spec.StageHELO}, {"auth", spec.StageAUTH},
	{"initial connection", spec.StageGreeting}, {"initial server greeting", spec.StageGreeting}, {"greeting", spec.StageGreeting},
	{"rset", spec.StageRSET}, {"quit", spec.StageQUIT},
}

// stageOf finds the stage that a text speaks of; the greeting when it names none.
func stageOf(text string) spec.Stage {
	text = strings.ToLower(text)
	for _, s := range stages {
		if strings.Contains(text, s.text) {
			return s.stage
		}
	}
	return spec.StageGreeting
}

// reasons that need no stage, as operating systems and logs write them.
var reasons = []struct {
	text, network string
	end           draft.End
}{
	{"connection refused", "refused", ""},
	{"no route to host", "unreachable", ""}, {"network is unreachable", "unreachable", ""}, {"host is unreachable", "unreachable", ""},
	{"lost connection", "", draft.Cut}, {"closed connection", "", draft.Fin}, {"connection reset", "", draft.Cut}, {"broken pipe", "", draft.Cut},
	{"timed out while", "", draft.Left}, {"timeout after", "", draft.Left}, {"connection timed out", "silent", ""},
}

// broken fills in what a text says of the connection, and reports whether it says
// anything.
func (e *entry) broken(text string) bool {
	low := strings.ToLower(text)
	for _, r := range reasons {
		if !strings.Contains(low, r.text) {
			continue
		}
		if e.network, e.end = r.network, r.end; e.end != draft.Open {
			e.stage = stageOf(text)
		}
		return true
	}
	return false
}

// code is a reply as it stands in a log.
var code = regexp.MustCompile(`^[245][0-9]{2}([ -]|$)`)

// unresolved fills in what a text says of the DNS.
func (e *entry) unresolved(text, domain string, forGood bool) bool {
	low := strings.ToLower(text)
	if !strings.Contains(low, "name service error") && !strings.Contains(low, "lookup") && !strings.Contains(low, "host or domain name not found") {
		return false
	}
	e.fault = draft.Fault{Name: domain, Type: "ANY", Fault: "SERVFAIL"}
	if forGood {
		e.fault.Fault = "NXDOMAIN"
	}
	return domain != ""
}

// domainOf is the domain of the first recipient.
func domainOf(to []string) string {
	if len(to) == 0 {
		return ""
	}
	return to[0][strings.LastIndexByte(to[0], '@')+1:]
}
