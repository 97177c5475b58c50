package spec

import "fmt"

// A Stage is a point of a delivery at which something can go right or wrong.
type Stage uint8

// The stages, in the order in which a delivery passes them.
const (
	StageResolve Stage = iota + 1
	StageConnect
	StageGreeting
	StageEHLO
	StageHELO
	// StageSTARTTLS is the command and its reply (RFC 3207), StageHandshake the
	// TLS handshake after it. Then comes EHLO again.
	StageSTARTTLS
	StageHandshake
	// StageAUTH is the login (RFC 4954): the command, and what is said until the
	// server has decided.
	StageAUTH
	StageMAIL
	StageRCPT
	StageDATA
	// StageBDAT is the reply to a chunk of the message text that is not the last
	// (RFC 3030), once all of the chunk is with the server.
	StageBDAT
	// StageBody is the message text, all but the final dot; after BDAT, a chunk
	// that is not the last.
	StageBody
	// StageDot begins when the first byte of the final CRLF.CRLF is handed to
	// the network, or of "BDAT n LAST", and ends with the reply. Only here can
	// doubt arise.
	StageDot
	StageRSET
	StageQUIT
	// StageIdle is a connection that is kept for another attempt: a server that
	// says something there has not been asked.
	StageIdle
)

var stageNames = [...]string{
	StageResolve: "resolve", StageConnect: "connect", StageGreeting: "greeting", StageEHLO: "ehlo", StageHELO: "helo",
	StageSTARTTLS: "starttls", StageHandshake: "handshake", StageAUTH: "auth",
	StageMAIL: "mail", StageRCPT: "rcpt", StageDATA: "data", StageBDAT: "bdat", StageBody: "body", StageDot: "dot", StageRSET: "rset", StageQUIT: "quit",
	StageIdle: "idle",
}

// String returns the stage's name as it stands in traces and scenario files.
func (s Stage) String() string {
	if s >= StageResolve && s <= StageIdle {
		return stageNames[s]
	}
	return fmt.Sprintf("Stage(%d)", uint8(s))
}

// ParseStage is the inverse of Stage.String.
func ParseStage(name string) (Stage, error) {
	for s := StageResolve; s <= StageIdle; s++ {
		if stageNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("no stage is called %q", name)
}

// Stages lists all stages in order.
func Stages() []Stage {
	var all []Stage
	for s := StageResolve; s <= StageIdle; s++ {
		all = append(all, s)
	}
	return all
}

// An Event is the class of reply or fault met at a stage.
type Event uint8

// The classes of replies and faults.
const (
	// Reply2 is a positive completion reply, any 2yz.
	Reply2 Event = iota + 1
	// Reply3 is an intermediate reply, any 3yz.
	Reply3
	// Reply4 is a transient negative reply, any 4yz but 421.
	Reply4
	// Reply421 announces that the server closes the connection.
	Reply421
	// Reply5 is a permanent negative reply, any 5yz.
	Reply5
	// Malformed: bytes that are no reply in the grammar of RFC 5321 section 4.2.
	Malformed
	// Timeout: no reply, or no progress, within the stage's limit.
	Timeout
	// Cut: the connection ended (FIN or RST) before the stage was complete.
	Cut
	// Refused: the connection could not be made: refused or unreachable.
	Refused
	// NoDomain: the DNS says that the domain does not exist (NXDOMAIN).
	NoDomain
	// NoAddress: the domain exists but has neither MX nor address records, or
	// none of its MX hosts has an address.
	NoAddress
	// DNSTrouble: SERVFAIL, REFUSED, a time-out or a malformed DNS answer:
	// nothing is known yet.
	DNSTrouble
	// NullMX: the domain declares that it takes no mail (RFC 7505).
	NullMX
	// Loop: the best next hop is this relay itself (RFC 5321 section 5.1).
	Loop
	// NotOffered: the server does not offer what the policy requires, STARTTLS, or
	// AUTH with a mechanism that is allowed; or what the message or a recipient
	// needs: room, 8BITMIME, SMTPUTF8, REQUIRETLS. Then the relay says neither MAIL
	// nor RCPT, and has a status code of its own.
	NotOffered
	// Untrusted: the server's certificate is not the one that the policy
	// requires; or in a login it has not proved that it knows the secret, too.
	Untrusted
	// TooMany: the server takes no more recipients in this transaction; it has
	// taken others. See EventAt.
	TooMany
)

var eventNames = [...]string{
	Reply2: "2yz", Reply3: "3yz", Reply4: "4yz", Reply421: "421", Reply5: "5yz", Malformed: "malformed", Timeout: "timeout", Cut: "cut",
	Refused: "refused", NoDomain: "nxdomain", NoAddress: "no-address", DNSTrouble: "dns-trouble", NullMX: "null-mx", Loop: "loop",
	NotOffered: "not-offered", Untrusted: "untrusted", TooMany: "too-many",
}

// String returns the event's name as it stands in traces.
func (e Event) String() string {
	if e >= Reply2 && e <= TooMany {
		return eventNames[e]
	}
	return fmt.Sprintf("Event(%d)", uint8(e))
}

// ParseEvent is the inverse of Event.String.
func ParseEvent(name string) (Event, error) {
	for e := Reply2; e <= TooMany; e++ {
		if eventNames[e] == name {
			return e, nil
		}
	}
	return 0, fmt.Errorf("no event is called %q", name)
}

// Events lists all events in order.
func Events() []Event {
	var all []Event
	for e := Reply2; e <= TooMany; e++ {
		all = append(all, e)
	}
	return all
}

// EventOf classifies a reply by its code. See EventAt.
func EventOf(r Reply) Event {
	switch {
	case r.Code == 421:
		return Reply421
	case r.Class() == 2:
		return Reply2
	case r.Class() == 3:
		return Reply3
	case r.Class() == 4:
		return Reply4
	case r.Class() == 5:
		return Reply5
	}
	return Malformed
}

// EventAt classifies a reply by what it says at a stage, where that is another
// thing than its code. There is one case: 452 and 552 to RCPT may mean "too many
// recipients". RFC 821 had 552 for it, and RFC 5321 section 4.5.3.1.10 says that
// clients should treat it as temporary, like 452: the recipient goes into
// another transaction. They mean that when the enhanced code says so (4.5.3 or
// 5.5.3), or when there is none and another recipient was taken before in the
// same transaction. Otherwise it is the mailbox that is full (5.2.2).
//
// Only when another was taken does a transaction more promise anything: a server
// to whom the first is one too many is to be asked later.
func EventAt(stage Stage, r Reply, taken bool) Event {
	tooMany := r.Enhanced == "4.5.3" || r.Enhanced == "5.5.3"
	if stage != StageRCPT || r.Code != 452 && r.Code != 552 || !tooMany && (r.Enhanced != "" || !taken) {
		return EventOf(r)
	}
	if !taken {
		return Reply4
	}
	return TooMany
}

// A Verdict is what a stage and an event mean for the recipients concerned.
type Verdict uint8

const (
	// Proceed: go on with the conversation. At StageDot: delivered.
	Proceed Verdict = iota + 1
	// NextHost: this server will not do; try the next one now, and when none
	// is left, defer. When each of them has shown that it does not offer what the
	// message needs, a recipient fails instead.
	NextHost
	// Defer: end this attempt; retry on the schedule.
	Defer
	// FailRecipient: the recipients concerned fail for good, the others go on.
	FailRecipient
	// FailMessage: every recipient of the transaction fails for good.
	FailMessage
	// InDoubt: the server may or may not have accepted; the in_doubt policy
	// decides.
	InDoubt
	// NextTransaction: the recipients concerned go into another transaction with
	// the same server, now; unless this one ends with the connection, which
	// defers them.
	NextTransaction
)

var verdictNames = [...]string{
	Proceed: "proceed", NextHost: "next-host", Defer: "defer", FailRecipient: "fail-recipient", FailMessage: "fail-message", InDoubt: "in-doubt",
	NextTransaction: "next-transaction",
}

// String returns the verdict's name as it stands in traces.
func (v Verdict) String() string {
	if v >= Proceed && v <= NextTransaction {
		return verdictNames[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// ParseVerdict is the inverse of Verdict.String.
func ParseVerdict(name string) (Verdict, error) {
	for v := Proceed; v <= NextTransaction; v++ {
		if verdictNames[v] == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("no verdict is called %q", name)
}

// A Cell is one entry of the verdict table.
type Cell struct {
	Verdict Verdict
	// Source is the section that the verdict follows, such as "RFC 5321 4.2.1".
	Source string
	// Why is one sentence for a reader who doubts it.
	Why string
}
