package spec

// What the relay says of its connections, held against what the network saw,
// and how often it sends the final dot.

// connected takes a connection that was made, or was not. To an address that
// the relay dials, nobody else connects; and nobody else is known to fail.
func (c *Checker) connected(e *event) {
	if c.hops.dialled[e.Addr] == 0 {
		if e.Kind == FactConnectFailed && c.hops.lastDial > 0 {
			c.violate(NextHopOrder, "undialled "+e.Addr, []*event{e}, "the relay tried to connect to %s, and did not say so", e.Addr)
		}
		return
	}
	c.hops.connects[e.Addr]++
	c.hops.lastConnect[e.Addr] = e.seq
	if n, said := c.hops.connects[e.Addr], c.hops.dialled[e.Addr]; n > said {
		c.violate(FairAndBounded, "connections "+e.Addr+e.At.String(), []*event{e},
			"%d connections to %s were tried, but the relay speaks of %d", n, e.Addr, said)
	}
}

// judgeConnected judges, when the dot leaves, that the server is the one that
// the relay said it dialled.
func (c *Checker) judgeConnected(e *event) {
	j := c.fair.jobs[e.Job]
	if e.Kind != FactDot || j == nil || len(j.hops.dials) == 0 || !c.wire.connected {
		return
	}
	dial := j.hops.dials[len(j.hops.dials)-1]
	if dial.Kind == FactReuse {
		if e.Session != "" && e.Session != dial.Session {
			c.violate(NextHopOrder, "connected "+e.Job, []*event{dial, e}, "the relay says that it took up %s with %s, but it talks over %s",
				dial.Session, dial.Host, e.Session)
		}
		return
	}
	if s := c.wire.sessions[e.Session]; e.Session != "" && s != nil && s.addr != "" {
		if s.made != nil && s.made.seq < dial.seq {
			c.violate(NextHopOrder, "connected "+e.Job, []*event{s.made, dial, e},
				"the relay says that it dialled %s at %s, but it talks over a connection from before", dial.Host, dial.Addr)
		}
		if s.addr != dial.Addr {
			c.violate(NextHopOrder, "connected "+e.Job, []*event{dial, e}, "the relay says that it dialled %s at %s, but it talks to %s", dial.Host, dial.Addr, s.addr)
		}
		return
	}
	for _, d := range j.hops.dials {
		if d.Addr == "" || c.hops.lastConnect[d.Addr] > d.seq {
			return
		}
	}
	c.violate(NextHopOrder, "connected "+e.Job, []*event{dial, e}, "the relay says that it dialled %s at %s, but nobody connected there", dial.Host, dial.Addr)
}

// judgeOneDot judges a final dot: after one of the same attempt, whatever the
// answer to it, there is no other.
func (c *Checker) judgeOneDot(r *rcpt, e *event) {
	if before := r.lastDot; before != nil && r.begun != nil && before.seq > r.begun.seq && before.Job == e.Job && !r.mail.twins {
		c.violate(NextHopOrder, "dots "+r.name()+e.Job, []*event{before, e},
			"the relay sent the final dot for %s twice in one attempt, first to %s and then to %s", r.name(), before.Host, e.Host)
	}
}

// judgeIntended judges the relay's word that an intent is stored.
func (c *Checker) judgeIntended(m *mail, r *rcpt, e *event) {
	if !c.spool.detailed {
		return
	}
	c.spool.intends = true
	if x := m.entry; (x == nil || !x.intent.there()) && !m.twins {
		c.violate(NeverTwice, "intent "+r.name(), []*event{r.begun, e},
			"the relay says that the intent for %s is stored, but the disk does not hold it: a crash would forget that the dot had left", r.name())
	}
}

// judgeDotted judges a dot that a server has read, of a relay that stores
// intents: it must have stored one since the attempt began.
func (c *Checker) judgeDotted(s *session, e *event) {
	if !c.spool.intends {
		return
	}
	for _, r := range s.to {
		x := r.mail.entry
		if x == nil || r.mail.twins || r.begun == nil || r.job == nil || x.intent.there() || x.intent.erased != nil && x.intent.erased.seq > r.begun.seq {
			continue
		}
		c.violate(NeverTwice, "intent "+r.name(), []*event{r.begun, x.intent.erased, e},
			"%s read the final dot for %s, and no intent was stored: a crash would forget that it had left", e.Host, r.name())
	}
}
