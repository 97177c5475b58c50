package impl_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A crowd is a disk with many messages that wait for a few destinations, all of
// them due. What it held at first is not in memory: its entries are made when
// they are read.
type crowd struct {
	messages, destinations int
	due                    spec.Wall // of the first message; each later one a millisecond after

	mu sync.Mutex
	// changed holds what was stored since, nil where it was deleted; added the
	// names of index lines among it, in order.
	changed map[seam.Key][]byte
	added   []string
	acks    chan func(error)
	ended   chan struct{}
}

func newCrowd(messages, destinations int, due spec.Wall) *crowd {
	c := &crowd{
		messages: messages, destinations: destinations, due: due,
		changed: map[seam.Key][]byte{}, acks: make(chan func(error), 10_000), ended: make(chan struct{}),
	}
	go func() { // the disk, at two milliseconds a sync
		defer close(c.ended)
		for done := range c.acks {
			time.Sleep(2 * time.Millisecond)
			done(nil)
		}
	}()
	return c
}

// line is the index line at a place of the order in which the disk has them.
func (c *crowd) line(at int) queue.Waiting {
	each := c.messages / c.destinations
	dest, i := at/each, at%each
	return queue.Waiting{
		Destination: fmt.Sprintf("dead%04d.example", dest),
		Due:         c.due.Add(time.Duration(i) * time.Millisecond),
		ID:          spec.QueueID(fmt.Sprintf("waiting-%07d", at)),
	}
}

// entry is the control entry at a place.
func (c *crowd) entry(at int) *queue.Entry {
	w := c.line(at)
	return &queue.Entry{
		ID: w.ID, Message: string(w.ID) + "@submit.example", Sender: "alice@example.org", Size: 7, Submitted: c.due.Add(-time.Hour),
		Recipients: []queue.Recipient{{Address: "bob@" + w.Destination, State: spec.Queued, Due: w.Due}},
	}
}

// first is what a key had at first.
func (c *crowd) first(k seam.Key) []byte {
	id, rest, _ := strings.Cut(k.Name, "/")
	var at int
	if n, err := fmt.Sscanf(id, "waiting-%07d", &at); n != 1 || err != nil || at >= c.messages {
		return nil
	}
	switch {
	case k.Space == seam.SpaceControl:
		return c.entry(at).Encode()
	case k.Space == seam.SpaceBody && rest == "00000000":
		return []byte("A: b\r\n\r\n")
	}
	return nil
}

func (c *crowd) change(ops []seam.Op) {
	for _, op := range ops {
		value := slices.Clone(op.Value)
		if op.Delete {
			value = nil
		} else if value == nil {
			value = []byte{}
		}
		c.changed[op.Key] = value
		if op.Key.Space != seam.SpaceDue {
			continue
		}
		at, there := slices.BinarySearch(c.added, op.Key.Name)
		switch {
		case op.Delete && there:
			c.added = slices.Delete(c.added, at, at+1)
		case !op.Delete && !there:
			c.added = slices.Insert(c.added, at, op.Key.Name)
		}
	}
}

// Apply implements seam.Store.
func (c *crowd) Apply(ops []seam.Op, done func(error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(ops)
	c.acks <- done
}

// Write implements seam.Store.
func (c *crowd) Write(ops []seam.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(ops)
	return nil
}

// Get implements seam.Store.
func (c *crowd) Get(k seam.Key) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, stored := c.changed[k]
	if !stored {
		value = c.first(k)
	}
	if value == nil {
		return nil, seam.ErrNotFound
	}
	return slices.Clone(value), nil
}

// Scan implements seam.Store. A read takes five milliseconds.
func (c *crowd) Scan(space seam.Space, prefix, after string, limit int) ([]seam.Entry, error) {
	time.Sleep(5 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	if space != seam.SpaceDue {
		return nil, nil // what else is there is not looked for
	}
	from := max(after, prefix)
	at := sort.Search(c.messages, func(i int) bool { return c.line(i).Key().Name > from })
	added, _ := slices.BinarySearch(c.added, from+"\x00")
	var all []seam.Entry
	for len(all) < limit {
		name := ""
		for ; at < c.messages; at++ {
			if _, changed := c.changed[c.line(at).Key()]; !changed {
				name = c.line(at).Key().Name
				break
			}
		}
		if added < len(c.added) && (name == "" || c.added[added] < name) {
			name = c.added[added]
			added++
		} else {
			at++
		}
		if name == "" || !strings.HasPrefix(name, prefix) {
			break
		}
		all = append(all, seam.Entry{Key: seam.Key{Space: space, Name: name}})
	}
	return all, nil
}

// Close implements seam.Store.
func (c *crowd) Close() error {
	close(c.acks)
	<-c.ended
	return nil
}

// besideACrowd runs a relay for some minutes whose spool holds many messages for
// destinations at which every connection waits for its time-out. After each pause
// a message for somebody else is submitted. It returns how long each of these
// waited for its first attempt, and what the relay held in memory at the end.
func besideACrowd(t *testing.T, messages, destinations, minutes int, pause time.Duration, limits spec.Limits) (waited []time.Duration, held uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		disk := newCrowd(messages, destinations, spec.WallOf(time.Now().Add(-time.Hour)))
		var mu sync.Mutex
		dialled := map[string]time.Time{}
		attempts := 0
		config := impl.Config{Policy: spec.DefaultPolicy("relay.example")}
		config.Policy.Limits = limits
		relay, err := impl.New(config, seam.Host{
			Dial: func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
				if strings.HasPrefix(addr, "192.0.2.1:") {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return nil, errors.New("connection refused")
			},
			Listen:   func(string) (net.Listener, error) { return nil, errors.New("address already in use") },
			Exchange: answer,
			Store:    disk, Start: func(f func()) { go f() },
			Random: func(string) *rand.Rand { return rand.New(rand.NewPCG(1, 2)) },
			Note: func(f spec.Fact) {
				mu.Lock()
				defer mu.Unlock()
				if f.Kind != spec.FactDial {
					return
				}
				attempts++
				if dialled[f.Dest].IsZero() {
					dialled[f.Dest] = time.Now()
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- relay.Run(ctx) }()
		for i := range minutes {
			time.Sleep(pause)
			dest := fmt.Sprintf("alive%d.example", i)
			if _, err := relay.Submit(t.Context(), to("carol@"+dest), "", strings.NewReader("Subject: x\r\n\r\nHi\r\n")); err != nil {
				t.Fatal(err)
			}
			submitted := time.Now()
			time.Sleep(30 * time.Second)
			mu.Lock()
			if at := dialled[dest]; at.IsZero() {
				waited = append(waited, 30*time.Second)
			} else {
				waited = append(waited, at.Sub(submitted))
			}
			mu.Unlock()
		}
		with := heap()
		mu.Lock()
		if attempts < 3 {
			t.Errorf("%d attempts in %d minutes: the crowd was not there", attempts, minutes)
		}
		mu.Unlock()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		relay = nil
		held = with - heap()
		runtime.KeepAlive(disk)
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return waited, held
}

// busy is a pause after which attempts at the crowd's destinations wait.
const busy = 67 * time.Second

// forgetful are limits of a relay that never learns that a destination is dead.
func forgetful() spec.Limits {
	l := spec.DefaultLimits()
	l.DeadAfter, l.FirstPerDestination = 0, l.DeliveriesPerDestination
	return l
}

// answer is a DNS in which every domain is its own host.
func answer(_ context.Context, q *dns.Msg) (*dns.Msg, error) {
	m := new(dns.Msg).SetReply(q)
	if name := q.Question[0].Name; q.Question[0].Qtype == dns.TypeA {
		ip := net.IPv4(192, 0, 2, 2)
		if strings.HasPrefix(name, "dead") {
			ip = net.IPv4(192, 0, 2, 1)
		}
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: ip}}
	}
	return m, nil
}

// heap is how many bytes the program's objects take.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAFreshMessageIsAttemptedAtOnceBesideAMillionForADeadDestination(t *testing.T) {
	for name, limits := range map[string]spec.Limits{"unless told": spec.DefaultLimits(), "forgetful": forgetful()} { // any order
		waited, _ := besideACrowd(t, 1_000_000, 1, 5, busy, limits)
		t.Logf("%s, with a million messages for one dead destination: %v", name, waited)
		for _, d := range waited {
			if d > time.Second {
				t.Errorf("%s, a fresh message for another destination was attempted after %v", name, d)
			}
		}
	}
	// That this can fail is seen where one destination may take every place.
	limits := forgetful()
	limits.DeliveriesPerDestination, limits.FirstPerDestination = limits.Deliveries, limits.Deliveries
	if waited, _ := besideACrowd(t, 1_000_000, 1, 1, 7*time.Second, limits); waited[0] <= time.Second {
		t.Errorf("it was attempted after %v where the crowd may take every place", waited[0])
	}
}

// TestMemoryDoesNotGrowWithTheQueue measures by a window that is full with the
// least of the queues: what the window holds is for as many groups as are due,
// and no more than its limit.
func TestMemoryDoesNotGrowWithTheQueue(t *testing.T) {
	const destinations = 500
	limits := forgetful()
	limits.WindowGroups = 1000
	measured := func(messages int) uint64 {
		_, held := besideACrowd(t, messages, destinations, 2, busy, limits)
		return held
	}
	measured(10_000) // what is made once in a process, is made here
	least := measured(10_000)
	for _, messages := range []int{100_000, 1_000_000} {
		held := measured(messages)
		t.Logf("with %d messages the relay holds %.2f MB, with 10,000 it holds %.2f MB", messages, float64(held)/1e6, float64(least)/1e6)
		if held > least+least/10 {
			t.Errorf("with %d messages the relay holds %d bytes, with 10,000 it holds %d", messages, held, least)
		}
	}
}
