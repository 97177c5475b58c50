package sim

import (
	"sync"
	"time"
)

// A place is where goroutines wait for something that the world's lock guards.
// One goroutine waits at a time in any decent program; when several do, all
// wake at the same instant, and their order is not the world's.
type place struct {
	world   *world
	cond    sync.Cond
	waiting int
	timer   *time.Timer
}

func newPlace(w *world) place { return place{world: w, cond: sync.Cond{L: &w.mu}} }

// wait waits for wake, or until an instant of its own at or after deadline,
// unless that is zero. The caller holds the lock, and looks again what woke it.
func (p *place) wait(deadline time.Time) {
	p.waiting++
	if p.waiting == 1 {
		p.arm(deadline)
	}
	p.cond.Wait()
	p.waiting--
	if p.waiting == 0 {
		p.disarm()
	}
}

// wake wakes those who wait. Only an event may call it that makes no other
// goroutine runnable.
func (p *place) wake() {
	if p.waiting > 0 {
		p.cond.Broadcast()
	}
}

// wakeSoon wakes those who wait at an instant of its own: for a caller that
// itself goes on running.
func (p *place) wakeSoon() {
	if p.waiting > 0 {
		p.world.after(p.world.claim(p.world.now()+wakeTime.least), p.wake)
	}
}

// rearm makes those who wait heed another deadline.
func (p *place) rearm(deadline time.Time) {
	if p.waiting > 0 {
		p.disarm()
		p.arm(deadline)
	}
}

func (p *place) arm(deadline time.Time) {
	if deadline.IsZero() {
		return
	}
	w := p.world
	at := w.claim(deadline.Sub(w.start))
	p.timer = time.AfterFunc(at-w.now(), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		p.wake()
	})
}

func (p *place) disarm() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// after calls f at a claimed instant, with the lock held.
func (w *world) after(at time.Duration, f func()) {
	time.AfterFunc(at-w.now(), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.over {
			f()
		}
	})
}
