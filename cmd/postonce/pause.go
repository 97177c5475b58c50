package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

func queuePauseCommand(c console) *cobra.Command {
	return pauseCommand(c, false, &cobra.Command{
		Use:   "pause DESTINATION",
		Short: "Have no attempt begin at a destination until it is resumed",
		Long: `pause has no attempt begin at a destination until postonce queue resume: at a
domain; for all mail that leaves through the smart hosts of relays, at "relay";
and for what leaves through hosts of sender_routes, or was rerouted to hosts, at
"via:" and these hosts, with plus signs between them. Mail for it is taken and waits. It does not get older by that, nor
younger: when its lifetime ends it fails, and the sender is told; so a pause
that is forgotten keeps nothing for ever. To keep single mail longer, use
postonce queue hold.

queue list shows what is paused. The relay must not be running. What is printed
is on the disk.`,
		Example: `  postonce queue pause example.net
  postonce queue pause relay`,
	})
}

func queueResumeCommand(c console) *cobra.Command {
	return pauseCommand(c, true, &cobra.Command{
		Use:   "resume DESTINATION",
		Short: "Undo a pause",
		Long: `resume undoes postonce queue pause: when the relay is started, what is due at
the destination is attempted at once.

The relay must not be running. What is printed is on the disk.`,
		Example: `  postonce queue resume example.net`,
	})
}

func pauseCommand(c console, resume bool, cmd *cobra.Command) *cobra.Command {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("write one destination: a domain, or relay for the smart hosts")
		}
		return nil
	}
	path := configFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		dest := strings.ToLower(strings.TrimSuffix(args[0], "."))
		if err := pausable(cfg.policy(), dest); err != nil && !resume {
			return err
		}
		if err := c.pause(cfg, dest, resume); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// pausable returns an error when no mail goes to a destination of that name.
func pausable(p spec.Policy, dest string) error {
	if spec.ViaTrouble(dest) == nil {
		return nil // mail of a sender goes there, or what was rerouted
	}
	full := isLiteral(dest) || fullName(dest) == nil
	switch got := p.Destination("?", "postmaster@"+dest); {
	case dest == spec.RelayDestination && len(p.Relays) > 0, full && got == dest:
		return nil
	case full && got == spec.RelayDestination:
		return fmt.Errorf("mail to %s leaves through the smart hosts of relays, with all other mail: write relay to pause them", dest)
	}
	return fmt.Errorf("%q is no destination: write a domain, relay for the smart hosts, or via:HOST+HOST for those of a sender or a reroute", dest)
}

// pause pauses a destination, or resumes it.
func (c console) pause(cfg *config, dest string, resume bool) (err error) {
	store, err := openStopped(string(cfg.Spool), spool.Options{Log: cfg.logger(c.err), MustExist: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	all, err := paused(store)
	if err != nil {
		return err
	}
	switch is := slices.Contains(all, dest); {
	case resume && !is && len(all) == 0:
		return fmt.Errorf("%s is not paused; nothing is", clean(dest))
	case resume && !is:
		return fmt.Errorf("%s is not paused; these are: %s", clean(dest), clean(strings.Join(all, ", ")))
	case is && !resume:
		fmt.Fprintf(c.out, "%s is paused already\n", dest)
		return nil
	}
	relay, err := atRest(cfg, store, nil)
	if err != nil {
		return err
	}
	if err := relay.PauseStopped(dest, resume); err != nil {
		return err
	}
	if resume {
		fmt.Fprintf(c.out, "%s is resumed\n", dest)
	} else {
		fmt.Fprintf(c.out, "%s is paused until it is resumed\n", dest)
	}
	return nil
}

// paused lists the destinations that are paused.
func paused(store seam.Store) (dests []string, err error) {
	err = scan(store, seam.SpacePaused, func(dest spec.QueueID, _ []byte) error {
		dests = append(dests, string(dest))
		return nil
	})
	return dests, err
}
