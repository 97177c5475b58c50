package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// serveSignals takes over the signals that would end a relay in the middle of
// its work: those that ask it to stop, a terminal that goes away, and a reader
// of its log that does.
func serveSignals() <-chan os.Signal {
	signal.Ignore(syscall.SIGPIPE) // Writing to the log fails then, and ends nothing.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	return signals
}

// What a signal means.
const (
	signalHangup = iota
	signalStop
	signalAgain
	signalAbandon
)

// patience is how long after the first a second signal to stop still counts as
// the same: supervisors send it to a process and to its group, and fingers
// press twice.
const patience = time.Second

// A stopping remembers when a relay was first told to stop.
type stopping struct{ since time.Time }

// take returns what a signal means that comes at now.
func (s *stopping) take(signal os.Signal, now time.Time) int {
	switch {
	case signal == syscall.SIGHUP:
		return signalHangup
	case s.since.IsZero():
		s.since = now
		return signalStop
	case now.Sub(s.since) < patience:
		return signalAgain
	}
	return signalAbandon
}
