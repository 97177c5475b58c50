package fakesmtp

import (
	"errors"
	"os"
	"time"

	"github.com/postonce/postonce/spec"
)

// idle carries out what the script has for a client that keeps the connection
// after a transaction: nothing was asked, so nothing is said unless a rule says
// so. A delay with which the rule begins is how long the client has to go on;
// when it does, the rule is over.
func (c *session) idle() error {
	if c.messages == 0 || c.mailSaid || c.mail != nil || c.in.Buffered() > 0 {
		return nil
	}
	rule, ok := c.server.match(occasion{stage: spec.StageIdle, number: c.number, messages: c.messages})
	if !ok {
		return nil
	}
	actions := rule.Actions
	for ; len(actions) > 0 && actions[0].Do == Delay; actions = actions[1:] {
		switch err := c.listen(time.Now().Add(actions[0].Wait)); {
		case err == nil:
			return nil // it has spoken
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
	c.note(spec.Fact{Kind: spec.FactFault, Stage: spec.StageIdle, Faults: rule.Faults(), Text: rule.String()})
	_, err := c.perform(spec.StageIdle, actions, rule.manner(), nil)
	return err
}
