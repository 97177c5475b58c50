// Package queue is the core of the relay: it takes every decision that makes
// or breaks a rule. What is due, whose turn it is, what is claimed, which
// intents and outcomes are stored, when to retry, expire, report, remove, and
// what to make of the spool after a crash.
//
// It is one single-threaded state machine: Step takes an event and the time
// and returns actions. It does no I/O, starts no goroutine, reads no clock and
// draws no random number. The shell (package impl) carries the actions out and
// turns their completions into events. Each action's comment says what must be
// durable before it and what may run beside it.
//
// # How a message passes through
//
//	Submit ──► Commit ──► Durable ──► Accepted            the submitter gets 250
//	                         └──► Begin                   a delivery of one group
//	Intend ──► Commit ──► Durable ──► MayCommit           the dot may leave
//	Settle ──► Commit ──► Durable ──► Settled             outcomes, reports, removal
//
// A group is the recipients of one message at one destination. It is due when
// the first of them is; those who are due by then are claimed together and
// share transactions. A claim is the group's being active in memory; a second
// one cannot begin while the first lasts, so the others wait for their time or
// for its end.
//
// # What is in memory
//
// For each destination that has something waiting, a small record, with the lanes
// in which it waits: senders share few of them (see spec.Lane), which take turns. A
// lane has a window: the groups that are due first. The rest is on disk, in the index of
// SpaceDue, and is loaded when the window runs dry. The invariant is that the
// window of a lane holds all waiting groups whose index key is not beyond
// its cursor, and that each lane is known in which something waits; beyond the cursor, only such as recovery put there before it knew of a
// rest. A group that a batch on its way changes is in no window until that is
// durable.
//
// # Time
//
// Due times are stored as wall-clock times but measured by the monotonic
// clock: the queue reads the wall clock once, at its first step, and counts
// from there, so a jump of the wall clock moves nothing while it runs. After
// a restart a due time that cannot be our own is no further away than the
// longest interval of the schedule from then, whatever the wall clock says.
package queue
