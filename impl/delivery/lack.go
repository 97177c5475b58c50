package delivery

import (
	"net/netip"

	"github.com/postonce/postonce/spec"
)

// A place is one address of one next hop.
type place struct {
	host string
	addr netip.AddrPort
}

// A lack is what next hops showed that they do not offer, and the message or a
// recipient needs.
type lack struct {
	// here is the next hop that is being asked, asked are all that were.
	here  place
	asked []place
	// shown has, for a recipient, what each next hop showed.
	shown map[string]map[place]Result
	// unasked: there may be a next hop that was not asked.
	unasked bool
}

// ask takes that a next hop is about to be asked.
func (l *lack) ask(h hop) {
	l.here = place{h.Name, h.addr}
	l.asked = append(l.asked, l.here)
}

// note takes a result that leaves its recipient for the next host.
func (l *lack) note(r Result) {
	if r.Event != spec.NotOffered || r.Stage != spec.StageMAIL && r.Stage != spec.StageRCPT {
		return
	}
	if l.shown == nil {
		l.shown = map[string]map[place]Result{}
	}
	if l.shown[r.Recipient] == nil {
		l.shown[r.Recipient] = map[place]Result{}
	}
	l.shown[r.Recipient][l.here] = r
}

// everywhere returns the last of what was shown for a recipient, if every next hop
// there is has shown it: then time will not help (RFC 6531 section 3.2, RFC 8689
// section 4.2.1), and the sender can.
func (l *lack) everywhere(recipient string) (Result, bool) {
	var last Result
	for _, at := range l.asked {
		r, ok := l.shown[recipient][at]
		if !ok {
			return Result{}, false
		}
		last = r
	}
	last.Verdict = spec.FailRecipient
	return last, len(l.asked) > 0 && !l.unasked
}
