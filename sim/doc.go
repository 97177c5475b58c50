// Package sim is a deterministic world for a relay: network, DNS, disk,
// processes, submitters and servers, in the virtual time of a testing/synctest
// bubble. It runs any relay that is written against the seams of spec/seam,
// and judges what happens with spec.Checker.
//
//	result := sim.Run(t, scenario, factory, sim.Options{})
//	fmt.Print(result.Status, result.Mismatches, result.Violations)
//
// # Why a seed replays
//
// synctest fakes time, not order. Order follows from one rule: everything that
// the world does to a goroutine happens at an instant of its own. The instant
// is drawn from a named, seeded stream when the operation is called, and then
// moved on by nanoseconds until no other event of this world has the same
// fraction of a second (clock.claim). So one event makes one goroutine
// runnable, whatever GOMAXPROCS is; and timers of the relay, which are whole
// seconds after some event, tie with nothing. The relay has to do its part,
// which spec/seam says.
//
// # One lock
//
// All state of a world is guarded by one mutex, which is never held while
// anything waits. A crash can therefore freeze everything at once, in the
// middle of any operation: also within Note, between two lines of the trace.
package sim
