package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
)

// A checkedWriter remembers the first error of what it writes to, and then
// writes nothing more. It tells nobody before the end: commands print line by
// line, and the error is said once.
type checkedWriter struct {
	out io.Writer
	err error
}

// Write never fails.
func (w *checkedWriter) Write(b []byte) (int, error) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
	return len(b), nil
}

// finished says on c.err what went wrong with a command and returns the exit
// status. Who closed the pipe has seen enough; any other failure to write is
// one of the command, since what it found did not arrive.
func (c console) finished(err, writing error) sim.Status {
	status := sim.OK
	for _, one := range each(err) {
		var e ending
		switch {
		case errors.As(one, &e):
			status = show.Worse(status, e.status)
		case one != nil:
			status = show.Worse(status, sim.Usage)
			c.complain(one)
		}
	}
	if writing != nil && !errors.Is(writing, syscall.EPIPE) {
		status = show.Worse(status, sim.Usage)
		c.complain(fmt.Errorf("writing the output: %w", writing))
	}
	return status
}

// complain writes an error, each of several with its own prefix.
func (c console) complain(err error) {
	for _, one := range each(err) {
		fmt.Fprintf(c.err, "simrun: %s\n", strings.TrimRight(one.Error(), "\n"))
	}
}

// each returns the errors that err joins, in order.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, each(one)...)
	}
	return all
}
