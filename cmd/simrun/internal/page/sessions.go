package page

import "github.com/postonce/postonce/spec"

// A Session is one connection, drawn as a bar.
type Session struct {
	Lane int `json:"lane"`
	Row  int `json:"row"`
	// Name is the client's address as the server sees it, Addr the server's.
	Name string `json:"name"`
	Addr string `json:"addr,omitempty"`
	From int    `json:"from"`
	// Until is the end of the chart for a connection that was never closed.
	Until int `json:"until"`
	// Facts are those of the session, in their order: the dialogue.
	Facts []int `json:"facts"`
	// Took is true when the server accepted a message on it.
	Took bool `json:"took,omitempty"`
}

// mostRows caps the rows of one server. More sessions at once share a row.
const mostRows = 8

// A call is a session while the facts are read.
type call struct {
	name, addr, host string
	facts            []int
	closed           bool
}

// sessions finds which facts belong to which connection.
type sessions struct {
	of    []int // the session of each fact
	calls []*call
	hosts []string // servers, in the order in which they are met
	known map[string]bool
	names map[string]string // addresses of servers
}

func newSessions(facts []spec.Fact) *sessions {
	s := &sessions{of: make([]int, len(facts)), known: map[string]bool{}, names: map[string]string{}}
	open := map[string]int{}
	for i := range facts {
		f := &facts[i]
		s.of[i] = -1
		if f.Kind == spec.FactDial {
			s.names[f.Addr] = f.Host
			s.meet(f.Host)
		}
		if f.Session == "" {
			continue
		}
		at, ok := open[f.Session]
		if !ok || f.Kind == spec.FactConnect {
			at = len(s.calls)
			open[f.Session] = at
			s.calls = append(s.calls, &call{name: f.Session})
		}
		c := s.calls[at]
		if f.Addr != "" {
			c.addr = f.Addr
		}
		if f.Host != "" && c.host == "" {
			c.host = f.Host
			s.meet(f.Host)
			if c.addr != "" {
				s.names[c.addr] = f.Host
			}
		}
		c.facts = append(c.facts, i)
		c.closed = c.closed || f.Kind == spec.FactClosed
		s.of[i] = at
	}
	for i := range facts {
		s.meet(s.hostOf(&facts[i]))
	}
	return s
}

// meet notes a server.
func (s *sessions) meet(host string) {
	if host != "" && !s.known[host] {
		s.known[host] = true
		s.hosts = append(s.hosts, host)
	}
}

// hostOf returns the server that a true fact is about, if any.
func (s *sessions) hostOf(f *spec.Fact) string {
	switch {
	case f.Actor == spec.ActorRelay || f.Actor == spec.ActorWorld:
		return ""
	case f.Host != "":
		return f.Host
	}
	return s.names[f.Addr]
}

// placed gives every session its place.
func (s *sessions) placed(c *chartist) []Session {
	all := make([]Session, len(s.calls))
	ends := map[int][]int{} // by lane, where each row is free
	for i, call := range s.calls {
		host := call.host
		if host == "" {
			host = s.names[call.addr]
		}
		lane, ok := c.server[host]
		if !ok {
			lane = c.lane[groupSubmitter]
		}
		last := call.facts[len(call.facts)-1]
		p := Session{Lane: lane, Name: call.name, Addr: call.addr, From: c.xs[call.facts[0]], Until: c.xs[last], Facts: call.facts}
		if !call.closed {
			p.Until = c.chart.Width
		}
		for _, k := range call.facts {
			p.Took = p.Took || c.facts[k].Kind == spec.FactAccepted
		}
		if lane != c.lane[groupSubmitter] { // of submitters only what they hear matters
			p.Row = row(ends[lane], p.From)
		}
		for len(ends[lane]) <= p.Row {
			ends[lane] = append(ends[lane], 0)
		}
		ends[lane][p.Row] = max(ends[lane][p.Row], p.Until)
		c.chart.Lanes[lane].Rows = len(ends[lane])
		all[i] = p
	}
	return all
}

// row returns the first row that is free from x on; when none is and there may
// be no more, the one that is free first.
func row(ends []int, x int) int {
	best := 0
	for i, end := range ends {
		if end < x {
			return i
		}
		if end < ends[best] {
			best = i
		}
	}
	if len(ends) < mostRows {
		return len(ends)
	}
	return best
}
