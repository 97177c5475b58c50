package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postonce/postonce/impl/smtpclient"
	"github.com/postonce/postonce/spec"
)

// An attempt is a job under way: who is still open, and what is known.
type attempt struct {
	d   *Deliverer
	job Job
	// open are the recipients without a result, in order.
	open []string
	// results are not settled yet.
	results []Result
	// telling is the trouble that a report would name when nothing better
	// comes; zero when there was none.
	telling Result
	// homeless: there are next hops, and the DNS denies for good that any of
	// those looked at has an address.
	homeless bool
	// given: the next hops are those that the operator gave, not the DNS.
	given bool
	// best is the preference of the first host; limit, when not 0, is that of
	// a host which is this relay itself.
	best, limit int
	// talking names the conversation that is held, as facts do; empty for none.
	talking string
	// failedTLS are the sessions in which TLS failed, and may be left out.
	failedTLS []lost
	// logins counts those that were begun, so that each has a nonce of its own.
	logins int
	// opened: some server opened a session, and let us in where we have a login.
	opened bool
	// tried counts the addresses tried, and the hosts that have none.
	tried int
	// lack is what next hops do not offer.
	lack lack
	// stop is why this side ends the attempt.
	stop error
}

// over reports whether nothing is left to do. When this side ends the
// attempt, everybody who is open is deferred.
func (a *attempt) over(ctx context.Context) bool {
	if a.stop == nil && ctx.Err() != nil {
		a.stop = fmt.Errorf("broken off: %w", context.Cause(ctx))
	}
	if a.stop != nil {
		a.conclude(Result{Verdict: spec.Defer, Stage: spec.StageConnect, Event: spec.Cut, Text: a.stop.Error(), Broken: brokenOff(a.stop)})
	}
	return len(a.open) == 0
}

// brokenOff reports whether it was from outside that the attempt was ended.
func brokenOff(why error) bool { return errors.Is(why, context.Canceled) }

// exhausted ends the attempt for those whom no next hop took.
func (a *attempt) exhausted() {
	r := a.telling
	r.Verdict = spec.Defer
	if a.homeless {
		// With an address somewhere, or a doubt about one, it may get better.
		r.Event = spec.NoAddress
		r.Verdict = spec.Decide(spec.StageResolve, spec.NoAddress).Verdict
	}
	var unable []Result
	for _, recipient := range a.open {
		if lacking, everywhere := a.lack.everywhere(recipient); everywhere {
			unable = append(unable, lacking)
		}
	}
	a.take(unable)
	a.conclude(r)
}

// conclude gives r to everybody who is open.
func (a *attempt) conclude(r Result) {
	if len(a.open) == 0 {
		return
	}
	a.tell(r, a.open)
	r.Unreached = r.Verdict == spec.Defer && !a.opened && a.stop == nil
	for _, recipient := range a.open {
		r.Recipient = recipient
		a.results = append(a.results, r)
	}
	a.open = nil
}

// take takes the results of a transaction: those left for the next host, or for
// the next transaction, stay open.
func (a *attempt) take(results []Result) {
	for _, group := range alike(results) {
		a.tell(group[0], recipients(group))
	}
	for _, r := range results {
		switch r.Verdict {
		case spec.NextHost:
			a.remember(r)
			a.lack.note(r)
			continue
		case spec.NextTransaction:
			continue
		default: // it is a result
		}
		a.results = append(a.results, r)
		a.open = slices.DeleteFunc(a.open, func(open string) bool { return open == r.Recipient })
	}
}

// remember keeps r if it tells at least as much as what was met before: a
// server's words more than its silence, and that more than the DNS's.
func (a *attempt) remember(r Result) {
	r.Recipient = ""
	if a.telling.Stage == 0 || weight(r) >= weight(a.telling) {
		a.telling = r
	}
}

func weight(r Result) int {
	switch {
	case r.Reply.Code != 0:
		return 3
	case r.Stage != spec.StageResolve:
		return 2
	case r.Event == spec.DNSTrouble:
		return 1
	}
	return 0
}

// settle gives the ledger what is known.
func (a *attempt) settle(ctx context.Context, last bool) error {
	if err := a.d.Ledger.Settle(context.WithoutCancel(ctx), a.job, a.results, last); err != nil {
		return err
	}
	a.results = nil
	return nil
}

// record settles what is known by now. What cannot be stored ends the attempt;
// it comes again with the last settling.
func (a *attempt) record(ctx context.Context) {
	if len(a.results) == 0 || a.stop != nil {
		return
	}
	if err := a.settle(ctx, false); err != nil {
		a.stop = fmt.Errorf("not recorded: %w", err)
	}
}

// note notes a fact of this attempt.
func (a *attempt) note(f spec.Fact) { a.d.Note(a.about(f)) }

// about makes f a fact of this attempt.
func (a *attempt) about(f spec.Fact) spec.Fact {
	f.Queue, f.Message, f.Job, f.Dest, f.Session = a.job.Queue, a.job.Message, a.job.ID, a.job.Dest, a.talking
	return f
}

// tell notes what went wrong for some recipients, and what that means.
func (a *attempt) tell(r Result, to []string) {
	if r.Verdict == spec.Proceed {
		return
	}
	a.trouble(r, to)
}

func (a *attempt) trouble(r Result, to []string) {
	a.note(spec.Fact{
		Kind: spec.FactTrouble, To: slices.Clone(to), Host: r.Host, Stage: r.Stage, Event: r.Event, Verdict: r.Verdict,
		Reply: r.Reply.String(), Text: r.Text,
	})
}

// aside notes what came of RSET or QUIT when it was no yes. It concerns nobody:
// what becomes of every recipient is known by then.
func (a *attempt) aside(host string, r smtpclient.Result) {
	if r.Stage == 0 || r.Event == spec.Reply2 || r.Err != nil {
		return
	}
	a.trouble(Result{
		Verdict: spec.Decide(r.Stage, r.Event).Verdict, Stage: r.Stage, Event: r.Event, Reply: r.Reply, Host: host, Text: r.Text,
	}, nil)
}

// alike groups results that differ in nothing but the recipient, in order of
// their first.
func alike(results []Result) [][]Result {
	var groups [][]Result
	for _, r := range results {
		i := slices.IndexFunc(groups, func(g []Result) bool { return same(g[0], r) })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

func same(a, b Result) bool {
	return a.Verdict == b.Verdict && a.Stage == b.Stage && a.Event == b.Event && a.Text == b.Text &&
		strings.EqualFold(a.Reply.String(), b.Reply.String())
}

func recipients(results []Result) []string {
	list := make([]string, len(results))
	for i, r := range results {
		list[i] = r.Recipient
	}
	return list
}
