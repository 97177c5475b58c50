// Package maillog makes drafts of scenarios from the logs of mail servers: Postfix,
// Exim, and postonce as text or JSON. A log says what became of each recipient at
// which server, and mostly what the server said, and in answer to what. Lines that
// it does not know it passes over.
package maillog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/spec"
)

// maxLine bounds a line of a log.
const maxLine = 1 << 20

// An entry is what one line says.
type entry struct {
	at    time.Time
	queue string
	// from and to are the envelope of a message that came in; size is that of its
	// content.
	submitted bool
	from      string
	size      int64
	to        []string
	// host is where something happened; delivered means that all went well there.
	host      string
	delivered bool
	// stage, reply and end are what went wrong, network how connecting did, and
	// fault what the DNS said of name.
	stage   spec.Stage
	reply   string
	end     draft.End
	network string
	fault   draft.Fault
}

// readers read a line each; nil is a line that they do not know.
func readers() []func(string) *entry {
	return []func(string) *entry{postfixLine, eximLine, postonceLine}
}

// Read makes a draft of a log.
func Read(r io.Reader) (*draft.Draft, error) {
	b := &builder{hosts: map[string]*draft.Host{}, mails: map[string]*draft.Mail{}, seen: map[string]time.Time{}, named: map[*draft.Mail]bool{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		for _, read := range readers() {
			if e := read(strings.TrimSpace(lines.Text())); e != nil {
				b.add(e)
				break
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return b.draft()
}

// A builder gathers entries.
type builder struct {
	began time.Time
	hosts map[string]*draft.Host
	mails map[string]*draft.Mail
	order []*draft.Host
	all   []*draft.Mail
	// seen is when something was last told, so that what concerns many recipients
	// counts once.
	seen map[string]time.Time
	// named are those of whom the log says who sent them.
	named  map[*draft.Mail]bool
	faults []draft.Fault
}

// add takes in an entry.
func (b *builder) add(e *entry) {
	if b.began.IsZero() {
		b.began = e.at
	}
	b.mail(e)
	if e.fault.Name != "" {
		b.fault(e.fault)
	}
	if e.host == "" {
		return
	}
	h := b.host(e)
	switch {
	case e.network != "":
		h.Network = e.network
	case e.delivered:
		b.well(h, e, spec.StageIdle)
	case e.stage != 0:
		b.trouble(h, e)
	}
}

// mail notes a message, or recipients that it is told to have.
func (b *builder) mail(e *entry) {
	if e.queue == "" {
		return
	}
	m := b.mails[e.queue]
	if m == nil {
		m = &draft.Mail{At: e.at.Sub(b.began)}
		b.mails[e.queue] = m
		b.all = append(b.all, m)
	}
	if e.submitted {
		m.From, m.Size, b.named[m] = e.from, e.size, true
	}
	for _, to := range e.to {
		if !slices.ContainsFunc(m.To, func(known string) bool { return strings.EqualFold(known, to) }) {
			m.To = append(m.To, to)
		}
	}
}

// host returns the host of an entry.
func (b *builder) host(e *entry) *draft.Host {
	key := strings.ToLower(e.host)
	h := b.hosts[key]
	if h == nil {
		h = &draft.Host{Name: e.host}
		b.hosts[key], b.order = h, append(b.order, h)
	}
	for _, to := range e.to {
		if _, domain, ok := strings.Cut(to, "@"); ok && !slices.ContainsFunc(h.Domains, func(known string) bool { return strings.EqualFold(known, domain) }) {
			h.Domains = append(h.Domains, domain)
		}
	}
	return h
}

// passed are the stages that a delivery goes through.
var passed = [...]spec.Stage{spec.StageGreeting, spec.StageEHLO, spec.StageMAIL, spec.StageRCPT, spec.StageDATA, spec.StageDot}

// well notes that all went well up to a stage. A host that is reached has been out
// of reach up to then: nobody may have tried meanwhile.
func (b *builder) well(h *draft.Host, e *entry, before spec.Stage) {
	if h.Network != "" && h.NetworkUntil == 0 {
		h.NetworkUntil = max(e.at.Sub(b.began).Truncate(time.Second)-time.Second, time.Second)
	}
	for _, stage := range passed {
		if stage >= before {
			return
		}
		event := draft.Event{Stage: stage}
		if stage != spec.StageRCPT {
			if b.again(h, e, fmt.Sprint(stage)) {
				continue
			}
			h.Events = append(h.Events, event)
			continue
		}
		for _, event.To = range e.to {
			h.Events = append(h.Events, event)
		}
	}
}

// trouble notes what went wrong at a stage.
func (b *builder) trouble(h *draft.Host, e *entry) {
	b.well(h, e, e.stage)
	event := draft.Event{Stage: e.stage, End: e.end}
	if e.reply != "" {
		event.Reply = []byte(lines(e.reply))
	}
	if e.stage != spec.StageRCPT {
		if !b.again(h, e, fmt.Sprint(e.stage)) {
			h.Events = append(h.Events, event)
		}
		return
	}
	for _, event.To = range e.to {
		h.Events = append(h.Events, event)
	}
}

// again reports whether the same was told of the same message a moment before: a
// log has a line for each recipient.
func (b *builder) again(h *draft.Host, e *entry, what string) bool {
	const moment = 2 * time.Second
	key := strings.Join([]string{h.Name, e.queue, what}, " ")
	before, told := b.seen[key]
	b.seen[key] = e.at
	return told && e.at.Sub(before) <= moment
}

// fault notes an answer of the DNS.
func (b *builder) fault(f draft.Fault) {
	if !slices.Contains(b.faults, f) {
		b.faults = append(b.faults, f)
	}
}

// draft is what the log tells.
func (b *builder) draft() (*draft.Draft, error) {
	d := &draft.Draft{Title: "What a log tells of servers is gone through to the end", Hosts: b.order, Faults: b.faults}
	unknown := false
	for _, m := range b.all {
		if len(m.To) > 0 {
			d.Mails = append(d.Mails, *m)
			unknown = unknown || !b.named[m]
		}
	}
	if len(d.Mails) == 0 {
		return nil, errors.New("the log tells of no delivery: it takes lines of Postfix, Exim or postonce such as " +
			`"postfix/smtp[1]: 4B: to=<bob@example.net>, relay=mx[192.0.2.1]:25, …, status=deferred (…)"`)
	}
	d.Notes = append(d.Notes, "Drafted from a log, with other names and addresses.",
		"Guessed, since a log does not say: what the servers offer, and their order; that what was last refused is refused for ever.")
	if unknown {
		d.Notes = append(d.Notes, "Guessed: a sender whom the log does not name is the null sender.")
	}
	return d, nil
}

// lines gives a reply its ends of lines. In a log those of several are a blank, or
// written "\n"; where the next line begins is seen by the code.
func lines(reply string) string {
	reply = strings.ReplaceAll(strings.ReplaceAll(reply, `\n`, " "), "\n", " ")
	if len(reply) < 4 {
		return reply + "\r\n"
	}
	code, out := reply[:3], reply
	if reply[3] == '-' {
		out = strings.ReplaceAll(out, " "+code+"-", "\r\n"+code+"-")
		if i := strings.LastIndex(out, " "+code+" "); i > 0 {
			out = out[:i] + "\r\n" + out[i+1:]
		} else {
			at := strings.LastIndex(out, code+"-")
			out = out[:at+3] + " " + out[at+4:]
		}
	}
	return out + "\r\n"
}
