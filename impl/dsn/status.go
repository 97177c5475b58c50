package dsn

import (
	"regexp"
	"strconv"

	"github.com/postonce/postonce/spec"
)

// enhanced is the status code of RFC 3463 section 2.
var enhanced = regexp.MustCompile(`^[245]\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$`)

// statusUnknown is X.4.2, "the outbound connection was established, but was
// unable to complete the message transaction" (RFC 3463 section 3.5): what
// became of a message in doubt, in its own words.
const statusUnknown = "4.4.2"

// statusRelayed is X.1.9, "message relayed to non-compliant mailer" (registered
// by RFC 3886): to one that will not report on it.
const statusRelayed = "2.1.9"

// Status returns the RFC 3463 code for a recipient in state, Failed, Unknown,
// Queued or Delivered (see Recipient), because of event at stage. reply is the server's when there was
// one. stage and event are those of the last attempt; without any, both are 0.
//
// A recipient whose lifetime ended gets the code of what went wrong last, not
// X.4.7 (delivery time expired), because RFC 3463 section 3.5 says so: "if
// possible, the code for the actual problem found when delivery was attempted
// should be returned". With a report of failure, class 4 means that "sending
// in the future may be successful" (section 2).
func Status(state spec.RecipientState, stage spec.Stage, event spec.Event, reply spec.Reply) string {
	switch state {
	case spec.Unknown:
		return statusUnknown
	case spec.Delivered:
		return statusRelayed
	case spec.Queued: // still being tried, so of class 4 (RFC 3463 section 2)
		return "4" + Status(spec.Failed, stage, event, reply)[1:]
	}
	switch event {
	case spec.Reply4, spec.Reply421, spec.Reply5:
		return ofReply(reply, event)
	case spec.NoDomain:
		return "5.1.2" // bad destination system address
	case spec.NullMX:
		return "5.1.10" // recipient address has null MX (RFC 7505)
	case spec.NoAddress:
		return "5.4.4" // unable to route; RFC 3463's own example is a domain without records
	case spec.Loop:
		return "5.4.6" // routing loop detected
	case spec.DNSTrouble:
		return "4.4.3" // directory server failure
	case spec.Refused:
		return "4.4.1" // no answer from host
	case spec.NotOffered:
		if enhanced.MatchString(reply.Enhanced) {
			return reply.Enhanced // what the message needs, and not what the policy does
		}
		return "4.7.4" // security features not supported: those that the sender's policy requires
	case spec.Untrusted:
		return "4.7.5" // cryptographic failure
	case spec.Timeout, spec.Cut:
		if stage <= spec.StageConnect {
			return "4.4.1"
		}
		return "4.4.2" // bad connection
	case spec.Malformed, spec.Reply2, spec.Reply3:
		if stage == spec.StageHandshake {
			return "4.7.5"
		}
		return "4.5.0" // other or undefined protocol status: a reply out of place
	}
	return "4.4.7" // delivery time expired, and no attempt to tell more
}

// ofReply returns the enhanced code that came with the reply, provided that it
// is of the same class (RFC 2034 section 4), and else X.0.0, which RFC 3463
// section 3.1 keeps for when nothing more is known.
func ofReply(reply spec.Reply, event spec.Event) string {
	class := 4
	if event == spec.Reply5 {
		class = 5
	}
	if enhanced.MatchString(reply.Enhanced) && reply.Enhanced[0] == byte('0'+class) {
		return reply.Enhanced
	}
	return strconv.Itoa(class) + ".0.0"
}
