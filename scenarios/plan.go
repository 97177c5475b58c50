package scenarios

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/postonce/postonce/spec"
)

// A stepForm is one kind of line of the plan.
type stepForm struct {
	kind          StepKind
	form, meaning string
	read          func(l *line, s *Step)
	// show returns what is written after the kind.
	show func(s Step) string
	// timed is true when the line must begin with a time.
	timed bool
}

// stepForms returns the kinds of steps.
func stepForms() []stepForm {
	forms := []stepForm{
		{StepSubmit, "t+TIME submit MESSAGE from SENDER to RECIPIENT [again] [notify WHAT] [orcpt \"TYPE;ADDRESS\"], ... " +
			"[size BYTES] [8bit] [smtputf8] [requiretls] [ret full|headers] [envid \"TEXT\"]",
			"a client submits a message; <> is the null sender, user{1..150}@example.net stands for 150 recipients, " +
				"again says that it names a recipient once more, " +
				"size fills a standard content up to as many bytes, 8bit declares BODY=8BITMIME, " +
				"smtputf8 SMTPUTF8 (RFC 6531), requiretls REQUIRETLS (RFC 8689); " +
				"notify says what the sender wants to be told (NOTIFY of RFC 3461): never, or some of success, failure and delay with + between them; " +
				"orcpt, ret and envid are ORCPT, RET and ENVID, not encoded",
			(*line).submit, showSubmit, true},
		{StepCrash, "[t+TIME] crash [before|after FACT ... | before|after step N | before|after seam N], restart after TIME, keep all|some|none, silent",
			"the relay's process is killed: at a time, when a fact is made (from the time on), at a line of the trace, " +
				"or at an operation of its seams (network, DNS, disk)",
			(*line).crash, showCrash, false},
		{StepStop, "t+TIME stop, restart after TIME", "the relay is told to stop (SIGTERM), and started again", (*line).stop, showStop, true},
		{StepHeal, "t+TIME heal [HOST]", "faults end, at one server or everywhere",
			func(l *line, s *Step) {
				if !l.done() {
					s.Host = l.host("the host")
				}
			},
			func(s Step) string { return s.Host }, true},
		{StepDecide, "t+TIME decide retry|delivered|report MESSAGE [<RECIPIENT>, ...] [, refused]",
			"an operator decides what is held: all of the message, or these recipients; refused says that the relay must not do it",
			(*line).decide, showDecide, true},
		{StepFail, "[t+TIME] fail store|lookup|dial nth N, for good, restart after TIME, keep all|some|none",
			"an operation of the relay's own machine fails, of its disk, its resolver or its sockets: the N-th of the run, " +
				"if it comes at the time or later; a relay that ends because of its disk is started again",
			(*line).fails, showFail, false},
		{StepCut, "t+TIME cut HOST", "the network breaks all connections of the relay to a server",
			func(l *line, s *Step) { s.Host = l.host("the host") },
			func(s Step) string { return s.Host }, true},
		{StepClock, "t+TIME clock +TIME|-TIME", "somebody sets the wall clock of the relay's machine, forward or back, for good; " +
			"intervals, and the times of the trace, are true all the same",
			(*line).jump, showJump, true},
		{StepJoin, "t+TIME join NAME", "another relay begins to work on the same spool; crash and stop are about the first one",
			func(l *line, s *Step) { s.Host = l.host("the name of the relay") },
			func(s Step) string { return s.Host }, true},
		{StepDamage, "damage MESSAGE", "the message's control entry is overwritten with garbage, " +
			"while the relay is down after the crash or stop above",
			func(l *line, s *Step) { s.Message = l.name() },
			func(s Step) string { return s.Message }, false},
	}
	for _, p := range pauses {
		forms = append(forms, stepForm{p.kind, "t+TIME " + string(p.kind) + " DOMAIN", p.meaning + ": `" + p.example + "`",
			(*line).pauses,
			func(s Step) string { return s.Dest }, true})
	}
	for _, o := range orders {
		forms = append(forms, stepForm{o.kind, "t+TIME " + string(o.kind) + " MESSAGE [<RECIPIENT>, ...] [, refused]", o.meaning + ": `" + o.example + "`",
			(*line).order, showOrder, true})
	}
	return forms
}

// orders are what an operator can say of mail that waits.
var orders = []struct {
	kind             StepKind
	meaning, example string
}{
	{StepHold, "an operator parks the message, or these recipients: no attempt begins before a release", "t+1m hold m1"},
	{StepRelease, "an operator undoes a hold", "t+2d release m1 <bob@example.net>"},
	{StepRetry, "an operator has attempted at once what waits for its time", "t+1m retry m1 <bob@example.net>, <carol@example.net>"},
	{StepBounce, "an operator gives up, and the sender is told; here while a delivery has it, which the relay has to refuse", "t+5s bounce m1, refused"},
	{StepDelete, "an operator drops the message, or these recipients, and nobody is told", "t+1h delete m1 <bob@example.net>"},
}

// pauses are what an operator can say of a destination.
var pauses = []struct {
	kind             StepKind
	meaning, example string
}{
	{StepPause, "an operator pauses a destination, which is a domain, relay for smart hosts, or via:HOST+HOST for those of a sender: " +
		"no attempt begins there before a resume",
		"t+1m pause example.net"},
	{StepResume, "an operator undoes a pause", "t+2h resume example.net"},
}

// decisions are what an operator can say.
var decisions = []term{
	{"retry", "send it again, come what may"},
	{"delivered", "it arrived; say no more"},
	{"report", "tell the sender that nobody knows"},
}

// timePrefix begins a time in the plan.
const timePrefix = "t+"

// almostTime is what looks like a time and is none.
var almostTime = regexp.MustCompile(`^[tT]?\+?[0-9]`)

// planSection reads the plan.
func (p *parser) planSection(_ string, first int, data string) {
	forms := stepForms()
	var kinds []string
	for _, f := range forms {
		kinds = append(kinds, string(f.kind))
	}
	p.each(first, data, func(l *line) {
		s := Step{Line: l.row}
		l.space()
		start := l.pos
		timed := strings.HasPrefix(l.peek(), timePrefix)
		if timed {
			l.pos += len(timePrefix)
			s.At = l.duration("the time", 0)
		}
		if w := l.peek(); !timed && almostTime.MatchString(w) {
			l.fail(start, "a time is written t+0, t+30s or t+5m", "%q is no time", w)
		}
		s.Kind = StepKind(l.choose("step", kinds))
		for _, f := range forms {
			if l.err != nil || f.kind != s.Kind {
				continue
			}
			f.read(l, &s)
			needsTime := f.timed || s.Kind == StepCrash && !s.waits()
			if needsTime && !timed {
				l.fail(start, fmt.Sprintf("write t+0 %s, or a later time", l.rest0(start)), "the step does not say when")
			}
		}
		p.s.Plan = append(p.s.Plan, s)
	})
}

// rest0 returns the line from byte offset start, without blanks around it.
func (l *line) rest0(start int) string { return strings.TrimSpace(l.text[start:]) }

// submit reads what follows "submit".
func (l *line) submit(s *Step) {
	s.Message = l.name()
	l.expect("from")
	s.Sender = l.sender()
	l.expect("to")
	seen := make(map[string]bool)
	for first := true; first || l.comma(); first = false {
		l.space()
		at := l.pos
		all := l.mailboxes("a recipient")
		twice := l.accept(again)
		for _, m := range all {
			switch before := seen[canonical(m)]; {
			case l.err != nil:
			case before && !twice:
				l.fail(at, "if it is to be named twice, write: "+m+" "+again, "%s is a recipient already", m)
			case !before && twice:
				l.fail(at, "leave out "+again, "%s is no recipient yet", m)
			}
			seen[canonical(m)] = true
		}
		s.Recipients = append(s.Recipients, all...)
		s.ask(len(all), l.asked())
		if len(s.Recipients) > maxRange {
			l.fail(at, "", "the message has more than %d recipients", maxRange)
			return
		}
	}
	if l.accept("size") {
		at := l.pos
		if s.Size = l.number("the size", 1); s.Size > maxSize {
			l.fail(at, "", "a message has at most %d bytes here", maxSize)
		}
	}
	s.EightBit, s.UTF8, s.RequireTLS = l.accept("8bit"), l.accept("smtputf8"), l.accept("requiretls")
	s.Tracking = l.tracking()
	l.end("size", "8bit", "smtputf8", "requiretls", "ret", "envid")
}

// maxSize bounds the size of a message: a world holds it in memory.
const maxSize = 16 << 20

func showSubmit(s Step) string {
	from := s.Sender
	if from == "" {
		from = nullSender
	}
	out := fmt.Sprintf("%s from %s to %s", s.Message, from, askingList(s))
	if s.Size > 0 {
		out += fmt.Sprintf(" size %d", s.Size)
	}
	if s.EightBit {
		out += " 8bit"
	}
	if s.UTF8 {
		out += " smtputf8"
	}
	if s.RequireTLS {
		out += " requiretls"
	}
	return out + showTracking(s.Tracking)
}

// pauses reads what follows "pause" or "resume".
func (l *line) pauses(s *Step) {
	l.space()
	at := l.pos
	s.Dest = strings.ToLower(l.word("the destination"))
	if l.err == nil && !validHost(s.Dest) && !strings.HasPrefix(s.Dest, spec.Via(nil)) {
		l.fail(at, "write a domain, relay, or via:HOST+HOST as the facts have it", "%q is no destination", s.Dest)
	}
}

// stop reads what follows "stop".
func (l *line) stop(s *Step) {
	for l.comma() {
		l.choose("clause", []string{"restart"})
		l.restart(s)
	}
}

// restart reads what follows "restart".
func (l *line) restart(s *Step) {
	l.expect("after")
	s.Restart = l.duration("the time until the restart", 1)
}

func showStop(s Step) string { return clause("restart after", s.Restart) }

// decide reads what follows "decide".
func (l *line) decide(s *Step) {
	s.Decision = l.choose("decision", wordsOf(decisions))
	l.order(s)
}

// order reads of whom an operator speaks, and whether in vain.
func (l *line) order(s *Step) {
	s.Message = l.name()
	for first := true; !l.done() && !s.Refused; first = false {
		comma := l.comma()
		switch {
		case comma && l.accept("refused"):
			s.Refused = true
			l.end()
		case comma == first: // the first recipient stands without a comma
			l.space()
			l.fail(l.pos, "write <bob@example.net>, <carol@example.net>, or at the end: , refused", "what follows is no recipient")
			return
		default:
			s.Recipients = append(s.Recipients, l.mailbox("a recipient"))
		}
	}
}

func showDecide(s Step) string { return s.Decision + " " + showOrder(s) }

func showOrder(s Step) string {
	out := s.Message
	for i, r := range s.Recipients {
		if i > 0 {
			out += ","
		}
		out += " <" + r + ">"
	}
	if s.Refused {
		out += ", refused"
	}
	return out
}
