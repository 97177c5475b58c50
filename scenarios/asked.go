package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// What a sender asks to be told (RFC 3461), in a submission.

// asked reads what stands behind a recipient: NOTIFY and ORCPT.
func (l *line) asked() spec.Asked {
	var a spec.Asked
	if l.accept("notify") {
		l.space()
		at := l.pos
		n, err := spec.ParseNotify(l.word("what the sender wants to be told"))
		if a.Notify = n; err != nil || n == 0 {
			l.fail(at, "write never, or some of success, failure and delay with + between them: success+delay", "nobody can ask for that")
		}
	}
	if l.accept("orcpt") {
		l.space()
		at := l.pos
		a.Original = l.quoted("the original recipient")
		if err := a.Validate(); err != nil {
			l.fail(at, `write orcpt "rfc822;bob@example.com"`, "%v", err)
		}
	}
	return a
}

// tracking reads what stands at the end of a submission: RET and ENVID.
func (l *line) tracking() spec.Tracking {
	var t spec.Tracking
	if l.accept("ret") {
		if l.choose("part of the message", []string{"full", "headers"}) == "full" {
			t.Return = spec.ReturnFull
		} else {
			t.Return = spec.ReturnHeaders
		}
	}
	if l.accept("envid") {
		l.space()
		at := l.pos
		t.EnvelopeID = l.quoted("the envelope identifier")
		if n := len(t.EnvelopeID); n == 0 || n > spec.MaxEnvelopeID { // others than printable ones are the relay's to refuse
			l.fail(at, `write envid "QQ314159"`, "it has to be 1 to %d characters", spec.MaxEnvelopeID)
		}
	}
	return t
}

// ask notes that something is asked for about the last n recipients.
func (s *Step) ask(n int, asked spec.Asked) {
	if asked == (spec.Asked{}) {
		return
	}
	before := make([]spec.Asked, len(s.Recipients)-n-len(s.Asked))
	s.Asked = append(append(s.Asked, before...), slices.Repeat([]spec.Asked{asked}, n)...)
}

// DropRecipient leaves out the i-th recipient.
func (s *Step) DropRecipient(i int) {
	s.Recipients = slices.Delete(slices.Clone(s.Recipients), i, i+1)
	if i < len(s.Asked) {
		s.Asked = slices.Delete(slices.Clone(s.Asked), i, i+1)
	}
	for n := len(s.Asked); n > 0 && s.Asked[n-1] == (spec.Asked{}); n-- {
		s.Asked = s.Asked[:n-1]
	}
	if len(s.Asked) == 0 {
		s.Asked = nil
	}
}

// askingList writes recipients with what is asked for about them.
func askingList(s Step) string {
	if len(s.Asked) == 0 {
		return mailboxList(s.Recipients)
	}
	repeated := repeats(s.Recipients)
	all := make([]string, len(s.Recipients))
	for i, r := range s.Recipients {
		if repeated[i] {
			r += " " + again
		}
		a := spec.AskedOf(s.Asked, i)
		if a.Notify != 0 {
			r += " notify " + a.Notify.String()
		}
		if a.Original != "" {
			r += " orcpt " + strconv.Quote(a.Original)
		}
		all[i] = r
	}
	return strings.Join(all, ", ")
}

// showTracking writes RET and ENVID, with a blank before each.
func showTracking(t spec.Tracking) string {
	out := ""
	switch t.Return {
	case spec.ReturnFull:
		out += " ret full"
	case spec.ReturnHeaders:
		out += " ret headers"
	}
	if t.EnvelopeID != "" {
		out += fmt.Sprintf(" envid %q", t.EnvelopeID)
	}
	return out
}
