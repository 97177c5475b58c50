package draft

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// leastWait is the shortest time to answer that a story is about.
const leastWait = time.Second

// Normal is what a server does that does nothing: the normal reply follows.
var Normal = fakesmtp.Action{Do: fakesmtp.Delay, Wait: time.Millisecond}

// rules are what a server does at all stages, in the order of the stages: of what
// was done one after another at one stage, and at RCPT to one recipient, all but
// the normal end.
func (h *Host) rules(n *Names) []fakesmtp.Rule {
	type place struct {
		stage spec.Stage
		to    string
	}
	var places []place
	done := map[place][]action{}
	for _, e := range h.Events {
		if e.Stage == spec.StageIdle && len(e.Reply) == 0 && e.End == Open {
			continue // nothing was done, and a wait for nothing is none
		}
		p := place{e.Stage, e.To}
		if done[p] == nil {
			places = append(places, p)
		}
		done[p] = append(done[p], e.action(n))
	}
	slices.SortStableFunc(places, func(a, b place) int { return int(a.stage) - int(b.stage) })
	var all []fakesmtp.Rule
	for _, p := range places {
		rule := fakesmtp.Rule{Stage: p.stage}
		if p.to != "" {
			rule.To = n.Recipient(p.to)
		}
		all = append(all, inTurn(rule, done[p])...)
	}
	return all
}

// An action is what a server does at one event. Its text tells it from others.
type action struct {
	text string
	do   []fakesmtp.Action
}

// normal reports whether it is what any server does.
func (a action) normal() bool { return a.text == "" }

// inTurn makes rules of actions that come one after another: each holds as often
// as it came, and the last for ever, unless it is normal.
func inTurn(rule fakesmtp.Rule, all []action) []fakesmtp.Rule {
	last := len(all) - 1 // the last that is not normal
	for last >= 0 && all[last].normal() {
		last--
	}
	var rules []fakesmtp.Rule
	for i := 0; i <= last; {
		n := 1
		for i+n <= last && all[i+n].text == all[i].text {
			n++
		}
		r := rule
		if r.Actions = all[i].do; all[i].normal() {
			r.Actions = []fakesmtp.Action{Normal}
		}
		if i += n; i < len(all) {
			r.First = n
		}
		rules = append(rules, r)
	}
	return rules
}

// action says what a server does at an event, in other names.
func (e Event) action(n *Names) action {
	var do []fakesmtp.Action
	if e.Show != "" && e.Show != fakesmtp.Trusted {
		do = append(do, fakesmtp.Action{Do: fakesmtp.Present, Text: string(e.Show)})
	}
	if e.Wait >= leastWait {
		do = append(do, fakesmtp.Action{Do: fakesmtp.Delay, Wait: e.Wait.Round(time.Second)})
	}
	if said := e.said(n); len(e.Reply) > 0 && (said.Do == fakesmtp.Raw || e.End != Open || !e.usual()) {
		do = append(do, said)
	}
	switch e.End {
	case Fin:
		do = append(do, fakesmtp.Action{Do: fakesmtp.Fin})
	case Cut:
		if cut := (fakesmtp.Action{Do: fakesmtp.Cut}); e.Stage == spec.StageBody {
			cut.Do, cut.Count = fakesmtp.CutAfter, max(e.Count, 1)
			do = append(do, cut)
		} else {
			do = append(do, cut)
		}
	case Left:
		do = append(do, fakesmtp.Action{Do: fakesmtp.Silence})
	}
	var texts []string
	for _, a := range do {
		texts = append(texts, a.String())
	}
	return action{strings.Join(texts, "; "), do}
}

// usual reports whether the reply is one line that any server says when all is
// well.
func (e Event) usual() bool {
	line, rest, whole := bytes.Cut(e.Reply, []byte("\r\n"))
	if !whole || len(rest) > 0 || len(line) < 3 || len(line) > 3 && line[3] != ' ' {
		return false
	}
	want := "250"
	switch e.Stage {
	case spec.StageGreeting, spec.StageSTARTTLS:
		want = "220"
	case spec.StageQUIT:
		want = "221"
	case spec.StageDATA:
		want = "354"
	case spec.StageAUTH:
		return string(line[:3]) == "334" || string(line[:3]) == "235"
	case spec.StageEHLO, spec.StageBody, spec.StageIdle, spec.StageHandshake:
		return false
	}
	return string(line[:3]) == want
}

// said is what the server said, as a reply where it is one, else byte by byte.
func (e Event) said(n *Names) fakesmtp.Action {
	text := n.Text(string(e.Reply))
	raw := fakesmtp.Action{Do: fakesmtp.Raw, Text: text}
	lines, whole := strings.CutSuffix(text, "\r\n")
	if !whole || e.Stage == spec.StageHandshake {
		return raw
	}
	reply := strings.Join(strings.Split(lines, "\r\n"), "|")
	if strings.Contains(lines, "|") || strings.ContainsAny(lines, ";") {
		return raw
	}
	script, err := fakesmtp.ParseScript("", 1, "at "+e.Stage.String()+": "+reply)
	if err != nil || len(script.Rules) != 1 || len(script.Rules[0].Actions) != 1 {
		return raw
	}
	if a := script.Rules[0].Actions[0]; a.String() != "" && strings.ReplaceAll(a.Text, "|", "\r\n") == lines {
		return a
	}
	return raw
}
