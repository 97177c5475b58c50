package impl

import (
	"errors"
	"fmt"

	"github.com/postonce/postonce/spec/seam"
)

// A watched store tells the relay when writing ahead fails. The core sees every
// batch and halts when one cannot be stored; but a content that is written ahead
// fails its submitter before the core hears of it, and after that nothing more
// can be stored: a relay that went on would refuse all mail for ever, where one
// that ends is started again.
type watched struct {
	seam.Store
	failed func(error)
}

// Write implements seam.Store.
func (w watched) Write(ops []seam.Op) error {
	err := w.Store.Write(ops)
	if err != nil && !errors.Is(err, seam.ErrClosed) {
		w.failed(err)
	}
	return err
}

// cannotWrite ends the relay, at an instant of its own. It is called by who
// submits, for whom Run waits.
func (r *Relay) cannotWrite(err error) {
	r.actor.start(func() { r.stop(fmt.Errorf("the relay cannot go on: writing a content ahead: %w", err)) })
}
