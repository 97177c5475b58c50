package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func queueCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Look at what waits in the spool, decide about it, import",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(queueListCommand(c), queueShowCommand(c), queueDecideCommand(c), queueImportCommand(c))
	for _, o := range operations() {
		cmd.AddCommand(o.command(c))
	}
	return cmd
}

func queueListCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the messages in a stopped relay's spool",
		Long: `list shows every message that the spool holds, oldest first, and under it its
recipients: where each stands, how often it was attempted, when it is due
again, and what the last attempt met. An entry that cannot be read is shown as
damaged. The relay must not be running.

The states are queued, parked (by postonce queue hold), intent (the answer to the
final dot was never stored: the next start decides), held (in doubt: an operator
decides, with postonce queue decide), and the final ones of recipients whose
message is kept for another: delivered, failed, unknown, deleted.`,
		Args: noArgs,
	}
	path := configFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print one JSON object a line")
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := c.list(string(cfg.Spool), *asJSON); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// list prints what the spool in dir holds.
func (c console) list(dir string, asJSON bool) (err error) {
	store, err := openStopped(dir, spool.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	w := bufio.NewWriter(c.out)
	show := show(&textLister{w: w, now: spec.WallOf(c.now())})
	if asJSON {
		show = &jsonLister{w: w}
	}
	if err := each(store, show); err != nil {
		return err
	}
	return w.Flush()
}

// errNoSpool is wrapped by the error of openStopped when what is to be read or
// must exist is not there.
var errNoSpool = errors.New("there is no spool")

// openStopped opens the spool of a relay that does not run.
func openStopped(dir string, options spool.Options) (*spool.Store, error) {
	store, err := spool.Open(dir, options)
	switch {
	case errors.Is(err, spool.ErrNone):
		return nil, fmt.Errorf("%w in %s: no relay has run with this configuration", errNoSpool, dir)
	case errors.Is(err, spool.ErrInUse):
		return nil, fmt.Errorf("the spool %s is in use by a running relay: stop it first", dir)
	}
	return store, err
}

// A show shows a queue, message by message.
type show interface {
	message(e *queue.Entry) error
	// damaged is for an entry that cannot be read, and says why.
	damaged(id spec.QueueID, why error) error
	// end comes once, after all others.
	end() error
}

// listPage is how many entries are held in memory at once.
const listPage = 256

// each shows every message of a store, then what is damaged.
func each(store seam.Store, s show) error {
	err := scan(store, seam.SpaceControl, func(id spec.QueueID, value []byte) error {
		e, err := decode(id, value)
		if err != nil {
			return s.damaged(id, err)
		}
		return s.message(e)
	})
	if err != nil {
		return err
	}
	err = scan(store, seam.SpaceDamaged, func(id spec.QueueID, value []byte) error {
		_, err := decode(id, value)
		if err == nil {
			err = errors.New("it can be read by this version")
		}
		return s.damaged(id, fmt.Errorf("set aside by the relay: %w", err))
	})
	if err != nil {
		return err
	}
	return s.end()
}

// decode reads a control entry that is kept under id.
func decode(id spec.QueueID, value []byte) (*queue.Entry, error) {
	e, err := queue.DecodeEntry(value)
	if err == nil && e.ID != id {
		return nil, fmt.Errorf("%w: it is the entry of %q", queue.ErrDamaged, string(e.ID))
	}
	return e, err
}

// scan calls f for each entry of a space, in order.
func scan(store seam.Store, space seam.Space, f func(spec.QueueID, []byte) error) error {
	after := ""
	for {
		page, err := store.Scan(space, "", after, listPage)
		if err != nil {
			return fmt.Errorf("the spool cannot be read: %w", err)
		}
		for _, e := range page {
			if err := f(spec.QueueID(e.Key.Name), e.Value); err != nil {
				return err
			}
			after = e.Key.Name
		}
		if len(page) < listPage {
			return nil
		}
	}
}
