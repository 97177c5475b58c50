package spec

// A Rule is one of the ten rules that a relay keeps. They are explained in
// README.md, in this order.
type Rule string

// The rules.
const (
	NeverTwice     Rule = "NEVER-TWICE"
	NothingLost    Rule = "NOTHING-LOST"
	TrueReports    Rule = "TRUE-REPORTS"
	CleanExactly   Rule = "CLEAN-EXACTLY"
	AcceptDurable  Rule = "ACCEPT-DURABLE"
	RetryOnTime    Rule = "RETRY-ON-TIME"
	NextHopOrder   Rule = "NEXT-HOP-ORDER"
	WireLawful     Rule = "WIRE-LAWFUL"
	FairAndBounded Rule = "FAIR-AND-BOUNDED"
	Progress       Rule = "PROGRESS"
)

// ruleTexts holds what each rule says and where it comes from, in order.
var ruleTexts = [...]struct {
	rule          Rule
	text, sources string
}{
	{NeverTwice, "No server accepts the same message for the same recipient more than once.",
		"RFC 1047; RFC 5321 4.5.3.2.6, 6.1"},
	{NothingLost, "Every recipient of every accepted message ends delivered, failed or unknown, " +
		"and the sender is told once of each that failed or is unknown.",
		"RFC 5321 4.2.5, 4.5.5, 6.1"},
	{TrueReports, "Delivered is said only of what a server accepted, failed only of what none accepted, unknown only of what is in doubt.",
		"RFC 3464 2.3.3; RFC 5321 6.1"},
	{CleanExactly, "A message is in the spool exactly as long as a recipient is not final or a due report is not stored.",
		"RFC 5321 4.5.4.1"},
	{AcceptDurable, "The submitter gets 250 only for a message that would survive power loss.",
		"RFC 5321 4.1.1.4, 6.1"},
	{RetryOnTime, "No attempt is made before it is due; what was refused for now is retried until its lifetime ends, what was refused for good never.",
		"RFC 5321 4.2.1, 4.5.4.1"},
	{NextHopOrder, "Next hops are tried in the order of the MX records; a relay with smart hosts uses those alone.",
		"RFC 5321 5.1; RFC 7505 3"},
	{WireLawful, "What the relay sends is what SMTP allows, and the mail is what was submitted.",
		"RFC 5321 2.3.8, 3.1, 4.5.2; RFC 2920 3.1; RFC 3207 4"},
	{FairAndBounded, "Limits hold, and a dead or slow destination delays no other.",
		"RFC 5321 4.5.4.1"},
	{Progress, "Once faults stop, everything finishes.",
		"RFC 5321 4.5.4.1"},
}

// Rules lists the rules in their order.
func Rules() []Rule {
	all := make([]Rule, len(ruleTexts))
	for i, r := range ruleTexts {
		all[i] = r.rule
	}
	return all
}

// Text returns what the rule says, in one sentence; empty for no rule.
func (r Rule) Text() string {
	for _, t := range ruleTexts {
		if t.rule == r {
			return t.text
		}
	}
	return ""
}

// Sources returns the sections that the rule rests on.
func (r Rule) Sources() string {
	for _, t := range ruleTexts {
		if t.rule == r {
			return t.sources
		}
	}
	return ""
}

// ParseRule returns the rule called name.
func ParseRule(name string) (Rule, bool) {
	r := Rule(name)
	return r, r.Text() != ""
}
