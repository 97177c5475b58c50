package spec

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := DefaultPolicy("relay.example.org").Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestPolicyNonsenseIsRefusedByName(t *testing.T) {
	for want, change := range map[string]func(*Policy){
		"hostname":                    func(p *Policy) { p.Hostname = "" },
		"retry schedule":              func(p *Policy) { p.Schedule.First = 0 },
		"limit on deliveries":         func(p *Policy) { p.Limits.Deliveries = 0 },
		"deliveries per destination":  func(p *Policy) { p.Limits.DeliveriesPerDestination = -1 },
		"recipients per transaction":  func(p *Policy) { p.Limits.RecipientsPerTransaction = 0 },
		"recipients per message":      func(p *Policy) { p.Limits.RecipientsPerMessage = 99 },
		"message bytes":               func(p *Policy) { p.Limits.MessageBytes = 1000 },
		"window groups":               func(p *Policy) { p.Limits.WindowGroups = 0 },
		"next hops":                   func(p *Policy) { p.Limits.NextHops = 0 },
		"reply bytes":                 func(p *Policy) { p.Limits.ReplyBytes = 100 },
		"time-out for resolve":        func(p *Policy) { p.Timeouts.Resolve = 0 },
		"time-out for rcpt":           func(p *Policy) { p.Timeouts.RCPT = -time.Second },
		"time-out for dot: 9m59s":     func(p *Policy) { p.Timeouts.Dot = LeastDot - time.Second },
		"dot: 0s is not positive":     func(p *Policy) { p.Timeouts.Dot = 0 },
		"time-out for quit: 0s is no": func(p *Policy) { p.Timeouts.QUIT = 0 },
	} {
		p := DefaultPolicy("relay.example.org")
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not contain %q", err, want)
		}
	}
}

func TestPolicyNamesAreChecked(t *testing.T) {
	for _, c := range []struct {
		change func(*Policy)
		want   string
	}{
		{func(*Policy) {}, ""},
		{func(p *Policy) { p.Hostname = "[192.0.2.1]" }, ""},
		{func(p *Policy) { p.Hostname = "[IPv6:2001:db8::1]" }, ""},
		{func(p *Policy) { p.Hostname = "" }, "hostname \"\": it is empty"},
		{func(p *Policy) { p.Hostname = "mail example" }, "' ' is not in any name"},
		{func(p *Policy) { p.Hostname = "mail..example" }, "a part of it is empty"},
		{func(p *Policy) { p.Hostname = "mail.example\r\nRSET" }, "is not in any name"},
		{func(p *Policy) { p.Hostname = "[2001:db8::1]" }, "write a domain name, or an address literal: [192.0.2.1] or [IPv6:2001:db8::1]"},
		{func(p *Policy) { p.Hostname = "[IPv6:192.0.2.1]" }, "write a domain name, or an address literal"},
		{func(p *Policy) { p.Hostname = "[IPv6:fe80::1%eth0]" }, "write a domain name, or an address literal"},
		{func(p *Policy) { p.Hostname = "[fe80::1%x\r\nRSET]" }, "write a domain name, or an address literal"},
		{func(p *Policy) { p.Relays = []string{"[fe80::1%eth0]:25"} }, "relays[0] \"[fe80::1%eth0]:25\""},
		{func(p *Policy) { p.Fallback = []string{"[IPv6:fe80::1%eth0]"} }, "fallback[0]"},
		{func(p *Policy) { p.Hostname = "[192.0.2.1" }, "write a domain name, or an address literal"},
		{func(p *Policy) {
			p.Relays = []string{"r.example", "r.example:587", "192.0.2.1", "192.0.2.1:25", "[192.0.2.1]:25", "[2001:db8::1]:25", "[IPv6:2001:db8::1]"}
		}, ""},
		{func(p *Policy) { p.Relays = []string{"r.example", "r.example:smtp"} }, "relays[1] \"r.example:smtp\": the port is not a number"},
		{func(p *Policy) { p.Fallback = []string{"r example"} }, "fallback[0] \"r example\": ' ' is not in any name; write HOST"},
		{func(p *Policy) { p.Fallback = []string{"2001:db8::1"} }, "fallback[0]"},
		{func(p *Policy) {
			p.Routes = map[string][]string{"example.net": {"r.example:25"}, ".net": {"[192.0.2.1]"}, "[192.0.2.1]": {"r.example"}}
		}, ""},
		{func(p *Policy) { p.Routes = map[string][]string{"example.net": nil} }, "route \"example.net\": it has no host"},
		{func(p *Policy) { p.Routes = map[string][]string{"*.net": {"r.example"}} }, "route \"*.net\": '*' is not in any name; write DOMAIN"},
		{func(p *Policy) { p.Routes = map[string][]string{"Example.net": {"r.example"}} }, "small letters"},
		{func(p *Policy) { p.Routes = map[string][]string{"example.net.": {"r.example"}} }, "without a dot at its end"},
		{func(p *Policy) { p.Routes = map[string][]string{"a.net": {"r.example", "b:x"}} }, "route a.net[1] \"b:x\": the port"},
		{func(p *Policy) { p.Relays, p.Routes = []string{"a.net"}, map[string][]string{"relay": {"r.example"}} }, "relays have that name"},
		{func(p *Policy) { p.Own = []string{"mx.example", "192.0.2.1", "2001:db8::1"} }, ""},
		{func(p *Policy) { p.Own = []string{"192.0.2.1:25"} }, "own[0] \"192.0.2.1:25\": write a host name, or an address"},
		{func(p *Policy) {
			p.InDoubtAt = map[string]InDoubtPolicy{"example.net": DoubtRetry, "[192.0.2.1]": DoubtHold, RelayDestination: DoubtReport}
			p.TLSAt = map[string]TLSLevel{"example.net": TLSVerified, "192.0.2.9": TLSOff}
		}, ""},
		{func(p *Policy) { p.InDoubt = DoubtRetry + 1 }, "in_doubt policy: there is no InDoubtPolicy(3)"},
		{func(p *Policy) { p.InDoubtAt = map[string]InDoubtPolicy{"example.net": DoubtRetry + 1} }, "in_doubt policy at \"example.net\": there is no"},
		{func(p *Policy) { p.InDoubtAt = map[string]InDoubtPolicy{"Example.NET": DoubtHold} }, "it would never be found; write \"example.net\""},
		{func(p *Policy) { p.InDoubtAt = map[string]InDoubtPolicy{"": DoubtHold} }, "it is no name"},
		{func(p *Policy) { p.TLS = TLSVerified + 1 }, "TLS level: there is no TLSLevel(4)"},
		{func(p *Policy) { p.TLSAt = map[string]TLSLevel{"mx1.example.net": TLSVerified + 1} }, "TLS level at \"mx1.example.net\": there is no"},
		{func(p *Policy) { p.TLSAt = map[string]TLSLevel{"example.net.": TLSRequired} }, "it would never be found; write \"example.net\""},
		{func(p *Policy) { p.Fallback = []string{""} }, "fallback[0] \"\": it is empty"},
	} {
		p := DefaultPolicy("relay.example")
		c.change(&p)
		switch err := p.Validate(); {
		case c.want == "" && err != nil:
			t.Errorf("refused: %v", err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
