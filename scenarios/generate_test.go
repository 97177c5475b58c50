package scenarios

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// scenarios generates scenarios that Parse accepts.
func scenarios() *rapid.Generator[*Scenario] {
	return rapid.Custom(func(t *rapid.T) *Scenario {
		s := &Scenario{
			Name: rapid.StringMatching(`[a-z]{1,8}/[a-z-]{1,8}`).Draw(t, "name"), Policy: genPolicy(t),
			Rules: rapid.SampledFrom([][]string{nil, {"PROGRESS"}, {"NEVER-TWICE", "rfc5321#4.2.5"}}).Draw(t, "rules"),
			Needs: rapid.SampledFrom([][]string{nil, {"doubt"}, {"time", "doubt"}}).Draw(t, "needs"),
			Seed:  rapid.SampledFrom([]uint64{0, 1, 2, 1<<64 - 1}).Draw(t, "seed"),
			Prose: rapid.StringMatching(`[A-Z][a-z ]{0,20}[a-z]\. [A-Z][a-z# ]{0,20}[a-z](\n\n?[a-z]{1,9})?`).Draw(t, "prose"),
		}
		s.Title = firstSentence(s.Prose)
		s.Source = rapid.SampledFrom([]string{"", "https://example.org/a?b#c"}).Draw(t, "source")
		s.Bugs = rapid.SampledFrom([][]string{nil, {"DUP-01"}, {"DNS-24", "OPS-05"}}).Draw(t, "bugs")
		genServers(t, s)
		genPlan(t, s)
		genExpect(t, s)
		if rapid.Bool().Draw(t, "traced") {
			s.Trace = []byte(rapid.StringMatching(`([ -,.-~]{0,9}\n){0,3}`).Draw(t, "trace"))
		}
		return s
	})
}

func genDuration(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.OneOf(rapid.Int64Range(1, 100), rapid.Int64Range(1, int64(5*24*time.Hour)),
		rapid.SampledFrom([]int64{int64(time.Minute), int64(90 * time.Minute), int64(48 * time.Hour)})).Draw(t, label))
}

func genPolicy(t *rapid.T) spec.Policy {
	p := DefaultPolicy()
	maybe := func(label string, change func()) {
		if rapid.IntRange(0, 3).Draw(t, label) == 0 {
			change()
		}
	}
	maybe("hostname", func() { p.Hostname = "out.example" })
	maybe("port", func() { p.Port = rapid.Uint16Range(1, 65535).Draw(t, "number") })
	maybe("doubt", func() {
		p.InDoubt = rapid.SampledFrom([]spec.InDoubtPolicy{spec.DoubtHold, spec.DoubtRetry}).Draw(t, "policy")
	})
	maybe("doubt at", func() {
		p.InDoubtAt = map[string]spec.InDoubtPolicy{"example.net": spec.DoubtReport, "example.com": spec.DoubtHold}
	})
	maybe("source", func() {
		p.Source = map[string][]netip.Addr{
			rapid.SampledFrom([]string{"", "example.net"}).Draw(t, "for"): rapid.SampledFrom([][]netip.Addr{
				{netip.MustParseAddr("198.51.100.7")}, {netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("198.51.100.8")},
			}).Draw(t, "from"),
		}
	})
	maybe("tls", func() { p.TLS = rapid.SampledFrom(spec.TLSLevels()).Draw(t, "level") })
	maybe("tls at", func() { p.TLSAt = map[string]spec.TLSLevel{"example.net": spec.TLSVerified, "c.example": spec.TLSOff} })
	maybe("relays", func() { p.Relays = []string{"a.example:587", "b.example"} })
	maybe("fallback", func() { p.Fallback = []string{"c.example"} })
	maybe("routes", func() {
		p.Routes = map[string][]string{"example.net": {"d.example:2525"}, ".example.net": {"[2001:db8::1]:25", "[192.0.2.1]"}}
	})
	maybe("sender routes", func() {
		p.SenderRoutes = map[string][]string{"<>": {"e.example"}, "@example.org": {"[192.0.2.1]"}, "alice@example.org": {"e.example:587", "c.example"}}
	})
	maybe("private", func() { p.PrivateIntake = true })
	maybe("prefer", func() { p.PreferIPv6 = true })
	maybe("logins", func() {
		p.Fallback, p.TLSAt = []string{"c.example", "[192.0.2.9]:587"}, nil
		p.Logins = map[string]spec.Login{
			"c.example":   {User: "relay", Secret: spec.NewSecret("x y"), Mechanisms: []spec.Mechanism{spec.SCRAMSHA256, spec.Plain}},
			"[192.0.2.9]": {User: "a,b", Secret: spec.NewSecret("\""), Clear: true},
		}
	})
	maybe("own", func() { p.Own = []string{"mx.example", "192.0.2.1", "2001:db8::1"} })
	maybe("chunking", func() { p.Chunking, p.Limits.ChunkBytes = true, 100 })
	maybe("chunking at", func() { p.ChunkingAt = map[string]bool{"example.net": true, "c.example": false} })
	maybe("schedule", func() { p.Schedule.First = min(genDuration(t, "first"), p.Schedule.Max) })
	maybe("factor", func() { p.Schedule.Numerator, p.Schedule.Denominator = 3, 2 })
	maybe("lifetime", func() { p.Schedule.Lifetime = genDuration(t, "lifetime") })
	maybe("schedule at", func() {
		at := p.Schedule
		at.Jitter, at.Lifetime = 7, genDuration(t, "lifetime at")
		p.ScheduleAt = map[string]spec.Schedule{"example.net": at, "relay": p.Schedule}
	})
	maybe("back-off", func() {
		p.Backoffs[spec.CauseGreylisted] = spec.Backoff{First: time.Minute, Max: time.Hour, Numerator: 3, Denominator: 2}
		p.Backoffs[spec.CauseUnreached] = spec.Backoff{First: 1, Max: 1, Numerator: 1, Denominator: 1}
	})
	maybe("delay warning at", func() { p.DelayWarningAt = map[string]time.Duration{"example.net": 0, "example.org": time.Hour} })
	maybe("connections", func() { p.Reuse.Kept = rapid.IntRange(0, 9).Draw(t, "kept") })
	maybe("age", func() { p.Reuse.Age = p.Reuse.Idle + genDuration(t, "age") })
	maybe("limit", func() { p.Limits.Deliveries = rapid.IntRange(1, 9).Draw(t, "deliveries") })
	maybe("bytes", func() { p.Limits.MessageBytes = rapid.Int64Range(64<<10, maxNumber).Draw(t, "bytes") })
	for _, w := range waits {
		maybe(w.word, func() { *w.field(&p.Timeouts) = spec.LeastDot + genDuration(t, "wait") })
	}
	return p
}

func genServers(t *rapid.T, s *Scenario) {
	for i := range rapid.IntRange(0, 3).Draw(t, "servers") {
		name := fmt.Sprintf("mx%d.example.net", i)
		s.DNS = append(s.DNS,
			Record{Name: "example.net.", Type: "MX", Preference: rapid.Uint16().Draw(t, "preference"), Value: name + ".",
				TTL: rapid.SampledFrom([]time.Duration{0, NoTTL, time.Second, time.Hour}).Draw(t, "ttl")},
			Record{Name: name + ".", Type: "A", Value: fmt.Sprintf("192.0.2.%d", 10+i)})
		server := Server{Name: name, Network: rapid.SampledFrom([]string{"", "refused", "silent"}).Draw(t, "network")}
		if server.Network != "" && rapid.Bool().Draw(t, "ends") {
			server.NetworkUntil = genDuration(t, "until")
		}
		server.Window = rapid.SampledFrom([]int{0, 0, 4096}).Draw(t, "window")
		if server.Peer = rapid.Bool().Draw(t, "peer"); !server.Peer {
			text := strings.Join(rapid.SliceOfDistinct(rapid.SampledFrom([]string{
				"offer PIPELINING, SIZE 1000, CHUNKING, LIMITS RCPTMAX=2", "at bdat, nth 2: 452 4.3.1 No room", "at dot, first 1: accept; cut",
				"persona mute", "at rcpt <bob@example.net>: 550 5.1.1 No",
			}), rapid.ID).Draw(t, "script"), "\n")
			script, err := fakesmtp.ParseScript("script", 1, text)
			if err != nil {
				t.Fatal(err)
			}
			server.Script = script
		}
		s.Servers = append(s.Servers, server)
	}
	faulty := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Record {
		r := Record{Name: "example.com.", Type: rapid.SampledFrom([]string{"MX", "A", "ANY"}).Draw(t, "type"),
			Fault: rapid.SampledFrom(wordsOf(faults)).Draw(t, "fault"), First: rapid.IntRange(0, 3).Draw(t, "first")}
		if rapid.Bool().Draw(t, "bounded") {
			r.From = genDuration(t, "from")
			r.Until = r.From + genDuration(t, "for")
		}
		return r
	}), 0, 3).Draw(t, "faults")
	if len(faulty) > 0 {
		s.DNS = append(s.DNS, faulty...)
	}
}

func genPlan(t *rapid.T, s *Scenario) {
	for i := range rapid.IntRange(1, 3).Draw(t, "messages") {
		name := fmt.Sprintf("m%d", i)
		to := []string{fmt.Sprintf("bob%d@example.net", i), `"a, b"@example.com`, "u@[192.0.2.1]",
			"r7@example.com", "r8@example.com", "r9@example.com", "r11@example.com", "r8@EXAMPLE.com", "R8@example.com"}
		s.Plan = append(s.Plan, Step{At: genDuration(t, "at"), Kind: StepSubmit, Message: name,
			Sender:     rapid.SampledFrom([]string{"", "alice@example.org"}).Draw(t, "sender"),
			Recipients: to[:rapid.IntRange(1, len(to)).Draw(t, "recipients")],
			Size:       rapid.SampledFrom([]int64{0, 0, 1, 300_000}).Draw(t, "size"),
			EightBit:   rapid.Bool().Draw(t, "8bit"), UTF8: rapid.Bool().Draw(t, "utf8"), RequireTLS: rapid.Bool().Draw(t, "requiretls")})
		genAsked(t, &s.Plan[len(s.Plan)-1])
		if s.Plan[len(s.Plan)-1].Size == 0 && rapid.Bool().Draw(t, "content") {
			m := Message{Name: name, Raw: rapid.Bool().Draw(t, "raw")}
			if m.Raw {
				m.Content = []byte(rapid.StringMatching(`(x{0,40}[\x00-\xFFé\r\n]{1,3}){1,5}`).Draw(t, "bytes"))
			} else {
				text := rapid.StringMatching(`([ -,.-~]{0,9}\n){0,4}`).Draw(t, "text")
				m.Content = []byte(strings.ReplaceAll(text, "\n", "\r\n"))
			}
			s.Messages = append(s.Messages, m)
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "steps") {
		s.Plan = append(s.Plan, genStep(t)...)
	}
}

func genAsked(t *rapid.T, s *Step) {
	s.Tracking = spec.Tracking{
		Return:     spec.Return(rapid.IntRange(0, 2).Draw(t, "ret")),
		EnvelopeID: rapid.SampledFrom([]string{"", "QQ 314", `a"b+c=\`}).Draw(t, "envid"),
	}
	for i := range s.Recipients {
		if rapid.IntRange(0, 4).Draw(t, "asks") > 0 {
			continue
		}
		s.Asked = append(append(s.Asked, make([]spec.Asked, i-len(s.Asked))...), spec.Asked{
			Notify:   rapid.SampledFrom([]spec.Notify{spec.NotifyNever, spec.NotifySuccess | spec.NotifyDelay}).Draw(t, "notify"),
			Original: rapid.SampledFrom([]string{"", "rfc822;b x@example.com"}).Draw(t, "orcpt"),
		})
	}
}

func genStep(t *rapid.T) []Step {
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		s := Step{At: genDuration(t, "at"), Kind: StepStop, Restart: genDuration(t, "restart")}
		if rapid.Bool().Draw(t, "stops after") {
			s.When = FactMatch{After: true, Kind: spec.FactQueued, Message: "m0"}
		}
		return []Step{s}
	case 1:
		return []Step{{At: genDuration(t, "at"), Kind: StepHeal, Host: rapid.SampledFrom([]string{"", MailboxServer}).Draw(t, "host")}}
	case 3:
		return []Step{{At: genDuration(t, "at"), Kind: rapid.SampledFrom([]StepKind{StepHold, StepRelease, StepRetry, StepBounce, StepDelete}).Draw(t, "order"),
			Message: "m0", Recipients: rapid.SampledFrom([][]string{nil, {"bob0@example.net"}}).Draw(t, "whose"), Refused: rapid.Bool().Draw(t, "refused")}}
	case 2:
		return []Step{{At: genDuration(t, "at"), Kind: StepDecide, Message: "m0",
			Decision:   rapid.SampledFrom(wordsOf(decisions)).Draw(t, "decision"),
			Recipients: rapid.SampledFrom([][]string{nil, {"bob0@example.net"}}).Draw(t, "whose")}}
	case 8:
		return []Step{{At: genDuration(t, "at"), Kind: StepReroute, Message: "m0", Refused: rapid.Bool().Draw(t, "refused"),
			Dest:       rapid.SampledFrom([]string{"", "via:" + MailboxServer, "via:" + MailboxServer + ":587+[192.0.2.9]"}).Draw(t, "dest"),
			Recipients: rapid.SampledFrom([][]string{nil, {"bob0@example.net"}}).Draw(t, "whose")}}
	case 4:
		jump := genDuration(t, "jump")
		if rapid.Bool().Draw(t, "back") {
			jump = -jump
		}
		return []Step{{At: genDuration(t, "at"), Kind: StepClock, Jump: jump}}
	}
	s := Step{Kind: StepCrash, Restart: genDuration(t, "restart"), Silent: rapid.Bool().Draw(t, "silent"),
		Keep: rapid.SampledFrom([]string{"", "none", "all", "some"}).Draw(t, "keep")}
	switch rapid.IntRange(0, 2).Draw(t, "when") {
	case 0:
		s.At = genDuration(t, "at")
	case 1:
		s.StepNumber = rapid.IntRange(1, 99).Draw(t, "step")
		s.When.After = rapid.Bool().Draw(t, "after step")
	case 2:
		s.When = FactMatch{After: rapid.Bool().Draw(t, "after"), Kind: spec.FactKind(rapid.SampledFrom(factWords()).Draw(t, "fact")),
			Message:   rapid.SampledFrom([]string{"", "m0"}).Draw(t, "message"),
			Recipient: rapid.SampledFrom([]string{"", "bob0@example.net"}).Draw(t, "recipient"),
			Host:      rapid.SampledFrom([]string{"", MailboxServer}).Draw(t, "host"),
			Stage:     spec.Stage(rapid.IntRange(0, int(spec.StageQUIT)).Draw(t, "stage")), Nth: rapid.IntRange(0, 3).Draw(t, "nth")}
	}
	if rapid.Bool().Draw(t, "damaging") {
		harm := rapid.SampledFrom([]string{"", HarmEmpty, HarmTorn, HarmGone, HarmContentTorn, HarmContentGone}).Draw(t, "harm")
		return []Step{s, {Kind: StepDamage, Message: "m0", Harm: harm}}
	}
	return []Step{s}
}

func genExpect(t *rapid.T, s *Scenario) {
	for _, step := range s.Plan {
		if step.Kind != StepSubmit {
			continue
		}
		repeated := repeats(step.Recipients)
		for i, r := range step.Recipients {
			if repeated[i] {
				continue
			}
			e := Expectation{Message: step.Message, Recipient: r, Attempts: -1, Acceptances: -1, Reports: -1,
				State: rapid.SampledFrom([]string{stateDelivered, stateFailed, stateQueued, stateAnything}).Draw(t, "state")}
			if e.State == stateDelivered && rapid.Bool().Draw(t, "counted") {
				e.Delay, e.Relay = step.Sender != "" && rapid.Bool().Draw(t, "delay"), step.Sender != "" && rapid.Bool().Draw(t, "relay")
				e.Attempts, e.Acceptances, e.By = rapid.IntRange(1, 3).Draw(t, "attempts"), 1, MailboxServer
				e.TLS = rapid.SampledFrom([]string{"", Encrypted, InClear}).Draw(t, "tls")
			}
			s.Expect = append(s.Expect, e)
		}
	}
	s.Expect = append(s.Expect, Expectation{Attempts: -1, Acceptances: -1, Reports: -1,
		Licence: rapid.StringMatching(`[ -~]{1,9}`).Draw(t, "licence")},
		Expectation{Attempts: -1, Acceptances: -1, Reports: -1, NoReport: rapid.StringMatching(`[ -~]{1,9}`).Draw(t, "text of no report")})
}
