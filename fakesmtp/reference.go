package fakesmtp

import (
	"fmt"
	"strings"

	"github.com/postonce/postonce/spec"
)

// Reference describes the language of scripts in Markdown, from the tables that
// the parser uses. Its headings are of the third order, to stand in a page
// about what scripts are part of.
func Reference() string {
	var b strings.Builder
	item := func(form, meaning string) { fmt.Fprintf(&b, "- `%s` – %s\n", form, meaning) }
	b.WriteString("### Statements\n\nOne a line. Without any, the server behaves well and takes all mail.\n\n")
	var offer []string
	for _, e := range DefaultOffer() {
		offer = append(offer, e.String())
	}
	item("at STAGE [<RECIPIENT>] [from <SENDER>], CONDITION, ...: ACTION; ACTION; ...",
		"a rule; of all for a stage, the first whose conditions hold is carried out")
	item("offer EXTENSION, ...|none", "what the reply to EHLO offers; "+strings.Join(offer, ", ")+
		" unless said; a keyword that is not registered stands in quotes")
	item("auth USER \"SECRET\" [MECHANISM, ...] [in clear]", "MAIL takes a login (RFC 4954), by "+strings.Join(Auth{}.mechanisms(), ", ")+
		" unless said; offered only under TLS where STARTTLS is offered, unless in clear; of the mechanisms "+
		strings.Join(authMechanisms[4:], " and ")+" take a token")
	item("persona NAME", "rules that have a name; they are tried after those of the script")
	item("hostname NAME", "what the server calls itself")
	b.WriteString("\nIn `<RECIPIENT>` and `<SENDER>` `*` stands for any text; `from <>` is the null sender.\n\n### Stages\n\n")
	for _, s := range ruleStages {
		item(s.String(), stageMeaning(s))
	}
	b.WriteString("\n### Conditions\n\nA counter advances when its rule is reached.\n\n")
	for _, c := range conditions {
		item(c.form, c.meaning)
	}
	b.WriteString("\n### Actions\n\nA rule that neither replies nor ends the connection is followed by the normal reply. A message is\n" +
		"accepted at the dot when a positive reply is about to be sent, or by accept and lose.\n\n")
	item("451 4.7.1 Try again", "a reply; a 421 alone does not close: write 421 4.3.2 Closing; fin")
	item("250-first|250 last", "a reply of several lines")
	for _, a := range actionForms {
		item(a.form, a.meaning)
	}
	b.WriteString("\n### Certificates\n\nFor the server's own name, unless said.\n\n")
	for _, k := range certificateKinds {
		item(string(k.kind), k.meaning)
	}
	b.WriteString("\n### Personas\n\n")
	for _, p := range Personas() {
		item(p.Name, p.Meaning)
	}
	return b.String()
}

// stageMeaning says when the rules of a stage are asked.
func stageMeaning(s spec.Stage) string {
	switch s {
	case spec.StageConnect:
		return "the connection is there, nothing is said yet"
	case spec.StageGreeting:
		return "the 220 is due"
	case spec.StageHandshake:
		return "the 220 to STARTTLS is said, the TLS handshake is due"
	case spec.StageBody:
		return "the first byte of the content is there; a reply here is an early one, and none comes at the dot"
	case spec.StageBDAT:
		return "a chunk that is not the last is read, its reply is due"
	case spec.StageDot:
		return "all of the content is read, also of the last chunk, the reply is due"
	case spec.StageAUTH:
		return "AUTH or a response is read, the reply to it is due; once for each step of the login"
	case spec.StageIdle:
		return "a transaction is over, and the client says nothing; a delay at the beginning is how long it has until the rest is done"
	case spec.StageRCPT:
		return "RCPT is read, its reply is due; once for each recipient"
	}
	return strings.ToUpper(s.String()) + " is read, its reply is due"
}
