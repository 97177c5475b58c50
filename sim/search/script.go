package search

import (
	"fmt"
	"strings"

	"github.com/postonce/postonce/fakesmtp"
)

// script draws how a server behaves, in the language of fakesmtp.
func (g *generator) script() string {
	var lines []string
	if g.odds(0.2) {
		lines = append(lines, "offer "+pick(g, "none", "SIZE 10000000", "PIPELINING", "PIPELINING, SIZE 2000, 8BITMIME", "8BITMIME", "PIPELINING, DSN"))
	}
	for _, c := range []struct {
		class class
		rule  func() string
	}{{refusals, g.refusal}, {cuts, g.cut}, {slow, g.slowness}, {odd, g.oddity}, {doubts, g.doubt}} {
		for g.on[c.class] && g.odds(0.5) {
			rule := c.rule()
			lines = append(lines, g.before(rule)...)
			lines = append(lines, rule)
		}
	}
	if g.on[personas] && g.odds(0.6) {
		lines = append(lines, "persona "+pick(g, fakesmtp.Personas()...).Name)
	}
	return strings.Join(lines, "\n")
}

// before draws what leads to the stage of a rule, where most conversations do not
// come there.
func (g *generator) before(rule string) []string {
	switch {
	case strings.HasPrefix(rule, "at helo"): // nobody says HELO to who knows EHLO
		return []string{"at ehlo: 502 5.5.1 What?"}
	case strings.HasPrefix(rule, "at rset") && g.odds(0.7): // it comes after a transaction without a dot, when others wait
		g.sc.Policy.Limits.RecipientsPerTransaction = 1
		return []string{"at rcpt, first 2: 450 4.7.1 Later"}
	case strings.HasPrefix(rule, "at quit") && g.odds(0.4): // so that somebody waits, or is held
		return []string{pick(g, "at rcpt, first 1: 450 4.7.1 Later", "at dot, first 1: 451 4.3.0 Later", `at dot, first 1: raw "what?\r\n"`)}
	}
	return nil
}

// stages of a conversation that a rule may be for; those that matter most come
// more than once.
var stages = []string{"greeting", "ehlo", "helo", "mail", "rcpt", "rcpt", "data", "body", "dot", "dot", "rset", "quit"}

// replying are those at which a reply can be cut or delayed.
var replying = []string{"greeting", "ehlo", "helo", "mail", "rcpt", "rcpt", "data", "dot", "dot", "rset", "quit"}

// when draws the conditions of a rule at a stage.
func (g *generator) when(stage string) string {
	switch g.rand.IntN(9) {
	case 0, 1:
		return fmt.Sprintf(", first %d", g.between(1, 3))
	case 2:
		return fmt.Sprintf(", nth %d", g.between(1, 4))
	case 3:
		return fmt.Sprintf(", until %dm", g.between(1, 200))
	case 4:
		return fmt.Sprintf(", after %dm", g.between(1, 60))
	case 5:
		return fmt.Sprintf(", connection %d", g.between(1, 3))
	case 6:
		return fmt.Sprintf(", over %d connections", g.between(1, 3))
	case 7:
		switch stage {
		case "mail", "rcpt":
			return pick(g, ", attempt 1", ", attempt 2", ", parameters", ", pipelined", ", over 1 messages")
		case "data", "dot":
			return pick(g, ", attempt 1", ", attempt 2", ", over 2 recipients")
		}
	}
	return ""
}

// whom draws whom a rule at a stage is about.
func (g *generator) whom(stage string) string {
	if (stage == "rcpt" || stage == "data" || stage == "dot") && g.odds(0.4) {
		return pick(g, " <bob@*>", " <carol@*>", " <dave@*>")
	}
	if (stage == "mail" || stage == "rcpt" || stage == "dot") && g.odds(0.1) {
		return pick(g, " from <>", " from <alice@*>")
	}
	return ""
}

func (g *generator) at(stage string) string {
	return "at " + stage + g.whom(stage) + g.when(stage) + ": "
}

func (g *generator) refusal() string {
	return g.at(pick(g, stages...)) + pick(g, "451 4.3.0 Trouble", "450 4.7.1 Later", "421 4.3.2 Closing", "421 4.3.2 Closing; fin", "550 5.7.1 No",
		"554 5.0.0 Never", "552 5.2.2 Full",
		"452 4.5.3 Too many recipients")
}

func (g *generator) cut() string {
	if g.odds(0.2) {
		return "at body" + g.when("body") + ": cut after " + fmt.Sprint(g.between(1, 300))
	}
	return g.at(pick(g, append([]string{"connect"}, replying...)...)) + pick(g, "cut", "fin")
}

func (g *generator) slowness() string {
	if g.odds(0.1) {
		return "at body" + g.when("body") + ": silence"
	}
	return g.at(pick(g, replying...)) + pick(g, "silence", "delay 30s", "delay 4m", "delay 9m", "delay 15m")
}

func (g *generator) oddity() string {
	stage := pick(g, stages...)
	yes := "250 Fine"
	switch stage {
	case "greeting":
		yes = "220 Here"
	case "data":
		yes = "354 Go on"
	case "quit":
		yes = "221 Bye"
	case "body":
		return "at body" + g.when("body") + ": " + pick(g, `raw "what?\r\n"`, "250 Taken", "354 More", "451 4.3.0 Enough for now",
			"554 5.7.1 Enough", "421 4.3.2 Closing; fin")
	}
	return g.at(stage) + pick(g, `raw "`+yes[:3]+`\r\n"`, "250 Fine",
		`raw "what?\r\n"`, `raw "250-\r\n"`, "drip 1s; "+yes, "cut after 2; "+yes, "repeat 2; "+yes, "350 Hm", yes[:3]+"-One|"+yes)
}

func (g *generator) doubt() string {
	return g.at("dot") + pick(g, "accept; cut", "accept; silence", "lose", "cut", "accept; delay 11m; 250 Late", `accept; raw "25"; cut`, "accept; fin", "silence")
}
