package spec

import "slices"

// A MessageSummary is what a history says of one message.
type MessageSummary struct {
	ID string
	// From is the envelope sender as far as known; "<>" is the null sender.
	From string
	// Report is true for a report that the relay made.
	Report bool
	// Acknowledged is true when the submitter read a 250.
	Acknowledged bool
	// Stored is true while it is in the spool, as far as known.
	Stored bool
	// Damaged is true when its spool entry was damaged.
	Damaged    bool
	Recipients []RecipientSummary
}

// A RecipientSummary is what a history says of one recipient of a message.
type RecipientSummary struct {
	Address string
	// Refused is true when the relay refused it at submission.
	Refused bool
	// State is what the relay believes; where it says nothing, it is what
	// servers did: Delivered when one accepted, Failed or Unknown when so
	// reported, else Queued.
	State RecipientState
	// Attempts counts the relay's attempts; for a relay that does not speak
	// of them, the connections in which it was named.
	Attempts int
	// Acceptances counts how often servers accepted it, and By which; InClear
	// those over connections without TLS.
	Acceptances int
	InClear     int
	By          []HostCount
	// ReportsStored counts the different reports about it, ReportsSeen how
	// often one reached a server.
	ReportsStored, ReportsSeen int
	// DelaysSeen and RelaysSeen count those of a delay, and those that a server took
	// it and will say no more.
	DelaysSeen, RelaysSeen int
}

// A HostCount says how often a server accepted.
type HostCount struct {
	Host  string
	Count int
}

// Messages summarises all messages in the order in which they were first
// spoken of.
func (c *Checker) Messages() []MessageSummary {
	all := make([]MessageSummary, 0, len(c.mail))
	for _, m := range c.mail {
		s := MessageSummary{
			ID: m.id, From: m.from, Report: m.report != nil, Acknowledged: m.acknowledged != nil,
			Stored: m.entry != nil && m.entry.control.there(), Damaged: m.entry != nil && m.entry.damaged != nil,
		}
		for _, r := range m.rcpts {
			s.Recipients = append(s.Recipients, c.summary(r))
		}
		all = append(all, s)
	}
	return all
}

func (c *Checker) summary(r *rcpt) RecipientSummary {
	s := RecipientSummary{
		Address: r.address, Refused: r.refused != nil && !r.owed, State: r.state, Attempts: r.attempts, Acceptances: r.accepted,
		InClear: r.inClear,
		By:      slices.Clone(r.by), ReportsStored: len(r.reports), ReportsSeen: r.seen,
		DelaysSeen: r.delays.seen, RelaysSeen: r.relays.seen,
	}
	if r.attempts == 0 {
		s.Attempts = r.talks
	}
	switch {
	case c.maybeHeld(r):
		s.State = Held
		return s
	case c.parked(r) && !c.maybeOver(r):
		s.State = Parked
		return s
	case r.state.Final() || r.state == Held && !c.maybeOver(r):
		return s
	}
	s.State = Queued
	over := r.mail.entry.gone() || c.settled(r) // though not a word was said of it
	switch spoken := r.outcome != nil || r.attempts > 0; {
	case c.decided(r, "delivered", r.outcome) && c.maybeOver(r):
		s.State = Delivered
	case c.mutely(r, "delete"):
		s.State = Deleted
	case c.maybeOver(r):
		s.State = Failed
	case spoken && !over:
	case r.seenAs != nil && r.seenAs.State == Unknown:
		s.State = Unknown
	case r.accepted > 0:
		s.State = Delivered
	case r.seenAs != nil || r.reported != nil:
		s.State = Failed
	}
	return s
}
