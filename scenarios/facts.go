package scenarios

import "github.com/postonce/postonce/spec"

// factKinds are the facts before or after which a crash can be placed. What
// the world itself does is left out: a crash cannot be waited for by a crash.
var factKinds = []struct {
	kind    spec.FactKind
	meaning string
}{
	{spec.FactSubmit, "a submission begins"},
	{spec.FactSubmitted, "the submitter has read the relay's 250"},
	{spec.FactRefused, "the relay refused at submission"},
	{spec.FactSubmitUnknown, "the submitter's connection ended before a reply"},
	{spec.FactQueued, "the message is durable in the spool"},
	{spec.FactAttempt, "an attempt begins"},
	{spec.FactAttemptEnd, "an attempt is over"},
	{spec.FactRoute, "the next hops are chosen"},
	{spec.FactDial, "a connection is about to be tried"},
	{spec.FactIdle, "a connection is kept for another attempt"},
	{spec.FactReuse, "a connection that was kept is taken up"},
	{spec.FactTLS, "the relay's connection is encrypted"},
	{spec.FactLogin, "a server has let the relay in"},
	{spec.FactAlarm, "a login failed so that only an operator can mend it"},
	{spec.FactTrouble, "a stage of the delivery went wrong"},
	{spec.FactIntent, "the intent is durable; the dot may leave"},
	{spec.FactDot, "the final dot is being sent"},
	{spec.FactPutOff, "mail that was due waits longer: its destination cannot be reached"},
	{spec.FactHeldBack, "a report that was due waits longer: its reader has had as many as one may in an hour"},
	{spec.FactOutcome, "a recipient's new state is durable"},
	{spec.FactReport, "a report to the sender is durable"},
	{spec.FactUntold, "mail of the null sender has failed, and nobody is told"},
	{spec.FactRemoved, "both entries of the message are durably gone"},
	{spec.FactDoubt, "a recipient was found or left in doubt"},
	{spec.FactDamaged, "an entry that cannot be read is set aside"},
	{spec.FactReady, "recovery is over and the relay takes mail"},
	{spec.FactCommand, "the relay said something to a server"},
	{spec.FactReply, "a server replied"},
	{spec.FactRefusedRecipient, "a server refused a recipient"},
	{spec.FactAccepted, "a server took the message; its reply is still to come"},
	{spec.FactReplied, "the reply to the dot was written out whole"},
	{spec.FactReportSeen, "a report arrived at a server"},
	{spec.FactTLSSeen, "a server has completed a TLS handshake"},
	{spec.FactConnect, "a connection was made"},
	{spec.FactConnectFailed, "a connection was not made"},
	{spec.FactClosed, "a connection is over"},
	{spec.FactQuery, "the relay asked the DNS"},
	{spec.FactAnswer, "the DNS answered"},
	{spec.FactStored, "a spool entry exists durably"},
	{spec.FactErased, "a spool entry is durably gone"},
	{spec.FactKept, "after a crash, a spool entry is still there"},
	{spec.FactStart, "a process of the relay starts"},
	{spec.FactOperator, "an operator told the relay something"},
	{spec.FactOperated, "the relay answered an operator"},
	{spec.FactFault, "a fault fired"},
}

// factWords returns the kinds as words.
func factWords() []string {
	words := make([]string, len(factKinds))
	for i, f := range factKinds {
		words[i] = string(f.kind)
	}
	return words
}
