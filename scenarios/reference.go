package scenarios

import (
	_ "embed" // for the example
	"fmt"
	"strings"

	"github.com/postonce/postonce/fakesmtp"
)

//go:embed example.txtar
var example string

// Example is a scenario file that has every header line and every section; its
// trace is to be filled in.
func Example() string { return example }

// Reference describes the language of scenario files in Markdown, from the
// tables that the parser uses. REFERENCE.md holds it; a test keeps that fresh.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# The language of scenario files

Generated from the parser's tables; do not edit. README.md tells how to write a scenario.

A file is a [txtar](https://pkg.go.dev/golang.org/x/tools/txtar) archive with LF line ends: prose, header lines, then sections
that begin with a marker such as ` + "`-- plan --`" + `. Every line of the prose begins with ` + "`# `" + `; its first sentence is
the title and says what holds. Sections hold no comments. Blank lines mean nothing. ` + "`[ ]`" + ` is what may be left out,
` + "`|`" + ` a choice.

Durations are whole numbers with units, longest first: ` + "`30s`, `5m`, `2h`, `5d`, `1h30m`" + `; also ` + "`ms`, `us`, `ns`" + `.
The null sender is ` + "`<>`" + `. Every world has the domain ` + MailboxDomain + ` with a go-smtp server at ` + MailboxServer + `,
where senders live and reports arrive; a record for the domain, or a server of that name, replaces it.
`)
	referenceHeader(&b)
	referenceRelay(&b)
	referenceDNS(&b)
	chapter(&b, "server NAME", "NAME is a host name without a final dot, with an address in the dns section. "+
		"All other lines are statements of package fakesmtp, as below.", serverLines)
	chapter(&b, "", "Peers:", peers)
	chapter(&b, "", "Networks:", networks)
	b.WriteString("\n" + fakesmtp.Reference())
	chapter(&b, "policy HOST",
		"HOST is mta-sts.DOMAIN, with an address in the dns section. Its lines are those of the policy (RFC 8461 section 3.2):", policyLines)
	b.WriteString("\n## message NAME\n\nAn .eml. A message without such a section gets a small standard content.\n")
	b.WriteString("\n## raw NAME\n\nGo strings, one a line, joined as they are: `\"a line without an end\"`, " +
		"`\"x\" * 998` for many alike. It is submitted so, but for dots doubled and a CRLF at its end.\n")
	referencePlan(&b)
	chapter(&b, "expect", "", expectForms)
	chapter(&b, "", "States:", states)
	chapter(&b, "", "Clauses:", expectClauses())
	chapter(&b, "", "What a sender can be told of besides failure:", news)
	chapter(&b, "", "The spool at the end:", spools)
	b.WriteString("\n## trace\n\nThe golden trace, line by line. An empty section is there to be filled in by `--rewrite`.\n")
	b.WriteString("\n## A whole file\n\nIt has every section; most stories need four of them.\n\n```\n" + Example() + "```\n")
	return b.String()
}

// chapter writes a heading, unless empty, an introduction and a list of terms.
func chapter(b *strings.Builder, heading, intro string, terms []term) {
	if heading != "" {
		fmt.Fprintf(b, "\n## %s\n", heading)
	}
	if intro != "" {
		fmt.Fprintf(b, "\n%s\n", intro)
	}
	b.WriteString("\n")
	for _, t := range terms {
		fmt.Fprintf(b, "- `%s` – %s\n", t.word, t.meaning)
	}
}

func referenceHeader(b *strings.Builder) {
	var lines, kinds []term
	for _, h := range headerLines() {
		lines = append(lines, term{h.form, h.meaning})
	}
	for _, k := range sectionKinds() {
		kinds = append(kinds, term{"-- " + k.form + " --", k.meaning})
	}
	chapter(b, "Header lines", "", lines)
	chapter(b, "", "Rules:", ruleTerms())
	chapter(b, "", "Needs:", needs)
	chapter(b, "", "Needs of what the relay does not have yet. Such a story is read, checked and listed; it is not run, and counted apart:", later)
	chapter(b, "Sections", "", kinds)
}

func referenceRelay(b *strings.Builder) {
	var lines, limits, stages []term
	for _, s := range settings() {
		lines = append(lines, term{s.form, s.meaning})
	}
	for _, x := range bounds {
		limits = append(limits, term{x.word, x.meaning})
	}
	for _, w := range waits {
		stages = append(stages, term{w.word, w.meaning})
	}
	chapter(b, "relay", "", lines)
	chapter(b, "", "Limits:", limits)
	chapter(b, "", "Time-outs:", stages)
}

func referenceDNS(b *strings.Builder) {
	chapter(b, "dns", "Names end with a dot. A line is a record, or `NAME TYPE|ANY FAULT, CLAUSE, ...`. Records:", recordTypes)
	chapter(b, "", "Faults:", faults)
	chapter(b, "", "Clauses of a fault:", faultClauses)
}

func referencePlan(b *strings.Builder) {
	var lines, facts []term
	for _, f := range stepForms() {
		lines = append(lines, term{f.form, f.meaning})
	}
	for _, f := range factKinds {
		facts = append(facts, term{string(f.kind), f.meaning})
	}
	chapter(b, "plan", "Times count from the start of the world.", lines)
	chapter(b, "", "Clauses of a crash:", crashClauses)
	chapter(b, "", "Operations that can fail:", failOps)
	chapter(b, "", "Clauses of a failure:", failClauses)
	chapter(b, "", "What can become of a message, beside garbage in place of its control entry:", harms)
	chapter(b, "", "What the operator can decide:", decisions)
	chapter(b, "", "What can follow a FACT, to narrow it down:", matchForms)
	chapter(b, "", "Facts:", facts)
}

// expectClauses describes what can follow a state.
func expectClauses() []term {
	var out []term
	for _, c := range counts {
		out = append(out, term{"N " + c.one + "|" + c.many, c.meaning})
	}
	return append(out, term{"by HOST", "the server that must have taken it"}, term{"encrypted", "it came under TLS each time that a server took it"},
		term{"in clear", "it came without"})
}
