package spec

import (
	"slices"
	"strconv"
	"strings"
)

// What a message needs of a server, held against what servers offered and were
// asked for: a part of WIRE-LAWFUL, and of what may fail a recipient.

// offer is what a server said last to EHLO or HELO at an address.
type offer struct {
	at *event
	// words are upper case, its keywords and all that follows them.
	words []string
	// unsure is true where the client may have heard another thing.
	unsure bool
}

// offerOf reads the answer to EHLO or HELO.
func offerOf(s *session, e *event) *offer {
	o := &offer{at: e, unsure: s.muddled || len(s.faults) > 0}
	if e.Stage == StageEHLO {
		o.words = strings.FieldsFunc(strings.ToUpper(e.Reply), func(r rune) bool {
			return r == ' ' || r == '-' || r == '|' || r == '\n' || r == '\r'
		})
	}
	return o
}

// offered takes the answer to EHLO or HELO. Several attempts at once may hear several.
func (c *Checker) offered(s *session, e *event) {
	s.offer = offerOf(s, e)
	c.offers(s.addr, s.offer)
}

// offeredAgain takes a session that is taken up: what was offered in it still is.
func (c *Checker) offeredAgain(s *session, e *event) {
	if s.offer != nil {
		c.offers(s.addr, &offer{at: e, words: s.offer.words, unsure: s.offer.unsure || s.muddled})
	}
}

func (c *Checker) offers(addr string, o *offer) {
	if addr != "" {
		all := append(c.wire.offers[addr], o)
		c.wire.offers[addr] = all[max(0, len(all)-few):]
	}
}

// few is how many answers are remembered of an address.
const few = 16

// limit is the size that it offers; 0 when it states none.
func (o *offer) limit() int64 {
	if i := slices.Index(o.words, "SIZE"); i >= 0 && i+1 < len(o.words) {
		n, _ := strconv.ParseInt(o.words[i+1], 10, 64) // a keyword is no limit
		return n
	}
	return 0
}

// traced is how many bytes a relay may add to a message: its trace, and what it
// lacks of a header.
const traced = 2000

// lacks reports whether it leaves out what a status code says that r is in want of.
func (o *offer) lacks(code string, r *rcpt) bool {
	switch code {
	case "5.3.4": // RFC 1870
		return o.limit() > 0 && (r.mail.size == 0 || o.limit() < r.mail.size+traced)
	case "5.6.3": // RFC 6152
		return !slices.Contains(o.words, "8BITMIME")
	case "5.6.7": // RFC 6531
		return !slices.Contains(o.words, "SMTPUTF8")
	case "5.7.30": // RFC 8689
		return !slices.Contains(o.words, "REQUIRETLS")
	}
	return false
}

// unfit reports whether it leaves out what a status code says, or something else that
// r is in want of: each host may lack another thing.
func (o *offer) unfit(code string, r *rcpt) bool {
	return o.lacks(code, r) || r.mail.needs("8BITMIME") && o.lacks("5.6.3", r) || r.mail.size > 0 && o.lacks("5.3.4", r) ||
		r.inUTF8() && o.lacks("5.6.7", r) || r.mail.needs("REQUIRETLS") && o.lacks("5.7.30", r)
}

// needing learns what a message needs; what the submitter says comes first.
func (c *Checker) needing(m *mail, e *event) {
	if m.needing == nil {
		m.needing = e
	}
}

// needs reports whether the message needs an extension, as far as it is known.
func (m *mail) needs(keyword string) bool { return m.needing != nil && has(m.needing.Needs, keyword) }

// inUTF8 reports whether r's own way needs SMTPUTF8.
func (r *rcpt) inUTF8() bool {
	return r.mail.needs("SMTPUTF8") || UTF8Local(r.mail.from) || UTF8Local(r.address)
}

// levelFor is how far a message must be encrypted.
func (c *Checker) levelFor(m *mail, dest, host string) TLSLevel {
	if m == nil || m.twins || m.null() || !m.needs("REQUIRETLS") {
		return c.policy.TLSFor(dest, host)
	}
	return c.policy.TLSLevelFor(m.from, NeedTLS, dest, host)
}

// lacking reports whether the relay's own code for a failure of r is borne out: r
// needs it, and every address that the last attempt dialled has left it out of what
// it offered. known is false where that cannot be told.
func (c *Checker) lacking(r *rcpt, code string) (right, known bool) {
	known = r.mail.needing != nil && !r.mail.twins && r.given <= 1
	if known && (code == "5.6.7" && !r.inUTF8() || code == "5.7.30" && !r.mail.needs("REQUIRETLS") || code == "5.6.3" && !r.mail.needs("8BITMIME")) {
		return false, true
	}
	j := r.tried
	if j == nil || !c.wire.connected || len(j.hops.dials) == 0 {
		return false, false
	}
	for _, d := range j.hops.dials {
		if !slices.ContainsFunc(c.wire.offers[d.Addr], func(o *offer) bool { return o.at.seq >= d.seq && (o.unsure || o.unfit(code, r)) }) {
			return false, true // nobody answered there, or it is offered
		}
	}
	return !c.hops.asked || slices.ContainsFunc(c.nextHops(j), func(list []string) bool { return c.untried(list, j) == "" }), true
}

// judgeAsked judges, when a recipient is named, what MAIL asked for.
func (c *Checker) judgeAsked(s *session, r *rcpt, e *event) {
	if r.mail.needing == nil || r.mail.twins || r.given > 1 || s.muddled {
		return
	}
	if r.mail.needs("REQUIRETLS") && !r.mail.null() && !s.asked("REQUIRETLS") {
		c.violate(WireLawful, "requiretls "+e.Session+e.At.String(), []*event{r.mail.needing, s.began, e},
			"the relay names %s to %s without REQUIRETLS, which the sender had asked for (RFC 8689 section 4.2)", r.address, e.Host)
	}
	if r.mail.needs("SMTPUTF8") && !s.asked("SMTPUTF8") {
		c.violate(WireLawful, "smtputf8 "+e.Session+e.At.String(), []*event{r.mail.needing, s.began, e},
			"the relay begins %s at %s without SMTPUTF8, and its header has UTF-8 (RFC 6531 section 3.4)", r.mail.id, e.Host)
	}
}

// judgeAskedInVain judges a message that was accepted with SMTPUTF8 and has nothing
// beyond ASCII: by the same word it would have failed at other servers.
func (c *Checker) judgeAskedInVain(m *mail, s *session, e *event) {
	if m.needing == nil || m.submit == nil && m.report == nil || m.twins || s.muddled || !s.asked("SMTPUTF8") {
		return
	}
	if !m.needs("SMTPUTF8") && !UTF8Local(m.from) && !s.named8 {
		c.violate(WireLawful, "in vain "+e.Session+e.At.String(), []*event{m.needing, s.began, e},
			"the relay asks %s for SMTPUTF8, and nothing in %s is beyond ASCII (RFC 6531 section 3.7)", e.Host, m.id)
	}
}

// asked reports whether the MAIL of a transaction had a parameter without a value.
func (s *session) asked(parameter string) bool {
	text := s.began.Text
	return slices.Contains(strings.Fields(strings.ToUpper(text[strings.LastIndexByte(text, '>')+1:])), parameter)
}
