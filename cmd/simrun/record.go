package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/record"
	"github.com/postonce/postonce/sim"
)

func recordCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record --to HOST:PORT",
		Short: "Stand between a mail client and a real server, and make a scenario of it",
		Long: `record is a proxy: it takes connections, passes all on to a real server, and writes
a scenario in which a scripted server does the same again: what it greets with and
offers, what it says at each stage, where it takes its time or breaks off. Point a
mail client or a relay at it instead of at the server, make the trouble happen, and
press Ctrl-C. The scenario runs as it is; then cut it down to what matters.

STARTTLS is passed on, too: record shows the client a certificate of its own, made
at start, that nobody can verify; how good the server's own one is gets recorded.
Contents, credentials, names and addresses are not: they are replaced by others, the
same ones each time. It takes one server; what is spoken under TLS from the first
byte (port 465) it cannot read.`,
		Example: `  simrun record --to mx1.example.net:25 -o trouble.txtar   listens on 127.0.0.1:2525
  simrun record --listen 127.0.0.1:2526 --to 192.0.2.10:587 --idle 1m -o trouble.txtar   ends by itself`,
		Args: noArgs,
	}
	listen := cmd.Flags().String("listen", "127.0.0.1:2525", "take connections at `ADDR`")
	to := cmd.Flags().String("to", "", "pass them on to the server at `HOST:PORT`")
	out := cmd.Flags().StringP("output", "o", output, "write the scenario to `FILE`; - is standard output")
	var sessions int
	numberFlag(cmd, &sessions, "sessions", 0, "end after so many sessions; 0 is never")
	idle := cmd.Flags().Duration("idle", 0, "end when no session was open for so long, after the first one; 0 is never")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *to == "" {
			return errors.New("to which server? write simrun record --to HOST:PORT")
		}
		if sessions < 0 || *idle < 0 {
			return errors.New("--sessions and --idle are at least 0")
		}
		r, err := record.New(*to)
		if err != nil {
			return err
		}
		r.Sessions, r.Idle = sessions, *idle
		if *out != output {
			if err := tryFile(*out); err != nil {
				return fmt.Errorf("the scenario cannot be written: %w", err)
			}
		}
		return c.record(cmd.Context(), r, *listen, *out)
	}
	return cmd
}

// record records until ctx is done, and writes the scenario.
func (c console) record(ctx context.Context, r *record.Recorder, listen, out string) error {
	var config net.ListenConfig
	l, err := config.Listen(context.WithoutCancel(ctx), "tcp", listen)
	if err != nil {
		return fmt.Errorf("nobody can connect: %w", err)
	}
	fmt.Fprintf(c.err, "simrun: listening at %s for %s; Ctrl-C ends the recording\n", l.Addr(), r.To)
	if err := r.Serve(ctx, l); err != nil {
		return fmt.Errorf("taking connections: %w", err)
	}
	for _, trouble := range r.Troubles() {
		fmt.Fprintf(c.err, "simrun: %s\n", trouble)
	}
	d := r.Draft()
	if len(d.Mails) == 0 {
		fmt.Fprintln(c.err, "simrun: nothing was recorded")
		return ending{sim.NoVerdict}
	}
	// What was recorded is worth a few seconds more after Ctrl-C.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return c.writeDraft(ctx, d, out)
}
