package spec

import (
	"fmt"
	"strings"
)

// Decide returns the verdict on an event at a stage. It is total: for an
// event that cannot occur at a stage it returns what is safe there, NextHost
// before the dot and InDoubt at the dot.
func Decide(stage Stage, event Event) Cell {
	if CanOccur(stage, event) {
		return verdictTable[stage][event]
	}
	switch {
	case stage >= StageRSET && stage <= StageIdle:
		return Cell{Proceed, cannotOccur, "The fate of every recipient is known by then."}
	case stage >= StageResolve && stage < StageDot:
		return Cell{NextHost, cannotOccur, "Before the final dot nothing can have been accepted, so another host does no harm."}
	}
	return Cell{InDoubt, cannotOccur, "Once the final dot may have left, what is not understood may be an acceptance."}
}

// CanOccur reports whether an event can occur at a stage.
func CanOccur(stage Stage, event Event) bool {
	return stage >= StageResolve && stage <= StageIdle && event >= Reply2 && event <= TooMany && verdictTable[stage][event].Verdict != 0
}

// cannotOccur is the Source of a cell that no section speaks about.
const cannotOccur = "cannot occur"

// Reasons that many cells share.
const (
	whySilent    = "A server that is silent for the whole time-out will not do; nothing was accepted."
	whyCut       = "The connection is gone before the final dot, so nothing was accepted."
	whyGarbage   = "What is no reply cannot be relied on; nothing was accepted."
	whyUnasked   = "The reply has no meaning here, so the server does not speak SMTP; nothing was accepted."
	whyTransient = "The server cannot serve us now; another one may."
	whyClosing   = "421 speaks of the server, which is closing the channel; another one may take the mail."
	whyNoTLS     = "It has no TLS for us; another host may, and when none does, the mail waits, or goes in clear where policy allows that."
	whyNoLogin   = "The login is the operator's to mend, and says nothing about the mail; another host may let us in, and else the mail waits."
	whyIdle      = "No mail is under way; the next goes over another connection, at no cost."
	whyOver      = "The fate of every recipient is known; only the connection is lost."
)

// The verdict table. What stands in no row cannot occur. It is never written to.
var verdictTable = [StageIdle + 1][TooMany + 1]Cell{
	StageResolve: {
		NoDomain:   {FailMessage, "RFC 5321 5.1", "The domain does not exist, and trying again will not make it."},
		NoAddress:  {FailMessage, "RFC 5321 5.1", "The domain exists, but names no host that could take mail."},
		DNSTrouble: {Defer, "RFC 5321 5.1", "Nothing is known yet; a failing resolver must not fail mail."},
		NullMX:     {FailMessage, "RFC 7505 3", "The domain declares that it takes no mail."},
		Loop:       {FailMessage, "RFC 5321 5.1", "This relay is the best next hop but not the destination: the mail would loop."},
	},
	StageConnect: {
		Timeout: {NextHost, "RFC 5321 5.1", "The host does not answer; the next address may."},
		Cut:     {NextHost, "RFC 5321 5.1", "The host dropped the connection; the next address may not."},
		Refused: {NextHost, "RFC 5321 5.1", "The host cannot be reached; the next address may."},
	},
	StageGreeting: {
		Reply2:    {Proceed, "RFC 5321 3.1", "The server is ready."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {NextHost, "RFC 5321 3.1", "A refusal in the greeting (554) speaks of the server, not of a recipient."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.1", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	StageEHLO: {
		Reply2:    {Proceed, "RFC 5321 4.1.1.1", "The server speaks SMTP with extensions."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {Proceed, "RFC 5321 3.2", "An old server does not know EHLO; HELO comes next."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	StageHELO: {
		Reply2:    {Proceed, "RFC 5321 4.1.1.1", "The server speaks SMTP without extensions."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {NextHost, "RFC 5321 4.1.1.1", "A server that takes neither EHLO nor HELO refuses us, not a recipient."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	// The mail has not been spoken of. What comes after the last host is the
	// policy's business, and never a failure: what is wrong with a server's TLS
	// is mended, or in the way of an attacker for a while.
	StageSTARTTLS: {
		Reply2:     {Proceed, "RFC 3207 4", "The server waits for the handshake."},
		Reply3:     {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:     {NextHost, "RFC 3207 4", whyNoTLS},
		Reply421:   {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:     {NextHost, "RFC 3207 4", whyNoTLS},
		Malformed:  {NextHost, "RFC 3207 6", "What is no reply, or more than one, may be an attacker's; nothing that came in clear is believed."},
		Timeout:    {NextHost, "RFC 5321 4.5.3.2", whySilent},
		Cut:        {NextHost, "RFC 5321 3.8", whyCut},
		NotOffered: {NextHost, "RFC 3207 6", "Policy requires TLS; that it is not offered may be an attacker's doing, and must not fail mail."},
	},
	StageHandshake: {
		Malformed: {NextHost, "RFC 3207 4.1", "No handshake came about; without it there is no session."},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2", whySilent},
		Cut:       {NextHost, "RFC 3207 4.1", whyCut},
		Untrusted: {NextHost, "RFC 9525 6", "Whoever answers has not proved to be the one that policy names; another host may."},
	},
	// The mail has not been spoken of here either: whatever the code, it is the
	// relay that is refused.
	StageAUTH: {
		Reply2:     {Proceed, "RFC 4954 6", "The server knows who we are."},
		Reply3:     {Proceed, "RFC 4954 4", "The exchange goes on."},
		Reply4:     {NextHost, "RFC 4954 6", "The server cannot tell now who we are (454), or not like this (432); another one may."},
		Reply421:   {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:     {NextHost, "RFC 4954 6", whyNoLogin},
		Malformed:  {NextHost, "RFC 4954 4", "What is no reply, no base64, or no step of the mechanism, ends the exchange."},
		Timeout:    {NextHost, "RFC 5321 4.5.3.2", whySilent},
		Cut:        {NextHost, "RFC 5321 3.8", whyCut},
		NotOffered: {NextHost, "RFC 4954 3", whyNoLogin},
		Untrusted:  {NextHost, "RFC 5802 3", "Whoever answers has not proved to know the secret, and may be anybody; another host may."},
	},
	StageMAIL: {
		Reply2:    {Proceed, "RFC 5321 3.3", "The sender is accepted."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {FailMessage, "RFC 5321 4.2.1", "The sender, or mail from it, is refused for good, whatever the recipient."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.2", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
		NotOffered: {NextHost, "RFC 6531 3.2", "The host shows by its EHLO that it cannot take the message, which is not begun; another may, " +
			"and if none does, the sender is told."},
	},
	StageRCPT: {
		Reply2:    {Proceed, "RFC 5321 3.3", "The recipient is accepted."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {Defer, "RFC 5321 4.2.1", "The recipient cannot be served now; greylisting says it this way, and asks to wait."},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {FailRecipient, "RFC 5321 4.2.1", "The recipient is refused for good; the others are not concerned."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.3", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
		TooMany:   {NextTransaction, "RFC 5321 4.5.3.1.10", "The server takes no more at once, but has taken others: the rest follow in a transaction of their own."},
		NotOffered: {NextHost, "RFC 6531 3.2", "The recipient's address is beyond ASCII, which the host does not take; another may, " +
			"and if none does, the sender is told."},
	},
	StageDATA: {
		Reply2:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply3:    {Proceed, "RFC 5321 3.3", "The server waits for the content."},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {FailMessage, "RFC 5321 4.2.1", "The transaction is refused for good."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.4", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	// The message is not whole before the last chunk, so none of this is an
	// acceptance.
	StageBDAT: {
		Reply2:    {Proceed, "RFC 3030 2", "The server has the chunk and waits for the next one."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 3030 2", "The transaction has failed for now; no other chunk may follow, but another host may take the mail."},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {FailMessage, "RFC 3030 2", "The transaction is refused for good; no other chunk may follow."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.5", whySilent},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	// A server may not reply before the final dot, but for 421; some do, and
	// close. As the dot has not left, none of this is an acceptance.
	StageBody: {
		Reply2:    {NextHost, "RFC 5321 4.1.1.4", "No server can have accepted a message whose end it has not seen."},
		Reply3:    {NextHost, "RFC 5321 4.3.2", whyUnasked},
		Reply4:    {NextHost, "RFC 5321 4.2.1", whyTransient},
		Reply421:  {NextHost, "RFC 5321 3.8", whyClosing},
		Reply5:    {FailMessage, "RFC 5321 4.2.1", "The server has seen enough of the content to refuse it for good; sending it again will not help."},
		Malformed: {NextHost, "RFC 5321 4.2", whyGarbage},
		Timeout:   {NextHost, "RFC 5321 4.5.3.2.5", "The server takes no more bytes and never saw the final dot; nothing was accepted."},
		Cut:       {NextHost, "RFC 5321 3.8", whyCut},
	},
	StageDot: {
		Reply2:    {Proceed, "RFC 5321 6.1", "The server has taken responsibility: delivered."},
		Reply3:    {InDoubt, "RFC 5321 4.3.2", "The dot has left, and the reply says neither yes nor no."},
		Reply4:    {Defer, "RFC 5321 4.2.1", "The server says that it did not accept; sending again later is safe."},
		Reply421:  {Defer, "RFC 5321 3.8", "A negative reply, so nothing was accepted; but after the dot never another host at once."},
		Reply5:    {FailMessage, "RFC 5321 4.2.1", "The content is refused for good."},
		Malformed: {InDoubt, "RFC 1047", "The dot has left, and the reply cannot be read: it may have been a yes."},
		Timeout:   {InDoubt, "RFC 5321 4.5.3.2.6", "The dot has left; a slow server may have accepted."},
		Cut:       {InDoubt, "RFC 1047", "The dot has left; the reply may have been lost after the server accepted."},
	},
	StageRSET: {
		Reply2:    {Proceed, "RFC 5321 4.1.1.5", "The connection is ready for another transaction."},
		Reply3:    {Proceed, "RFC 5321 4.1.1.5", whyOver},
		Reply4:    {Proceed, "RFC 5321 4.1.1.5", whyOver},
		Reply421:  {Proceed, "RFC 5321 3.8", whyOver},
		Reply5:    {Proceed, "RFC 5321 4.1.1.5", whyOver},
		Malformed: {Proceed, "RFC 5321 4.1.1.5", whyOver},
		Timeout:   {Proceed, "RFC 5321 4.1.1.5", whyOver},
		Cut:       {Proceed, "RFC 5321 3.8", whyOver},
	},
	StageQUIT: {
		Reply2:    {Proceed, "RFC 5321 4.1.1.10", "The connection ends as it should."},
		Reply3:    {Proceed, "RFC 5321 4.1.1.10", whyOver},
		Reply4:    {Proceed, "RFC 5321 4.1.1.10", whyOver},
		Reply421:  {Proceed, "RFC 5321 3.8", whyOver},
		Reply5:    {Proceed, "RFC 5321 4.1.1.10", whyOver},
		Malformed: {Proceed, "RFC 5321 4.1.1.10", whyOver},
		Timeout:   {Proceed, "RFC 5321 4.1.1.10", whyOver},
		Cut:       {Proceed, "RFC 5321 3.8", whyOver},
	},
	// Nobody's mail is under way: the next attempt makes a connection of its own.
	StageIdle: {
		Reply421:  {Proceed, "RFC 5321 3.8", whyIdle},
		Malformed: {Proceed, "RFC 5321 4.2", "What nobody asked for would be taken for the reply to the next command."},
		Cut:       {Proceed, "RFC 5321 3.8", whyIdle},
	},
}

// Table returns the verdict table as text: a line per cell that can occur,
// with stage, event, verdict, source and reason.
func Table() string {
	var b strings.Builder
	for _, stage := range Stages() {
		for _, event := range Events() {
			if CanOccur(stage, event) {
				c := Decide(stage, event)
				fmt.Fprintf(&b, "%-9s %-12s %-16s %-19s %s\n", stage, event, c.Verdict, c.Source, c.Why)
			}
		}
	}
	return b.String()
}
