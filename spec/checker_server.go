package spec

import (
	"slices"
	"strings"
)

// A wireBook holds the connections that servers and the network speak of.
type wireBook struct {
	sessions map[string]*session
	// lastNo is a 5yz that fails a message, to MAIL, or to something later where
	// it is not clear whom it concerns; earlyYes a 2yz before the dot, and
	// blurred a refusal at the dot of which that is not clear.
	lastNo, earlyYes, blurred mark
	// lastPeer is the latest fact of a server or the network; no8Bit and sizes
	// are the latest offers without 8BITMIME, and with a SIZE.
	lastPeer, no8Bit, sizes int
	// offers are what servers offered, by address, the latest few.
	offers map[string][]*offer
	// connected is true once a connection of anybody was heard of.
	connected bool
	// tlsFailed is where in the history STARTTLS was last said at an address to
	// no handshake, or a connection broke that offered it.
	tlsFailed map[string]int
	// troubles are faults that may touch any connection, the latest few.
	troubles []*event
}

// A mark is where in the history something was said last that may concern all
// who dialled the address where it was said; "" is one that is not known.
type mark struct {
	any int
	at  map[string]int
}

func (m *mark) set(addr string, seq int) {
	if m.at == nil {
		m.at = map[string]int{}
	}
	m.any, m.at[addr] = seq, seq
}

// marked is where a mark was set last that may concern the last attempt for r. A
// relay that speaks of no dials may have dialled anywhere.
func (c *Checker) marked(m *mark, r *rcpt) int {
	if c.hops.lastDial == 0 {
		return m.any
	}
	last := m.at[""]
	if r.tried == nil {
		return last
	}
	for _, d := range r.tried.hops.dials {
		last = max(last, m.at[d.Addr])
	}
	return last
}

// A session is one connection as its server sees it.
type session struct {
	host string
	// began is the fact with which its transaction began: MAIL, or that it was
	// connected; dot that its final dot arrived; closed that it is over.
	began, dot, closed *event
	// made is that it was connected; mails counts its transactions. rsetNo is an
	// answer to the latest RSET that was no yes.
	made   *event
	mails  int
	rsetNo *event
	// quit is true once QUIT was said.
	quit bool
	// faults fired on it, the latest few; muddled is true once its server has
	// said more than it was asked, or what is no reply.
	faults  []*event
	muddled bool
	from    string
	// mailRefused is true when MAIL was answered with other than 2yz: then
	// answers to RCPT say nothing about the recipient.
	mailRefused bool
	// offered is true once it answered EHLO or HELO, dsn when it offered DSN; offer
	// is the last answer.
	offered, dsn bool
	offer        *offer
	// sized and no8Bit say whether the latest offer had a SIZE, and no 8BITMIME.
	sized, no8Bit bool
	// shifted is true when a server that had said more than it was asked gave a
	// 3yz where none belongs; data once there was a DATA or BDAT in the transaction.
	shifted, data bool
	// last is who was named last.
	last *rcpt
	// early is a refusal that its server gave before it had the whole content.
	early *event
	to    []*rcpt
	named int // how many RCPT there were
	// named8: one of them was beyond ASCII.
	named8 bool
	// twins are those of whom a RCPT may have named one; blurred is true when
	// not even that is clear. addr is where the network says that it leads.
	twins   []*rcpt
	blurred bool
	addr    string
	// unheard are refusals of which it is not known whether the client read
	// them; it has when it goes on.
	unheard []*rcpt
	// denied are recipients whose dot was answered with 4yz or 5yz, taken the
	// acceptances; of both it is likewise to be shown that they were heard.
	denied []*rcpt
	taken  []*acceptance
	tls    tlsBook
	auth   authBook
}

func (c *Checker) session(e *event) *session {
	s := c.wire.sessions[e.Session]
	if s == nil {
		s = &session{began: e}
		if e.Session != "" {
			c.wire.sessions[e.Session] = s
		}
	}
	if e.Host != "" {
		s.host = e.Host
	}
	return s
}

// network takes the facts of the network.
func (c *Checker) network(e *event) {
	switch e.Kind {
	case FactConnect:
		// The client's port may have been used before.
		c.wire.sessions[e.Session] = &session{began: e, made: e, addr: e.Addr}
		c.wire.connected = true
		c.connected(e)
	case FactConnectFailed:
		c.connected(e)
	case FactClosed:
		c.judgeParted(e)
		if s := c.wire.sessions[e.Session]; s != nil {
			s.closed = e // an acceptance may still ask
			c.tlsClosed(s, e)
		}
		delete(c.wire.sessions, e.Session)
	}
}

// fault takes a fault: on a connection, on a server, on a spool entry, or on
// the relay's machine.
func (c *Checker) fault(e *event) {
	switch {
	case has(e.Faults, FaultClock):
		c.jumps(e)
	case e.Session != "":
		s := c.session(e)
		s.faults = keepLast(s.faults, e)
		s.muddled = s.muddled || muddles(e)
		c.tlsClosed(s, e)
	case e.Queue != "" && e.Stage == StageBody:
		c.spool.entry(e.Queue).hollow = true
	case e.Queue != "":
		c.spool.entry(e.Queue).damaged = e
	case e.Actor == ActorDNS:
		c.lookupFault(e)
	case e.touchesSessions():
		c.wire.troubles = keepLast(c.wire.troubles, e)
	}
}

// broken returns a fault of the network on the connection, nil when none was.
// A fault with a stage is what the server was told to say or do there.
func (s *session) broken() *event {
	for _, f := range s.faults {
		if f.Stage == 0 {
			return f
		}
	}
	return nil
}

// trouble returns a fault of its server, or of everything, from the fact since
// on.
func (c *Checker) trouble(s *session, since int) *event {
	for _, f := range c.wire.troubles {
		if f.seq >= since && (f.Host == "" || f.Host == s.host) {
			return f
		}
	}
	return nil
}

// server takes what servers saw and did.
func (c *Checker) server(e *event) {
	switch e.Kind {
	case FactCommand:
		c.command(e)
	case FactReply:
		c.reply(e)
	case FactRefusedRecipient:
		c.refusedRecipient(e)
	case FactAccepted:
		c.accepted(e)
	case FactReplied:
		c.replied(e)
	case FactReportSeen:
		c.reportSeen(e)
	case FactTLSSeen:
		c.tlsSeen(e)
	case FactUnlawful:
		c.judgeUnlawful(e)
	}
}

// judgeUnlawful judges a client that broke SMTP. One that took an answer to
// something else for the 354 sends its content, which is lawful as it sees it.
func (c *Checker) judgeUnlawful(e *event) {
	if s := c.session(e); !s.shifted || !s.data {
		c.violate(WireLawful, e.Session+e.Text+e.At.String(), []*event{e}, "%s saw the relay break SMTP at %s: %s", e.Host, e.Stage, e.Text)
	}
}

// command follows the transaction of a session.
func (c *Checker) command(e *event) {
	s := c.session(e)
	if e.Stage == StageQUIT {
		c.judgeParted(e)
		s.quit = true
	}
	c.tlsCommand(s, e)
	c.authCommand(s, e)
	c.judgeSource(s, e)
	switch e.Stage {
	case StageMAIL:
		c.judgeMessages(s, e)
		s.heard(e)
		s.named8 = false
		s.began, s.dot, s.early, s.mailRefused, s.to, s.twins, s.blurred, s.named, s.data = e, nil, nil, false, nil, nil, false, 0, false
		s.from = canonical("<" + path(e.Text) + ">")
		if s.from == "" {
			s.from = nullSender
		}
	case StageRCPT:
		if s.named++; s.named == c.policy.Limits.RecipientsPerTransaction+1 {
			c.violate(FairAndBounded, "named "+e.Session+e.At.String(), []*event{s.began, e},
				"the relay names more than %d recipients to %s in one transaction", c.policy.Limits.RecipientsPerTransaction, e.Host)
		}
		s.named8 = s.named8 || UTF8Local(path(e.Text))
		r := c.resolve(s.from, path(e.Text))
		if r == nil || len(s.to) >= 1000 {
			c.unclear(s, canonical(path(e.Text)))
			return
		}
		s.to, s.last = append(s.to, r), r
		if r.talk != s {
			r.talk = s
			r.talks++
		}
		c.judgeRefusedForGood(r, e)
		c.judgePassedOn(s, r, e)
		c.judgeAsked(s, r, e)
	case StageDATA:
		s.data = true
	case StageBDAT:
		s.data = true
		c.judgeChunk(s, e)
	case StageDot:
		s.dot = e
		c.judgeDotted(s, e)
	case StageRSET, StageQUIT:
		s.heard(e)
	default: // nothing follows
	}
}

// path returns the address between the angle brackets of MAIL and RCPT. There
// may be more brackets: in a quoted local part, and in a parameter.
func path(command string) string {
	_, rest, ok := strings.Cut(command, "<")
	if !ok {
		return ""
	}
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			quoted = !quoted
		case '\\':
			i++
		case '>':
			if !quoted {
				return rest[:i]
			}
		}
	}
	return rest
}

// reply follows what a server said to what was not RCPT.
func (c *Checker) reply(e *event) {
	s := c.session(e)
	s.tlsReply(e)
	s.authReply(e)
	no := strings.HasPrefix(e.Reply, "4") || strings.HasPrefix(e.Reply, "5")
	if e.Stage == StageMAIL && !strings.HasPrefix(e.Reply, "2") {
		s.mailRefused = true
	}
	s.shifted = s.shifted || e.Stage != StageDATA && strings.HasPrefix(e.Reply, "3") && s.muddled
	if s.muddled && strings.HasPrefix(e.Reply, "5") {
		c.wire.lastNo.set(s.addr, e.seq) // taken for the answer to what came before it, or after
	}
	switch e.Stage {
	case StageRSET:
		if s.rsetNo = e; strings.HasPrefix(e.Reply, "2") {
			s.rsetNo = nil
		}
	case StageMAIL:
		if strings.HasPrefix(e.Reply, "5") && !c.ownAffair(e) {
			c.wire.lastNo.set(s.addr, e.seq)
		}
	case StageDATA, StageBDAT, StageBody, StageDot:
		if strings.HasPrefix(e.Reply, "5") && !c.ownAffair(e) {
			c.concerns(s, e, &c.wire.lastNo, func(r *rcpt) *int { return &r.lastNo })
		}
	case StageEHLO, StageHELO:
		s.offers(e)
		c.offered(s, e)
		s.sized = strings.Contains(strings.ToUpper(e.Reply), "SIZE")
		s.no8Bit = !strings.Contains(strings.ToUpper(e.Reply), "8BITMIME")
		c.hints(s, e)
	default: // what is said there fails nobody
	}
	if no && (e.Stage == StageDot || e.Stage == StageBody) {
		for _, r := range s.twins {
			r.blurred = e.seq
		}
		if s.blurred {
			c.wire.blurred.set(s.addr, e.seq)
		}
	}
	// To a chunk before the last a 2yz belongs, but two may be taken for one more.
	if (e.Stage == StageBody || e.Stage == StageBDAT && s.muddled) && strings.HasPrefix(e.Reply, "2") {
		c.concerns(s, e, &c.wire.earlyYes, func(r *rcpt) *int { return &r.earlyYes })
	}
	if e.Stage == StageRCPT && !strings.HasPrefix(e.Reply, "2") && s.last != nil {
		// Who was not taken is not in the transaction.
		s.to = slices.DeleteFunc(s.to, func(r *rcpt) bool { return r == s.last })
	}
	if !no {
		return
	}
	switch e.Stage {
	case StageBody, StageBDAT:
		s.early = e
		for _, r := range c.dotted(s, e) {
			r.early = e
		}
	case StageDot:
		s.denied = append(s.denied[:0], c.dotted(s, e)...)
		for _, r := range s.denied {
			r.dotNo, r.dotNoHeard = e, nil
		}
	}
}

// hints notes what an offer may be a reason for: for who hears it, and for who
// takes up the session in which it was made.
func (c *Checker) hints(s *session, e *event) {
	if s.sized {
		c.wire.sizes = e.seq
	}
	if s.no8Bit {
		c.wire.no8Bit = e.seq
	}
}

// concerns notes a reply at those in the transaction, or for all who dialled there
// where it is not clear who they are, or which command it answers.
func (c *Checker) concerns(s *session, e *event, all *mark, own func(*rcpt) *int) {
	if s.blurred || s.muddled {
		all.set(s.addr, e.seq)
		return
	}
	for _, r := range slices.Concat(c.dotted(s, e), s.twins) {
		*own(r) = e.seq
	}
}

// unclear notes that a RCPT may have named any of those who are one to servers,
// or, when there is nobody or it is too much to tell, anybody.
func (c *Checker) unclear(s *session, to string) {
	s.last = nil // what is said next is about another
	if s.blurred {
		return
	}
	twins := slices.Concat(c.pairs[pair{s.from, to}], c.pairs[pair{"", to}])
	s.twins = append(s.twins, twins...)
	s.blurred = s.blurred || len(twins) == 0 || len(s.twins) > 1000
}

// dotted returns whom a refusal of the content concerns. A server does not see
// which of two mails from one sender to one recipient it is that a session is
// about: then it concerns also the one whose dot the relay says it sent there.
func (c *Checker) dotted(s *session, e *event) []*rcpt {
	all := s.to
	for _, r := range s.to {
		for _, twin := range c.pairs[pair{r.mail.from, canonical(r.address)}] {
			if twin != r && twin.dot != nil && twin.dot.Session == e.Session {
				all = append(all[:len(all):len(all)], twin)
			}
		}
	}
	return all
}

// accepted takes a server's acceptance, from which most of what is true of a
// message follows.
func (c *Checker) accepted(e *event) {
	if e.Message == "" {
		c.judgeStray(e)
		return
	}
	c.judgeStray(e)
	m := c.message(e.Message)
	s := c.session(e)
	s.heard(e)
	c.judgeContent(m, e)
	c.judgeAskedInVain(m, s, e)
	for _, to := range e.To {
		r := c.rcpt(m, to)
		c.judgeRefusedForGood(r, e)
		a := &acceptance{at: e, session: s, began: s.began, dot: s.dot}
		s.taken = append(s.taken, a)
		r.accepted++
		if s.tls.secured == nil {
			r.inClear++
		}
		r.count(e.Host)
		before := r.last
		r.last = a
		if r.first == nil {
			r.first = a
		}
		c.judgeTwice(r, before, a)
		c.judgeAcceptedLate(r, a)
	}
}

func (r *rcpt) count(host string) {
	for i := range r.by {
		if r.by[i].Host == host {
			r.by[i].Count++
			return
		}
	}
	r.by = append(r.by, HostCount{host, 1})
}

// replied notes that the reply to an acceptance was written out whole.
func (c *Checker) replied(e *event) {
	for _, a := range c.session(e).taken {
		if a.replied == nil && a.at.Message == e.Message {
			a.replied = e
		}
	}
}

// judgeStray judges a mail of which nobody has ever spoken.
func (c *Checker) judgeStray(e *event) {
	m := c.byID[e.Message]
	known := m != nil && (m.submit != nil || m.queued != nil || m.report != nil || m.entry != nil)
	if known || c.session(e).muddled || !c.believes || !c.submits || slices.ContainsFunc(c.spool.order, func(x *entry) bool { return x.mail == nil }) {
		return // or it may be one that a crash kept the relay from speaking of, or the dot of a client that was led astray
	}
	name := e.Message
	if name == "" {
		name = "a mail without a Message-ID"
	}
	c.violate(WireLawful, "stray "+e.Message+e.At.String(), []*event{e}, "%s accepted %s from %s, which nobody had submitted", e.Host, name, e.From)
}

// judgeContent holds an accepted mail against the one submitted.
func (c *Checker) judgeContent(m *mail, e *event) {
	if e.Hash != "" && len(m.hashes) > 0 && !has(m.hashes, e.Hash) {
		c.violate(WireLawful, "content "+m.id+e.Host, []*event{m.submit, e},
			"%s accepted %s with a content that is not the one submitted", e.Host, m.id)
	}
	if m.from != "" && e.From != "" && canonical(e.From) != m.from {
		c.violate(WireLawful, "sender "+m.id+e.Host, []*event{m.submit, e},
			"%s accepted %s from %s, but it was submitted from %s", e.Host, m.id, e.From, m.from)
	}
	if m.submit == nil {
		return
	}
	for _, to := range e.To {
		if c.rcpts[rcptKey{m, canonical(to)}] == nil {
			c.violate(WireLawful, "recipient "+m.id+to, []*event{m.submit, e},
				"%s accepted %s for %s, to whom it was not submitted", e.Host, m.id, to)
		}
	}
}
