package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
)

// A network knows who listens where.
type network struct {
	// hosts are the machines of servers, in order, and by address.
	hosts   []*host
	byIP    map[netip.Addr]*host
	listens map[netip.AddrPort]*listener
	// ports counts the client ports given out, dials the dials by address.
	ports int
	dials map[string]int
}

// A host is a machine that runs one SMTP server.
type host struct {
	scenarios.Server
	server smtpServer
	// faulted is true once Network applied, healed once faults ended.
	faulted, healed bool
}

// listensAt reports whether the server of a host is there at a port: the one
// that the policy names with it, as a smart host or fallback; else that of all
// MX hosts.
func (w *world) listensAt(h *host, port uint16) bool {
	policy, named := w.scenario.Policy, false
	hops := slices.Concat(policy.Relays, policy.Fallback)
	for _, route := range policy.Routes { // in any order: one is enough
		hops = append(hops, route...)
	}
	for _, route := range policy.SenderRoutes { // in any order: one is enough
		hops = append(hops, route...)
	}
	for _, hop := range hops {
		name, text, err := net.SplitHostPort(hop)
		if err != nil {
			name, text = hop, strconv.Itoa(int(policy.Port))
		}
		ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
		if !strings.EqualFold(strings.TrimSuffix(name, "."), h.Name) && (err != nil || w.network.byIP[ip] != h) {
			continue
		}
		named = true
		if text == strconv.Itoa(int(port)) {
			return true
		}
	}
	return port == policy.Port && (!named || w.isMX(h))
}

// isMX reports whether a domain names the host as its MX.
func (w *world) isMX(h *host) bool {
	return slices.ContainsFunc(w.scenario.DNS, func(r scenarios.Record) bool {
		return r.Type == "MX" && strings.EqualFold(strings.TrimSuffix(r.Value, "."), h.Name)
	})
}

// firstPort is the first client port.
const firstPort = 32768

func newNetwork(w *world) network {
	n := network{byIP: map[netip.Addr]*host{}, listens: map[netip.AddrPort]*listener{}, dials: map[string]int{}}
	for _, s := range w.scenario.Servers {
		n.hosts = append(n.hosts, &host{Server: s})
	}
	if n.host(scenarios.MailboxServer) == nil {
		n.hosts = append(n.hosts, &host{Server: scenarios.Server{Name: scenarios.MailboxServer, Peer: true}})
	}
	for _, r := range w.scenario.DNS {
		h := n.host(strings.TrimSuffix(r.Name, "."))
		if ip, err := netip.ParseAddr(r.Value); h != nil && r.Fault == "" && err == nil && (r.Type == "A" || r.Type == "AAAA") {
			n.byIP[ip] = h
		}
	}
	if n.byIP[mailboxIP] == nil {
		n.byIP[mailboxIP] = n.host(scenarios.MailboxServer)
	}
	return n
}

// nameOf names the machine at an address, empty when there is none.
func (n *network) nameOf(ip netip.Addr) string {
	if h := n.byIP[ip]; h != nil {
		return h.Name
	}
	return ""
}

// host returns the machine called name, nil when there is none.
func (n *network) host(name string) *host {
	for _, h := range n.hosts {
		if strings.EqualFold(h.Name, name) {
			return h
		}
	}
	return nil
}

// trouble says how connecting to h goes wrong at a time; empty is well.
func (h *host) trouble(now time.Duration) string {
	if h == nil || h.healed || h.Network == "" || h.NetworkUntil > 0 && now >= h.NetworkUntil {
		return ""
	}
	h.faulted = true
	return h.Network
}

// networkFaults are the words of a scenario as facts have them.
var networkFaults = map[string]spec.Fault{
	"refused": spec.FaultRefused, "unreachable": spec.FaultUnreachable, "silent": spec.FaultNoAnswer,
}

// tcpTimeout is how long Linux tries to connect by itself.
const tcpTimeout = 127 * time.Second

// dial connects from a machine to addr.
func (w *world) dial(ctx context.Context, p *process, from netip.Addr, addr string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%q is no IP address with a port", addr)}
	}
	w.mu.Lock()
	if p.dead { // what it still does must not be seen in what comes after it
		w.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: net.ErrClosed}
	}
	w.network.dials[addr]++
	name := fmt.Sprintf("net %s from %s %d", addr, from, w.network.dials[addr])
	h := w.network.byIP[to.Addr()]
	trouble := h.trouble(w.now())
	fault := networkFaults[trouble]
	if w.failing(p, "dial") != nil {
		trouble, fault = "no socket left", spec.FaultDial
	}
	at := w.later(w.stream(name), connectTime)
	if trouble == "silent" {
		at = w.claim(w.now() + tcpTimeout)
	}
	w.mu.Unlock()
	err = w.sleep(ctx, p, at)

	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.listening(to)
	switch {
	case p.dead:
		err = net.ErrClosed
	case err != nil:
	case from.Is4() && !relayNet.Contains(from) && p != w.nature:
		err = os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)
	case fault == spec.FaultDial:
		err = os.NewSyscallError("socket", syscall.EMFILE)
	case trouble == "silent":
		err = os.NewSyscallError("connect", syscall.ETIMEDOUT)
	case trouble == "unreachable":
		err = os.NewSyscallError("connect", syscall.EHOSTUNREACH)
	case trouble == "refused" || l == nil:
		err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	remote := net.TCPAddrFromAddrPort(to)
	if err != nil {
		if p != w.nature {
			var facts []spec.Fact
			if trouble != "" {
				facts = append(facts, spec.Fact{
					Actor: spec.ActorNetwork, Kind: spec.FactFault, Host: w.network.nameOf(to.Addr()), Addr: addr,
					Faults: []spec.Fault{fault}, Text: "network " + trouble,
				})
			}
			w.record(p, append(facts, spec.Fact{Actor: spec.ActorNetwork, Kind: spec.FactConnectFailed, Addr: addr, Text: failure(err)})...)
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: remote, Err: err}
	}
	port := firstPort + w.network.ports%(1<<16-firstPort)
	w.network.ports++
	client, server := w.connect(p, l.owner, net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, uint16(port))), remote, name)
	if !w.record(p, spec.Fact{Actor: spec.ActorNetwork, Kind: spec.FactConnect, Session: client.link.session, Addr: addr}) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: remote, Err: net.ErrClosed}
	}
	w.after(w.later(client.out.random, acceptTime), func() { l.offer(server) })
	return client, nil
}

// failure is the text of an error for a fact.
func failure(err error) string {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err.Error()
	}
	return err.Error()
}

// sleep waits for an instant. It ends early with ctx, and with p.
func (w *world) sleep(ctx context.Context, p *process, at time.Duration) error {
	timer := time.NewTimer(at - w.now())
	defer timer.Stop()
	// Never two of these are ready together: the instant is nobody else's.
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.gone:
		return net.ErrClosed
	}
}

// listening returns the listener at addr, nil when there is none. A server
// begins to listen when it is first dialled.
func (w *world) listening(addr netip.AddrPort) *listener {
	if l := w.network.listens[addr]; l != nil {
		return l
	}
	h := w.network.byIP[addr.Addr()]
	if h == nil || w.over || !w.listensAt(h, addr.Port()) {
		return nil
	}
	if h.server == nil {
		h.server = w.newServer(h)
	}
	l := w.newListener(w.nature, addr)
	go func() { _ = h.server.Serve(l) }() // it fails when the world ends
	return l
}

// listen opens a listener for the relay.
func (w *world) listen(p *process, addr string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(addr)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		err = fmt.Errorf("%q is no IP address with a port", addr)
	case p.dead:
		err = net.ErrClosed
	case w.network.listens[at] != nil:
		err = os.NewSyscallError("bind", syscall.EADDRINUSE)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	return w.newListener(p, at), nil
}

// A listener holds connections until they are accepted.
type listener struct {
	world   *world
	owner   *process
	addr    netip.AddrPort
	backlog []*conn
	place   place
	closed  bool
}

func (w *world) newListener(owner *process, addr netip.AddrPort) *listener {
	l := &listener{world: w, owner: owner, addr: addr, place: newPlace(w)}
	owner.listeners = append(owner.listeners, l)
	w.network.listens[addr] = l
	return l
}

// offer puts a new connection into the backlog.
func (l *listener) offer(c *conn) {
	if l.closed || l.owner.dead {
		c.refuse()
		return
	}
	l.backlog = append(l.backlog, c)
	l.place.wake()
}

// refuse ends a connection that nobody accepted.
func (c *conn) refuse() {
	if !c.closed && !c.owner.dead {
		c.closed = true
		c.out.sendReset()
		c.finish("never accepted")
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	for {
		if l.closed || l.owner.dead {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
		}
		if len(l.backlog) > 0 {
			c := l.backlog[0]
			l.backlog = l.backlog[1:]
			return c, nil
		}
		l.place.wait(time.Time{})
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	if l.closed || l.owner.dead {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.closed = true
	delete(l.world.network.listens, l.addr)
	for _, c := range l.backlog {
		c.refuse()
	}
	l.place.wakeSoon()
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }
