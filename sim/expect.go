package sim

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// compare holds what became of everything against what was expected.
func (w *world) compare() {
	summaries := map[string]*spec.MessageSummary{}
	w.gatherReports()
	all := w.checker.Messages()
	for i := range all {
		summaries[all[i].ID] = &all[i]
	}
	for _, e := range w.scenario.Expect {
		switch {
		case e.Rules: // the checker says so
		case e.Spool != "":
			w.compareSpool(e, all)
			w.compareMarks(e)
		case e.Counts():
			if n := w.connections(e.By); n != e.Connections {
				w.mismatch(e.Line, "%s got %d connections, expected %d", e.By, n, e.Connections)
			}
		case e.Report != "":
			if !slices.ContainsFunc(w.reports, func(content []byte) bool { return bytes.Contains(content, []byte(e.Report)) }) {
				w.mismatch(e.Line, "none of the %d reports that reached the sender contains %q", len(w.reports), e.Report)
			}
		case e.NoReport != "":
			if slices.ContainsFunc(w.reports, func(content []byte) bool { return bytes.Contains(content, []byte(e.NoReport)) }) {
				w.mismatch(e.Line, "a report that reached the sender contains %q", e.NoReport)
			}
		case e.Licence != "":
			covers := func(l spec.Licence) bool { return strings.Contains(l.Window, e.Licence) }
			if !slices.ContainsFunc(w.checker.Licences(), covers) {
				w.mismatch(e.Line, "no second acceptance was licensed by a doubt window that says %q", e.Licence)
			}
		case e.Violates != "":
			broken := func(v spec.Violation) bool { return string(v.Rule) == e.Violates }
			if !slices.ContainsFunc(w.violations, broken) {
				w.mismatch(e.Line, "%s was not violated", e.Violates)
			}
		default:
			w.compareRecipient(e, summaries)
		}
	}
}

// compareRecipient holds one recipient against what was expected of it.
func (w *world) compareRecipient(e scenarios.Expectation, summaries map[string]*spec.MessageSummary) {
	if e.State == "anything" {
		return
	}
	name := e.Message
	for _, s := range w.scenario.Plan {
		sent := func(to string) bool { return scenarios.SameMailbox(to, e.Recipient) }
		if name == "" && s.Kind == scenarios.StepSubmit && slices.ContainsFunc(s.Recipients, sent) {
			name = s.Message
		}
	}
	who := fmt.Sprintf("%s to %s", name, e.Recipient)
	m := summaries[w.mail.id(name)]
	if m == nil {
		w.mismatch(e.Line, "%s: nobody ever spoke of it", who)
		return
	}
	i := slices.IndexFunc(m.Recipients, func(r spec.RecipientSummary) bool { return scenarios.SameMailbox(r.Address, e.Recipient) })
	if i < 0 {
		w.mismatch(e.Line, "%s: nobody ever spoke of this recipient", who)
		return
	}
	r := m.Recipients[i]
	state := r.State.String()
	// Without a 250 the relay owes nothing, and the submitter still has it.
	lost := !m.Acknowledged && w.mail.queue[m.ID] == "" && r.Acceptances == 0
	if r.Refused || lost {
		state = "refused"
	}
	if state != e.State {
		w.mismatch(e.Line, "%s is %s%s, expected %s", who, state, w.why(m.ID, r.Address), e.State)
	}
	for _, c := range [...]struct {
		one, many string
		got, want int
	}{
		{"attempt", "attempts", r.Attempts, e.Attempts},
		{"acceptance", "acceptances", r.Acceptances, e.Acceptances},
		{"report to the sender", "reports to the sender", r.ReportsSeen, e.Reports},
	} {
		what := c.many
		if c.got == 1 {
			what = c.one
		}
		if c.want >= 0 && c.got != c.want {
			w.mismatch(e.Line, "%s has %d %s, expected %d", who, c.got, what, c.want)
		}
	}
	told := func(of string, seen int, expected bool) {
		if want := map[bool]int{true: 1}[expected]; seen != want {
			w.mismatch(e.Line, "of %s the sender was told of %s %d times, expected %d", who, of, seen, want)
		}
	}
	told("delay", r.DelaysSeen, e.Delay)
	told("relay", r.RelaysSeen, e.Relay)
	if e.By != "" && !slices.ContainsFunc(r.By, func(h spec.HostCount) bool { return strings.EqualFold(h.Host, e.By) }) {
		w.mismatch(e.Line, "%s was not taken by %s", who, e.By)
	}
	if want := map[string]int{scenarios.Encrypted: 0, scenarios.InClear: r.Acceptances}; e.TLS != "" && r.InClear != want[e.TLS] {
		w.mismatch(e.Line, "%s was taken in clear %d times of %d, expected %s", who, r.InClear, r.Acceptances, e.TLS)
	}
}

// why says in brackets what the last word on a recipient was: the reply that
// decided, or what the relay says; empty when there is none.
func (w *world) why(id, recipient string) string {
	same := func(to string) bool { return scenarios.SameMailbox(to, recipient) }
	for _, f := range slices.Backward(w.facts) {
		switch f.Kind {
		case spec.FactOutcome, spec.FactDoubt, spec.FactRefused, spec.FactSubmitUnknown:
		default:
			continue
		}
		about := f.Message == id || f.Queue != "" && f.Queue == w.mail.queue[id]
		if !about || len(f.To) > 0 && !slices.ContainsFunc(f.To, same) {
			continue
		}
		switch {
		case f.Reply != "":
			return " (" + f.Reply + ")"
		case f.Text != "":
			return " (" + f.Text + ")"
		}
		return ""
	}
	return ""
}

// connections counts those that a server got.
func (w *world) connections(host string) int {
	n := 0
	for i := range w.facts {
		f := &w.facts[i]
		to, err := netip.ParseAddrPort(f.Addr)
		if f.Kind == spec.FactConnect && err == nil && strings.EqualFold(w.network.nameOf(to.Addr()), host) {
			n++
		}
	}
	return n
}

// compareSpool looks at the disk itself.
func (w *world) compareSpool(e scenarios.Expectation, all []spec.MessageSummary) {
	excused := map[string]bool{}
	switch e.Spool {
	case "held":
		for _, m := range all {
			held := func(r spec.RecipientSummary) bool { return r.State == spec.Held || r.State == spec.Parked }
			if slices.ContainsFunc(m.Recipients, held) {
				excused[string(w.mail.queue[m.ID])] = true
			}
		}
	case "damaged":
		for _, name := range w.disk.durable.names[seam.SpaceDamaged] {
			excused[name] = true
		}
		for _, s := range w.scenario.Plan {
			if s.Kind == scenarios.StepDamage && s.Harm == scenarios.HarmGone {
				excused[string(w.mail.queue[w.mail.id(s.Message)])] = true
			}
		}
	}
	var other []string
	met := false
	for _, space := range [...]seam.Space{seam.SpaceControl, seam.SpaceBody} {
		for _, name := range w.disk.durable.names[space] {
			queue, _, _ := strings.Cut(name, "/")
			met = met || excused[queue]
			if !excused[queue] && !slices.Contains(other, queue) {
				other = append(other, queue)
			}
		}
	}
	switch {
	case len(other) > 0:
		w.mismatch(e.Line, "the spool holds %s, expected %s", strings.Join(other, ", "), e.Spool)
	case e.Spool != "empty" && !met:
		w.mismatch(e.Line, "the spool is empty, expected %s", e.Spool)
	}
}

// compareMarks looks on the disk for what belongs to no message that is there:
// lines of the index, intents, marks of contents being written.
func (w *world) compareMarks(e scenarios.Expectation) {
	for _, space := range [...]seam.Space{seam.SpaceDue, seam.SpaceIntent, seam.SpaceWriting} {
		for _, name := range w.disk.durable.names[space] {
			queue := name[strings.LastIndexByte(name, '/')+1:]
			if _, there := w.disk.durable.values[seam.ControlKey(spec.QueueID(queue))]; !there {
				w.mismatch(e.Line, "the spool holds a mark (%c) of %s, which is not there", space, queue)
			}
		}
	}
}

// unused names the faults of the scenario that never fired.
func (w *world) unused() []string {
	var all []string
	add := func(line int, format string, args ...any) { all = append(all, w.at(line)+fmt.Sprintf(format, args...)) }
	for _, f := range w.dns.faults {
		if f.met == 0 {
			add(f.Line, "%s %s %s was never met", f.Name, f.Type, f.Fault)
		}
	}
	for _, h := range w.network.hosts {
		if h.Network != "" && !h.faulted {
			add(h.Line, "nobody tried to connect to %s while it was %s", h.Name, h.Network)
		}
		for _, r := range h.unused() {
			add(r.Line, "%s: %s never matched", h.Name, r)
		}
	}
	for _, f := range w.fails {
		if f.met == 0 {
			add(f.Line, "operation %d of the kind %s never came", f.Nth, f.Op)
		}
	}
	for _, c := range w.crashes {
		if !c.over {
			add(c.Line, "the %s %s never came", c.Kind, c.reason())
		}
	}
	return all
}
