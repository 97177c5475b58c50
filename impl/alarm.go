package impl

import (
	"strings"
	"sync"
	"time"

	"github.com/postonce/postonce/spec"
)

// alarms holds back what was raised lately: a login that fails does so with
// every message that waits. There are as many as hosts with a login, and events.
type alarms struct {
	mu   sync.Mutex
	last map[alarmKey]time.Time
}

type alarmKey struct {
	host  string
	event spec.Event
}

// due reports whether an alarm is to be raised now, and takes it for raised.
func (a *alarms) due(f spec.Fact) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	key, now := alarmKey{strings.ToLower(f.Host), f.Event}, time.Now()
	if last, ok := a.last[key]; ok && now.Sub(last) < spec.AlarmEvery {
		return false
	}
	if a.last == nil {
		a.last = map[alarmKey]time.Time{}
	}
	a.last[key] = now
	return true
}

// alarm notes an alarm, unless there was the same one within spec.AlarmEvery.
func (r *Relay) alarm(f spec.Fact) {
	if r.alarms.due(f) {
		r.host.Note(f)
	}
}
