package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/impl/spool"
)

//go:embed example.yaml
var example string

func serveCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the relay",
		Long: `serve takes up what the spool holds, then takes mail and delivers it until it
gets SIGTERM or SIGINT. Then it takes no more mail, breaks off what can be
broken off, waits for servers that have been sent a final dot and not yet
answered, and ends; a second signal, a second later or more, ends it at once,
and it says what that leaves in doubt. SIGHUP changes nothing. It logs to
standard error, and goes on when nobody reads that.

This is a configuration in YAML, with all keys and their defaults; each may be
left out:

` + indent(example),
		Args: noArgs,
	}
	path := configFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := cfg.secrets(); err != nil {
			return fmt.Errorf("%s: %w", *path, err)
		}
		if err := c.serve(cfg); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// indent moves each line of text to the right, but for empty ones.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return strings.TrimRight(b.String(), "\n")
}

// serve runs the relay until a signal ends it, or an error.
func (c console) serve(cfg *config) (err error) {
	log := cfg.logger(c.err)
	store, err := spool.Open(string(cfg.Spool), spool.Options{Log: log})
	if err != nil {
		return err
	}
	doubts := newDoubts(hostos.LogNote(log))
	host, err := hostos.New(hostos.Config{Resolvers: texts(cfg.Resolvers), Store: store, Note: doubts.note})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	host.Secret = cfg.secret
	listen := host.Listen
	host.Listen = func(addr string) (net.Listener, error) {
		l, err := listen(addr)
		if err == nil {
			log.Info("listening", "addr", l.Addr().String())
		}
		return l, err
	}
	relay, err := impl.New(impl.Config{
		Policy: cfg.policy(), Listen: string(cfg.Listen), MaxConnections: int(cfg.Limits.SubmissionConnections), Log: log,
	}, host)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	// Before it listens: who sees it do so may send a signal at once.
	signals, stop := c.signals(), stopping{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- ending(relay.Run(ctx), store.Close) }()
	for {
		select {
		case err := <-ended:
			log.Info("stopped")
			return err
		case s := <-signals:
			switch stop.take(s, time.Now()) {
			case signalHangup:
				log.Warn("SIGHUP changes nothing: stop and start the relay to have it read its configuration")
			case signalStop:
				log.Info("stopping", "signal", s.String(), "awaiting", doubts.count())
				cancel()
			case signalAgain:
				log.Info("stopping already; another signal after one second ends it at once", "signal", s.String())
			case signalAbandon:
				return doubts.abandoned() // without closing the store: this is a crash that was asked for
			}
		}
	}
}

// ending closes the store after the relay has ended with err. What the store
// has to say is left out when err says it already.
func ending(err error, closing func() error) error {
	closed := closing()
	if err != nil && closed != nil && strings.Contains(err.Error(), closed.Error()) {
		return err
	}
	return errors.Join(err, closed)
}

// logger returns the log that the configuration asks for.
func (c *config) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(c.Log.Level)}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
