package scenarios

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// story wraps sections in a file that is right otherwise.
func story(sections string) []byte {
	text := "# A title. More.\n" + sections
	if !strings.Contains(text, "-- plan --") {
		text += "-- plan --\nt+0 submit m1 from alice@example.org to bob@example.net\n"
	}
	if !strings.Contains(text, "-- expect --") {
		text += "-- expect --\nbob@example.net delivered\n"
	}
	return []byte(text)
}

func mustParse(t *testing.T, sections string) *Scenario {
	t.Helper()
	s, err := Parse("theme/story.txtar", story(sections))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHeaderIsRead(t *testing.T) {
	s, err := Parse("scenarios/library/dot/lost.txtar", []byte(`# A lost reply
# is reported. The second sentence is not the title.
#
# Another paragraph.
source: https://example.org/bug/1
bugs:   DUP-01 LOST-10
rules:  NEVER-TWICE rfc1047 rfc5321#4.5.3.2.6
needs:  doubt time
seed:   18446744073709551615
-- plan --
t+0 submit m1 from alice@example.org to bob@example.net
-- expect --
bob@example.net queued
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Scenario{
		Name: "dot/lost", Title: "A lost reply is reported",
		Prose:  "A lost reply\nis reported. The second sentence is not the title.\n\nAnother paragraph.",
		Source: "https://example.org/bug/1", Bugs: []string{"DUP-01", "LOST-10"}, Rules: []string{"NEVER-TWICE", "rfc1047", "rfc5321#4.5.3.2.6"},
		Needs: []string{"doubt", "time"}, Seed: 1<<64 - 1, Policy: DefaultPolicy(),
		Plan:   []Step{{Kind: StepSubmit, Message: "m1", Sender: "alice@example.org", Recipients: []string{"bob@example.net"}, Line: 11}},
		Expect: []Expectation{{Recipient: "bob@example.net", State: "queued", Attempts: -1, Acceptances: -1, Reports: -1, Line: 13}},
	}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
}

func TestEveryFieldOfThePolicyCanBeSaid(t *testing.T) {
	s := mustParse(t, `-- relay --
hostname out.example
port 2525
in_doubt hold
in_doubt retry Example.COM
tls required
tls verified Example.COM
tls off smart1.example
chunking on
chunking off Example.COM
relays smart1.example, smart2.example:587
fallback last.example
login smart1.example relay "s3 cret"  PLAIN,LOGIN in clear
login Last.example "a b" "\"," XOAUTH2
schedule first 1m, factor 3/2, max 1h, jitter 20%, lifetime 4d
backoff greylisted first 2m, factor 1/1, max 10m
backoff mailbox_full max 3h
schedule_at Example.COM jitter 0%, delay_warning 0s
schedule_at relay first 2m, factor 2/1, max 2h, lifetime 5d
delay_warning 2h
postmaster root@example.org
connections messages 3, age 10m, idle 1m, kept 0, per-destination 4
limit deliveries 2
limit per-destination 1
limit first-per-destination 2
limit dead-after 0
limit per-minute 90
limit reports-per-hour 7
limit recipients-per-transaction 3
limit recipients-per-message 101
limit message-bytes 70000
limit window 5
limit next-hops 6
limit reply-bytes 700
limit chunk-bytes 900
timeout resolve 1s
timeout connect 2s
timeout greeting 3s
timeout ehlo 4s
timeout starttls 10s
timeout auth 12s
timeout mail 5s
timeout rcpt 6s
timeout data 7s
timeout block 8s
timeout dot 11m
timeout quit 9s
`)
	want := spec.Policy{
		Hostname: "out.example", Port: 2525, InDoubt: spec.DoubtHold,
		InDoubtAt: map[string]spec.InDoubtPolicy{"example.com": spec.DoubtRetry},
		TLS:       spec.TLSRequired, TLSAt: map[string]spec.TLSLevel{"example.com": spec.TLSVerified, "smart1.example": spec.TLSOff},
		Chunking: true, ChunkingAt: map[string]bool{"example.com": false},
		Relays: []string{"smart1.example", "smart2.example:587"}, Fallback: []string{"last.example"},
		Logins: map[string]spec.Login{
			"smart1.example": {User: "relay", Secret: spec.NewSecret("s3 cret"), Mechanisms: []spec.Mechanism{spec.Plain, spec.LoginPlain}, Clear: true},
			"last.example":   {User: "a b", Secret: spec.NewSecret("\","), Mechanisms: []spec.Mechanism{spec.XOAuth2}},
		},
		Schedule: spec.Schedule{First: time.Minute, Numerator: 3, Denominator: 2, Max: time.Hour, Jitter: 20, Lifetime: 96 * time.Hour},
		ScheduleAt: map[string]spec.Schedule{
			"example.com": {First: time.Minute, Numerator: 3, Denominator: 2, Max: time.Hour, Lifetime: 96 * time.Hour},
			"relay":       {First: 2 * time.Minute, Numerator: 2, Denominator: 1, Max: 2 * time.Hour, Jitter: 20, Lifetime: 120 * time.Hour},
		},
		DelayWarningAt: map[string]time.Duration{"example.com": 0},
		Backoffs: spec.Backoffs{
			spec.CauseGreylisted:  {First: 2 * time.Minute, Numerator: 1, Denominator: 1, Max: 10 * time.Minute},
			spec.CauseMailboxFull: {First: time.Minute, Numerator: 3, Denominator: 2, Max: 3 * time.Hour},
		},
		DelayWarning: 2 * time.Hour, Postmaster: "root@example.org",
		Limits: spec.Limits{Deliveries: 2, DeliveriesPerDestination: 1, FirstPerDestination: 2, PerMinute: 90, ReportsPerHour: 7,
			RecipientsPerTransaction: 3, RecipientsPerMessage: 101,
			MessageBytes: 70000, WindowGroups: 5, NextHops: 6, ReplyBytes: 700, ChunkBytes: 900},
		Timeouts: spec.Timeouts{Resolve: time.Second, Connect: 2 * time.Second, Greeting: 3 * time.Second, EHLO: 4 * time.Second,
			STARTTLS: 10 * time.Second, AUTH: 12 * time.Second,
			MAIL: 5 * time.Second, RCPT: 6 * time.Second, DATA: 7 * time.Second, Block: 8 * time.Second,
			Dot: 11 * time.Minute, QUIT: 9 * time.Second},
		Reuse: spec.Reuse{Messages: 3, Age: 10 * time.Minute, Idle: time.Minute, Kept: 0, KeptPerDestination: 4},
	}
	if d := cmp.Diff(want, s.Policy); d != "" {
		t.Error(d)
	}
}

func TestDNSLinesAreRead(t *testing.T) {
	s := mustParse(t, `-- dns --
example.net. MX 10 mx1.example.net.
example.com. MX 0 .
mx1.example.net. A 192.0.2.10
mx1.example.net. AAAA 2001:db8::10
www.example.net. CNAME example.net.
example.net. TXT "v=spf1 -all"
example.net. MX SERVFAIL
example.net. ANY TIMEOUT, first 2
example.net. A NXDOMAIN, after 1h, until 2h
-- server mx1.example.net --
`)
	want := []Record{
		{Name: "example.net.", Type: "MX", Preference: 10, Value: "mx1.example.net."},
		{Name: "example.com.", Type: "MX", Value: "."},
		{Name: "mx1.example.net.", Type: "A", Value: "192.0.2.10"},
		{Name: "mx1.example.net.", Type: "AAAA", Value: "2001:db8::10"},
		{Name: "www.example.net.", Type: "CNAME", Value: "example.net."},
		{Name: "example.net.", Type: "TXT", Value: "v=spf1 -all"},
		{Name: "example.net.", Type: "MX", Fault: "SERVFAIL"},
		{Name: "example.net.", Type: "ANY", Fault: "TIMEOUT", First: 2},
		{Name: "example.net.", Type: "A", Fault: "NXDOMAIN", From: time.Hour, Until: 2 * time.Hour},
	}
	for i := range want {
		want[i].Line = 3 + i
	}
	if d := cmp.Diff(want, s.DNS); d != "" {
		t.Error(d)
	}
}

func TestPlanLinesAreRead(t *testing.T) {
	s := mustParse(t, `-- relay --
in_doubt hold
-- dns --
mx1.example.net. A 192.0.2.10
-- plan --
t+0 submit m1 from <> to "b, b"@example.net, carol@example.net size 4096 8bit smtputf8 requiretls
t+0 submit list from alice@example.org to u{9..11}@example.net
t+1h crash, restart after 5s, keep all, silent
damage m1
crash before outcome m1 <carol@example.net> at mx1.example.net stage dot nth 2, restart after 10s
crash at step 17, restart after 1h30m
t+2h stop, restart after 1m
damage list content gone
stop after queued list nth 2, restart after 1m
damage m1 torn
t+3h heal
t+3h heal mx1.example.net
t+4d decide retry m1 <carol@example.net>, <"b, b"@example.net>
t+4d hold list
t+4d bounce m1 <carol@example.net>, <"b, b"@example.net>, refused
t+4d retry m1, refused
-- expect --
carol@example.net held
"b, b"@example.net anything
u{9..11}@example.net anything
`)
	want := []Step{
		{Kind: StepSubmit, Message: "m1", Recipients: []string{`"b, b"@example.net`, "carol@example.net"}, Size: 4096, EightBit: true, UTF8: true, RequireTLS: true},
		{Kind: StepSubmit, Message: "list", Sender: "alice@example.org",
			Recipients: []string{"u9@example.net", "u10@example.net", "u11@example.net"}},
		{At: time.Hour, Kind: StepCrash, Restart: 5 * time.Second, Keep: "all", Silent: true},
		{Kind: StepDamage, Message: "m1"},
		{Kind: StepCrash, Restart: 10 * time.Second, When: FactMatch{Kind: spec.FactOutcome, Message: "m1",
			Recipient: "carol@example.net", Host: "mx1.example.net", Stage: spec.StageDot, Nth: 2}},
		{Kind: StepCrash, StepNumber: 17, Restart: 90 * time.Minute},
		{At: 2 * time.Hour, Kind: StepStop, Restart: time.Minute},
		{Kind: StepDamage, Message: "list", Harm: HarmContentGone},
		{Kind: StepStop, Restart: time.Minute, When: FactMatch{After: true, Kind: spec.FactQueued, Message: "list", Nth: 2}},
		{Kind: StepDamage, Message: "m1", Harm: HarmTorn},
		{At: 3 * time.Hour, Kind: StepHeal},
		{At: 3 * time.Hour, Kind: StepHeal, Host: "mx1.example.net"},
		{At: 96 * time.Hour, Kind: StepDecide, Decision: "retry", Message: "m1", Recipients: []string{"carol@example.net", `"b, b"@example.net`}},
		{At: 96 * time.Hour, Kind: StepHold, Message: "list"},
		{At: 96 * time.Hour, Kind: StepBounce, Message: "m1", Recipients: []string{"carol@example.net", `"b, b"@example.net`}, Refused: true},
		{At: 96 * time.Hour, Kind: StepRetry, Message: "m1", Refused: true},
	}
	for i := range want {
		want[i].Line = 7 + i
	}
	if d := cmp.Diff(want, s.Plan); d != "" {
		t.Error(d)
	}
}

func TestServersMessagesAndExpectationsAreRead(t *testing.T) {
	s := mustParse(t, `-- dns --
mx1.example.net. A 192.0.2.10
mx2.example.net. A 192.0.2.11
-- server mx1.example.net --
network silent until 2h
offer PIPELINING
at dot, first 1: accept; cut
-- server mx2.example.net --
split-reads
peer go-smtp
-- message m1 --
Subject: Hi

.
-- expect --
m1 bob@example.net unknown, 1 attempt, 2 acceptances, 1 report, by mx2.example.net
spool empty
licence "reply lost"
connections 2 at MX2.example.net
connections 0 at mx1.example.net
-- trace --
`)
	if len(s.Servers) != 2 || s.Servers[0].Script == nil || !s.Servers[1].Peer || !s.Servers[1].SplitReads || s.Servers[1].Script != nil {
		t.Fatalf("servers: %+v", s.Servers)
	}
	if a := s.Servers[0]; a.Network != "silent" || a.NetworkUntil != 2*time.Hour || !strings.Contains(a.Script.String(), "PIPELINING") {
		t.Errorf("first server: %+v", a)
	}
	if d := cmp.Diff([]Message{{Name: "m1", Content: []byte("Subject: Hi\r\n\r\n.\r\n")}}, s.Messages); d != "" {
		t.Error(d)
	}
	want := []Expectation{
		{Message: "m1", Recipient: "bob@example.net", State: "unknown",
			Attempts: 1, Acceptances: 2, Reports: 1, By: "mx2.example.net", Line: 17},
		{Spool: "empty", Attempts: -1, Acceptances: -1, Reports: -1, Line: 18},
		{Licence: "reply lost", Attempts: -1, Acceptances: -1, Reports: -1, Line: 19},
		{Connections: 2, By: "MX2.example.net", Attempts: -1, Acceptances: -1, Reports: -1, Line: 20},
		{Connections: 0, By: "mx1.example.net", Attempts: -1, Acceptances: -1, Reports: -1, Line: 21},
	}
	if d := cmp.Diff(want, s.Expect); d != "" {
		t.Error(d)
	}
	if s.Trace == nil {
		t.Error("an empty trace section is as if there were none")
	}
}

func TestErrorsShowTheSpotAndWhatToWrite(t *testing.T) {
	_, err := Parse("a/b.txtar", story("-- plan --\nt+0\tsubmitt m1 from alice@example.org to bob@example.net\n"))
	want := "a/b.txtar:3:5: unknown step \"submitt\"\n" +
		"\tt+0\tsubmitt m1 from alice@example.org to bob@example.net\n" +
		"\t   \t^\n" +
		"\tdid you mean \"submit\"?"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	var e *SyntaxError
	if !errors.As(err, &e) || e.Line != 3 || e.Col != 5 {
		t.Errorf("not a *SyntaxError with its place: %#v", e)
	}
}

func TestAllErrorsAreReported(t *testing.T) {
	_, err := Parse("x", story("-- relay --\nhostnam a\nport 0\n-- plan --\nt+1 heal\n"))
	if n := strings.Count(err.Error(), "x:"); n != 3 {
		t.Errorf("%d errors are reported, not 3:\n%v", n, err)
	}
}
