package spec

import (
	"fmt"
	"testing"
)

func TestWhoWritesAnAddressOfItsOwnIntoEachMailIsOneSender(t *testing.T) {
	for _, same := range [][]string{
		{"news@example.org", "news+1234@example.org", "news-bob=example.net@example.org", "NEWS@Example.ORG.", "news=x@example.org"},
		{"", "<>"},
		{"jörg@bücher.example", "jörg@xn--bcher-kva.example"},
	} {
		for _, sender := range same {
			if got, want := LaneOf(sender), LaneOf(same[0]); got != want {
				t.Errorf("%s is in lane %v, and %s in %v", sender, got, same[0], want)
			}
		}
	}
}

func TestSendersAreSpreadOverAllLanes(t *testing.T) {
	for name, sender := range map[string]string{"by name": "user%d@example.org", "by domain": "news@d%d.example"} { // any order
		var count [256]int
		const senders = 2600
		for i := range senders {
			count[LaneOf(fmt.Sprintf(sender, i))]++
		}
		for i, n := range count {
			lane := Lane(i)
			if letter := 'a' <= lane && lane <= 'z'; letter != (n > 0) || n > 3*senders/Lanes {
				t.Errorf("%s: lane %v has %d of %d senders", name, lane, n, senders)
			}
		}
	}
}

// What an earlier relay has stored is found where it was put.
func TestLanesNeverChange(t *testing.T) {
	for sender, want := range map[string]Lane{"": 'j', "alice@example.org": 'z', "bob@example.org": 'y'} { // any order
		if got := LaneOf(sender); got != want {
			t.Errorf("%q is in lane %v, want %v", sender, got, want)
		}
	}
}
