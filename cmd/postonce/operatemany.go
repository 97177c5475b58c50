package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A sweep carries out an operation for all whom a filter matches, some messages
// at a time: what is in memory does not grow with the spool.
type sweep struct {
	console
	operation
	filter *filter
	now    spec.Wall
	// relay carries orders out; nil in a dry run. list shows what it would do.
	relay *impl.Relay
	list  *textLister

	orders []impl.Order
	// told is when the last word of progress was, or the beginning.
	told                          time.Time
	read, messages, to, left, not int
}

// operate carries out an operation for all whom the filter matches.
func (c console) operate(cfg *config, o operation, f *filter, dryRun bool) (err error) {
	store, err := openStopped(string(cfg.Spool), spool.Options{Log: cfg.logger(c.err), ReadOnly: dryRun, MustExist: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &sweep{console: c, operation: o, filter: f, now: spec.WallOf(c.now()), told: c.now()}
	s.list = &textLister{w: c.out, now: s.now}
	if !dryRun {
		if s.relay, err = atRest(cfg, store, func(f spec.Fact) { c.decided(o.decision, f) }); err != nil {
			return err
		}
	}
	if err := s.run(store); err != nil {
		return fmt.Errorf("after %s, what was said is done: %w", s.count(), err)
	}
	return s.end(dryRun)
}

func (s *sweep) run(store seam.Store) error {
	err := scan(store, seam.SpaceControl, func(id spec.QueueID, value []byte) error {
		s.read++
		s.progress()
		e, err := decode(id, value)
		if err != nil {
			return nil // queue list shows it as damaged
		}
		if s.relay != nil && s.relay.Made(id) {
			return nil // the report on what was given up
		}
		return s.message(e)
	})
	if err != nil {
		return err
	}
	return s.flush()
}

// message takes one message of the spool.
func (s *sweep) message(e *queue.Entry) error {
	e = s.filter.matched(e, s.now)
	if e == nil {
		return nil
	}
	concerned := e.Recipients[:0]
	o := impl.Order{ID: e.ID, Decision: string(s.decision)}
	for i := range e.Recipients {
		switch r := &e.Recipients[i]; {
		case r.State == spec.Intent:
			s.left++
		case s.decision.Concerns(r):
			concerned = append(concerned, *r)
			o.To = append(o.To, r.Address)
		}
	}
	if e.Recipients = concerned; len(concerned) == 0 {
		return nil
	}
	if s.relay == nil {
		s.messages, s.to = s.messages+1, s.to+len(concerned)
		return s.list.message(e)
	}
	s.orders = append(s.orders, o)
	if len(s.orders) >= listPage {
		return s.flush()
	}
	return nil
}

// flush has what was gathered carried out.
func (s *sweep) flush() error {
	if len(s.orders) == 0 {
		return nil
	}
	refused, err := s.relay.DecideAllStopped(s.orders)
	if err != nil {
		return err
	}
	for i, why := range refused {
		if why == nil {
			s.messages, s.to = s.messages+1, s.to+len(s.orders[i].To)
			continue
		}
		s.not++
		fmt.Fprintf(s.err, "%s: %s\n", clean(string(s.orders[i].ID)), clean(why.Error()))
	}
	s.orders = s.orders[:0]
	return nil
}

// silence is how long there is no word of progress.
const silence = 2 * time.Second

// progress says how far a sweep is that takes its time.
func (s *sweep) progress() {
	if now := s.console.now(); now.Sub(s.told) >= silence {
		s.told = now
		fmt.Fprintf(s.err, "%s read; so far %s %s\n", plural(s.read, "message"), plural(s.to, "recipient"), s.done)
	}
}

func (s *sweep) count() string {
	return fmt.Sprintf("%s of %s", plural(s.to, "recipient"), plural(s.messages, "message"))
}

// end says what was done.
func (s *sweep) end(dryRun bool) error {
	switch {
	case dryRun && s.careful && s.to > 0:
		fmt.Fprintf(s.out, "%s would be %s: say --yes to do it.\n", s.count(), s.done)
	case dryRun:
		fmt.Fprintf(s.out, "%s would be %s.\n", s.count(), s.done)
	default:
		fmt.Fprintf(s.out, "%s %s.\n", s.count(), s.done)
	}
	if s.left > 0 {
		fmt.Fprintf(s.err, "%s in the state intent left as they are: start the relay first, which then does what in_doubt says\n",
			plural(s.left, "recipient"))
	}
	if s.not > 0 {
		return fmt.Errorf("%s not %s: see above", plural(s.not, "message"), s.done)
	}
	return nil
}
