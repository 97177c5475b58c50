package delivery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/postonce/postonce/spec"
)

// How long and how many servers are spoken to one command at a time because a
// connection broke within an envelope that was pipelined. The next attempt must
// fall within the time, whatever the schedule.
const (
	waryFor  = 24 * time.Hour
	mostWary = 1000
)

// beWary remembers a server that may not bear the pipelining that it offers: it
// would break the next attempt in the same way, and the one after that.
func (p *Pool) beWary(addr netip.AddrPort) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wary) >= mostWary {
		for a, since := range p.wary { // any order: each is judged by itself
			if time.Since(since) > waryFor {
				delete(p.wary, a)
			}
		}
	}
	if len(p.wary) < mostWary {
		p.wary[addr] = time.Now()
	}
}

// isWary reports whether a server is to be spoken to one command at a time.
func (p *Pool) isWary(addr netip.AddrPort) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	since, is := p.wary[addr]
	return is && time.Since(since) <= waryFor
}

// brokenEnvelope reports whether the connection broke before the content of the
// first transaction on it. Later ones break for other reasons: a server has had
// enough of the connection.
func brokenEnvelope(t *talk, results []Result) bool {
	return t.messages == 1 && slices.ContainsFunc(results, func(r Result) bool {
		return r.Event == spec.Cut && !r.Broken && (r.Stage == spec.StageMAIL || r.Stage == spec.StageRCPT || r.Stage == spec.StageDATA)
	})
}
