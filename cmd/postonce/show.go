package main

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/deliverylist"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// The forms in which queue show shows a message.
const (
	formatText    = "text"
	formatJSON    = "json"
	formatCitadel = "citadel"
)

func queueShowCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one message in a stopped relay's spool",
		Long: `show shows the message with this queue ID, as text or as JSON like queue list, or
as a control message of Citadel. The relay must not be running.

In Citadel's form there is a status for not attempted (0), delivered (2), later
(4) and failed (5), and one time at which all recipients are due again: the
latest. What is in doubt gets status 5, which Citadel does not send again. What
the form cannot say is said on standard error. msgid is a number there: one is
made of the queue ID.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("write one queue ID, as queue list shows it")
			}
			return nil
		},
	}
	path := configFlag(cmd)
	format := cmd.Flags().String("format", formatText, "the `form`: text, json or citadel")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		show, err := c.formatted(*format)
		if err != nil {
			return err
		}
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := c.show(string(cfg.Spool), spec.QueueID(args[0]), show); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// formatted returns what shows one message on w in a form.
func (c console) formatted(format string) (func(w io.Writer, e *queue.Entry) error, error) {
	switch format {
	case formatText:
		return func(w io.Writer, e *queue.Entry) error {
			return (&textLister{w: w, now: spec.WallOf(c.now())}).message(e)
		}, nil
	case formatJSON:
		return func(w io.Writer, e *queue.Entry) error { return (&jsonLister{w: w}).message(e) }, nil
	case formatCitadel:
		return c.citadel, nil
	}
	return nil, fmt.Errorf("there is no form %q: choose %s", format, strings.Join([]string{formatText, formatJSON, formatCitadel}, ", "))
}

// show shows one message of the spool in dir.
func (c console) show(dir string, id spec.QueueID, show func(io.Writer, *queue.Entry) error) (err error) {
	store, err := openStopped(dir, spool.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	e, err := one(store, id)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(c.out)
	if err := show(w, e); err != nil {
		return err
	}
	return w.Flush()
}

// one returns the entry of one message.
func one(store seam.Store, id spec.QueueID) (*queue.Entry, error) {
	value, err := store.Get(seam.ControlKey(id))
	if errors.Is(err, seam.ErrNotFound) {
		return nil, fmt.Errorf("there is no message %s in the spool: queue list shows those that are", id)
	}
	if err != nil {
		return nil, err
	}
	e, err := decode(id, value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return e, nil
}

// citadel shows a message as a control message.
func (c console) citadel(w io.Writer, e *queue.Entry) error {
	number := int64(max(crc32.ChecksumIEEE([]byte(e.ID)), 1))
	l, notes := deliverylist.FromEntry(e, number)
	text, err := l.Encode()
	if err != nil {
		return fmt.Errorf("%s cannot be shown in Citadel's form: %w", e.ID, err)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(c.err, "note: %s\n", clean(n.Text))
	}
	return nil
}
