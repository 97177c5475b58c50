package scenarios

import (
	"slices"

	"github.com/postonce/postonce/spec"
)

// expectations checks that every expectation can come true.
func (c *checker) expectations() {
	seen := make(map[string]int)
	spool := c.spool()
	for _, e := range c.s.Expect {
		c.host(e.Line, e.By)
		if e.Recipient == "" {
			continue
		}
		name := c.subject(e)
		if name == "" {
			continue
		}
		key := name + " " + canonical(e.Recipient)
		if before := seen[key]; before > 0 {
			c.fail(e.Line, e.Recipient, "put both into one line", "%s is expected already, in line %d", e.Recipient, before)
			continue
		}
		seen[key] = e.Line
		if word, why, what := c.impossible(e, c.sent[name], spool); why != "" && !c.violates() {
			c.fail(e.Line, word, what, "%s", why)
		}
	}
	c.unexpected(seen)
}

// unexpected refuses a recipient of whom nothing is expected: what nobody looks
// at goes wrong unseen. Of a message whose entry is damaged nobody can say
// anything.
func (c *checker) unexpected(seen map[string]int) {
	rules := func(e Expectation) bool { return e.Rules }
	if c.violates() || slices.ContainsFunc(c.s.Expect, rules) || len(c.errs) > 0 {
		return
	}
	for _, name := range c.names {
		s := c.sent[name]
		if c.has(func(d Step) bool { return d.Kind == StepDamage && d.Message == name && !d.HarmsContent() }) {
			continue
		}
		for _, r := range s.Recipients {
			if seen[name+" "+canonical(r)] == 0 {
				c.fail(s.Line, r, "say in the expect section what becomes of it; if that is not the point, write: "+r+" "+stateAnything,
					"nothing is expected of %s", r)
				return
			}
		}
	}
}

// subject returns the name of the message that an expectation is about; empty
// after an error.
func (c *checker) subject(e Expectation) string {
	if e.Message != "" && c.sent[e.Message] == nil {
		c.message(e.Line, e.Message)
		return ""
	}
	found := c.goingTo(e.Message, e.Recipient)
	switch len(found) {
	case 0:
		c.message(e.Line, e.Message, e.Recipient)
		return ""
	case 1:
		return found[0]
	}
	c.fail(e.Line, e.Recipient, "put the name of the message before it: "+found[0]+" "+e.Recipient,
		"%d messages go to %s", len(found), e.Recipient)
	return ""
}

// spool returns what the spool is expected to hold, and checks it.
func (c *checker) spool() string {
	spool := ""
	for _, e := range c.s.Expect {
		switch {
		case e.Spool == "":
			continue
		case spool != "":
			c.fail(e.Line, "spool", "", "the spool is expected twice")
		case e.Spool == "damaged" && !c.has(func(s Step) bool { return s.Kind == StepDamage && !s.HarmsContent() }):
			c.fail(e.Line, e.Spool, "add a step: damage MESSAGE", "nothing damages the spool")
		case e.Spool == "held" && !c.expects(stateHeld) && !c.expects(stateParked):
			c.fail(e.Line, e.Spool, "expect a recipient to be held or parked", "nothing is expected to be held or parked")
		case e.Spool == "empty" && c.staysDown() != nil:
			c.fail(e.Line, e.Spool, "add restart after TIME to the crash", "the relay stays down after line %d", c.staysDown().Line)
		}
		spool = e.Spool
	}
	return spool
}

// expects reports whether any recipient is expected in a state.
func (c *checker) expects(state string) bool {
	for _, e := range c.s.Expect {
		if e.State == state {
			return true
		}
	}
	return false
}

// violates reports whether a rule is to be broken, so that all is possible.
func (c *checker) violates() bool {
	for _, e := range c.s.Expect {
		if e.Violates != "" {
			return true
		}
	}
	return false
}

// licensed reports whether a second acceptance is expected to be licensed.
func (c *checker) licensed() bool {
	for _, e := range c.s.Expect {
		if e.Licence != "" {
			return true
		}
	}
	return false
}

// impossible says why an expectation cannot come true, below which word the
// caret goes, and what to write; why is empty when it can.
func (c *checker) impossible(e Expectation, sent *Step, spool string) (word, why, what string) {
	if word, why, what = c.badState(e, sent, spool); why != "" {
		return word, why, what
	}
	if e.State == stateAnything && (e.Attempts >= 0 || e.Acceptances >= 0 || e.Reports >= 0 || e.By != "" || e.TLS != "" || e.Delay || e.Relay) {
		return e.State, stateAnything + " says that the story is not about this recipient", "leave out what follows it, or say the state"
	}
	tried := e.State == stateDelivered || e.State == stateUnknown || e.State == stateHeld
	switch {
	case e.Attempts == 0 && tried:
		return "0 attempt", "a recipient that was never attempted cannot be " + e.State, "leave the number of attempts out, or name it"
	case e.Attempts > 0 && e.State == stateRefused:
		return e.State, "the relay attempts nothing that it refused", "leave the number of attempts out"
	case e.Acceptances == 0 && e.State == stateDelivered && !c.decides(stateDelivered):
		return "0 acceptance", "delivered means that a server accepted", "leave the number of acceptances out, or expect another state"
	case e.Acceptances > 0 && (e.State == stateFailed || e.State == stateRefused):
		return e.State, "what a server accepted is not " + e.State, "expect delivered or unknown"
	case e.Acceptances > 1 && !c.licensed():
		return "acceptance", "a second acceptance breaks NEVER-TWICE",
			`add a line licence "TEXT" for the doubt window that allows it, or violates NEVER-TWICE`
	case e.Reports > 0 && e.State != stateFailed && e.State != stateUnknown:
		return "report", "only what failed or is unknown is reported", "leave the number of reports out"
	case e.Reports > 0 && c.s.Policy.Reader(sent.Sender, e.Recipient) == "":
		return "report", "nothing is reported to the null sender, and of mail to the postmaster nothing to him", "expect 0 reports, or set a postmaster"
	case e.Reports > 1:
		return "report", "a recipient is reported once (NOTHING-LOST)", "expect 1 report"
	case e.TLS != "" && e.State != stateDelivered && e.State != stateUnknown && e.State != stateHeld:
		return e.TLS, "no server took what is " + e.State, "leave it out"
	case e.Relay && e.State != stateDelivered:
		return "told of relay", "only what a server took is told as relayed", "leave it out, or expect delivered"
	case (e.Delay || e.Relay) && sent.Sender == "":
		return "told", "nothing is reported to the null sender", "leave it out"
	case e.By != "" && e.State != stateDelivered && e.State != stateUnknown && e.State != stateHeld:
		return "by", "no server took what is " + e.State, "leave by HOST out"
	}
	return "", "", ""
}

// badState says why a recipient cannot end in the state.
func (c *checker) badState(e Expectation, sent *Step, spool string) (word, why, what string) {
	policy := c.policyFor(sent, e.Recipient)
	final := e.State == stateDelivered || e.State == stateFailed || e.State == stateUnknown || e.State == stateDeleted
	switch {
	case final && c.staysDown() != nil:
		return e.State, "the relay stays down, so nothing is sure to become " + e.State, "add restart after TIME to the crash or stop"
	case e.State == stateHeld && policy != spec.DoubtHold:
		return e.State, "nothing is held under in_doubt " + policy.String(), "write in_doubt hold in the relay section"
	case e.State == stateUnknown && policy == spec.DoubtHold && !c.decides("report") && !c.decides("retry") && !c.orders(StepBounce, sent, e.Recipient):
		return e.State, "nothing ends unknown under in_doubt hold", "have an operator decide, or write in_doubt report in the relay section"
	case e.State == stateParked && !c.orders(StepHold, sent, e.Recipient):
		return e.State, "nothing is parked unless an operator says so", "add a step: t+1m hold " + sent.Message
	case e.State == stateDeleted && !c.orders(StepDelete, sent, e.Recipient):
		return e.State, "nothing is deleted unless an operator says so", "add a step: t+1m delete " + sent.Message
	case (e.State == stateHeld || e.State == stateQueued || e.State == stateParked) && spool == "empty":
		return e.State, "the spool cannot be empty while " + e.Recipient + " is " + e.State, "leave out spool empty"
	}
	return "", "", ""
}
