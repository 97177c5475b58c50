package fakesmtp

import "fmt"

// A Persona is a way to behave that is met often enough to have a name: rules
// under one word.
type Persona struct {
	Name    string
	Meaning string
	// Rules is what the persona stands for, in the language.
	Rules string
}

// Personas lists all personas.
func Personas() []Persona {
	return []Persona{
		{"greylister", "refuses every new pair of sender and recipient once",
			"at rcpt, attempt 1: 451 4.7.1 Greylisted, please come back later"},
		{"tarpit", "takes 30 seconds for every answer",
			"at greeting: delay 30s\nat ehlo: delay 30s\nat mail: delay 30s\nat rcpt: delay 30s\nat data: delay 30s\nat dot: delay 30s"},
		{"dripper", "sends every answer to MAIL and RCPT one byte per second",
			"at mail: drip 1s; 250 2.1.0 Sender ok\nat rcpt: drip 1s; 250 2.1.5 Recipient ok"},
		{"mute", "never greets", "at greeting: silence"},
		{"blocklist", "greets with a permanent refusal", "at greeting: 554 5.7.1 No service for you"},
		{"helo-only", "does not know EHLO", "at ehlo: 502 5.5.1 Command not implemented"},
		{"lying-ehlo", "refuses the very parameters that it offers", "at mail, parameters: 555 5.5.4 Unsupported parameter\n" +
			"at rcpt, parameters: 555 5.5.4 Unsupported parameter"},
		{"breaks-on-pipelining", "offers PIPELINING and cannot bear it", "at mail, pipelined: cut\nat rcpt, pipelined: cut"},
		{"421-mid-session", "closes at the first RCPT of every new envelope", "at rcpt, attempt 1: 421 4.3.2 Service shutting down; fin"},
		{"one-message", "takes one message per connection", "at mail, over 1 messages: 421 4.7.0 One message per connection; fin"},
		{"two-connections", "takes two connections at a time", "at greeting, over 2 connections: 421 4.7.0 Too many connections; fin"},
		{"100-recipients", "takes 100 recipients per transaction", "at rcpt, over 100 recipients: 452 4.5.3 Too many recipients"},
		{"full-disk", "has no room for any message", "at dot: 452 4.3.1 Insufficient system storage"},
		{"slow-scanner", "takes the message nine minutes after the dot", "at dot: delay 9m"},
		{"too-slow-scanner", "takes the message and says so after 15 minutes, when nobody waits any more",
			"at dot: accept; delay 15m; 250 2.0.0 Accepted at last"},
		{"drops-after-dot", "takes the message and cuts before the reply", "at dot: accept; cut"},
		{"torn-reply", "takes the message and cuts within the reply", "at dot: accept; cut after 6; 250 2.0.0 Accepted"},
		{"mute-after-dot", "takes the message and never says so", "at dot: accept; silence"},
	}
}

func personaNames() []string {
	var names []string
	for _, p := range Personas() {
		names = append(names, p.Name)
	}
	return names
}

// personaRules returns the rules that a persona stands for.
func personaRules(name string) ([]Rule, error) {
	for _, p := range Personas() {
		if p.Name != name {
			continue
		}
		s, err := ParseScript("persona "+name, 1, p.Rules)
		if err != nil {
			return nil, err
		}
		for i := range s.Rules {
			s.Rules[i].Line = 0
		}
		return s.Rules, nil
	}
	return nil, fmt.Errorf("there is no persona %q", name)
}
