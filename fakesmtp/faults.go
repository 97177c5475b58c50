package fakesmtp

import (
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// Faults returns the kinds of faults that the rule is when it is carried out;
// none unless IsFault.
func (r Rule) Faults() []spec.Fault {
	if !r.IsFault() {
		return nil
	}
	var all []spec.Fault
	add := func(f spec.Fault) {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	said, accepted, torn := "", false, false
	for _, a := range r.Actions {
		switch a.Do {
		case Delay:
			if r.Stage == spec.StageIdle {
				continue // nobody waits
			}
			add(spec.FaultDelay)
		case Drip:
			add(spec.FaultDrip)
		case Repeat:
			add(spec.FaultExtraReply)
		case Accept:
			accepted = true
		case Reply, Raw:
			said += a.bytes()
		case Cut:
			add(spec.FaultCut)
		case CutAfter:
			torn = r.Stage != spec.StageBody && r.Stage != spec.StageHandshake
			add(spec.FaultCut)
		case Fin:
			add(spec.FaultFin)
		case Silence:
			add(spec.FaultSilence)
		case Demand:
			add(spec.FaultCertificate)
		case Present:
			if a.certificate("").kind != Trusted {
				add(spec.FaultCertificate)
			}
		case Lose:
			accepted = true
			add(spec.FaultCut)
		}
	}
	if torn {
		add(spec.FaultTorn)
	}
	all = append(all, r.faultsOfReply(said)...)
	class := codeOf(said) / 100
	switch {
	case accepted && (torn || said == "" && r.endsSilently()):
		add(spec.FaultLost)
	case accepted && (class == 4 || class == 5):
		add(spec.FaultDenied)
	}
	if len(all) == 0 {
		all = append(all, spec.FaultOddReply)
	}
	return all
}

// endsSilently reports whether no normal reply follows the actions.
func (r Rule) endsSilently() bool {
	return slices.ContainsFunc(r.Actions, func(a Action) bool { return a.ends(r.Stage) })
}

// faultsOfReply says what is wrong with what a rule says at its stage, all of
// it together.
func (r Rule) faultsOfReply(said string) []spec.Fault {
	if said == "" {
		return nil
	}
	var all []spec.Fault
	if r.Stage == spec.StageBody {
		all = append(all, spec.FaultEarly)
	}
	first, rest, lawful := firstReply(said)
	if !lawful || r.Stage == spec.StageHandshake {
		return append(all, spec.FaultMalformed)
	}
	e := spec.EventOf(spec.Reply{Code: first})
	if e != normalAt(r.Stage) {
		all = append(all, spec.FaultOfReply(e))
	}
	if rest != "" || r.Stage == spec.StageIdle && e != spec.Reply421 { // which may come unasked (RFC 5321 section 3.8)
		all = append(all, spec.FaultExtraReply)
	}
	return all
}

// normalAt is the class of reply that a well-behaved server gives when all is
// well; none while it reads a body, or is not asked.
func normalAt(stage spec.Stage) spec.Event {
	switch stage {
	case spec.StageDATA:
		return spec.Reply3
	case spec.StageBody, spec.StageHandshake, spec.StageIdle:
		return 0
	}
	return spec.Reply2
}

// firstReply returns the code of the reply with which text begins, and what
// follows it. It is lawful when it has the form of RFC 5321 section 4.2.
func firstReply(text string) (code int, rest string, lawful bool) {
	first := ""
	for rest = text; ; {
		line, after, whole := strings.Cut(rest, "\r\n")
		if !whole || len(line) < 3 || !isCode(line[:3]) || first != "" && line[:3] != first || strings.ContainsAny(line, "\r\n") {
			return 0, rest, false
		}
		first, rest = line[:3], after
		switch {
		case len(line) == 3 || line[3] == ' ':
			return codeOf(first), rest, true
		case line[3] != '-':
			return 0, rest, false
		}
	}
}
