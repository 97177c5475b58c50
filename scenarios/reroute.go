package scenarios

import (
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// asRouted is how a reroute is undone.
const asRouted = "routed"

func rerouteForm() stepForm {
	return stepForm{StepReroute, "t+TIME reroute MESSAGE [<RECIPIENT>, ...] to HOST[:PORT][+HOST...] | as routed [, refused]",
		"an operator sends the message, or what waits of these recipients, to other hosts than those that policy has for it, " +
			"or back there: `t+1h reroute m1 <bob@example.net> to mx9.example.com`",
		(*line).reroute, showReroute, true}
}

// reroute reads what follows "reroute".
func (l *line) reroute(s *Step) {
	s.Message = l.name()
	for first := true; l.err == nil; first = false {
		if !first && !l.comma() || first && !strings.HasPrefix(l.peek(), "<") {
			break
		}
		s.Recipients = append(s.Recipients, l.mailbox("a recipient"))
	}
	if l.accept("as") {
		l.expect(asRouted)
	} else {
		l.expect("to")
		l.space()
		at := l.pos
		s.Dest = spec.Via([]string{l.word("a host")})
		if l.err == nil && slices.ContainsFunc(viaHosts(s.Dest), func(hop string) bool { return !validHop(hop) }) {
			l.fail(at, "write HOST, HOST:PORT, or HOST+HOST for several", "it is no list of hosts")
		}
	}
	if l.comma() {
		l.expect("refused")
		s.Refused = true
	}
	l.end()
}

func showReroute(s Step) string {
	refused := s.Refused
	s.Refused = false
	out := showOrder(s)
	if s.Dest == "" {
		out += " as " + asRouted
	} else {
		out += " to " + strings.Join(viaHosts(s.Dest), "+")
	}
	if refused {
		out += ", refused"
	}
	return out
}

// viaHosts returns the hosts that a reroute names.
func viaHosts(dest string) []string {
	return strings.Split(strings.TrimPrefix(dest, spec.Via(nil)), "+")
}
