package scenarios

import (
	"reflect"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// check refuses what is well written but makes no sense: names that nothing
// bears, servers that nobody can find, and expectations that cannot come true.
func (p *parser) check() {
	c := &checker{parser: p, sent: make(map[string]*Step)}
	if p.seen["plan"] == 0 || len(p.s.Plan) == 0 {
		p.fail(max(p.seen["plan"], 1), "", "write -- plan -- and a line such as: t+0 submit m1 from alice@example.org to bob@example.net",
			"nothing is planned")
		return
	}
	if len(p.s.Expect) == 0 {
		p.fail(max(p.seen["expect"], 1), "", "write -- expect -- and a line such as: bob@example.net delivered", "nothing is expected")
		return
	}
	c.servers()
	c.listeners()
	c.policies()
	c.needs()
	c.announced()
	c.submissions()
	c.steps()
	c.clock()
	c.expectations()
}

// A checker holds what the checks look up.
type checker struct {
	*parser
	// sent is the submit step of each message, by name; names in order.
	sent  map[string]*Step
	names []string
}

// servers checks that every server can be found and that no address leads to
// two of them.
func (c *checker) servers() {
	owner := make(map[string]string)
	for _, s := range c.s.Servers {
		found := false
		for _, r := range c.s.DNS {
			if r.Fault != "" || (r.Type != "A" && r.Type != "AAAA") || !strings.EqualFold(r.Name, s.Name+".") {
				continue
			}
			found = true
			if other := owner[r.Value]; other != "" {
				c.fail(r.Line, r.Value, "give each server an address of its own", "%s is the address of %s already", r.Value, other)
			}
			owner[r.Value] = s.Name
		}
		if !found && !strings.EqualFold(s.Name, MailboxServer) {
			c.fail(s.Line, s.Name, "add a line such as: "+s.Name+". A 192.0.2.10", "the server %s has no address in the dns section", s.Name)
		}
	}
}

// listeners checks that somebody is there where an MX record leads, or that the
// file says that nobody is: else the story is not the one that was meant.
func (c *checker) listeners() {
	there := []string{c.s.Policy.Hostname, MailboxServer}
	for _, s := range c.s.Servers {
		there = append(there, s.Name)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(there, func(s string) bool { return strings.EqualFold(s+".", name) })
	}
	shared := make(map[string]bool)
	for _, r := range c.s.DNS {
		if has(r.Name) {
			shared[r.Value] = true
		}
	}
	for _, r := range c.s.DNS {
		leads := func(mx Record) bool { return mx.Type == "MX" && c.told(mx) && strings.EqualFold(mx.Value, r.Name) }
		if r.Type != "A" && r.Type != "AAAA" || !c.told(r) || shared[r.Value] || !slices.ContainsFunc(c.s.DNS, leads) {
			continue
		}
		name := strings.TrimSuffix(r.Name, ".")
		c.fail(r.Line, r.Name, "add -- server "+name+" --, with the line network silent, or network refused, if nobody is to answer",
			"an MX record leads to %s, and there is no such server", name)
		return
	}
}

// told reports whether r is a record that no fault hides for ever.
func (c *checker) told(r Record) bool {
	return r.Fault == "" && !slices.ContainsFunc(c.s.DNS, func(f Record) bool {
		always := f.Fault != "" && f.First == 0 && f.From == 0 && f.Until == 0
		return always && strings.EqualFold(f.Name, r.Name) && (f.Type == r.Type || f.Type == anyType)
	})
}

// needs checks that what the story says to need is there.
func (c *checker) needs() {
	step := func(kind StepKind) bool { return c.has(func(s Step) bool { return s.Kind == kind }) }
	for _, need := range c.s.Needs {
		there, what := true, ""
		switch need {
		case "crash":
			there, what = step(StepCrash) || step(StepFail), "no step is a crash"
		case "stop":
			there, what = step(StepStop), "no step is a stop"
		case "operator":
			there, what = c.has(func(s Step) bool { return s.Order() != "" }), "no step is an operator's"
		case "damage":
			there, what = step(StepDamage), "no step damages"
		case "clock":
			there, what = step(StepClock), "no step sets the clock"
		case "dns":
			there = slices.ContainsFunc(c.s.DNS, func(r Record) bool { return r.Fault != "" }) || step(StepFail)
			what = "no answer of the DNS goes wrong"
		case "tls":
			there, what = c.s.offer("STARTTLS"), "no server offers STARTTLS"
		case "auth":
			there, what = len(c.s.Policy.Logins) > 0, "the relay has no login"
		case "chunking":
			there, what = c.s.offer("CHUNKING"), "no server offers CHUNKING"
		case "limits":
			there, what = c.s.offer("LIMITS"), "no server offers LIMITS"
		case "config":
			there = !reflect.DeepEqual(c.s.Policy, DefaultPolicy())
			what = "the relay has the default policy"
		default:
			there, what = c.waiting(need)
		}
		if !there {
			c.fail(c.needsLine(), need, "leave it out", "the story does not need %q: %s", need, what)
		}
	}
}

// needsLine is the number of the line that says what is needed.
func (c *checker) needsLine() int {
	return 1 + slices.IndexFunc(c.text, func(text string) bool { return strings.HasPrefix(text, "needs:") })
}

// submissions gathers the messages and checks their sections.
func (c *checker) submissions() {
	for i := range c.s.Plan {
		s := &c.s.Plan[i]
		if s.Kind != StepSubmit {
			continue
		}
		if before := c.sent[s.Message]; before != nil {
			c.fail(s.Line, s.Message, "call the second one by another name", "%s is submitted already, in line %d", s.Message, before.Line)
			continue
		}
		c.sent[s.Message] = s
		c.names = append(c.names, s.Message)
	}
	for _, m := range c.s.Messages {
		if c.sent[m.Name] == nil {
			c.fail(c.seen["message "+m.Name], m.Name, hint(m.Name, c.names), "no step submits the message %s", m.Name)
		} else if s := c.sent[m.Name]; s.Size > 0 {
			c.fail(s.Line, "size", "leave out the size", "the message %s has a content of its own", m.Name)
		}
	}
	if len(c.names) == 0 {
		c.fail(c.seen["plan"], "", "", "no message is submitted")
	}
}

// message checks that name is submitted, and to each of recipients.
func (c *checker) message(number int, name string, recipients ...string) {
	if name != "" && c.sent[name] == nil {
		c.fail(number, name, hint(name, c.names), "no step submits the message %s", name)
		return
	}
	for _, r := range recipients {
		if r != "" && len(c.goingTo(name, r)) == 0 {
			c.fail(number, r, hint(r, c.recipients(name)), "no step submits %sto %s", spaced(name), r)
		}
	}
}

// spaced puts a blank behind a name, if there is one.
func spaced(name string) string {
	if name == "" {
		return ""
	}
	return name + " "
}

// goingTo returns the names of the messages to a recipient; of those called
// name only, unless name is empty.
func (c *checker) goingTo(name, recipient string) []string {
	var found []string
	for _, n := range c.names {
		if name != "" && n != name {
			continue
		}
		for _, r := range c.sent[n].Recipients {
			if SameMailbox(r, recipient) {
				found = append(found, n)
				break
			}
		}
	}
	return found
}

// recipients returns all recipients of a message, or of all, for a hint.
func (c *checker) recipients(name string) []string {
	const enough = 20
	var all []string
	for _, n := range c.names {
		if name == "" || n == name {
			all = append(all, c.sent[n].Recipients...)
		}
	}
	return all[:min(len(all), enough)]
}

// host checks that a server or a relay is called host.
func (c *checker) host(number int, host string) {
	if host == "" || strings.EqualFold(host, MailboxServer) {
		return
	}
	known := []string{MailboxServer}
	for _, s := range c.s.Servers {
		known = append(known, s.Name)
	}
	for _, r := range c.s.DNS {
		if r.Fault == "" && (r.Type == "A" || r.Type == "AAAA") {
			known = append(known, strings.TrimSuffix(r.Name, "."))
		}
	}
	for _, k := range known {
		if strings.EqualFold(k, host) {
			return
		}
	}
	c.fail(number, host, hint(host, known), "there is no server %s", host)
}

// steps checks the names in the plan, and the order of what depends on it.
func (c *checker) steps() {
	down := false
	for _, s := range c.s.Plan {
		if s.Kind != StepSubmit {
			c.message(s.Line, s.Message, s.Recipients...)
		}
		c.message(s.Line, s.When.Message, s.When.Recipient)
		c.host(s.Line, s.When.Host)
		if s.Kind != StepJoin {
			c.host(s.Line, s.Host)
		}
		c.dest(s)
		if s.Kind == StepDamage && !down {
			c.fail(s.Line, string(StepDamage), "put the line directly below a crash or stop", "an entry can be damaged only while the relay is down")
		}
		if s.Kind == StepFail && s.Op == "store" && s.Forever && !c.has(func(x Step) bool { return x.Kind == StepHeal && x.Host == "" }) {
			c.fail(s.Line, "for good", "add a step: t+10m heal", "a disk that never works again lets nothing finish")
		}
		if s.Kind == StepDamage && s.At > 0 {
			c.fail(s.Line, timePrefix, "leave the time out", "the damage is done as soon as the relay is down")
		}
		down = s.Kind == StepCrash || s.Kind == StepStop || s.Kind == StepDamage
	}
}

// dest checks that mail goes to the destination that a step is about.
func (c *checker) dest(s Step) {
	var known []string
	for _, x := range c.s.Plan {
		for _, to := range x.Recipients {
			known = append(known, c.s.Policy.Destination(x.Sender, to))
		}
		known = append(known, c.s.Policy.Destination("", x.Sender)) // where reports go
	}
	if s.Dest != "" && !slices.Contains(known, s.Dest) {
		c.fail(s.Line, s.Dest, hint(s.Dest, known), "no mail goes to a destination %s", s.Dest)
	}
}

// staysDown returns the step after which the relay never starts again, nil if
// it always does, or another one goes on.
func (c *checker) staysDown() *Step {
	if c.has(func(s Step) bool { return s.Kind == StepJoin }) {
		return nil
	}
	for i := range c.s.Plan {
		if s := &c.s.Plan[i]; (s.Kind == StepCrash || s.Kind == StepStop) && s.Restart == 0 {
			return s
		}
	}
	return nil
}

// has reports whether the plan has a step that fits.
func (c *checker) has(fits func(Step) bool) bool {
	for _, s := range c.s.Plan {
		if fits(s) {
			return true
		}
	}
	return false
}

// decides reports whether an operator says word at any time.
func (c *checker) decides(word string) bool {
	return c.has(func(s Step) bool { return s.Kind == StepDecide && s.Decision == word })
}

// orders reports whether an operator gives an order about a recipient of a
// message, at any time.
func (c *checker) orders(kind StepKind, sent *Step, recipient string) bool {
	return c.has(func(s Step) bool {
		same := func(to string) bool { return SameMailbox(to, recipient) }
		return s.Kind == kind && !s.Refused && s.Message == sent.Message && (len(s.Recipients) == 0 || slices.ContainsFunc(s.Recipients, same))
	})
}

// policyFor returns the in_doubt policy for a recipient of a message.
func (c *checker) policyFor(sent *Step, recipient string) spec.InDoubtPolicy {
	return c.s.Policy.InDoubtFor(c.s.Policy.Destination(sent.Sender, recipient))
}
