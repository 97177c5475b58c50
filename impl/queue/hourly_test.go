package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// bounce submits mail of the null sender, as a report is.
func (r *rig) bounce(id spec.QueueID, to ...string) {
	r.do(Submit{
		ID: id, Message: string(id), Size: 3, Envelope: spec.Envelope{Recipients: to},
		Ops: []seam.Op{{Key: seam.ChunkKey(id, 0), Value: []byte("x\r\n")}},
	})
	r.flush()
}

// ended ends what has begun, well, and returns which messages those were.
func (r *rig) ended() (ids []string) {
	for ; len(r.begins) > 0; r.begins = r.begins[1:] {
		ids = append(ids, string(r.begins[0].ID))
		r.intend(r.begins[0])
		r.end(r.begins[0], spec.Proceed)
	}
	return ids
}

func hourly(n int) func(*spec.Policy) {
	return func(p *spec.Policy) { p.Limits.ReportsPerHour, p.Schedule.Jitter = n, 0 }
}

// TestAMailboxGetsSoManyReportsAnHour, and the rest in the hours that follow, in
// order, and nobody else waits for that.
func TestAMailboxGetsSoManyReportsAnHour(t *testing.T) {
	r := started(t, hourly(2))
	for i := range 5 {
		r.bounce(spec.QueueID(fmt.Sprint("b", i)), "victim@x.test")
	}
	r.bounce("other", "other@x.test")
	r.mail("m", "victim@x.test")
	r.flush()
	r.wants("in the first hour", r.ended(), []string{"b0", "b1", "other", "m"})
	r.pass(time.Hour)
	r.wants("in the second", r.ended(), []string{"b2", "b3"})
	r.pass(time.Hour)
	r.wants("in the third", r.ended(), []string{"b4"})
	if s := r.core.Sizes(); s.Messages != 0 {
		t.Errorf("left: %+v", s)
	}
}

// TestWhatIsHeldBackStaysSoOverARestart: that it waits is durable.
func TestWhatIsHeldBackStaysSoOverARestart(t *testing.T) {
	r := started(t, hourly(1))
	r.bounce("b0", "victim@x.test")
	r.bounce("b1", "Victim@X.test")
	r.bounce("b2", "victim@X.test")
	r.wants("of two spellings of a domain one, of another local part all", r.ended(), []string{"b0", "b1"})
	r.restart()
	r.wants("after the restart", r.ended(), nil)
	r.pass(time.Hour)
	r.wants("an hour later", r.ended(), []string{"b2"})
}

// TestOnlyTheOneOfAGroupWhoHadHisShareWaits.
func TestOnlyTheOneOfAGroupWhoHadHisShareWaits(t *testing.T) {
	r := started(t, hourly(1))
	r.bounce("b0", "victim@x.test")
	r.bounce("b1", "victim@x.test", "other@x.test")
	if b := r.begins[len(r.begins)-1]; !slices.Equal(b.To, []string{"other@x.test"}) {
		t.Errorf("attempted: %v", b.To)
	}
	r.ended()
	r.pass(time.Hour)
	r.wants("an hour later", r.ended(), []string{"b1"})
}

// TestWhatIsHeldBackForAllOfItsLifetimeEndsThen, without an attempt.
func TestWhatIsHeldBackForAllOfItsLifetimeEndsThen(t *testing.T) {
	r := started(t, func(p *spec.Policy) {
		hourly(1)(p)
		p.Schedule.Lifetime, p.Schedule.Max = 90*time.Minute, 20*time.Minute
	})
	for i := range 3 {
		r.bounce(spec.QueueID(fmt.Sprint("b", i)), "victim@x.test")
	}
	r.wants("in the first hour", r.ended(), []string{"b0"})
	for range 9 {
		r.pass(10 * time.Minute)
	}
	r.flush()
	r.wants("in the second", r.ended(), []string{"b1"})
	r.wants("told to nobody", r.hushed(), []string{"victim@x.test"})
	if s := r.core.Sizes(); s.Messages != 0 {
		t.Errorf("left: %+v", s)
	}
}

// TestTheMailboxesKnownAreBounded, and who got most is not forgotten.
func TestTheMailboxesKnownAreBounded(t *testing.T) {
	r := started(t, hourly(2))
	m := &message{}
	for range 2 {
		r.core.spends(m, []string{"victim@x.test"}, r.now.Wall)
	}
	for i := range mostShares + 50 {
		r.core.spends(m, []string{fmt.Sprintf("u%d@x.test", i)}, r.now.Wall)
	}
	if n := len(r.core.shares); n > mostShares {
		t.Errorf("%d mailboxes are known", n)
	}
	if s := r.core.share("victim@x.test", r.now.Wall); s == nil || s.begun != 2 {
		t.Errorf("of the one who got most: %+v", s)
	}
	r.core.spends(m, []string{"late@x.test"}, r.now.Wall.Add(time.Hour))
	if n := len(r.core.shares); n != 1 {
		t.Errorf("an hour later %d mailboxes are known", n)
	}
}
