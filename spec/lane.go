package spec

import (
	"hash/fnv"
	"strings"
)

// A Lane is where the mail of a sender waits at a destination: the lanes there
// take turns, each with one group, so that a sender with very much mail does not stand
// before one with little (stochastic fairness queueing: McKenney, INFOCOM 1990). Few
// senders share one, by a hash; so what is remembered of a destination is bounded,
// however many senders there are. It is a small letter; zero is none.
type Lane byte

// Lanes is how many there are.
const Lanes = 26

// String returns the letter.
func (l Lane) String() string {
	if l == 0 {
		return "none"
	}
	return string(rune(l))
}

// LaneOf returns the lane of a sender; the null sender, empty or "<>", has one too.
//
// Who writes an address of its own into each mail is one sender all the same: of
// the local part counts what is before the first "+", "-" or "=", where VERP, BATV and
// SRS put what differs. Letters count alike in either case.
func LaneOf(sender string) Lane {
	if sender == NullSender {
		sender = ""
	}
	local := sender
	if at := strings.LastIndexByte(sender, '@'); at >= 0 {
		local = sender[:at]
	}
	if end := strings.IndexAny(local, "+-="); end >= 0 {
		local = local[:end]
	}
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(local) + "@" + Domain(sender)))
	return 'a' + Lane(h.Sum32()%Lanes)
}
