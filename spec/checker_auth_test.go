package spec

import (
	"strings"
	"testing"
)

// each replaces texts wherever they stand.
func each(oldnew ...string) edit {
	return func(_ testing.TB, text string) string { return strings.NewReplacer(oldnew...).Replace(text) }
}

// loggedIn is delivered through a smart host, after a login.
func loggedIn(t testing.TB, text string) string {
	text = after("network connect", `
1.54s  server mx1 command session=s1 host=mx1 stage=auth text="AUTH SCRAM-SHA-256"
1.54s  server mx1 reply session=s1 host=mx1 stage=auth reply="334 x"
1.55s  server mx1 command session=s1 host=mx1 stage=auth text="(response)"
1.55s  server mx1 reply session=s1 host=mx1 stage=auth reply="235 2.7.0 in"
1.56s  relay login message=m1 queue=Q1 job=j1 dest=relay host=mx1 session=s1 text=SCRAM-SHA-256`)(t, throughMX1(t, text))
	return encrypted(t, text)
}

// throughMX1 has the mail go through the smart host mx1.
func throughMX1(t testing.TB, text string) string {
	return each("host=mx1.example.net", "host=mx1", "dest=example.net", "dest=relay", "mx1.example.net. A", "mx1. A")(t, without(" MX")(t, text))
}

// smart has mx1 as the smart host, with a login.
func smart(l Login) func(*Policy) {
	l.User = "relay"
	return func(p *Policy) { p.Relays, p.Logins = []string{"mx1"}, map[string]Login{"mx1": l} }
}

func TestCredentialsAreForWhomTheyAreFor(t *testing.T) {
	runTrials(t, []trial{
		{name: "under TLS", base: delivered, edits: []edit{loggedIn}, policy: smart(Login{})},
		{name: "in clear", base: delivered, edits: []edit{loggedIn, without("tls")}, policy: smart(Login{}),
			want: []string{"WIRE-LAWFUL: logs in at mx1 in clear", "WIRE-LAWFUL: in clear, though policy says required"}},
		{name: "in clear, where it may be", base: delivered, edits: []edit{loggedIn, without("tls")}, policy: smart(Login{Clear: true})},
		{name: "by a mechanism that is not allowed", base: delivered, edits: []edit{loggedIn}, policy: smart(Login{Mechanisms: []Mechanism{CRAMMD5}}),
			want: []string{"WIRE-LAWFUL: logs in at mx1 by SCRAM-SHA-256, which policy does not allow"}},
		{name: "at a host without credentials", base: delivered, edits: []edit{loggedIn},
			policy: func(p *Policy) { p.Relays = []string{"mx1"} },
			want:   []string{"WIRE-LAWFUL: logs in at mx1, for which it has no credentials"}},
		{name: "not at all", base: delivered, edits: []edit{loggedIn, without("stage=auth")}, policy: smart(Login{}),
			want: []string{"WIRE-LAWFUL: names bob@example.net to mx1 before it has logged in"}},
		{name: "before the handshake", base: delivered, policy: smart(Login{Clear: true}), edits: []edit{loggedIn, without("stage=auth"),
			after("network connect", `
1.505s  server mx1 command session=s1 host=mx1 stage=auth text="AUTH PLAIN"
1.505s  server mx1 reply session=s1 host=mx1 stage=auth reply="235 2.7.0 in"`)},
			want: []string{"WIRE-LAWFUL: names bob@example.net to mx1 before it has logged in"}},
		{name: "not at a host that the DNS named", base: delivered,
			policy: func(p *Policy) {
				p.Fallback, p.Logins = []string{"mx1.example.net"}, map[string]Login{"mx1.example.net": {User: "relay", Clear: true}}
			},
			edits: []edit{renamed}},
		{name: "not at a host at an address that the sender wrote", base: delivered, edits: []edit{literally, renamed}, policy: lastResort},
		{name: "not at the fallback", base: delivered, policy: lastResort, edits: []edit{literally, renamed, without("relay dial"),
			each("session=s1 addr=192.0.2.1:25", "session=s1 addr=192.0.2.9:25", "A: NOERROR A 192.0.2.1", "A: NOERROR A 192.0.2.9"),
			after("relay route", `
1.4s   relay dial message=m1 queue=Q1 job=j1 dest=[192.0.2.1] host=[192.0.2.1] addr=192.0.2.1:25
1.41s  network connect-failed addr=192.0.2.1:25
1.42s  relay dial message=m1 queue=Q1 job=j1 dest=[192.0.2.1] host=mx1.example.net addr=192.0.2.9:25`)},
			want: []string{"WIRE-LAWFUL: before it has logged in"}},
	})
}

// lastResort has mx1.example.net as the fallback, with a login.
func lastResort(p *Policy) {
	p.Fallback, p.Logins = []string{"mx1.example.net"}, map[string]Login{"mx1.example.net": {User: "relay", Clear: true}}
}

// literally is to an address literal, that of mx1.example.net.
func literally(t testing.TB, text string) string {
	return each("bob@example.net", "bob@[192.0.2.1]", "dest=example.net host=mx1.example.net", "dest=[192.0.2.1] host=[192.0.2.1]",
		"dest=example.net", "dest=[192.0.2.1]")(t, without(" MX")(t, text))
}

// turnedAway is mail whose login is refused, and an alarm is raised.
const turnedAway = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=relay to=bob@example.net attempt=1 due=1s
1.3s   dns answer text="mx1. A: NOERROR A 192.0.2.1"
1.4s   relay dial message=m1 queue=Q1 job=j1 dest=relay host=mx1 addr=192.0.2.1:25
1.5s   network connect session=s1 addr=192.0.2.1:25
1.6s   server mx1 command session=s1 host=mx1 stage=auth text="AUTH PLAIN (response)"
1.6s   server mx1 reply session=s1 host=mx1 stage=auth reply="535 5.7.8 no"
1.7s   relay alarm host=mx1 stage=auth event=5yz reply="535 5.7.8 no"
1.7s   relay trouble message=m1 queue=Q1 job=j1 dest=relay host=mx1 to=bob@example.net session=s1 stage=auth event=5yz verdict=next-host reply="535 5.7.8 no"
1.8s   relay trouble message=m1 queue=Q1 job=j1 dest=relay host=mx1 to=bob@example.net stage=auth event=5yz verdict=defer reply="535 5.7.8 no"
1.9s   relay attempt-end message=m1 queue=Q1 job=j1 dest=relay
2s     relay outcome message=m1 queue=Q1 job=j1 dest=relay host=mx1 to=bob@example.net attempt=1 state=queued reply="535 5.7.8 no" due=5m1.2s
`

// bouncedAtOnce ends the recipient then.
func bouncedAtOnce(t testing.TB, text string) string {
	return with("state=queued", "state=failed")(t, with(" due=5m1.2s", "")(t, text))
}

func TestAFailedLoginIsHeardOfAndFailsNobody(t *testing.T) {
	clear := smart(Login{Clear: true})
	at := func(stage, reply string) edit {
		return func(t testing.TB, text string) string {
			text = each("535 5.7.8 no", reply)(t, text)
			return after("network connect", `
1.55s  server mx1 command session=s1 host=mx1 stage=auth text="AUTH PLAIN (response)"
1.55s  server mx1 reply session=s1 host=mx1 stage=auth reply="235 in"
1.6s   server mx1 command session=s1 host=mx1 stage=`+stage+` text="MAIL FROM:<alice@example.org>"
1.6s   server mx1 reply session=s1 host=mx1 stage=`+stage+` reply="`+reply+`"`)(t, without("1.6s ")(t, text))
		}
	}
	again := func(when string) edit {
		return after("stage=auth event=5yz reply", when+` relay alarm host=mx1 stage=auth event=5yz reply="535 5.7.8 no"`)
	}
	late := func(met, ends string) edit {
		return func(t testing.TB, text string) string {
			text = with("1.7s   relay trouble", met+" relay trouble")(t, text)
			text = each("1.8s  ", ends, "1.9s  ", ends, "2s    ", ends)(t, text)
			return with("due=5m1.2s", "due=1h6m")(t, text)
		}
	}
	runTrials(t, []trial{
		{name: "deferred, with an alarm", base: turnedAway, policy: clear},
		{name: "bounced", base: turnedAway, policy: clear, edits: []edit{bouncedAtOnce},
			want: []string{"RETRY-ON-TIME: gave up on m1 to bob@example.net"}},
		{name: "without an alarm", base: turnedAway, policy: clear, edits: []edit{without("relay alarm")},
			want: []string{"NOTHING-LOST: the login at mx1 fails, and the relay raises no alarm"}},
		{name: "without an alarm, for now", base: turnedAway, policy: clear,
			edits: []edit{without("relay alarm"), each("535 5.7.8 no", "454 4.7.0 not now", "event=5yz", "event=4yz")}},
		{name: "without an alarm, a password transition", base: turnedAway, policy: clear,
			edits: []edit{without("relay alarm"), each("535 5.7.8 no", "432 4.7.12 change it", "event=5yz", "event=4yz")},
			want:  []string{"NOTHING-LOST: the login at mx1 fails, and the relay raises no alarm"}},
		{name: "an alarm about something else", base: turnedAway, policy: clear,
			edits: []edit{with("alarm host=mx1 stage=auth event=5yz", "alarm host=mx1 stage=auth event=untrusted")},
			want:  []string{"NOTHING-LOST: the login at mx1 fails, and the relay raises no alarm"}},
		{name: "an alarm too many", base: turnedAway, policy: clear, edits: []edit{again("1.71s")},
			want: []string{"FAIR-AND-BOUNDED: raises an alarm about mx1 twice within 10ms"}},
		{name: "told again at the end of the attempt, when another alarm would be due", base: turnedAway, policy: clear, edits: []edit{late("59m", "1h2m")}},
		{name: "met when another alarm is due", base: turnedAway, policy: clear, edits: []edit{late("1h2m", "1h2m")},
			want: []string{"NOTHING-LOST: the login at mx1 fails, and the relay raises no alarm"}},
		{name: "530 to MAIL", base: turnedAway, policy: clear, edits: []edit{at("mail", "530 5.7.0 log in first")}},
		{name: "530 to MAIL, bounced", base: turnedAway, policy: clear, edits: []edit{at("mail", "530 5.7.0 log in first"), bouncedAtOnce},
			want: []string{"RETRY-ON-TIME: gave up on m1 to bob@example.net"}},
		{name: "530 to RCPT", base: turnedAway, policy: clear, edits: []edit{at("rcpt", "530 5.7.0 log in first")}},
		{name: "550 to MAIL, bounced", base: turnedAway, policy: clear, edits: []edit{at("mail", "550 5.7.1 no"), bouncedAtOnce}},
	})
}
