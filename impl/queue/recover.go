package queue

import (
	"fmt"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A recovery is what is left to do before the queue takes up its work.
type recovery struct {
	started, ready bool
	// loads counts the reads under way.
	loads int
}

// recoveryPage is how many keys recovery reads at once.
const recoveryPage = 256

// start reads what the process before left behind: intents without an
// outcome, contents without a control entry, and who waits.
func (q *Queue) start() {
	q.recovery.started = true
	q.read(Load{Kind: LoadIntents, Limit: recoveryPage})
	q.read(Load{Kind: LoadWriting, Limit: recoveryPage})
	q.read(Load{Kind: LoadDestinations, Limit: recoveryPage})
}

func (q *Queue) read(l Load) {
	q.recovery.loads++
	q.act(l)
}

// recovered ends the recovery when nothing of it is left: every batch of it
// is durable, so that what it decided holds.
func (q *Queue) recovered() {
	r := &q.recovery
	if !r.started || r.ready || r.loads > 0 || len(q.pending) > 0 || q.halted != nil {
		return
	}
	r.ready = true
	q.note(spec.Fact{Kind: spec.FactReady, Count: int64(len(q.destinations))})
	q.open = true
}

// recoverIntent decides what becomes of recipients that the crash left in
// doubt (RFC 1047): the process before may have sent the dot or not.
func (q *Queue) recoverIntent(raw Raw) {
	m := q.decode(raw)
	if m == nil {
		q.act(q.eraseKeys(intentKey(raw.ID)))
		return
	}
	m.intent = true
	var closing []Result
	c := &commit{message: m}
	for i := range m.entry.Recipients {
		r, dest := &m.entry.Recipients[i], m.dests[i]
		if r.State != spec.Intent {
			continue
		}
		j := &job{dest: dest, message: m, attempt: r.Attempts}
		t := Trouble{
			At: q.clock.now(), Host: r.Last.Host, Stage: spec.StageDot, Event: spec.Cut,
			Text: "the relay stopped between the final dot and the record of its reply",
		}
		res := Result{Recipient: r.Address, Verdict: spec.InDoubt, Trouble: t}
		if q.reports(m, r, q.doubtful(m, dest)) {
			closing = append(closing, res)
			continue
		}
		if _, err := q.apply(m, j, res); err != nil {
			q.halt(err)
			return
		}
		c.changes(dest)
		c.facts = append(c.facts, q.outcome(m, "", r))
		c.facts = append(c.facts, q.untold(m, r)...)
	}
	if len(c.facts) > 0 || len(closing) == 0 {
		q.commit(c, q.update(c, m))
	}
	if len(closing) > 0 {
		q.close(m, closing)
	}
}

// close ends recipients without a conversation: it fetches the header that
// their report needs; the results are applied when it comes.
func (q *Queue) close(m *message, results []Result) *job {
	to := make([]string, len(results))
	for i := range results {
		to[i] = results[i].Recipient
	}
	j := q.newJob(m, "", to)
	j.closing = results
	q.act(m.toClose(j))
	return j
}

func (m *message) toClose(j *job) Close {
	return Close{j.id, m.entry.ID, m.entry.Size, spec.Returned(m.entry.Sender, m.entry.Tracking)}
}

// decode brings a control entry into memory. One that is damaged is set
// aside, where it disturbs nobody and loses nothing; then, and when there is
// none, decode returns nil.
func (q *Queue) decode(raw Raw) *message {
	if m := q.messages[raw.ID]; m != nil {
		return m
	}
	if raw.Value == nil {
		return nil
	}
	e, err := DecodeEntry(raw.Value)
	if err == nil && e.ID != raw.ID {
		err = ErrDamaged
	}
	if err != nil {
		q.setAside(raw, err)
		return nil
	}
	m := q.message(*e)
	q.renew(m)
	q.messages[raw.ID] = m
	return m
}

func (q *Queue) setAside(raw Raw, why error) {
	q.commit(&commit{facts: []spec.Fact{{Kind: spec.FactDamaged, Queue: raw.ID, Text: why.Error()}}}, []seam.Op{
		{Key: seam.Key{Space: seam.SpaceDamaged, Name: string(raw.ID)}, Value: raw.Value},
		{Key: seam.ControlKey(raw.ID), Delete: true},
	})
}

// setAsideLine puts an index line that says nothing where it disturbs nobody:
// one of them must not keep a relay from starting.
func (q *Queue) setAsideLine(name string) {
	text := fmt.Sprintf("index line %+q says nothing; it is set aside", name)
	q.commit(&commit{facts: []spec.Fact{{Kind: spec.FactDamaged, Text: text}}}, []seam.Op{
		{Key: seam.Key{Space: seam.SpaceDamaged, Name: fmt.Sprintf("index line %+q", name)}, Value: []byte(name)},
		{Key: seam.Key{Space: seam.SpaceDue, Name: name}, Delete: true},
	})
}

// eraseKeys returns a commit that deletes keys which nothing depends on.
func (q *Queue) eraseKeys(keys ...seam.Key) Action {
	q.nextSeq++
	q.pending[q.nextSeq] = &commit{}
	ops := make([]seam.Op, len(keys))
	for i, k := range keys {
		ops[i] = seam.Op{Key: k, Delete: true}
	}
	return Commit{q.nextSeq, ops}
}
