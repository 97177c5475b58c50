package exhaust

import (
	"fmt"
	"strings"
	"time"

	"github.com/postonce/postonce/spec"
)

// A World says which world to search. All of its messages are submitted, each
// at any moment; its recipients belong to its destinations in turn.
type World struct {
	Messages, Recipients, Destinations int
	// Crashes is how many there may be, each at any moment.
	Crashes int
	// InDoubt is the policy for what a crash or a lost reply leaves in doubt.
	InDoubt spec.InDoubtPolicy
	// Tight allows one delivery at a time and one message in the window, so
	// that the rest must be left to the disk and read back.
	Tight bool
	// Lifetime of a message, in intervals between attempts.
	Lifetime int
	// Retries is how often the operator may have a recipient tried again that
	// is held, in all; what the other words may end is bounded by itself.
	Retries int
	// Orders is how often the operator may hold, retry, bounce or delete what
	// waits, in all; what is parked may always be released.
	Orders int
	// Reroutes is how often the operator may send elsewhere what waits, or back.
	Reroutes int
	// Pauses is how often the operator may pause the first destination; what is
	// paused may always be resumed.
	Pauses int
	// Dead has deliveries find no server, and a destination dead after one that does;
	// each gets one at a time.
	Dead bool
	// Senders gives each message a sender of its own, who waits in a lane of his own.
	Senders bool
	// Slow allows time to pass while a delivery runs, until its message's
	// lifetime is over; without it, only when a timer is set.
	Slow bool
	// Calm has the servers of reports take them at once. Without it they may
	// do what the others do.
	Calm bool
}

// The most that a world may have. They are far beyond what can be searched.
const (
	mostMessages   = 4
	mostRecipients = 4
	mostCrashes    = 4
	mostRetries    = 8
	mostOrders     = 8
	mostPauses     = 4
	mostReroutes   = 4
	mostLifetime   = 8
)

// Validate returns an error when the world makes no sense or is too large.
func (w World) Validate() error {
	for _, x := range [...]struct {
		name        string
		value       int
		least, most int
	}{
		{"messages", w.Messages, 1, mostMessages}, {"recipients", w.Recipients, 1, mostRecipients},
		{"hosts", w.Destinations, 1, mostMessages * mostRecipients}, {"crashes", w.Crashes, 0, mostCrashes},
		{"retries", w.Retries, 0, mostRetries}, {"orders", w.Orders, 0, mostOrders}, {"pauses", w.Pauses, 0, mostPauses},
		{"reroutes", w.Reroutes, 0, mostReroutes},
		{"lifetime", w.Lifetime, 1, mostLifetime},
	} {
		if x.value < x.least || x.value > x.most {
			return fmt.Errorf("%d %s: choose %d to %d", x.value, x.name, x.least, x.most)
		}
	}
	return nil
}

// interval is the time between two attempts, and the step of all time here:
// every due time is a whole number of intervals after the beginning.
const interval = time.Hour

// policy is the relay's configuration in the world.
func (w World) policy() spec.Policy {
	p := spec.DefaultPolicy("relay.test")
	p.InDoubt = w.InDoubt
	p.Schedule = spec.Schedule{First: interval, Max: interval, Numerator: 1, Denominator: 1, Lifetime: time.Duration(w.Lifetime) * interval}
	p.Limits.ReportsPerHour = 0                                                             // what is counted would tell states apart that are alike
	p.Limits.DeadAfter, p.Limits.FirstPerDestination = 0, p.Limits.DeliveriesPerDestination // without Dead there is nothing to learn
	if w.Dead {
		p.Limits.DeadAfter, p.Limits.FirstPerDestination, p.Limits.DeliveriesPerDestination = 1, 1, 1
	}
	if w.Tight {
		p.Limits.Deliveries, p.Limits.DeliveriesPerDestination, p.Limits.WindowGroups = 1, 1, 1
	}
	return p
}

// sender is who sends message number i.
func (w World) sender(i int) string {
	if !w.Senders {
		i = 0
	}
	return fmt.Sprintf("%c@home.test", 's'+i)
}

// id is the queue ID of message number i.
func id(i int) spec.QueueID { return spec.QueueID(fmt.Sprintf("m%d", i+1)) }

// recipients are the addresses of message number i. No two messages share
// one, so that an address says which message is meant.
func (w World) recipients(i int) []string {
	var to []string
	for n := i * w.Recipients; n < (i+1)*w.Recipients; n++ {
		to = append(to, fmt.Sprintf("%c@%c.test", 'a'+n, 'p'+n%w.Destinations))
	}
	return to
}

// String says what the world has; without its policy, which is told apart.
func (w World) String() string {
	parts := []string{count(w.Messages, "message")}
	if w.Recipients > 1 {
		parts = append(parts, count(w.Recipients, "recipient"))
	}
	parts = append(parts, count(w.Destinations, "host"), count(w.Crashes, "crash"))
	for _, x := range [...]struct {
		on   bool
		text string
	}{{w.Lifetime > 1, fmt.Sprintf("lifetime %d", w.Lifetime)}, {w.Retries > 0, count(w.Retries, "retry")}, {w.Orders > 0, count(w.Orders, "order")},
		{w.Pauses > 0, count(w.Pauses, "pause")}, {w.Reroutes > 0, count(w.Reroutes, "reroute")},
		{w.Dead, "dead"}, {w.Senders, "senders"}, {w.Tight, "tight"}, {w.Slow, "slow"}, {w.Calm, "calm"}} {
		if x.on {
			parts = append(parts, x.text)
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "sh"):
		noun += "es"
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ies"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// A Preset is a set of worlds under a name.
type Preset struct {
	Name string
	// Text says what is in it.
	Text   string
	Worlds []World
}

// Presets returns those there are. Each has its worlds under all policies.
func Presets() []Preset {
	all := []Preset{
		{"1x1x1", "1 message, 1 recipient, 1 host, 1 crash; slow servers, two attempts, a retry by the operator", []World{
			{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 2, Retries: 1, Slow: true},
		}},
		{"orders", "1 message, 1 recipient with 1 crash and 2 orders of the operator, or 2 with none and 1; reports are taken at once", []World{
			{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 2, Orders: 2, Calm: true},
			{Messages: 1, Recipients: 2, Destinations: 1, Lifetime: 1, Orders: 1, Calm: true},
		}},
		{"pauses", "1 message, 1 host, 1 crash and 2 pauses by the operator, or 2 messages with none and 1; reports are taken at once", []World{
			{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 2, Pauses: 2, Calm: true},
			{Messages: 2, Recipients: 1, Destinations: 1, Lifetime: 1, Pauses: 1, Calm: true, Tight: true},
		}},
		{"reroutes", "1 message, 1 recipient with 1 crash and 2 reroutes by the operator, or 2 with 2 hosts, none and 1; reports are taken at once", []World{
			{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 2, Reroutes: 2, Calm: true},
			{Messages: 1, Recipients: 2, Destinations: 2, Lifetime: 1, Reroutes: 1, Calm: true},
		}},
		{"dead", "2 messages for 1 host that may not be there, 1 crash; reports are taken at once", []World{
			{Messages: 2, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 1, Dead: true, Calm: true},
			{Messages: 2, Recipients: 1, Destinations: 1, Lifetime: 2, Dead: true, Calm: true},
		}},
		{"senders", "2 messages of 2 senders, with room for one in memory, 1 host, 1 crash; reports are taken at once", []World{
			{Messages: 2, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 1, Senders: true, Calm: true, Tight: true},
		}},
		{"1x1x2", "1 message, 1 recipient, 1 host, 2 crashes", []World{
			{Messages: 1, Recipients: 1, Destinations: 1, Crashes: 2, Lifetime: 1},
		}},
		{"2x1x1", "2 messages, with room for one in memory, or 2 recipients; 1 host, 1 crash; reports are taken at once", []World{
			{Messages: 2, Recipients: 1, Destinations: 1, Crashes: 1, Lifetime: 1, Calm: true, Tight: true},
			{Messages: 1, Recipients: 2, Destinations: 1, Crashes: 1, Lifetime: 1, Calm: true},
		}},
		{"2x2x1", "2 messages or 2 recipients, 2 hosts, 1 crash; reports are taken at once", []World{
			{Messages: 2, Recipients: 1, Destinations: 2, Crashes: 1, Lifetime: 1, Calm: true},
			{Messages: 1, Recipients: 2, Destinations: 2, Crashes: 1, Lifetime: 1, Calm: true},
		}},
	}
	for i, p := range all {
		all[i].Worlds = nil
		for _, w := range p.Worlds {
			all[i].Worlds = append(all[i].Worlds, w.UnderAllPolicies()...)
		}
	}
	return all
}

// UnderAllPolicies returns the world once for each in_doubt policy.
func (w World) UnderAllPolicies() []World {
	var all []World
	for _, w.InDoubt = range [...]spec.InDoubtPolicy{spec.DoubtReport, spec.DoubtHold, spec.DoubtRetry} {
		all = append(all, w)
	}
	return all
}
