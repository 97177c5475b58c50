package delivery

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
)

func TestAServerIsTrustedWithPipeliningAgainAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(spec.DefaultPolicy("relay.example"), func(f func()) { f() }, func(spec.Fact) {}, nil)
		at := func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 25)
		}
		for i := range mostWary + 1 {
			p.beWary(at(i))
		}
		if !p.isWary(at(0)) || p.isWary(at(mostWary)) {
			t.Error("there is no bound, or it is not that of the first ones")
		}
		time.Sleep(waryFor + time.Second)
		if p.isWary(at(0)) {
			t.Error("a day later nothing is forgotten")
		}
		p.beWary(at(mostWary))
		if !p.isWary(at(mostWary)) || len(p.wary) != 1 {
			t.Errorf("%d servers are remembered, want the last one", len(p.wary))
		}
	})
}
