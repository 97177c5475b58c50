package scenarios

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/postonce/postonce/spec"
)

// Format writes a scenario in the one canonical form: sections in a fixed
// order, columns aligned, nothing said that is the default. Parse reads it
// back as an equal scenario, but for line numbers.
//
// Text cannot hold everything: a message's content that is not Raw must be lines
// that end in CRLF, without other carriage returns and without a line that looks
// like a txtar marker. What Parse returns always is.
func Format(s *Scenario) []byte {
	a := txtar.Archive{Comment: []byte(headerText(s))}
	add := func(name, text string) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	if text := relayText(s.Policy); text != "" {
		add("relay", text)
	}
	if len(s.DNS) > 0 {
		add("dns", dnsText(s.DNS))
	}
	for _, server := range s.Servers {
		add("server "+server.Name, serverText(server))
	}
	for _, t := range s.TLSPolicies {
		add("policy "+t.Host, policyText(t))
	}
	for _, m := range s.Messages {
		if m.Raw {
			add("raw "+m.Name, rawText(m.Content))
			continue
		}
		add("message "+m.Name, string(bytes.ReplaceAll(m.Content, []byte("\r\n"), []byte("\n"))))
	}
	add("plan", planText(s.Plan))
	add("expect", expectText(s.Expect))
	if s.Trace != nil {
		add("trace", string(s.Trace))
	}
	return txtar.Format(&a)
}

// headerText writes the prose and the header lines.
func headerText(s *Scenario) string {
	var b strings.Builder
	for _, text := range strings.Split(s.Prose, "\n") {
		b.WriteString(strings.TrimRight("# "+text, " ") + "\n")
	}
	for _, h := range headerLines() {
		if text := h.show(s); text != "" {
			fmt.Fprintf(&b, "%-8s%s\n", h.word, text)
		}
	}
	return b.String()
}

// relayText writes what differs from the default policy.
func relayText(p spec.Policy) string {
	d := DefaultPolicy()
	var b strings.Builder
	for _, s := range settings() {
		for _, text := range s.show(p, d) {
			fmt.Fprintf(&b, "%s %s\n", s.word, text)
		}
	}
	return b.String()
}

// dnsText writes the records in columns.
func dnsText(records []Record) string {
	var b strings.Builder
	name, typ := 0, 0
	for _, r := range records {
		name, typ = max(name, len(r.Name)), max(typ, len(r.Type))
	}
	for _, r := range records {
		text := fmt.Sprintf("%-*s  %-*s %s", name, r.Name, typ, r.Type, recordText(r))
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

// planText writes the steps, with their times in a column. A step without a
// time of its own begins at the margin.
func planText(plan []Step) string {
	var b strings.Builder
	width := 0
	for _, s := range plan {
		width = max(width, len(timeText(s)))
	}
	for _, s := range plan {
		if t := timeText(s); t != "" {
			fmt.Fprintf(&b, "%-*s  ", width, t)
		}
		b.WriteString(stepText(s) + "\n")
	}
	return b.String()
}

// timeText writes when a step is; empty for one that follows from others.
func timeText(s Step) string {
	if s.At == 0 && (s.Kind == StepDamage || s.Kind == StepFail || s.waits()) {
		return ""
	}
	return timePrefix + formatDuration(s.At)
}

// stepText writes a step without its time.
func stepText(s Step) string {
	out := string(s.Kind)
	for _, f := range stepForms() {
		if f.kind != s.Kind {
			continue
		}
		switch text := f.show(s); {
		case strings.HasPrefix(text, ","):
			out += text
		case text != "":
			out += " " + text
		}
	}
	return out
}

// expectText writes the expectations in two columns; recipients numbered in
// a row of whom the same is expected share a line.
func expectText(all []Expectation) string {
	type pair struct{ subject, outcome string }
	var pairs []pair
	width := 0
	for i := 0; i < len(all); {
		e := all[i]
		n := runLength(alike(all[i:]), func(k int) string { return all[i+k].Recipient })
		if n < leastRange {
			n = 1
		} else {
			e.Recipient = rangeText(e.Recipient, all[i+n-1].Recipient)
		}
		pairs = append(pairs, pair{e.subject(), e.outcome()})
		width = max(width, len(e.subject()))
		i += n
	}
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%-*s  %s\n", width, p.subject, p.outcome)
	}
	return b.String()
}

// alike counts how many expectations, from the first on, are about recipients
// and say the same of them.
func alike(all []Expectation) int {
	first := all[0]
	for i, e := range all {
		e.Recipient, e.Line = first.Recipient, first.Line
		if e != first || all[i].Recipient == "" {
			return max(i, 1)
		}
	}
	return len(all)
}
