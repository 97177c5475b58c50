package scenarios

import (
	"fmt"
	"strings"

	"github.com/postonce/postonce/spec"
)

// keeps say what the disk keeps of what was not acknowledged.
var keeps = []term{
	{"none", "nothing that was not acknowledged; so it is unless said"},
	{"all", "everything"},
	{"some", "the first few batches, as the seed has it"},
}

// crashClauses follow a crash, after commas.
var crashClauses = []term{
	{"restart", "restart after TIME: when the relay starts again; without it, never"},
	{"keep", "keep all|some|none: which batches that were not acknowledged the disk keeps"},
	{"silent", "peers hear nothing of the crash; otherwise they see RST"},
}

// matchForms narrow down the fact that a crash waits for.
var matchForms = []term{
	{"MESSAGE", "about this message"},
	{"<RECIPIENT>", "about this recipient"},
	{"at HOST", "at this server"},
	{"stage STAGE", "at this stage: " + strings.Join(stageWords(), ", ")},
	{"nth N", "the N-th that matches; the first unless said"},
}

// stageWords returns the names of all stages.
func stageWords() []string {
	var words []string
	for _, s := range spec.Stages() {
		words = append(words, s.String())
	}
	return words
}

// crash reads what follows "crash".
func (l *line) crash(s *Step) {
	switch {
	case l.accept("before"):
		l.moment(s)
	case l.accept("after"):
		s.When.After = true
		l.moment(s)
	case l.accept("at"):
		l.expect("step")
		s.StepNumber = int(l.number("the step", 1))
	case !l.done() && l.text[l.pos] != ',':
		l.choose("condition", []string{"before", "after", "at"})
	}
	for l.comma() {
		switch l.choose("clause", wordsOf(crashClauses)) {
		case "restart":
			l.restart(s)
		case "keep":
			s.Keep = l.choose("choice", wordsOf(keeps))
		case "silent":
			s.Silent = true
		}
	}
}

// moment reads what a crash comes before or after.
func (l *line) moment(s *Step) {
	switch {
	case l.accept("step"):
		s.StepNumber = int(l.number("the step", 1))
	case l.accept("seam"):
		s.Seam = int(l.number("the operation", 1))
	default:
		l.fact(&s.When)
	}
}

// fact reads a fact and what narrows it down.
func (l *line) fact(m *FactMatch) {
	m.Kind = spec.FactKind(l.choose("fact", factWords()))
	for !l.done() && l.text[l.pos] != ',' {
		switch {
		case l.text[l.pos] == '<' && m.Recipient == "":
			m.Recipient = l.mailbox("the recipient")
		case m.Host == "" && l.accept("at"):
			m.Host = l.host("the host")
		case m.Stage == 0 && l.accept("stage"):
			m.Stage, _ = spec.ParseStage(l.choose("stage", stageWords()))
		case m.Nth == 0 && l.accept("nth"):
			m.Nth = int(l.number("the count", 1))
		case m.Message == "":
			m.Message = l.name()
		default:
			l.end()
		}
	}
}

func showCrash(s Step) string {
	var b strings.Builder
	switch {
	case s.When.Kind != "":
		b.WriteString(matchText(s.When))
	case s.StepNumber > 0 && !s.When.After:
		fmt.Fprintf(&b, "at step %d", s.StepNumber)
	case s.StepNumber > 0:
		fmt.Fprintf(&b, "after step %d", s.StepNumber)
	case s.Seam > 0:
		fmt.Fprintf(&b, "%s seam %d", side(s.When.After), s.Seam)
	}
	b.WriteString(clause("restart after", s.Restart))
	if s.Keep != "" {
		b.WriteString(", keep " + s.Keep)
	}
	if s.Silent {
		b.WriteString(", silent")
	}
	return b.String()
}

// side names the side of a moment on which a crash comes.
func side(after bool) string {
	if after {
		return "after"
	}
	return "before"
}

// matchText writes the fact that a crash waits for.
func matchText(m FactMatch) string {
	out := side(m.After) + " " + string(m.Kind)
	if m.Message != "" {
		out += " " + m.Message
	}
	if m.Recipient != "" {
		out += " <" + m.Recipient + ">"
	}
	if m.Host != "" {
		out += " at " + m.Host
	}
	if m.Stage != 0 {
		out += " stage " + m.Stage.String()
	}
	if m.Nth > 0 {
		out += fmt.Sprintf(" nth %d", m.Nth)
	}
	return out
}
