package spec

import (
	"cmp"
	"slices"
	"strings"
)

// A mail is what the Checker knows of one message.
type mail struct {
	id string
	// from is the envelope sender once it is known; "<>" is the null sender.
	from string
	// postmaster is whom the policy has told of what the null sender's mail comes to.
	postmaster string
	// submit is the first submission, resubmit the last, acknowledged the first
	// 250 that the submitter read, unanswered a submission still under way.
	submit, resubmit, acknowledged, unanswered *event
	// queued is the relay's word that the message is in its spool.
	queued *event
	// report is set for a report that the relay made: when, and on what; names are
	// the recipients whom the relay says that it names, seen those whom it was seen
	// to name.
	report *event
	about  *mail
	names  []string
	seen   []string
	// endsFrom and endsBy bound the end of its lifetime where it seemed to have
	// been submitted later than now; 0 is no bound. See checker_clock.go.
	endsFrom, endsBy Wall
	// taken is when the relay says that it took what it never said to be queued:
	// its recipients are due from then on.
	taken Wall
	// hashes of the contents submitted under this Message-ID.
	hashes []string
	// size is how many bytes the content has that was submitted; 0 is unknown.
	size int64
	// needing is the fact that says what the message needs; see checker_needs.go.
	needing *event
	rcpts   []*rcpt
	entry   *entry
	// twins is true when the relay holds it more than once, as a submitter
	// who asks twice may make it: then what it says of one is not mistaken
	// for what it says of the other.
	twins bool
}

// A rcpt is what the Checker knows of one recipient of one message.
type rcpt struct {
	mail    *mail
	address string
	dest    string
	// given counts the submissions that named it and were not refused, acked
	// those to which the relay said 250; owed is true when it has taken
	// responsibility for it.
	given int
	acked int
	// counted is the fact that was counted last: a mail that names a recipient
	// twice is one all the same.
	counted *event
	owed    bool
	refused *event

	// What servers did: how often they accepted, in all and in clear, the first
	// and the last time.
	accepted    int
	inClear     int
	first, last *acceptance
	by          []HostCount
	// What servers refused last at RCPT, and at the dot; see checker_retry.go.
	no                refusal
	dotNo, dotNoHeard *event
	// early is a refusal that a server gave before it had the whole content.
	early *event
	// lastNo is the latest 5yz to a transaction that it was in, earlyYes the
	// latest 2yz there that came before the dot: who has just sent that takes
	// it for the answer.
	lastNo, earlyYes int

	// What the relay believes.
	state    RecipientState
	outcome  *event
	attempts int
	begun    *event // the last attempt
	job      *job   // the attempt under way
	tried    *job   // the last attempt, also when it is over
	intent   *event
	dot      *event
	lastDot  *event // as dot, but not forgotten when it was deferred
	doubt    *event
	// gaveUp is its first word on what came of the last dot; doubtful a dot of
	// an earlier attempt of which nobody ever knew.
	gaveUp, doubtful *event
	// blurred is the latest refusal at a dot that may concern it or another one
	// from the same sender to the same recipient, unclear a dot of an earlier
	// attempt that may be the one that was refused.
	blurred int
	unclear *event
	defers  int
	due     Wall
	// setback is what the relay counts of the causes of deferrals, by its own words;
	// see checker_cause.go.
	setback setbacks
	// dueFrom is how early a process may have made it due that believed another
	// clock than the one before; 0 is no other than due. See checker_clock.go.
	dueFrom Wall
	// putOff is the word that it waits longer, because its destination is dead or it has had its share; waits
	// is true when it is counted there as waiting. See checker_reach.go.
	putOff *event
	waits  bool
	// dueMoves counts the processes that may have made it so.
	dueMoves int
	// idle is when an attempt for the same destination of the message ended.
	idle Wall

	// reports names the reports about it, however they were learnt of.
	reports  []string
	reported *event
	seen     int
	seenAs   *event
	// hush is the word that nobody is told.
	hush *event
	// notify is what its sender wants to be told, by the fact asking; mixed is true
	// when that is not clear. delays and relays are the reports that it is delayed,
	// and was relayed. See checker_notify.go.
	notify         Notify
	asking         *event
	mixed          bool
	delays, relays notices
	// told is what operators said of it; see checker_operator.go.
	told orders
	way  way
	// talks counts the sessions in which it was named, for runs without
	// beliefs; talk is the last of them.
	talks int
	talk  *session
}

// An acceptance is one server's taking a message for one recipient.
type acceptance struct {
	at, replied *event
	// heard is the fact that shows that the client read the reply.
	heard   *event
	session *session
	// began is the fact with which the transaction began, dot that its final
	// dot arrived, if that was seen.
	began, dot *event
}

type rcptKey struct {
	mail    *mail
	address string
}

// A pair is an envelope as a server sees it before the content.
type pair struct{ from, to string }

const nullSender = NullSender

// anybody is the sender of whom nothing is known: he has no route.
const anybody = "?"

// canonical returns an address in the form in which addresses are compared:
// the domain is case-insensitive, the local part is not (RFC 5321 section 2.4),
// but may be quoted or not (section 4.1.2).
func canonical(address string) string {
	if len(address) > 2 && address[0] == '<' && address[len(address)-1] == '>' {
		address = address[1 : len(address)-1]
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	if address[0] == '"' {
		local := unquoted(address[:at])
		address, at = local+address[at:], len(local)
	}
	domain := address[at+1:]
	if form := domainForm(domain); form != domain {
		return address[:at+1] + form
	}
	return address
}

// unquoted returns a local part without the quotes that it can do without.
func unquoted(local string) string {
	if len(local) < 2 || local[len(local)-1] != '"' {
		return local
	}
	var b strings.Builder
	for i := 1; i < len(local)-1; i++ {
		if local[i] == '\\' && i+1 < len(local)-1 {
			i++
		}
		b.WriteByte(local[i])
	}
	plain := b.String()
	special := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`()<>[]:;@\,"`, r) }
	if plain == "" || strings.ContainsFunc(plain, special) || plain[0] == '.' || plain[len(plain)-1] == '.' || strings.Contains(plain, "..") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain) + `"`
	}
	return plain
}

// message returns the mail called id, which is made when it is new.
func (c *Checker) message(id string) *mail {
	m := c.byID[id]
	if m == nil {
		m = &mail{id: id, postmaster: canonical(c.policy.Postmaster)}
		c.byID[id] = m
		c.mail = append(c.mail, m)
	}
	return m
}

// mailOf returns the mail that a fact of the relay is about, by Message-ID or
// else by queue ID; nil when it has neither. It learns which entry of the
// spool belongs to which mail.
func (c *Checker) mailOf(e *event) *mail {
	var m *mail
	if e.Message != "" {
		m = c.message(e.Message)
	}
	if e.Queue == "" {
		return m
	}
	x := c.spool.entry(e.Queue)
	if m == nil {
		if x.mail == nil {
			x.mail = c.message("queue ID " + string(e.Queue))
		}
		m = x.mail
	}
	if x.mail != m {
		x.mail = m
	}
	if m.entry == nil || m.entry.gone() {
		m.entry = x
	}
	return m
}

// rcpt returns a recipient of m, which is made when it is new.
func (c *Checker) rcpt(m *mail, address string) *rcpt {
	address = canonical(address)
	key := rcptKey{m, address}
	r := c.rcpts[key]
	if r == nil {
		r = &rcpt{mail: m, address: address, dest: c.policy.Destination(cmp.Or(m.from, anybody), address)}
		c.rcpts[key] = r
		m.rcpts = append(m.rcpts, r)
		c.pair(r) // by no sender as long as that is not known
	}
	return r
}

func (c *Checker) pair(r *rcpt) {
	p := pair{r.mail.from, r.address}
	c.pairs[p] = append(c.pairs[p], r)
}

// sender learns the sender of m.
func (c *Checker) sender(m *mail, from string) {
	if from == "" || m.from != "" {
		return
	}
	m.from = canonical(from)
	for _, r := range m.rcpts {
		r.dest = c.policy.Destination(m.from, r.address)
		unknown := pair{"", r.address}
		c.pairs[unknown] = slices.DeleteFunc(c.pairs[unknown], func(other *rcpt) bool { return other == r })
		c.pair(r)
	}
}

// resolve returns the recipient that an envelope means, nil when it is not
// clear. Among several it is the one that the relay is attempting.
func (c *Checker) resolve(from, to string) *rcpt {
	var found *rcpt
	to = canonical(to)
	all := c.pairs[pair{from, to}]
	for _, r := range c.pairs[pair{"", to}] {
		if r.job != nil {
			return nil // it may be from anybody
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	for _, r := range all {
		if r.job == nil {
			continue
		}
		if found != nil {
			return nil
		}
		found = r
	}
	return found
}

// allowed is how often servers may accept: once for each submission, since a
// submitter who submits twice gets two mails.
func (r *rcpt) allowed() int { return max(1, r.given) }

// name names the recipient and its message in a sentence.
func (r *rcpt) name() string { return r.mail.id + " to " + r.address }

// null reports whether the sender is the null sender.
func (m *mail) null() bool { return m.from == nullSender }

// submission takes the facts of the submitter.
func (c *Checker) submission(e *event) {
	if e.Message == "" {
		return
	}
	m := c.message(e.Message)
	switch e.Kind {
	case FactSubmit:
		if m.submit == nil {
			m.submit, m.size = e, e.Count
		}
		m.size = min(m.size, e.Count)
		m.unanswered, m.resubmit = e, e
		c.needing(m, e)
		c.sender(m, e.From)
		if e.Hash != "" && !slices.Contains(m.hashes, e.Hash) && len(m.hashes) < 16 {
			m.hashes = append(m.hashes, e.Hash)
		}
		for i, to := range e.To {
			if r := c.rcpt(m, to); r.counted != e {
				c.asks(r, e, i)
				r.counted = e
				r.given++
			}
		}
	case FactSubmitted:
		m.unanswered = nil
		c.acknowledge(m, e)
	case FactRefused:
		c.refuse(m, e)
	case FactSubmitUnknown:
		m.unanswered = nil
	}
}

// refuse takes a refusal at submission: of the recipients named, or of all.
func (c *Checker) refuse(m *mail, e *event) {
	all := len(e.To) == 0 || (m.submit != nil && len(e.To) >= len(m.submit.To))
	if all {
		m.unanswered = nil
	}
	each := func(r *rcpt) {
		r.refused = e
		if r.counted != e {
			r.counted = e
			r.given = max(0, r.given-1)
		}
	}
	if len(e.To) == 0 {
		for _, r := range m.rcpts {
			each(r)
		}
	}
	for _, to := range e.To {
		each(c.rcpt(m, to))
	}
	if last := m.unanswered; last != nil && !slices.ContainsFunc(last.To, func(to string) bool {
		r := c.rcpt(m, to)
		return r.refused == nil || r.refused.seq < last.seq
	}) {
		m.unanswered = nil // one after the other, some by name and the rest with the content
	}
}

// acknowledge takes the relay's 250, and ACCEPT-DURABLE is judged.
func (c *Checker) acknowledge(m *mail, e *event) {
	if m.acknowledged == nil {
		m.acknowledged = e
	}
	each := func(r *rcpt) {
		r.owed = true
		if r.counted != e {
			r.counted = e
			r.acked++
		}
	}
	for _, to := range e.To {
		each(c.rcpt(m, to))
	}
	if len(e.To) == 0 {
		for _, r := range m.rcpts {
			if r.refused == nil {
				each(r)
			}
		}
	}
	if m.entry == nil {
		// A relay that says nothing may still name its queue ID in the reply.
		for word := range strings.FieldsFuncSeq(e.Reply, func(r rune) bool { return strings.ContainsRune(" ,;:()<>", r) }) {
			if x := c.spool.entries[QueueID(word)]; x != nil && x.mail == nil {
				x.mail, m.entry = m, x
				break
			}
		}
	}
	c.judgeDurable(m, e)
}

// queued takes the relay's word that a message is in its spool.
func (c *Checker) queued(e *event) {
	m := c.mailOf(e)
	if m == nil {
		return
	}
	m.twins = m.twins || (m.queued != nil && m.queued.Queue != e.Queue)
	m.queued = e
	c.needing(m, e)
	c.sender(m, e.From)
	for i, to := range e.To {
		r := c.rcpt(m, to)
		r.owed = true
		c.asks(r, e, i)
		c.counts(r)
	}
	c.judgeLifetime(m, e)
}

// has reports whether one of several words, addresses or faults is value.
func has[T comparable](all []T, value T) bool { return slices.Contains(all, value) }
