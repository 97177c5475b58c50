package resolve

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// maxTTL and maxNegativeTTL cap how long an answer is believed: RFC 8767
	// section 4 has resolvers cap what nobody can have meant, and RFC 2308
	// section 5 advises one to three hours for what does not exist.
	maxTTL         = 24 * time.Hour
	maxNegativeTTL = time.Hour
	// maxCached bounds what a Cache holds: its answers and their records.
	maxCached = 20_000
)

// A Cache remembers answers of the DNS for as long as they may be believed:
// records for their TTL, their absence for that of the SOA (RFC 2308 section
// 5). What the DNS could not say is not remembered: whoever asks next asks
// anew. When it is full, what was longest not asked for goes.
//
// Of each question one query is under way at a time; whoever asks the same
// meanwhile waits for its answer, be it none. Those who wait are released one
// by one through start, so that one completion makes one goroutine runnable.
type Cache struct {
	start func(func())

	mu      sync.Mutex
	entries map[dns.Question]*list.Element // of *entry
	recent  list.List                      // most recently asked for first
	held    int                            // entries and their records
	flights map[dns.Question]*flight
}

// An entry is an answer and when it stops being one.
type entry struct {
	question dns.Question
	answer   *dns.Msg
	end      time.Time
}

func (e *entry) cost() int { return 1 + len(e.answer.Answer) }

// A flight is a query under way and those who wait for it.
type flight struct{ waiting []chan landing }

// A landing is what a flight came to: an answer, or why there is none.
type landing struct {
	answer *dns.Msg
	why    string
	// brokenOff is true when it was not the DNS that ended the query, so that
	// nothing is known.
	brokenOff bool
}

// NewCache returns an empty cache. start begins a goroutine at an instant of
// its own (seam.Host.Start).
func NewCache(start func(func())) *Cache {
	return &Cache{start: start, entries: map[dns.Question]*list.Element{}, flights: map[dns.Question]*flight{}}
}

// get returns the answer to a question, or why there is none: from memory,
// from a query under way, or from query. What it returns is shared, and must
// not be changed.
func (c *Cache) get(ctx context.Context, q dns.Question, query func() (*dns.Msg, string)) (*dns.Msg, string) {
	for {
		answer, wait := c.board(q)
		if answer != nil {
			return answer, ""
		}
		if wait == nil {
			break
		}
		select {
		case l := <-wait:
			if !l.brokenOff {
				return l.answer, l.why
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx).Error()
		}
	}
	answer, why := query()
	c.land(q, landing{answer, why, why != "" && ctx.Err() != nil})
	return answer, why
}

// board returns an answer that can still be believed, or where to wait for
// that to a query under way. Without either, the caller has the query to make.
func (c *Cache) board(q dns.Question) (*dns.Msg, <-chan landing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.entries[q]; at != nil {
		e := at.Value.(*entry)
		if time.Now().Before(e.end) {
			c.recent.MoveToFront(at)
			return e.answer, nil
		}
		c.forget(at)
	}
	f := c.flights[q]
	if f == nil {
		c.flights[q] = &flight{}
		return nil, nil
	}
	wait := make(chan landing, 1)
	f.waiting = append(f.waiting, wait)
	return nil, wait
}

// land ends the flight of a question: its answer is remembered, and given to
// those who wait.
func (c *Cache) land(q dns.Question, l landing) {
	c.mu.Lock()
	waiting := c.flights[q].waiting
	delete(c.flights, q)
	if l.why == "" {
		c.remember(q, l.answer)
	}
	c.mu.Unlock()
	for _, wait := range waiting {
		c.start(func() { wait <- l })
	}
}

// remember keeps an answer while it may be believed, and makes room for it.
func (c *Cache) remember(q dns.Question, answer *dns.Msg) {
	life := lifeOf(q, answer)
	e := &entry{question: q, answer: essence(answer), end: time.Now().Add(life)}
	if life <= 0 || e.cost() > maxCached/10 {
		return
	}
	for c.held+e.cost() > maxCached {
		c.forget(c.recent.Back())
	}
	c.held += e.cost()
	c.entries[q] = c.recent.PushFront(e)
}

func (c *Cache) forget(at *list.Element) {
	e := c.recent.Remove(at).(*entry)
	delete(c.entries, e.question)
	c.held -= e.cost()
}

// essence returns what a look-up reads of an answer, without what else a
// server may have put into it.
func essence(answer *dns.Msg) *dns.Msg {
	kept := &dns.Msg{MsgHdr: answer.MsgHdr, Question: answer.Question}
	for _, rr := range answer.Answer {
		if rr == nil {
			continue
		}
		switch rr.Header().Rrtype {
		case dns.TypeMX, dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			kept.Answer = append(kept.Answer, rr)
		}
	}
	return kept
}

// lifeOf returns how long an answer may be believed: as long as the first of
// its records does; where there are none, as long as the SOA says twice, in
// its own TTL and in its last field. Without an SOA nothing says how long
// (RFC 2308 section 5).
func lifeOf(q dns.Question, answer *dns.Msg) time.Duration {
	least, found := maxTTL, false
	for _, rr := range essence(answer).Answer {
		least = min(least, seconds(rr.Header().Ttl))
		found = found || rr.Header().Rrtype == q.Qtype
	}
	if found && answer.Rcode == dns.RcodeSuccess {
		return least
	}
	for _, rr := range answer.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(least, maxNegativeTTL, seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
		}
	}
	return 0
}

// seconds is a TTL as a length of time. One with the highest bit set is 0
// (RFC 2181 section 8).
func seconds(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}
