package spec

// An Actor says who made a fact. What the relay says it believes; what anyone
// else says is true.
type Actor string

// The actors. A server is "server " and its name.
const (
	ActorRelay     Actor = "relay"
	ActorSubmitter Actor = "submitter"
	ActorDNS       Actor = "dns"
	ActorDisk      Actor = "disk"
	ActorNetwork   Actor = "network"
	ActorWorld     Actor = "world"
)

// ServerActor returns the actor for the scripted or real server called name.
func ServerActor(name string) Actor { return Actor("server " + name) }

// A Fact is one thing that happened or that the relay believes to have
// happened: a line of a trace, of a log, of a story. Which fields a kind uses
// is said at the kind; the others are zero and are not printed.
type Fact struct {
	At    Wall
	Actor Actor
	Kind  FactKind
	// Message is the Message-ID of the mail without angle brackets: the one
	// name for a message that everybody sees, inside the relay and outside.
	Message string
	// Queue is the relay's queue ID.
	Queue QueueID
	// Job names one delivery attempt of the relay: unique within a process.
	Job string
	// To lists the recipients concerned.
	To []string
	// From is the envelope sender; "<>" is the null sender.
	From string
	// Notify is what the sender wants to be told of each of To, in their order, as
	// Notify.String has it; nil when nothing was asked for of any.
	Notify []string
	// Needs are the extensions without which a server cannot have the message:
	// 8BITMIME, and what Needs.Keywords has.
	Needs []string
	// Dest is the destination (Policy.Destination).
	Dest string
	// Host is a server's name, Addr its address and port.
	Host, Addr string
	// Session names one connection: the client's address and port as the
	// server sees them; or as the client does, which is the same unless
	// something in between translates.
	Session string
	// Attempt counts from 1.
	Attempt int
	// State is a recipient state.
	State RecipientState
	Stage Stage
	// Event is what was met at Stage, Verdict what it means.
	Event   Event
	Verdict Verdict
	// Reply is an SMTP reply on one line.
	Reply string
	// Name is the server's name as the client gave it in the TLS handshake
	// (SNI, RFC 6066 section 3); Names are names of a certificate.
	Name  string
	Names []string
	// Due is when the next attempt is due, or when a lifetime ends, by the clock
	// of the relay, which may be wrong.
	Due Wall
	// Count is a number whose meaning the kind gives.
	Count int64
	// Faults are the kinds of faults that a fault or crash consists of.
	Faults []Fault
	// Hash is ContentHash of a message.
	Hash string
	// Text is free text for a person: a reason, a name, a dialogue line.
	Text string
}

// A FactKind is one of the closed set below.
type FactKind string

// Facts of the submitter (true).
const (
	// FactSubmit: a submission began. Message, From, To, Notify, Needs, Hash; Count
	// is how many bytes the content has.
	FactSubmit FactKind = "submit"
	// FactSubmitted: the submitter read the relay's 250. Message, To (the
	// recipients accepted), Reply.
	FactSubmitted FactKind = "submitted"
	// FactRefused: the relay refused with 4yz or 5yz. Message, To, Reply.
	FactRefused FactKind = "refused"
	// FactSubmitUnknown: the connection ended before a reply. Message, Text.
	FactSubmitUnknown FactKind = "submit-unknown"
)

// Facts of the relay (beliefs). All carry Queue and, where known, Message.
const (
	// FactQueued: the message is durable in the spool; 250 may be sent.
	// From, To, Notify, Needs, Due (end of lifetime).
	FactQueued FactKind = "queued"
	// FactAttempt: an attempt begins. Job, Dest, To, Attempt, Due (when it
	// was due). A job counts against the limits until its FactAttemptEnd, or
	// until the process ends.
	FactAttempt FactKind = "attempt"
	// FactAttemptEnd: the attempt is over; its limits are free. Job, Dest.
	FactAttemptEnd FactKind = "attempt-end"
	// FactRoute: the next hops chosen and why. Job, Dest, Text.
	FactRoute FactKind = "route"
	// FactDial: a connection is about to be tried. Job, Dest, Host, Addr; Text
	// says when it is to be one in clear, because TLS failed at every next hop.
	FactDial FactKind = "dial"
	// FactTrouble: a stage went wrong; what it means. Job, Dest, Host, To, Stage,
	// Event, Verdict, Reply or Text, and Session once there is one. Where the
	// stage speaks of no recipient any more, as RSET and QUIT do, To is empty; of
	// a connection that was kept, so are Job and Queue.
	// The verdict is that of the table for what was met, unless the attempt
	// ended for a reason of the relay's own, or is out of next hops: then those
	// left are deferred, whatever was met last; or they fail, when no next hop
	// offers what the message needs.
	FactTrouble FactKind = "trouble"
	// FactIdle: the connection is kept for another attempt. Job, Dest, Host, Addr,
	// Session; Count is how many transactions it has carried.
	FactIdle FactKind = "idle"
	// FactReuse: a connection that was kept is taken up, where else it would have
	// been dialled. Job, Dest, Host, Addr, Session.
	FactReuse FactKind = "reuse"
	// FactTLS: the connection is encrypted. Job, Dest, Host, Session, Name; Text
	// is the version. Names is the name for which the relay found the
	// certificate valid; none when it did not, and went on because the policy
	// does not require it.
	FactTLS FactKind = "tls"
	// FactLogin: the server has let the relay in (RFC 4954). Job, Dest, Host,
	// Session; Text is the mechanism. No fact says a secret.
	FactLogin FactKind = "login"
	// FactAlarm: a login failed so that only an operator can mend it (Alarming).
	// Host, Stage, Event, Reply or Text. It comes before the FactTrouble of the
	// attempt, and once an hour at most for a host and an event; it speaks of the
	// host and of no message.
	FactAlarm FactKind = "alarm"
	// FactIntent: the intent is durable; the dot may leave. Job, Dest, Host,
	// To, Attempt.
	FactIntent FactKind = "intent"
	// FactDot: the final dot is being sent. Job, Dest, Host, To, Session.
	FactDot FactKind = "dot"
	// FactPutOff: recipients who were due wait longer, durably, because their
	// destination cannot be reached. Dest, To, Due, Text is what was met there.
	FactPutOff FactKind = "put-off"
	// FactHeldBack: recipients who were due wait longer, durably, because they have
	// had as many reports as one may have in an hour. Dest, To, Due, Text.
	FactHeldBack FactKind = "held-back"
	// FactOutcome: a recipient's new state is durable. Dest, Host, To (one),
	// State (queued = deferred), Attempt, Reply or Text, Due when queued.
	FactOutcome FactKind = "outcome"
	// FactReport: a report is durable, as message Message with queue ID
	// Queue; its own FactQueued follows. To are the recipients reported, Text is the
	// queue ID of the message reported on, From whom it goes to. State is what
	// is said of them: Queued for "delayed", Delivered for "relayed", and zero when
	// it is Failed or Unknown, as in FactOutcome. A report that says different
	// things of several recipients has a fact for each of the three.
	FactReport FactKind = "report"
	// FactUntold: the outcome that was just said is failed or unknown, and nobody is
	// told, because the mail is from the null sender. To, State; Text is why no
	// postmaster is told either.
	FactUntold FactKind = "untold"
	// FactRemoved: both entries of the message are durably gone.
	FactRemoved FactKind = "removed"
	// FactDoubt: a recipient was found or left in doubt. Dest, Host, To,
	// Text is the policy that decides.
	FactDoubt FactKind = "doubt"
	// FactDamaged: a spool entry cannot be read and is set aside. Queue, Text.
	FactDamaged FactKind = "damaged"
	// FactReady: recovery is over and the relay takes mail. Count is the
	// number of destinations that have something waiting.
	FactReady FactKind = "ready"
	// FactHalt: the relay stops because of Text.
	FactHalt FactKind = "halt"
)

// Facts of servers (true).
const (
	// FactCommand: the client said Text, the command line as it was (body
	// bytes are not facts); of a login only the command and the mechanism, and
	// of what follows that something does. Session, Host, Stage.
	FactCommand FactKind = "command"
	// FactReply: the server said Reply. Session, Host, Stage.
	FactReply FactKind = "reply"
	// FactRefusedRecipient: the server answered RCPT with 4yz or 5yz.
	// Session, Host, From, To, Reply, Stage.
	FactRefusedRecipient FactKind = "refused-recipient"
	// FactAccepted: the server took the message for To: it is now the
	// server's. Made before the reply is sent. Session, Host, Message, From,
	// To, Hash.
	FactAccepted FactKind = "accepted"
	// FactReplied: the reply to an accepted dot was written out whole; the
	// client may still not have read it. Session, Host, Message, To.
	FactReplied FactKind = "replied"
	// FactReportSeen: the accepted message is a delivery status notification
	// (RFC 3464) about Text (a Message-ID), recipient To (one), with Action
	// in Reply ("failed", "delayed", ...). Session, Host, Message. An
	// unknown outcome is "failed" with status 4.4.7 or 5.4.7 … see dsn; State
	// says which of Failed or Unknown a report of failure states.
	FactReportSeen FactKind = "report-seen"
	// FactTLSSeen: the server has completed a TLS handshake. Session, Host,
	// Stage, Name; Text is the version. Names are those for which its
	// certificate is truly valid: issued by an authority that the relay trusts,
	// and not expired.
	FactTLSSeen FactKind = "tls-seen"
	// FactUnlawful: the client broke WIRE-LAWFUL. Session, Host, Stage, Text.
	FactUnlawful FactKind = "unlawful"
)

// Facts of the network (true).
const (
	// FactConnect: a connection was made to Addr. Session, Addr.
	FactConnect FactKind = "connect"
	// FactConnectFailed: it was not. Addr, Text.
	FactConnectFailed FactKind = "connect-failed"
	// FactClosed: the connection is over on both sides. Session, Addr; Text is
	// ClosedByClient when that side ended it first, or any other reason.
	FactClosed FactKind = "closed"
)

// ClosedByClient is the Text of a FactClosed when the client, which is the
// relay, was the first to end the connection.
const ClosedByClient = "by the client"

// Facts of the DNS (true).
const (
	// FactQuery: the relay asked. Text is "NAME TYPE".
	FactQuery FactKind = "query"
	// FactAnswer: it was answered. Text is "NAME TYPE: RCODE records…", the
	// records with "; " between them and each as type and data: "MX 10
	// mx1.example.net.", "A 192.0.2.1", "CNAME example.com.".
	FactAnswer FactKind = "answer"
)

// Facts of the disk (true).
const (
	// FactStored: an entry exists durably. Queue, Text is the space: "control",
	// "body", or "intent" for the mark that a dot may have left. Made when the
	// first batch that holds it is durable; of a body, whose Count is how many
	// bytes of it are, again when there are more.
	FactStored FactKind = "stored"
	// FactErased: an entry is durably gone. As FactStored.
	FactErased FactKind = "erased"
	// FactKept: after a crash, an entry is still there. As FactStored. All of
	// them come between FactCrash and the FactReady of the next process; what
	// is not named then is gone.
	FactKept FactKind = "kept"
)

// Facts of the world (true).
const (
	// FactPlan: a step of the plan. Text; Faults when it is one.
	FactPlan FactKind = "plan"
	// FactFault: a fault fired; Text is what, Faults of which kinds. With
	// Session, it touched that connection: with a Stage a server did there what
	// it was told to, such as refusing or cutting; without one the network did.
	// With Addr it touched the next connection that was tried there; with Host
	// alone that server; with Queue it damaged that spool entry. A fault of the
	// DNS is the next answer to "NAME TYPE", with which Text begins. When the
	// wall clock of the relay's machine was set, Count is by how many
	// nanoseconds; the times of facts are true ones all the same.
	FactFault FactKind = "fault"
	// FactCrash: the relay's process is gone; what it says after this does
	// not count. Text is why; Faults say how, and what the disk kept.
	FactCrash FactKind = "crash"
	// FactStart: a process of the relay starts. Count is 1 for the first.
	FactStart FactKind = "start"
	// FactStop: the relay's process ended by itself. Text.
	FactStop FactKind = "stop"
	// FactOperator: an operator told the relay something. Queue, To (all whom it
	// can be about when empty), Text: a decision, or words that contain it. On
	// what is held in doubt that is "retry", "delivered" or "report"; on what
	// waits "hold" (no attempt begins), "release" (undoes that), "retry-now",
	// "bounce" (give it up, and tell the sender) or "delete" (tell nobody); or
	// "reroute" and a destination behind it (Via, or AsRouted for that of policy). On a
	// destination, Dest, it is "pause" (no attempt begins there) or "resume".
	FactOperator FactKind = "operator"
	// FactOperated: the relay answered the operator. Queue, To, Dest and Text as in the
	// FactOperator; Reply is why it was not done, empty when it was, durably.
	FactOperated FactKind = "operated"
	// FactHeal: faults end, for Host or for all. Text.
	FactHeal FactKind = "heal"
	// FactEnd: the run is over and everything that was due has had its time.
	FactEnd FactKind = "end"
)
