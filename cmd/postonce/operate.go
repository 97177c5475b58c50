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
	// does is the first paragraph of the help, after the word.
	does string
}

func operations() []operation {
	return []operation{
		{"hold", queue.DecideHold, "Park recipients: no attempt until they are released",
			`parks recipients that wait: no attempt is made until postonce queue release. What
is parked does not expire meanwhile. This is not the state held, in which a
recipient is in doubt (see in_doubt: hold).`},
		{"release", queue.DecideRelease, "Undo a hold",
			`undoes a hold: the recipient is due when it was before, or at once when that is
past. If its lifetime ended while it was parked, it gets one attempt more.`},
		{"retry", queue.DecideNow, "Have recipients that wait attempted at once",
			`has recipients attempted as soon as the relay is started, instead of at their next
due time. What is held in doubt is not meant: send that again with postonce queue
decide retry, if it may arrive twice.`},
		{"bounce", queue.DecideBounce, "Give recipients up, and tell the sender",
			`ends recipients at once, and the sender gets a report as for any failure. It says
"failed"; or, where an attempt was ever in doubt, that the mail may have arrived.`},
		{"delete", queue.DecideDelete, "Drop recipients, and tell nobody",
			`ends recipients without a report: the sender never learns that they did not get
the mail. When none is left that waits, the message is removed from the spool.
There is no way back.`},
	}
}

func (o operation) command(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   o.word + " ID [RECIPIENT...]",
		Short: o.short,
		Long: o.word + " " + o.does + `

Of the message with this queue ID, it is about every recipient
` + o.decision.About() + `, or about those named.
Nothing is done while a recipient is in the state intent, unless others are
named: start the relay first, which then does what in_doubt says.

The relay must not be running. What is printed is on the disk.`,
		Example: fmt.Sprintf(`  postonce queue list
  postonce queue %[1]s 0tp0fiu0ykss6f-000001
  postonce queue %[1]s 0tp0fiu0ykss6f-000001 bob@example.net`, o.word),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("write a queue ID as queue list shows it, and recipients if not all are meant")
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
		if err := c.decide(cfg, o.decision, spec.QueueID(args[0]), args[1:]); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}
