package queue

import (
	"cmp"
	"time"

	"github.com/postonce/postonce/spec"
)

// Who is named as the sender of mail that he never sent gets the reports on it. So
// mail of the null sender to one mailbox is attempted Limits.ReportsPerHour times an
// hour at most. What is due beyond that is held back: durably, as what is put off,
// until there is a share left; or until its lifetime ends, and it with it.

// A share is what one mailbox has got in the hour that began with the first.
type share struct {
	since spec.Wall
	// begun counts the attempts, later what was held back for a later hour.
	begun, later int
}

// mostShares bounds the mailboxes of which that is known. Beyond it those are
// forgotten first that got least.
const mostShares = 10_000

const hour = time.Hour

// share returns the share of a mailbox; nil when nothing was attempted for it in the
// last hour, and nothing held back.
func (q *Queue) share(address string, now spec.Wall) *share {
	s := q.shares[spec.Mailbox(address)]
	if s == nil {
		return nil
	}
	if hours := int(now.Sub(s.since) / hour); hours > 0 {
		later := max(0, s.later-min(hours, s.later)*q.policy.Limits.ReportsPerHour)
		*s = share{since: now, later: later}
	}
	return s
}

// spends notes that an attempt for mail of the null sender begins.
func (q *Queue) spends(m *message, to []string, now spec.Wall) {
	if q.policy.Limits.ReportsPerHour == 0 || m.entry.Sender != "" {
		return
	}
	for _, address := range to {
		s := q.share(address, now)
		if s == nil {
			q.forgetShares(now)
			s = &share{since: now}
			q.shares[spec.Mailbox(address)] = s
		}
		s.begun++
	}
}

// forgetShares makes room for one more.
func (q *Queue) forgetShares(now spec.Wall) {
	if len(q.shares) < mostShares {
		return
	}
	least := ""
	for address, s := range q.shares { // any order: all that are over go, and one that is the least
		if s.later == 0 && now.Sub(s.since) >= hour {
			delete(q.shares, address)
			continue
		}
		t := q.shares[least]
		if t == nil || cmp.Or(cmp.Compare(s.begun+s.later, t.begun+t.later), cmp.Compare(address, least)) < 0 {
			least = address
		}
	}
	if len(q.shares) >= mostShares {
		delete(q.shares, least)
	}
}

// holdBack stores of those in a group who have had their share that they are due
// later; it reports whether there are any. What has no time left is not held back.
func (q *Queue) holdBack(g *group, now spec.Wall) bool {
	m, most, expires := g.message, q.policy.Limits.ReportsPerHour, q.expires(g.message, g.destination.name)
	if most == 0 || m.entry.Sender != "" || now >= expires {
		return false
	}
	c := &commit{message: m, dests: []string{g.destination.name}, moves: true}
	longest := q.policy.Longest(g.destination.name)
	to, _ := m.recipients(g, now)
	for _, address := range to {
		s := q.share(address, now)
		if s == nil || s.begun < most {
			continue
		}
		r := m.entry.recipient(address)
		hours := time.Duration(1 + s.later/most)
		r.Due = min(s.since.Add(hours*hour), now.Add(longest), expires)
		if s.later/most < 1+int(longest/hour) {
			s.later++ // of those beyond it is decided then
		}
		text := "held back: " + address + " had as many reports as it may have in an hour"
		if r.Attempts == 0 {
			r.Last = Trouble{At: now, Text: text}
		}
		c.facts = append(c.facts, spec.Fact{
			Kind: spec.FactHeldBack, Message: m.entry.Message, Queue: m.entry.ID, Dest: g.destination.name, To: []string{address}, Due: r.Due, Text: text,
		})
	}
	if len(c.facts) == 0 {
		return false
	}
	q.commit(c, q.update(c, m))
	return true
}

// heldBack reports whether a recipient was held back, and was never attempted.
func (r *Recipient) heldBack() bool { return r.Attempts == 0 && r.Last.Stage == 0 && r.Last.Text != "" }
