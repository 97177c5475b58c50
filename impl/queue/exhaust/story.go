package exhaust

import (
	"fmt"
	"strings"
	"time"

	"github.com/postonce/postonce/impl/queue"
)

// A Chapter is one event of a story and what the core did about it.
type Chapter struct {
	Event   string
	Actions []string
}

// tell tells how a violation came about: what led to state number n, and the
// last event, if there was one.
func (s *search) tell(v *Violation, n uint32, last *event) *Violation {
	path := s.shortest(n)
	x := s.begin()
	story := []Chapter{{Event: "a process starts on an empty disk"}}
	happen := func(e event) {
		c := Chapter{Event: x.words(e)}
		x.tell = func(a queue.Action) { c.Actions = append(c.Actions, actionText(a)...) }
		x.do(e)
		x.tell = nil
		story = append(story, c)
	}
	for _, m := range path[1:] {
		e, ok := s.to(x, m)
		if !ok {
			break // it cannot be: the state was reached from here
		}
		happen(e)
	}
	if last != nil {
		// On another way to the same state the event may have another name.
		for _, e := range x.events(nil) {
			y := x.clone()
			if y.do(e); y.wrong != nil && y.wrong.Sentence == v.Sentence {
				happen(e)
				break
			}
		}
	}
	return &Violation{Rule: v.Rule, Sentence: v.Sentence, Story: story}
}

// to returns an event that leads from x to the state number m.
func (s *search) to(x *state, m uint32) (event, bool) {
	for _, e := range x.events(nil) {
		y := x.clone()
		y.do(e)
		h, _ := y.hash(nil)
		if n, ok := s.seen[h]; ok && n == m {
			return e, true
		}
	}
	return event{}, false
}

// shortest returns the shortest way that was seen from the first state to
// number n, both included.
func (s *search) shortest(n uint32) []uint32 {
	const unseen = 1<<32 - 1
	from := make([]uint32, len(s.after))
	for i := range from {
		from[i] = unseen
	}
	from[0] = 0
	for queue := []uint32{0}; len(queue) > 0 && from[n] == unseen; queue = queue[1:] {
		for _, m := range s.successors(queue[0]) {
			if m < uint32(len(from)) && from[m] == unseen {
				from[m] = queue[0]
				queue = append(queue, m)
			}
		}
	}
	path := []uint32{n}
	for n != 0 {
		n = from[n]
		path = append([]uint32{n}, path...)
	}
	return path
}

// actionText tells an action; nothing for one that only speaks.
func actionText(a queue.Action) []string {
	switch a := a.(type) {
	case queue.Note:
		return nil
	case queue.Commit:
		var b strings.Builder
		for _, op := range a.Ops {
			sign := '+'
			if op.Delete {
				sign = '-'
			}
			fmt.Fprintf(&b, " %c%s", sign, keyText(op.Key))
			if op.Key.Space == 'c' && !op.Delete {
				b.WriteString(entryText(op.Value))
			}
		}
		return []string{fmt.Sprintf("batch %d:%s", a.Seq, b.String())}
	case queue.Begin:
		return []string{fmt.Sprintf("begins delivery %s to %s", a.Job, strings.Join(a.To, ", "))}
	case queue.Close:
		return []string{fmt.Sprintf("closes %s without a conversation, as %s", a.ID, a.Job)}
	case queue.Load:
		return []string{"asks for " + loadText(a)}
	case queue.WakeAt:
		return []string{fmt.Sprintf("sets its timer to %v after its start", time.Duration(a.At))}
	case queue.Accepted:
		return []string{fmt.Sprintf("lets %s be acknowledged%s", a.ID, errText(a.Err))}
	case queue.MayCommit:
		return []string{fmt.Sprintf("lets %s send the dot%s", a.Job, errText(a.Err))}
	case queue.Settled:
		return []string{fmt.Sprintf("releases %s%s", a.Job, errText(a.Err))}
	case queue.Decided:
		return []string{fmt.Sprintf("answers the operator on %s%s", a.ID, errText(a.Err))}
	case queue.Ready:
		return []string{"is ready"}
	case queue.Halt:
		return []string{"stops: " + a.Err.Error()}
	}
	return []string{fmt.Sprintf("%T", a)}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return ", with the error: " + err.Error()
}

// entryText lists the recipients of an encoded control entry and where they
// stand.
func entryText(value []byte) string {
	e, err := queue.DecodeEntry(value)
	if err != nil {
		return " (" + err.Error() + ")"
	}
	var all []string
	for _, r := range e.Recipients {
		all = append(all, r.Address+" "+r.State.String())
	}
	return " (" + strings.Join(all, ", ") + ")"
}
