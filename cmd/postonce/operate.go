package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// An operation is a command about recipients that wait.
type operation struct {
	word     string
	decision queue.Decision
	short    string
	// done says what becomes of a recipient; careful is true when nothing undoes it.
	done    string
	careful bool
	// does is the first paragraph of the help, after the word.
	does string
	// examples are shown in place of those that all have; flags gives the command
	// more of them, and returns what completes the operation. Both may be zero.
	examples string
	flags    func(*cobra.Command) func(*operation) error
}

func operations() []operation {
	return []operation{
		{word: "hold", decision: queue.DecideHold, short: "Park recipients: no attempt until they are released", done: "parked",
			does: `parks recipients that wait: no attempt is made until postonce queue release. What
is parked does not expire meanwhile. This is not the state held, in which a
recipient is in doubt (see in_doubt: hold).`},
		{word: "release", decision: queue.DecideRelease, short: "Undo a hold", done: "released",
			does: `undoes a hold: the recipient is due when it was before, or at once when that is
past. If its lifetime ended while it was parked, it gets one attempt more.`},
		{word: "retry", decision: queue.DecideNow, short: "Have recipients that wait attempted at once", done: "made due at once",
			does: `has recipients attempted as soon as the relay is started, instead of at their next
due time. What is held in doubt is not meant: send that again with postonce queue
decide retry, if it may arrive twice.`},
		{word: "bounce", decision: queue.DecideBounce, short: "Give recipients up, and tell the sender", done: "given up", careful: true,
			does: `ends recipients at once, and the sender gets a report as for any failure. It says
"failed"; or, where an attempt was ever in doubt, that the mail may have arrived.`},
		{word: "delete", decision: queue.DecideDelete, short: "Drop recipients, and tell nobody", done: "deleted", careful: true,
			does: `ends recipients without a report: the sender never learns that they did not get
the mail. When none is left that waits, the message is removed from the spool.
There is no way back.`},
		reroute(),
	}
}

func (o operation) command(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   o.word + " ID [RECIPIENT...] | " + o.word + " FILTER...",
		Short: o.short,
		Long: o.word + " " + o.does + `

Of the message with this queue ID, it is about every recipient
` + o.decision.About() + `, or about those named.
Nothing is done while a recipient is in the state intent, unless others are
named: start the relay first, which then does what in_doubt says.

With filters instead of a queue ID it is about every such recipient in the spool
whom all of them match; those in the state intent are left as they are.
--dry-run lists them.` + o.caution() + `

The relay must not be running. What is printed is on the disk.`,
		Example: o.example(),
	}
	path := configFlag(cmd)
	complete := func(*operation) error { return nil }
	if o.flags != nil {
		complete = o.flags(cmd)
	}
	f := filterFlags(cmd)
	dryRun := cmd.Flags().Bool("dry-run", false, "list the recipients whom the filters match, and do nothing")
	yes := !o.careful
	if o.careful {
		cmd.Flags().BoolVar(&yes, "yes", false, "with filters: do it; without this, it is a dry run")
	}
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && !f.given():
			return fmt.Errorf("write a queue ID as queue list shows it, and recipients if not all are meant; or filters, such as --to example.net")
		case len(args) > 0 && (f.given() || *dryRun):
			return fmt.Errorf("write a queue ID or filters, not both; a dry run is for filters")
		}
		if err := complete(&o); err != nil {
			return err
		}
		return f.check()
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			err = c.decide(cfg, o.decision, spec.QueueID(args[0]), args[1:])
		} else {
			err = c.operate(cfg, o, f, *dryRun || !yes)
		}
		if err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// caution is what the help says of an operation that cannot be undone.
func (o operation) caution() string {
	if !o.careful {
		return ""
	}
	return " So does every filter without --yes."
}

// example is what the help shows.
func (o operation) example() string {
	if o.examples != "" {
		return o.examples
	}
	return fmt.Sprintf(`  postonce queue list
  postonce queue %[1]s 0tp0fiu0ykss6f-000001
  postonce queue %[1]s 0tp0fiu0ykss6f-000001 bob@example.net
  postonce queue %[1]s --to example.net --older 2h --dry-run`, o.word)
}
