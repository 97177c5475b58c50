package sim

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// TestAPointEndsWhereSomethingChanges: what outlives the relay is another before
// and after a segment was sent, a batch was stored, or somebody has counted. What
// the relay only does for itself is forgotten with it.
func TestAPointEndsWhereSomethingChanges(t *testing.T) {
	told := func(kind spec.FactKind) func(*world, *conn) {
		return func(w *world, _ *conn) { w.note(w.relay, spec.Fact{Actor: spec.ActorRelay, Kind: kind}) }
	}
	for name, test := range map[string]struct {
		does func(w *world, c *conn)
		// points is how many there are, of which the last is after it.
		points int
	}{
		"nothing":                {func(*world, *conn) {}, 1},
		"a read of the store":    {func(w *world, _ *conn) { _, _ = w.relay.store.Get(seam.ControlKey("none")) }, 1},
		"an attempt":             {told(spec.FactAttempt), 1},
		"a dial":                 {told(spec.FactDial), 1},
		"mail submitted":         {told(spec.FactSubmitted), 2},
		"an outcome":             {told(spec.FactOutcome), 2},
		"a report":               {told(spec.FactReport), 2},
		"a segment":              {func(_ *world, c *conn) { _, _ = io.WriteString(c, "x") }, 2},
		"a FIN":                  {func(_ *world, c *conn) { _ = c.CloseWrite() }, 2},
		"an RST":                 {func(_ *world, c *conn) { _ = c.SetLinger(0); _ = c.Close() }, 2},
		"a batch":                {func(w *world, _ *conn) { w.relay.store.Apply(nil, func(error) {}) }, 2},
		"a batch written":        {func(w *world, _ *conn) { _ = w.relay.store.Write(nil) }, 2},
		"a fact that is counted": {told(spec.FactRoute), 2},
		"a query that is":        {func(w *world, _ *conn) { w.dns.fault("mx1.example.net.", "A") }, 2},
		"a query that is not":    {func(w *world, _ *conn) { w.dns.fault("mx2.example.net.", "A") }, 1},
	} {
		connected(t, func(t *testing.T, w *world, client, _ net.Conn) {
			w.dns.faults = []*dnsFault{{Record: scenarios.Record{Name: "mx1.example.net.", Type: "A", Fault: "NXDOMAIN", First: 1}}}
			w.crashes = []*crashStep{{Step: scenarios.Step{When: scenarios.FactMatch{Kind: spec.FactRoute, Nth: 2}}}}
			w.marks.on = true
			edge := func(after bool) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.mark(1, 0, after)
			}
			edge(false)
			test.does(w, client.(*conn))
			edge(true)
			if got := w.marks.all; len(got) != test.points {
				t.Errorf("%s: the points are %+v, want %d", name, got, test.points)
			}
		})
	}
}

// TestNoPointIsLongerThanAMoment: what is due later may be due then, though
// nothing changes.
func TestNoPointIsLongerThanAMoment(t *testing.T) {
	for _, pause := range []time.Duration{time.Second - time.Nanosecond, time.Second, time.Hour} {
		connected(t, func(t *testing.T, w *world, _, _ net.Conn) {
			w.marks.on = true
			for range 3 {
				w.mu.Lock()
				w.mark(1, 0, true)
				w.mu.Unlock()
				time.Sleep(pause)
			}
			want := 3
			if pause < time.Second {
				want = 2
			}
			if got := w.marks.all; len(got) != want {
				t.Errorf("%v apart: the points are %+v, want %d", pause, got, want)
			}
		})
	}
}
