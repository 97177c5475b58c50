package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func queueDecideCommand(c console) *cobra.Command {
	decisions := []string{string(queue.DecideRetry), string(queue.DecideDelivered), string(queue.DecideReport)}
	cmd := &cobra.Command{
		Use:   "decide retry|delivered|report ID [RECIPIENT...]",
		Short: "Decide what becomes of recipients that are held in doubt",
		Long: `decide ends the doubt about recipients in the state held (see in_doubt: hold): of
all those of the message with this queue ID, or of those named.

    retry      send it again; it may then arrive twice
    delivered  it has arrived, as you know from the receiving side
    report     tell the sender that it may or may not have arrived

The relay must not be running. What decide prints is on the disk; a message that
is to be sent, or a report, leaves when the relay is started.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 || !slices.Contains(decisions, args[0]) {
				return fmt.Errorf("write a decision (%s), a queue ID as queue list shows it, and recipients if not all are meant",
					strings.Join(decisions, ", "))
			}
			return nil
		},
	}
	path := configFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := c.decide(cfg, queue.Decision(args[0]), spec.QueueID(args[1]), args[2:]); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// decide carries out a decision for the recipients, or for all when there are
// none.
func (c console) decide(cfg *config, decision queue.Decision, id spec.QueueID, to []string) (err error) {
	to = distinct(to)
	store, err := openStopped(string(cfg.Spool), spool.Options{Log: cfg.logger(c.err), MustExist: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := decidable(store, decision, id, to); err != nil {
		return err
	}
	relay, err := atRest(cfg, store, func(f spec.Fact) { c.decided(decision, f) })
	if err != nil {
		return err
	}
	if len(to) == 0 {
		to = []string{""}
	}
	for _, recipient := range to {
		if err := relay.DecideStopped(id, recipient, string(decision)); err != nil {
			return err
		}
	}
	return nil
}

// distinct returns what is in a list, each once.
func distinct(list []string) []string {
	var once []string
	for _, s := range list {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// atRest returns a relay on a store that does not run; note takes the facts of
// what it is made to do.
func atRest(cfg *config, store seam.Store, note func(spec.Fact)) (*impl.Relay, error) {
	host, err := hostos.New(hostos.Config{Resolvers: texts(cfg.Resolvers), Store: store, Note: note})
	if err != nil {
		return nil, err
	}
	return impl.New(impl.Config{Policy: cfg.policy()}, host)
}

// decidable returns an error when there is nothing to decide about one of the
// recipients; then nothing is decided about the others either.
func decidable(store seam.Store, decision queue.Decision, id spec.QueueID, to []string) error {
	e, err := one(store, id)
	if err != nil {
		return err
	}
	any := false
	for i := range e.Recipients {
		r := &e.Recipients[i]
		switch meant := len(to) == 0 || slices.Contains(to, r.Address); {
		case !meant:
		case r.State == spec.Intent:
			return fmt.Errorf("%s to %s is in the state intent: start the relay first, which then does what in_doubt says", id, r.Address)
		case decision.Concerns(r):
			any = true
		case len(to) > 0:
			return fmt.Errorf("%s to %s is %s: %s", id, r.Address, r.Standing(), instead(r, decision))
		}
	}
	for _, recipient := range to {
		if !slices.ContainsFunc(e.Recipients, func(r queue.Recipient) bool { return r.Address == recipient }) {
			return fmt.Errorf("%s has no recipient %s", id, recipient)
		}
	}
	if !any {
		return fmt.Errorf("%s has no recipient %s: queue list shows where each stands", id, decision.About())
	}
	return nil
}

// instead says what can be done about a recipient that a decision cannot be
// about.
func instead(r *queue.Recipient, decision queue.Decision) string {
	switch {
	case r.State.Final():
		return "nothing can be changed any more"
	case r.State == spec.Held:
		return "decide about it with postonce queue decide"
	case r.Parked && decision != queue.DecideHold:
		return "release it first, with postonce queue release"
	}
	return fmt.Sprintf("it is not one %s", decision.About())
}

// decided prints a fact of a decision.
func (c console) decided(decision queue.Decision, f spec.Fact) {
	var what string
	switch {
	case f.Kind == spec.FactReport:
		fmt.Fprintf(c.out, "a report to %s is queued as %s\n", clean(f.From), clean(string(f.Queue)))
		return
	case f.Kind != spec.FactOutcome:
		return
	case decision.Reroutes():
		what = rerouted(f)
	case f.State == spec.Queued && decision == queue.DecideRelease:
		what = "is released"
	case f.State == spec.Queued && decision == queue.DecideNow:
		what = "is due at once"
	case f.State == spec.Queued:
		what = "will be sent again"
	case f.State == spec.Parked:
		what = "is parked until it is released"
	case f.State == spec.Delivered || f.State == spec.Deleted:
		what = "is " + f.State.String()
	default:
		what = "ends as " + f.State.String()
	}
	fmt.Fprintf(c.out, "%s to %s %s\n", clean(string(f.Queue)), clean(strings.Join(f.To, ", ")), what)
}
