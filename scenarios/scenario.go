package scenarios

import (
	"cmp"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// A Scenario is one story as plain data: what a file holds, what a seed
// expands to, what is shrunk, saved and replayed.
type Scenario struct {
	// Name is the file's path below the library without its ending, such as
	// "dot/lost-reply-report".
	Name string
	// Title is the first sentence of the prose, which says what holds.
	Title string
	// Prose is all of the text before the first header line.
	Prose string
	// Source is the address of the field bug, if there was one.
	Source string
	// Bugs names the field bugs that it is the story of, such as "DUP-01".
	Bugs []string
	// Rules names the rules that the story is about.
	Rules []string
	// Needs lists what it takes beyond any relay, such as "crash".
	Needs []string
	// Seed seeds latencies and everything else that the file leaves open.
	Seed uint64
	// Policy is the relay's configuration.
	Policy  spec.Policy
	DNS     []Record
	Servers []Server
	// TLSPolicies are what domains say over HTTPS of their MX hosts.
	TLSPolicies []TLSPolicy
	// Messages are the .eml sections by name; a message without one gets a
	// small standard content.
	Messages []Message
	Plan     []Step
	Expect   []Expectation
	// Trace is the golden trace, nil when the file has none; an empty one is
	// there to be filled in. TraceLine is where its section begins.
	Trace     []byte
	TraceLine int
}

// A Record is one line of the dns section: a resource record, or an answer
// that goes wrong.
type Record struct {
	// Name is absolute: it ends with a dot, as in the file.
	Name string
	// Type is "MX", "A", "AAAA", "CNAME", "TXT", "TLSA"; "SIGNED", which is no
	// record, for names whose answers are secure; or, for a fault, the type it
	// concerns, "ANY" for all.
	Type string
	// Preference is for MX only.
	Preference uint16
	// Value is a name, with its final dot, or an address, or the text of a
	// TXT, or what follows TLSA; for a null MX it is ".".
	Value string
	// Fault is empty for a record, else "NXDOMAIN", "NODATA", "SERVFAIL",
	// "REFUSED", "TIMEOUT" or "TRUNCATED".
	Fault string
	// First limits a fault to the first n queries for that name and type;
	// 0 is no limit.
	First int
	// From and Until bound a fault in time since the start; Until 0 is no end.
	From, Until time.Duration
	// TTL is how long it may be remembered; 0 is DefaultTTL, and NoTTL not at
	// all. A fault other than NXDOMAIN and NODATA has none.
	TTL time.Duration
	// Line is where it stands in the file.
	Line int
}

// How long an answer may be remembered.
const (
	// DefaultTTL is for what says nothing else.
	DefaultTTL = 5 * time.Minute
	// NoTTL is not at all: a TTL of 0 in the DNS.
	NoTTL time.Duration = -1
)

// A Server is one SMTP server of the world.
type Server struct {
	// Name is its host name, without a final dot; its addresses are those of
	// the dns section.
	Name string
	// Peer runs go-smtp's server, which always behaves, instead of a script;
	// Script is then nil, and else never.
	Peer   bool
	Script *fakesmtp.Script
	// Network says how connecting goes: "" is well, "refused" is RST,
	// "unreachable" an ICMP error, "silent" no answer at all.
	Network string
	// NetworkUntil ends Network at that time since the start; 0 is never.
	NetworkUntil time.Duration
	// SplitReads makes reads on its connections, at both ends, return less
	// than there is.
	SplitReads bool
	// Window is how many bytes may be on the way or unread in one direction of a
	// connection; 0 is as many as usual.
	Window int
	Line   int
}

// A TLSPolicy is what a domain says of its MX hosts (RFC 8461).
type TLSPolicy struct {
	// Host tells it: mta-sts. and the domain.
	Host string
	// Lines are those of the file; none when fetching it goes wrong, as Fetch says.
	Lines []string
	Fetch string
	Line  int
}

// A Message is the content of one submission.
type Message struct {
	Name    string
	Content []byte
	// Raw is true when the file has it byte for byte, and so it is submitted.
	Raw bool
}

// A StepKind says what a step of the plan does.
type StepKind string

// The kinds of steps.
const (
	// StepSubmit: a client submits Message from Sender to Recipients.
	StepSubmit StepKind = "submit"
	// StepCrash: the relay's process is killed, at time At, or when the Nth
	// fact that matches When is made.
	StepCrash StepKind = "crash"
	// StepStop: the relay is told to stop (SIGTERM), at time At or when the Nth
	// fact that matches When was made, and started again after Restart.
	StepStop StepKind = "stop"
	// StepHeal: faults end, at server Host, or everywhere when Host is "".
	StepHeal StepKind = "heal"
	// StepDecide: an operator decides what is in doubt: Decision for Message
	// and Recipients (all of its held ones when empty).
	StepDecide StepKind = "decide"
	// StepHold, StepRelease, StepRetry, StepBounce and StepDelete: an operator
	// commands what waits: Message and Recipients (all when empty).
	StepHold    StepKind = "hold"
	StepRelease StepKind = "release"
	StepRetry   StepKind = "retry"
	StepBounce  StepKind = "bounce"
	StepDelete  StepKind = "delete"
	// StepReroute: an operator sends what waits to the destination Dest, or, when
	// that is empty, back to where policy sends it.
	StepReroute StepKind = "reroute"
	// StepPause and StepResume: an operator pauses the destination Dest, or undoes
	// that.
	StepPause  StepKind = "pause"
	StepResume StepKind = "resume"
	// StepFail: an operation of the relay's machine fails: the Nth of the
	// kind Op, and with Forever all after it until healed.
	StepFail StepKind = "fail"
	// StepCut: the network breaks the relay's connections to server Host.
	StepCut StepKind = "cut"
	// StepClock: the wall clock of the relay's machine jumps by Jump, while
	// the relay runs or is down.
	StepClock StepKind = "clock"
	// StepJoin: another relay, called Host, begins to work on the same spool.
	StepJoin StepKind = "join"
	// StepDamage: Message is damaged on disk, in the way of Harm, while the
	// relay is down; follows a crash or stop.
	StepDamage StepKind = "damage"
)

// A Step is one line of the plan.
type Step struct {
	// At is when, since the start of the world. For a crash or stop with When
	// it is the time from which on it watches.
	At      time.Duration
	Kind    StepKind
	Message string
	// Sender and Recipients are without angle brackets; the null sender is "".
	Sender     string
	Recipients []string
	// Size is how many bytes the standard content has at least; 0 is a few.
	Size int64
	// EightBit declares BODY=8BITMIME.
	EightBit bool
	// UTF8 declares SMTPUTF8, RequireTLS REQUIRETLS.
	UTF8, RequireTLS bool
	// Tracking and Asked are what the sender wants to be told, of the message and of
	// each of the Recipients, in their order; Asked ends with the last of whom
	// anything is asked for.
	Tracking spec.Tracking
	Asked    []spec.Asked
	// Host is for heal, cut and join, Dest for pause, resume and reroute.
	Host, Dest string
	// When matches a fact for a crash or stop; zero for one at a time.
	When FactMatch
	// StepNumber, when above 0, crashes at that line of the trace, Seam at
	// that operation of the relay's seams; When.After says on which side.
	StepNumber, Seam int
	// Op is the kind of operation that fails: "store", "lookup" or "dial",
	// each counted from 1 over the whole run.
	Op      string
	Nth     int
	Forever bool
	// Restart is how long after a crash or stop the relay starts again; 0 is
	// never.
	Restart time.Duration
	// Keep says which unacknowledged batches the disk keeps in a crash:
	// "none" or "" (the default), "all", or "some" (seeded).
	Keep string
	// Silent peers hear nothing of the crash; otherwise they see RST.
	Silent bool
	// Harm is how a message is damaged: one of the Harm words, or empty when
	// garbage takes the place of its control entry.
	Harm string
	// Jump is by how much the wall clock is set; below 0 it is set back.
	Jump time.Duration
	// Decision is "retry", "delivered" or "report".
	Decision string
	// Refused says that the relay must not do what the operator says.
	Refused bool
	Line    int
}

// Order is what an operator says in a step, in the word of spec.FactOperator;
// empty when the step is none of an operator's.
func (s Step) Order() string {
	switch s.Kind {
	case StepDecide:
		return s.Decision
	case StepRetry:
		return "retry-now"
	case StepReroute:
		return string(s.Kind) + " " + cmp.Or(s.Dest, spec.AsRouted)
	case StepHold, StepRelease, StepBounce, StepDelete, StepPause, StepResume:
		return string(s.Kind)
	}
	return ""
}

// waits reports whether a crash or stop waits for a moment that is not a time.
func (s Step) waits() bool { return s.When.Kind != "" || s.StepNumber > 0 || s.Seam > 0 }

// A FactMatch picks a fact: kind, and what else is not empty.
type FactMatch struct {
	// After is true when the crash comes right after the fact has taken
	// effect, false when right before it does.
	After bool
	Kind  spec.FactKind
	// Message is the plan's name for a message.
	Message   string
	Recipient string
	Host      string
	Stage     spec.Stage
	// Nth counts matches from 1; 0 is 1.
	Nth int
}

// An Expectation is one line of the expect section.
type Expectation struct {
	// Message is the plan's name; empty when only one message goes to
	// Recipient.
	Message   string
	Recipient string
	// State is "delivered", "failed", "unknown", "held", "queued", "parked",
	// "deleted", or "refused" for what the relay did not take at submission, whether it
	// said so or the connection ended first; or "anything" for one that the
	// story is not about.
	State string
	// Attempts is how many attempts it took; -1 is not said.
	Attempts int
	// Acceptances is how often servers took it; -1 is not said.
	Acceptances int
	// Reports is how many reports about it reached the sender; -1 not said.
	Reports int
	// Delay and Relay say that a report reached the sender that delivery is delayed,
	// or that it was relayed to a server that will say no more; else none must.
	Delay, Relay bool
	// By is the server that must have taken it; empty is not said.
	By string
	// TLS is Encrypted or InClear, for how each acceptance must have come;
	// empty is not said.
	TLS string
	// Spool, for the line "spool …", is "empty" or "held" or "damaged".
	Spool string
	// Rules, for the line "rules hold", says that no more is expected than
	// that.
	Rules bool
	// Violates, for the line "violates RULE", is the rule that must be broken
	// (for scenarios about other relays).
	Violates string
	// Licence, for the line "licence TEXT", says that a second acceptance must
	// have been licensed by a doubt window whose description contains TEXT.
	Licence string
	// Connections, for the line "connections N at HOST", is how many the server By
	// must have got in all; Counts tells a line that says 0 from other lines.
	Connections int
	// Report, for the line "report TEXT", says that a report that contains TEXT
	// must have reached the sender. NoReport, for "no report TEXT", must be in none.
	Report, NoReport string
	Line             int
}

// Counts reports whether e is a line "connections N at HOST".
func (e Expectation) Counts() bool { return e.Recipient == "" && e.By != "" }
