package coverage

import (
	"slices"

	"github.com/postonce/postonce/spec"
)

// Which cells of the verdict table the relay met.
//
// What stops it, it says itself, as a trouble: with the verdict of the table,
// or else it has not asked the table. What lets it go on is what a server
// replied and the relay has shown to have read: by a command that it would not
// have said without, or by a trouble at a later stage of the conversation.

// A session is one conversation.
type session struct {
	// job is whose it is, nil when that is not known.
	job *job
	// unread are replies that let the relay go on, once it reads them.
	unread []cell
	// torn is the stage at which the server cuts within its reply.
	torn spec.Stage
	// over is true when the relay has given up on it.
	over bool
}

type cell struct {
	stage spec.Stage
	event spec.Event
}

// belongsTo corrects whose conversation it is.
func (s *session) belongsTo(j *job) {
	if j != nil {
		s.job = j
	}
}

// wire takes the facts of networks and servers.
func (r *Run) wire(f *spec.Fact) {
	switch f.Kind {
	case spec.FactConnect:
		// The client's port may have been used before.
		r.sessions[f.Session] = &session{job: r.dialled(f.Addr)}
	case spec.FactConnectFailed:
		r.dialled(f.Addr)
	case spec.FactClosed:
		if s := r.sessions[f.Session]; s != nil {
			r.closed(s)
			delete(r.sessions, f.Session)
		}
	case spec.FactCommand:
		if s := r.sessions[f.Session]; s != nil && f.Stage != spec.StageRCPT && f.Stage != spec.StageDATA {
			r.read(s, spec.StageIdle+1) // RCPT and DATA may be said ahead
		}
	case spec.FactReply:
		r.replied(f)
	}
}

// replied takes a reply, which is met when the relay has read it. Nobody says
// when a server that no network speaks of was left; so it is forgotten.
func (r *Run) replied(f *spec.Fact) {
	s, event := r.sessions[f.Session], eventOf(f.Reply)
	goesOn := f.Stage <= spec.StageDot && spec.Decide(f.Stage, event).Verdict == spec.Proceed
	if s == nil || s.over || s.torn == f.Stage || !goesOn && event != spec.Reply2 {
		return
	}
	if !slices.Contains(s.unread, cell{f.Stage, event}) {
		s.unread = append(s.unread, cell{f.Stage, event})
	}
}

// dialled returns whose the first connection is of those that are being made
// to an address. When several are, it may be another's: until its dot says so,
// or a trouble.
func (r *Run) dialled(addr string) *job {
	waiting := r.dials[addr]
	if len(waiting) == 0 {
		return nil
	}
	if len(waiting) == 1 {
		delete(r.dials, addr)
	} else {
		r.dials[addr] = waiting[1:]
	}
	return waiting[0]
}

// read counts the replies before a stage as read.
func (r *Run) read(s *session, before spec.Stage) {
	left := s.unread[:0]
	for _, u := range s.unread {
		if u.stage < before {
			r.c.hit(CellPoint(u.stage, u.event))
		} else {
			left = append(left, u)
		}
	}
	s.unread = left
}

// closed ends a conversation. A yes to QUIT is shown to have been read by
// nothing but that no trouble with it was told.
func (r *Run) closed(s *session) {
	for _, u := range s.unread {
		if u.stage == spec.StageQUIT && !s.over {
			r.c.hit(CellPoint(u.stage, u.event))
		}
	}
}

// trouble takes what the relay met.
func (r *Run) trouble(f *spec.Fact) {
	// A refusal of the relay's own is a 5yz that no server said.
	said := f.Event > spec.Reply5 || eventOf(f.Reply) == f.Event
	if spec.CanOccur(f.Stage, f.Event) && f.Verdict == spec.Decide(f.Stage, f.Event).Verdict && said {
		r.c.hit(CellPoint(f.Stage, f.Event))
	}
	s := r.sessions[f.Session]
	if s == nil {
		return
	}
	s.belongsTo(r.jobs[f.Job])
	r.read(s, f.Stage)
	switch f.Event {
	case spec.Reply421, spec.Malformed, spec.Timeout, spec.Cut:
		s.over, s.unread = true, nil
	default: // the conversation may go on
	}
}

// eventOf classifies a reply as facts have it, on one line.
func eventOf(reply string) spec.Event {
	code := 0
	for i := range min(len(reply), 3) {
		if reply[i] < '0' || reply[i] > '9' {
			return spec.Malformed
		}
		code = code*10 + int(reply[i]-'0')
	}
	if len(reply) < 3 || len(reply) > 3 && reply[3] >= '0' && reply[3] <= '9' {
		return spec.Malformed
	}
	return spec.EventOf(spec.Reply{Code: code})
}
