// Package mutants holds relays that are wrong on purpose. For each rule of the
// checker there is at least one that breaks it; a harness that does not catch
// it, and name the rule, is broken itself.
//
// Most are the real relay with a lie at one of its seams: a disk that says
// "durable" too soon, a connection that turns a cut into a 451; or with one
// between it and its core. Two are the algorithms of Citadel's SMTP client,
// written against the seams from its public description. Nothing but `simrun mutants` and tests can reach them.
package mutants

import (
	"context"
	"slices"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A Mutant is one wrong relay.
type Mutant struct {
	Name string
	// Wrong says what it does wrong, in one sentence.
	Wrong string
	// Rule is the rule that it breaks.
	Rule spec.Rule
	// Scenario is the story of the library that catches it.
	Scenario string
	Factory  sim.Factory
}

// All returns the mutants, by what their rules are about; Citadel's algorithms
// are the last.
func All() []Mutant {
	return slices.Concat(ofFates(), ofTheSpool(), ofTheWay(), ofLogins(), ofChunks(), ofLoad(), ofSchedules(), ofReuse(), ofNeeds(), ofOperators(), ofCitadel())
}

// ofFates are wrong about what becomes of mail.
func ofFates() []Mutant {
	return []Mutant{
		{"retries-in-doubt", "sends again after a lost reply, though told to report", spec.NeverTwice, "doubt/report",
			changed(func(p *spec.Policy) { p.InDoubt = spec.DoubtRetry })},
		{"a-cut-is-a-451", "takes a connection lost after the final dot for a temporary refusal", spec.NeverTwice, "doubt/report",
			seamed(cutIs451)},
		{"hangs-up", "waits 20 seconds for the reply to the final dot, and sends again", spec.NeverTwice, "doubt/retry-waits", seamed(hangsUp)},
		{"stores-no-intents", "says that an intent is stored, and stores none", spec.NeverTwice, "plain/one-recipient", seamed(noIntents)},
		{"cannot-wait-for-the-disk", "sends the final dot before the intent is durable", spec.NeverTwice, "plain/one-recipient", seamed(hastyDot)},
		{"lets-the-dot-go-first", "stores the intent with the outcome, not before the dot", spec.NeverTwice, "crash/after-acceptance-report", cored(intendsLate)},
		{"stops-mean-no", "takes what is in doubt for refused when it is told to stop", spec.NeverTwice, "stop/dot-not-answered", cored(stopIsRefusal)},
		{"sees-one-doubt", "finds only the first of several recipients in doubt after a crash", spec.NeverTwice, "crash/several-in-doubt",
			cored(firstInDoubt)},
		{"goes-on-after-the-dot", "tries another server when the reply to the dot is lost", spec.NeverTwice, "doubt/never-next-server", seamed(goesOn)},
		{"forgets-reports", "loses the report that is due with a failure", spec.NothingLost, "reply/rcpt-5yz", seamed(noReports)},
		{"drops-double-bounces", "does not tell the postmaster of a report that cannot be delivered", spec.NothingLost, "report/double-bounce",
			changed(func(p *spec.Policy) { p.Postmaster = "" })},
		{"names-the-null-sender", "gives mail of the null sender a sender, to whom it can be returned", spec.NothingLost, "report/null-sender",
			cored(namesNullSender)},
		{"keeps-what-nobody-is-told", "does not say when mail failed of which nobody is told", spec.NothingLost, "report/refused",
			cored(keepsUntold)},
		{"reports-though-never", "takes NOTIFY=NEVER for no wish at all", spec.NothingLost, "dsn/never", cored(reportsThoughNever)},
		{"warns-again", "forgets over a restart that it has told of a delay", spec.NothingLost, "dsn/delay-restart", cored(warnsAgain)},
		{"keeps-never-to-itself", "does not pass NOTIFY=NEVER on to a server that offers DSN", spec.WireLawful, "dsn/never-passed-on",
			cored(keepsNever)},
		{"speaks-too-soon", "says what became of a recipient before that is durable", spec.NothingLost, "doubt/report", seamed(hastyOutcome)},
		{"reports-to-a-stranger", "stores a report for another than the sender", spec.NothingLost, "report/crash", seamed(reportsToStranger)},
		{"believes-what-it-likes", "reads a 5yz to the final dot as 250", spec.TrueReports, "reply/dot-5yz", seamed(refusalIs250)},
		{"reports-a-stranger", "reports on another than the one that failed", spec.TrueReports, "reply/rcpt-5yz", seamed(reportsStranger)},
		{"holds-on", "holds what is in doubt, though told to report", spec.TrueReports, "doubt/report",
			changed(func(p *spec.Policy) { p.InDoubt = spec.DoubtHold })},
		{"swaps-replies", "takes the reply to one RCPT for that to another", spec.TrueReports, "reply/mixed", seamed(swapsReplies)},
		{"one-fate-for-all", "takes what came of one recipient for what came of all", spec.TrueReports, "expiry/one-of-two", cored(oneForAll)},
		{"shifts-in-a-pipeline", "gives the refusal of one recipient of a pipeline to the next one", spec.TrueReports, "reply/mixed", seamed(pipelined(shifts))},
		{"one-doubt-policy", "decides all doubts alike, whatever is set for a destination", spec.TrueReports, "doubt/per-domain",
			changed(func(p *spec.Policy) { p.InDoubtAt = nil })},
	}
}

// ofTheSpool are wrong about what they keep, and for how long.
func ofTheSpool() []Mutant {
	return []Mutant{
		{"leaves-bodies", "removes the control entry but not the content", spec.CleanExactly, "plain/one-recipient", seamed(leavesBodies)},
		{"leaves-intents", "never removes the mark that a dot may have left", spec.CleanExactly, "plain/one-recipient", seamed(leavesIntents)},
		{"cleans-up-late", "removes a message two hours after all is done", spec.CleanExactly, "plain/one-recipient", seamed(removesLate)},
		{"cleans-up-first", "removes a message, and stores the report on it after that", spec.CleanExactly, "reply/rcpt-5yz", seamed(removesFirst)},
		{"cleans-up-early", "removes both entries when the dot is about to leave", spec.CleanExactly, "plain/one-recipient", seamed(cleansEarly)},
		{"accepts-too-soon", "says 250 before the message is durable", spec.AcceptDurable, "crash/expiry-not-told", seamed(acksEarly)},
		{"stores-the-rest-later", "says 250 when the first chunk of the content is durable", spec.AcceptDurable, "crash/several-chunks", seamed(restLater)},
		{"blind-to-intents", "does not look, when it starts, for what the crash left in doubt", spec.Progress, "crash/after-intent-report", seamed(blindToIntents)},
		{"keeps-no-index", "does not store when a message is due, and forgets it in a crash", spec.Progress, "crash/after-250", seamed(noIndex)},
		{"keeps-claims", "does not release the claim on a recipient that was refused for now", spec.Progress, "retry/greylisting", cored(keepsClaims)},
		{"expires-late", "looks at the end of a lifetime only when an attempt ends", spec.Progress, "expiry/five-days", cored(expiresLate)},
	}
}

// ofTheWay are wrong about when, where and how mail is sent.
func ofTheWay() []Mutant {
	return []Mutant{
		{"knocks-again-at-once", "retries every second, whatever the schedule", spec.RetryOnTime, "retry/greylisting",
			changed(func(p *spec.Policy) { p.Schedule.First, p.Schedule.Max = time.Second, time.Second })},
		{"retries-refusals", "reads a 5yz to RCPT as a 4yz", spec.RetryOnTime, "reply/rcpt-5yz", seamed(refusalIsTemporary)},
		{"a-cut-is-a-554", "gives up when a connection is lost", spec.RetryOnTime, "cut/mail", seamed(cutIs554)},
		{"421-is-521", "gives up when a server closes for now", spec.RetryOnTime, "retry/421-mid-session", seamed(reads("421 4.", "521 5."))},
		{"servfail-is-nxdomain", "gives up when the DNS cannot say", spec.RetryOnTime, "mx/servfail", seamed(answered(servfailIsNXDomain))},
		{"gives-up-after-a-day", "lets mail live for a day instead of five", spec.RetryOnTime, "expiry/five-days",
			changed(func(p *spec.Policy) { p.Schedule.Lifetime = 24 * time.Hour })},
		{"stricter-in-a-pipeline", "reads a 4yz as a 5yz where it sent several commands at once", spec.RetryOnTime, "retry/greylisting", seamed(pipelined(forGood))},
		{"counts-by-the-wall-clock", "measures intervals by the wall clock", spec.RetryOnTime, "clock/forward-while-waiting", cored(countsByTheWall)},
		{"forgets-due-times", "takes all that waits for due when it starts", spec.RetryOnTime, "crash/while-waiting", cored(losesDueTimes)},
		{"forgets-attempts", "begins the schedule anew when it starts", spec.RetryOnTime, "crash/schedule-goes-on", cored(forgetsAttempts)},
		{"worst-host-first", "tries MX hosts in the reverse of their preference", spec.NextHopOrder, "mx/order", seamed(reversedMX)},
		{"dials-port-25", "connects to port 25, whatever the smart host's", spec.NextHopOrder, "relaymode/port", seamed(dialsPort25)},
		{"knows-one-mx", "looks at one MX record only", spec.NextHopOrder, "mx/order", seamed(answered(lastRecord))},
		{"servfail-is-none", "delivers to the domain itself when the DNS cannot say whether it has an MX", spec.NextHopOrder, "mx/servfail-is-not-none",
			seamed(answered(servfailIsNoData))},
		{"knows-no-null-mx", "delivers to a domain that says it takes no mail", spec.NextHopOrder, "mx/null", seamed(answered(noNullMX))},
		{"believes-for-a-day", "remembers what the DNS said for a day, whatever its TTL", spec.NextHopOrder, "mx/ttl", seamed(answered(aDay))},
		{"knows-no-routes", "delivers by the DNS though a domain has a route", spec.NextHopOrder, "route/one-domain",
			changed(func(p *spec.Policy) { p.Routes = nil })},
		{"knows-no-senders", "delivers by the recipient's domain though its sender has smart hosts of his own", spec.NextHopOrder, "route/by-sender",
			changed(func(p *spec.Policy) { p.SenderRoutes = nil })},
		{"sender-first", "lets the route of a sender go before that of a domain", spec.NextHopOrder, "route/by-sender-after-domain",
			changed(func(p *spec.Policy) { p.Routes = nil })},
		{"sends-bare-lf", "ends lines of the content with LF alone", spec.WireLawful, "plain/one-recipient", seamed(bareLF)},
		{"sends-dots-unstuffed", "sends a dot at the beginning of a line as it is", spec.WireLawful, "plain/dots", seamed(unstuffed)},
		{"reuses-stale-connections", "uses a connection again that broke in the middle of a transaction", spec.WireLawful, "reply/every-rcpt", seamed(reusesStale)},
		{"knows-no-tls", "never says STARTTLS, though it is offered", spec.WireLawful, "tls/offered",
			changed(func(p *spec.Policy) { p.TLS, p.TLSAt = spec.TLSOff, nil })},
		{"falls-back-to-clear", "sends in clear where TLS fails, though it is required", spec.WireLawful, "tls/required-hidden",
			changed(func(p *spec.Policy) { p.TLS, p.TLSAt = spec.TLSOpportunistic, nil })},
		{"takes-any-certificate", "takes any certificate, though it is to be verified", spec.WireLawful, "tls/verified-expired",
			changed(func(p *spec.Policy) { p.TLS, p.TLSAt = spec.TLSRequired, nil })},
		{"uses-what-was-injected", "goes on under TLS after bytes came in clear with the 220", spec.WireLawful, "tls/injected", seamed(dropsInjected)},
		{"cannot-wait-for-tls", "says NOOP before STARTTLS is answered", spec.WireLawful, "tls/offered", seamed(hastyAfterSTARTTLS)},
		{"knows-no-limits", "ignores the limit of deliveries per destination", spec.FairAndBounded, "fair/per-destination-limit",
			changed(func(p *spec.Policy) { p.Limits.DeliveriesPerDestination = 1000 })},
		{"knows-no-total", "ignores the limit of deliveries in all", spec.FairAndBounded, "fair/total-limit",
			changed(func(p *spec.Policy) { p.Limits.Deliveries = 1000 })},
		{"tries-everybody", "ignores the limit of addresses that one attempt tries", spec.FairAndBounded, "mx/next-hops",
			changed(func(p *spec.Policy) { p.Limits.NextHops = 1000 })},
		{"one-after-the-other", "makes one delivery at a time, so that a dead destination delays the others", spec.FairAndBounded, "fair/dead-destination",
			changed(func(p *spec.Policy) { p.Limits.Deliveries = 1 })},
		{"knows-no-hour", "sends one mailbox as many reports as there are", spec.FairAndBounded, "report/storm",
			changed(func(p *spec.Policy) { p.Limits.ReportsPerHour = 0 })},
		{"holds-reports-back", "holds reports back of which there are fewer than an hour may have", spec.RetryOnTime, "report/storm",
			changed(func(p *spec.Policy) { p.Limits.ReportsPerHour = 1 })},
		{"sends-again-unseen", "sends everything once more, hours later, and tells nobody", spec.FairAndBounded, "plain/one-recipient", seamed(sendsAgain)},
		{"wakes-on-the-hour", "looks at what is due once an hour", spec.FairAndBounded, "retry/greylisting", cored(wakesOnTheHour)},
	}
}

// ofOperators do not do what an operator says.
func ofOperators() []Mutant {
	return []Mutant{
		{"deaf-to-holds", "tells an operator that mail is parked, and sends it", spec.RetryOnTime, "operator/hold", heard("hold", "")},
		{"retries-what-is-parked", "takes an operator's hold for a retry", spec.RetryOnTime, "operator/hold", heard("hold", "retry-now")},
		{"nods-to-operators", "tells an operator that a thing is done before that is durable", spec.RetryOnTime, "operator/hold-survives", nods},
		{"bounces-into-the-void", "takes an operator's bounce for a delete, and tells nobody", spec.NothingLost, "operator/bounce", heard("bounce", "delete")},
		{"deaf-to-pauses", "tells an operator that a destination is paused, and sends there", spec.RetryOnTime, "operator/pause", deafToPauses},
		{"forgets-pauses", "knows only as long as its process lives that a destination is paused", spec.RetryOnTime, "operator/pause-survives", forgetsPauses},
		{"keeps-paused-mail", "lets no lifetime end at a paused destination", spec.Progress, "operator/pause-for-good", cored(keepsPausedMail)},
		{"deaf-to-reroutes", "tells an operator that mail goes elsewhere, and sends it where it went", spec.NextHopOrder, "operator/reroute", heard("reroute", "")},
		{"forgets-reroutes", "knows only as long as its process lives where mail was rerouted to", spec.NextHopOrder, "operator/reroute-survives", forgetsReroutes},
		{"reroutes-doubts", "sends what may have been taken to where an operator would have it", spec.NextHopOrder, "operator/reroute-in-doubt",
			cored(reroutesDoubts)},
		{"half-deletes", "leaves the content of what an operator deletes", spec.CleanExactly, "operator/delete", halfDeletes},
	}
}

// ofCitadel are the two algorithms of its history.
func ofCitadel() []Mutant {
	return []Mutant{
		{"citadel-event-driven-loses", "Citadel 2011-2016: deletes the control message before its successor is stored",
			spec.NothingLost, "citadel/successor-stored-first", citadel(eventDriven)},
		{"citadel-event-driven-repeats", "Citadel 2011-2016: takes a connection lost after the final dot for \"try later\"",
			spec.NeverTwice, "citadel/cut-after-dot", citadel(eventDriven)},
		{"citadel-later-forgets", "Citadel after 2016: rewrites the control message only when all recipients were tried",
			spec.NeverTwice, "citadel/each-outcome-at-once", citadel(later)},
		{"citadel-later-hurries", "Citadel after 2016: gives a whole conversation 20 seconds",
			spec.NeverTwice, "citadel/slow-scanner", citadel(later)},
	}
}

// Honest is the relay as it is.
func Honest(host seam.Host, cfg sim.Config) (sim.Relay, error) {
	r, err := impl.New(impl.Config{Policy: cfg.Policy, Listen: cfg.Listen}, host)
	if err != nil {
		return nil, err
	}
	return operated{r}, nil
}

// operated fits the relay's Decide to the simulator's Operator.
type operated struct{ *impl.Relay }

func (o operated) Decide(ctx context.Context, id spec.QueueID, recipient, decision string) error {
	return o.Relay.Decide(ctx, id, recipient, decision)
}

// changed is the relay with another policy than the one it is judged by.
func changed(change func(*spec.Policy)) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		change(&cfg.Policy)
		return Honest(host, cfg)
	}
}

// seamed is the relay on a host that is not what it seems.
func seamed(change func(*seam.Host)) sim.Factory {
	return func(host seam.Host, cfg sim.Config) (sim.Relay, error) {
		change(&host)
		return Honest(host, cfg)
	}
}
