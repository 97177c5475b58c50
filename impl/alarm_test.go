package impl

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
)

func TestAnAlarmIsRaisedOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a alarms
		about := func(host string, event spec.Event) spec.Fact { return spec.Fact{Host: host, Event: event} }
		for _, c := range []struct {
			wait  time.Duration
			about spec.Fact
			want  bool
		}{
			{0, about("smart1", spec.Reply5), true},
			{0, about("smart1", spec.Reply5), false},
			{0, about("Smart1", spec.Reply5), false},
			{0, about("smart1", spec.Untrusted), true},
			{0, about("smart2", spec.Reply5), true},
			{spec.AlarmEvery - 1, about("smart1", spec.Reply5), false},
			{1, about("smart1", spec.Reply5), true},
			{1, about("smart1", spec.Reply5), false},
		} {
			time.Sleep(c.wait)
			if got := a.due(c.about); got != c.want {
				t.Errorf("after %v, about %s: %t", c.wait, c.about.Host, got)
			}
		}
	})
}
