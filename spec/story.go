package spec

import (
	"fmt"
	"strings"
	"time"
)

// Story tells the violation: the sentence, then its facts as a timeline from
// start on.
func (v Violation) Story(start Wall) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s.\n", v.Rule, v.Sentence)
	b.WriteString(Timeline(start, v.Facts))
	return b.String()
}

// Timeline tells facts in human words, a line each, with the time since start.
func Timeline(start Wall, facts []Fact) string {
	width := 0
	times := make([]string, len(facts))
	since := func(w Wall) string { return clockTime(start, w) }
	for i, f := range facts {
		times[i] = since(f.At)
		width = max(width, len(times[i]))
	}
	var b strings.Builder
	for i, f := range facts {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, times[i], f.words(since))
	}
	return b.String()
}

// clockTime is a time as stories tell it: since start.
func clockTime(start, w Wall) string {
	if w < start {
		return "t-" + ago(start.Sub(w))
	}
	return "t+" + ago(w.Sub(start))
}

// ago formats a duration for a person: to the microsecond below a second, to
// the millisecond below an hour, to the second above, in days when long.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + ago(-d)
	case d < time.Second:
		return d.Round(time.Microsecond).String()
	case d < time.Hour:
		return whole(d.Round(time.Millisecond))
	case d < 24*time.Hour:
		return whole(d.Round(time.Second))
	}
	days := d / (24 * time.Hour)
	rest := (d - days*24*time.Hour).Round(time.Second)
	if rest == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return fmt.Sprintf("%dd%s", days, whole(rest))
}

// whole is a duration without the units at its end of which there are none: 1h
// for 1h0m0s.
func whole(d time.Duration) string {
	text := d.String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

// Words says the fact in a sentence for a person, beginning with who made it.
func (f Fact) Words() string { return f.words(Wall.String) }

// words is Words with the times in it told by at.
func (f Fact) words(at func(Wall) string) string {
	who := strings.TrimPrefix(string(f.Actor), "server ")
	if who == "" {
		who = "somebody"
	}
	to := strings.Join(f.To, ", ")
	said := f.said(to, at)
	if said == "" {
		return who + ": " + string(f.Kind) + but(": ", f.Text)
	}
	return who + " " + said
}

// said is what the actor of the fact did, as a predicate.
func (f Fact) said(to string, at func(Wall) string) string {
	switch kindOf(f.Kind) {
	case kindRelay:
		return f.saidByRelay(to, at)
	case kindServer, kindNetwork:
		return f.saidByPeer(to)
	}
	switch f.Kind {
	case FactSubmit:
		return "submits " + f.Message + but(" from ", f.From) + but(" to ", to)
	case FactSubmitted:
		return "reads the relay's " + quoted(f.Reply, "250") + " for " + f.Message + but(" to ", to)
	case FactRefused:
		return "is refused " + f.Message + but(" to ", to) + but(": ", f.Reply)
	case FactSubmitUnknown:
		return "never hears what became of " + f.Message + but(": ", f.Text)
	case FactQuery:
		return "is asked for " + f.Text
	case FactAnswer:
		return "answers " + f.Text
	case FactStored:
		return "holds the " + f.Text + " entry of " + string(f.Queue) + " for good"
	case FactErased:
		return "has erased the " + f.Text + " entry of " + string(f.Queue) + " for good"
	case FactKept:
		return "still holds the " + f.Text + " entry of " + string(f.Queue) + " after the crash"
	case FactFault:
		return "makes trouble" + but(" at ", f.Host) + but(" on connection ", f.Session) + but(" at entry ", string(f.Queue)) + but(": ", f.Text)
	case FactCrash:
		return "crashes the relay" + but(": ", f.Text)
	case FactStart:
		return "starts the relay" + but(": ", f.Text)
	case FactStop:
		return "sees the relay stop" + but(": ", f.Text)
	case FactOperated:
		if f.Reply != "" {
			return "is told by the relay: " + f.Reply
		}
		return "is told by the relay that this is done: " + f.Text + but(" for ", to) + but(" of ", string(f.Queue)) + but(" ", f.Dest)
	case FactOperator:
		return "hears the operator say: " + f.Text + but(" for ", to) + but(" of ", string(f.Queue)) + but(" ", f.Dest)
	case FactHeal:
		return "heals" + but(" ", f.Host) + but(": ", f.Text)
	case FactEnd:
		return "ends: everything that was due has had its time"
	}
	return ""
}

func (f Fact) saidByRelay(to string, at func(Wall) string) string {
	about := f.Message
	if about == "" {
		about = string(f.Queue)
	}
	switch f.Kind {
	case FactQueued:
		return "has " + about + " in its spool as " + string(f.Queue) + but(", to ", to)
	case FactAttempt:
		return fmt.Sprintf("begins attempt %d of %s%s", f.Attempt, about, but(" to ", to)) + due(", due at ", f.Due, at)
	case FactAttemptEnd:
		return "ends the attempt" + but(" of ", about) + but(" for ", f.Dest)
	case FactRoute:
		return "chooses next hops" + but(" for ", f.Dest) + but(": ", f.Text)
	case FactDial:
		return "dials " + f.Host + but(" at ", f.Addr) + but(" for ", about) + but(", ", f.Text)
	case FactIdle:
		return "keeps the connection " + f.Session + but(" with ", f.Host) + but(" at ", f.Addr)
	case FactReuse:
		return "takes up the connection " + f.Session + but(" with ", f.Host) + but(" at ", f.Addr) + but(" for ", about)
	case FactTLS:
		return "is encrypted with " + f.Host + but(" by ", f.Text) + but(", certificate valid for ", strings.Join(f.Names, ", "))
	case FactLogin:
		return "is let in" + but(" by ", f.Host) + but(", by ", f.Text)
	case FactAlarm:
		return "RAISES AN ALARM: the login" + but(" at ", f.Host) + " fails" + but(": ", f.met()) + but(": ", f.Text)
	case FactTrouble:
		return "meets trouble" + but(" with ", f.Host) + but(" at ", stageText(f.Stage)) + but(": ", f.met()) + but(": ", f.Text) +
			but("; verdict: ", verdictText(f.Verdict))
	case FactIntent:
		return "has written down that it is about to send " + about + but(" to ", to) + but(" at ", f.Host)
	case FactDot:
		return "sends the final dot of " + about + but(" to ", to) + but(" at ", f.Host)
	case FactPutOff:
		return "puts " + about + but(" to ", to) + " off" + due(" until ", f.Due, at) + but(": ", f.Text)
	case FactHeldBack:
		return "holds " + about + but(" to ", to) + " back" + due(" until ", f.Due, at)
	case FactOutcome:
		return "records " + about + but(" to ", to) + " as " + f.State.String() + but(": ", f.Reply) + but(": ", f.Text) + due("; next attempt due at ", f.Due, at)
	case FactReport:
		return "has stored the report " + string(f.Queue) + but(" on ", f.Text) + but(" to ", to) + but(", for ", f.From)
	case FactUntold:
		return "tells nobody of " + about + but(" to ", to) + but(": ", f.Text)
	case FactRemoved:
		return "has removed " + about
	case FactDoubt:
		return "is in doubt about " + about + but(" to ", to) + but(" at ", f.Host) + but("; the policy says ", f.Text)
	case FactDamaged:
		return "sets " + about + " aside as damaged" + but(": ", f.Text)
	case FactReady:
		return "is ready"
	case FactHalt:
		return "halts" + but(": ", f.Text)
	}
	return ""
}

func (f Fact) saidByPeer(to string) string {
	switch f.Kind {
	case FactCommand:
		return "hears: " + f.Text
	case FactReply:
		return "says: " + f.Reply + but(" (at ", closing(stageText(f.Stage)))
	case FactRefusedRecipient:
		return "refuses " + to + but(": ", f.Reply)
	case FactAccepted:
		return "ACCEPTS " + f.Message + but(" for ", to)
	case FactReplied:
		return "has written out its reply to the dot of " + f.Message
	case FactReportSeen:
		return "gets a report: " + f.Text + but(" to ", to) + but(" ", f.Reply)
	case FactTLSSeen:
		return "has completed a handshake" + but(" by ", f.Text) + but(", asked for ", f.Name) + but(", certificate valid for ", strings.Join(f.Names, ", "))
	case FactUnlawful:
		return "sees SMTP broken" + but(" at ", stageText(f.Stage)) + but(": ", f.Text)
	case FactConnect:
		return "connects the relay to " + f.Addr
	case FactConnectFailed:
		return "does not connect the relay to " + f.Addr + but(": ", f.Text)
	case FactClosed:
		return "has closed the connection to " + f.Addr + but(": ", f.Text)
	}
	return ""
}

// but puts words before a text, unless there is none.
func but(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}

func closing(s string) string {
	if s == "" {
		return ""
	}
	return s + ")"
}

func quoted(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return `"` + s + `"`
}

func due(words string, w Wall, at func(Wall) string) string {
	if w == 0 {
		return ""
	}
	return words + at(w)
}

// met is what a trouble met: what the server said, or else in one word.
func (f Fact) met() string {
	if f.Reply != "" || f.Event == 0 {
		return f.Reply
	}
	return f.Event.String()
}

func verdictText(v Verdict) string {
	if v == 0 {
		return ""
	}
	return v.String()
}

func stageText(s Stage) string {
	if s == 0 {
		return ""
	}
	return s.String()
}
