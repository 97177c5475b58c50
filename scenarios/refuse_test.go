package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is refused, and where; "^" in the place is line and column.
var refused = []struct{ name, sections, place, reason string }{
	{"section unknown", "-- dsn --\n", ":2:", `did you mean "dns"`},
	{"section twice", "-- dns --\n-- dns --\n", ":3:", "stands in line 2 already"},
	{"section without name", "-- server --\n", ":2:", "write -- server NAME --"},
	{"section with a name too many", "-- plan b --\n", ":2:", "not complete, or too long"},
	{"comment in a section", "-- dns --\n# hello\n", ":3:1:", "no comments"},
	{"rule unknown", "rules: NEVER-TWISE\n", ":2:8:", `did you mean "NEVER-TWICE"`},
	{"rule twice", "rules: PROGRESS PROGRESS\n", ":2:17:", "twice"},
	{"no name of a bug", "bugs: DUP-1\n", ":2:7:", "not the name of a field bug"},
	{"header line twice", "seed: 1\nseed: 2\n", ":3:1:", "twice"},
	{"header line unknown", "sed: 1\n", ":2:1:", `did you mean "seed:"`},
	{"seed no number", "seed: x\n", ":2:7:", "not a seed"},
	{"need unknown", "needs: krash\n", ":2:8:", `did you mean "crash"`},
	{"prose after a header line", "seed: 2\n# more\n", ":3:", "prose"},

	{"source that is no address", "-- relay --\nsource mail.example.org\n", ":3:8:", "write 198.51.100.7"},
	{"source with two of a kind", "-- relay --\nsource 198.51.100.7 198.51.100.8\n", ":3:21:", "one of each"},
	{"source that is missing", "-- relay --\nsource for example.net\n", ":3:", "an address is missing"},
	{"policy unknown", "-- relay --\nin_doubt maybe\n", ":3:10:", "report, hold, retry"},
	{"TLS level unknown", "-- relay --\ntls verfied\n", ":3:5:", `did you mean "verified"`},
	{"chunking is no word", "-- relay --\nchunking maybe\n", ":3:10:", "on"},
	{"chunking twice at one domain", "-- relay --\nchunking off example.net\nchunking on Example.net\n", ":4:1:", "twice"},
	{"chunks of nothing", "-- relay --\nlimit chunk-bytes 0\n", ":3:19:", "at least 1"},
	{"TLS level twice at one domain", "-- relay --\ntls off example.net\ntls required Example.net\n", ":4:1:", "twice"},
	{"login without a host", "-- relay --\nlogin\n", ":3:6:", "the host is missing"},
	{"login at a port", "-- relay --\nrelays a.example\nlogin a.example:587 relay \"x\"\n", ":4:7:", "is not a host"},
	{"login without a user", "-- relay --\nrelays a.example\nlogin a.example\n", ":4:16:", "the user is missing"},
	{"login without a secret", "-- relay --\nrelays a.example\nlogin a.example relay PLAIN\n", ":4:23:", "the secret is not a string"},
	{"login with an empty secret", "-- relay --\nrelays a.example\nlogin a.example relay \"\"\n", ":4:25:", "the secret is empty"},
	{"login by an unknown mechanism", "-- relay --\nrelays a.example\nlogin a.example relay \"x\" PLAN\n", ":4:27:", `did you mean "PLAIN"`},
	{"login by two kinds of secret", "-- relay --\nrelays a.example\nlogin a.example relay \"x\" PLAIN, XOAUTH2\n", ":4:1:", "do not go together"},
	{"login where no mail goes", "-- relay --\nlogin a.example relay \"x\"\n", ":3:1:", "no mail goes there"},
	{"login where TLS is off", "-- relay --\nrelays a.example\ntls off a.example\nlogin a.example relay \"x\"\n", ":5:1:", "tls is off there"},
	{"login twice", "-- relay --\nrelays a.example\nlogin a.example a \"x\"\nlogin A.example b \"y\"\n", ":5:1:", "twice"},
	{"login in the dark", "-- relay --\nrelays a.example\nlogin a.example a \"x\" in dark\n", ":4:26:", `expected "clear"`},
	{"setting twice", "-- relay --\ntimeout mail 1m\ntimeout mail 2m\n", ":4:1:", "twice"},
	{"dot time-out too short", "-- relay --\ntimeout dot 1m\n", ":3:1:", "4.5.3.2.6"},
	{"relay with a bad port", "-- relay --\nrelays a.example:0\n", ":3:8:", "optional port"},
	{"a clause of connections", "-- relay --\nconnections idle 1m, keep 3\n", ":3:22:", "kept"},
	{"too young connections", "-- relay --\nconnections age 1s\n", ":3:1:", "2s for which it is kept"},
	{"factor no ratio", "-- relay --\nschedule factor 2\n", ":3:17:", "3/2"},
	{"schedule of nowhere", "-- relay --\nschedule_at first 5m\n", ":3:19:", `unknown clause "5m"`},
	{"schedule of a domain with a bad clause", "-- relay --\nschedule_at example.net frist 5m\n", ":3:25:", `did you mean "first"`},
	{"schedule of a domain twice", "-- relay --\nschedule_at example.net first 5m\nschedule_at Example.net max 5h\n", ":4:1:", "twice"},
	{"shrinking schedule of a domain", "-- relay --\nschedule_at example.net first 5h\n", ":3:1:", "longest interval"},
	{"back-off without a cause", "-- relay --\nbackoff first 5m\n", ":3:9:", "unknown cause"},
	{"back-off after an unknown cause", "-- relay --\nbackoff graylisted first 5m\n", ":3:9:", `did you mean "greylisted"`},
	{"back-off with a lifetime", "-- relay --\nbackoff greylisted lifetime 5m\n", ":3:20:", `unknown clause "lifetime"`},
	{"back-off twice", "-- relay --\nbackoff greylisted first 5m\nbackoff greylisted max 5h\n", ":4:1:", "twice"},
	{"shrinking back-off", "-- relay --\nbackoff unreached first 5h\n", ":3:1:", "back-off unreached: the longest interval"},
	{"shrinking schedule", "-- relay --\nschedule first 5h\n", ":3:1:", "longest interval"},
	{"something left over", "-- relay --\nhostname a b\n", ":3:12:", "not expected"},

	{"name without dot", "-- dns --\nexample.net MX 10 a.\n", ":3:1:", `write "example.net."`},
	{"type unknown", "-- dns --\nexample.net. XM 10 a.\n", ":3:14:", "unknown record type"},
	{"no preference", "-- dns --\nexample.net. MX a.\n", ":3:17:", "preference"},
	{"null MX with preference", "-- dns --\nexample.net. MX 10 .\n", ":3:17:", "RFC 7505"},
	{"A with an IPv6 address", "-- dns --\nexample.net. A 2001:db8::1\n", ":3:16:", "AAAA takes"},
	{"ANY without fault", "-- dns --\nexample.net. ANY 192.0.2.1\n", ":3:14:", "only for a fault"},
	{"fault with bad clause", "-- dns --\nexample.net. ANY SERVFAIL, frist 2\n", ":3:28:", `did you mean "first"`},
	{"fault that ends first", "-- dns --\nexample.net. ANY SERVFAIL, after 2h, until 1h\n", ":3:38:", "before it begins"},
	{"clause on a record", "-- dns --\nexample.net. A 192.0.2.1, first 2\n", ":3:27:", `expected "ttl"`},
	{"TTL of half a second", "-- dns --\nexample.net. A 192.0.2.1, ttl 500ms\n", ":3:31:", "whole seconds"},
	{"TTL of no answer", "-- dns --\nexample.net. MX TIMEOUT, ttl 5s\n", ":3:26:", "not remembered"},

	{"server without address", "-- server mx.example.net --\n", ":2:", "no address in the dns"},
	{"server by a bad name", "-- server mx.example.net. --\n", ":2:", "without a final dot"},
	{"two servers at one address",
		"-- dns --\na.example.net. A 192.0.2.1\nb.example.net. A 192.0.2.1\n-- server a.example.net --\n-- server b.example.net --\n",
		":4:", "address of a.example.net"},
	{"peer with rules",
		"-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\npeer go-smtp\nat dot: cut\n", ":6:", "takes no rules"},
	{"network unknown",
		"-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\nnetwork refusd\n", ":5:9:", `did you mean "refused"`},
	{"rule of a server",
		"-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\npersona mute\nat dott: cut\n", ":6:4:", `did you mean "dot"`},
	{"comment in a server", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\n# cut\nat dot: cut\n", ":5:1:", "no comments"},
	{"message nobody submits", "-- message m2 --\nHi\n", ":2:", `did you mean "m1"`},
	{"raw content that is no string", "-- raw m1 --\nHi\n", ":3:1:", "the bytes is not a string"},
	{"raw content of a bad name", "-- raw M_1 --\n\"Hi\"\n", ":2:", "cannot name a message"},
	{"raw content and another one", "-- message m1 --\nHi\n-- raw m1 --\n\"Hi\"\n", ":4:", "has a content already, in line 2"},
	{"raw content that is too big", "-- raw m1 --\n\"x\" * 99999999\n", ":3:1:", "at most"},
	{"message with a bad name", "-- message M_1 --\nHi\n", ":2:", "cannot name a message"},

	{"step without time", "-- plan --\nheal\n", ":3:1:", "write t+0 heal"},
	{"crash without time", "-- plan --\ncrash, restart after 5s\n", ":3:1:", "does not say when"},
	{"stop without time", "-- plan --\nstop, restart after 5s\n", ":3:1:", "does not say when"},
	{"stop before a fact", "-- plan --\nt+0 stop before queued m1\n", ":3:10:", "not expected"},
	{"stop after what is no fact", "-- plan --\nstop after queud\n", ":3:12:", `did you mean "queued"`},
	{"damage unknown", "-- plan --\ndamage m1 tron\n", ":3:11:", `did you mean "torn"`},
	{"a damage of the control entry alone", "-- plan --\ndamage m1 content empty\n", ":3:19:", "torn"},
	{"damage of two kinds", "-- plan --\ndamage m1 gone torn\n", ":3:16:", "not expected"},
	{"time without unit", "-- plan --\nt+5 heal\n", ":3:3:", "write 5s, 5m or 5h"},
	{"time no duration", "-- plan --\nt+soon heal\n", ":3:3:", "30s, 5m"},
	{"time without plus", "-- plan --\nt0 submit m1 from <> to b@example.net\n", ":3:1:", "a time is written t+0"},
	{"time without t", "-- plan --\n5m heal\n", ":3:1:", "a time is written t+0"},
	{"marker without blank", "-- expect--\nbob@example.net queued\n", ":2:1:", "a marker has a line of its own"},
	{"marker without blanks in a section", "-- dns --\n--expect--\n", ":3:1:", "no section marker"},
	{"marker with a margin", "-- dns --\n -- plan --\n", ":3:2:", "no section marker"},
	{"marker in a server", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\n-- expect--\n", ":5:1:", "no section marker"},
	{"marker in a message", "-- message m1 --\nHi\n-- expect--\n", ":4:1:", "no section marker"},
	{"prose without blank", "#More.\n", ":2:1:", "a blank after the #"},
	{"seed too big", "seed: 18446744073709551616\n", ":2:7:", "at most 18446744073709551615"},
	{"source no address", "source: bug 17\n", ":2:9:", "https://example.org/bug/1"},
	{"source of another kind", "source: mailto:bob@example.net\n", ":2:9:", "is not an address"},
	{"section not in the RFC", "rules: rfc5321#99.99\n", ":2:8:", "1 to 10, and A to G"},
	{"section below the last", "rules: rfc5321#4.1.1.12\n", ":2:8:", "the last one there is 4.1.1.11"},
	{"section that has none below it", "rules: rfc5321#8.1\n", ":2:8:", "section 8 has none below it"},
	{"section of a bad form", "rules: rfc2920#3.\n", ":2:8:", "a section of it rfc5321#4.2.5"},
	{"RFC of a bad form", "rules: RFC5321\n", ":2:8:", "an RFC is written rfc5321"},
	{"need that is none", "needs: crash\n", ":2:8:", "no step is a crash"},
	{"need of another policy", "needs: config\n", ":2:8:", "has the default policy"},
	{"fault mistyped", "-- dns --\nexample.net. MX SERVFALE\n", ":3:17:", `did you mean "SERVFAIL"`},
	{"until mistyped", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\nnetwork silent untill 5m\n",
		":5:16:", `did you mean "until"`},
	{"window twice", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\nwindow 9\nwindow 9\n", ":6:1:", "twice"},
	{"split reads twice", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\nsplit-reads\nsplit-reads\n",
		":6:1:", "stands here twice"},
	{"size mistyped", "-- plan --\nt+0 submit m1 from <> to bob@example.net sise 9\n", ":3:42:", `did you mean "size"`},
	{"hostname with hyphens", "-- relay --\nhostname -bad-\n", ":3:10:", "not a host name"},
	{"relay twice", "-- relay --\nrelays a.example, A.example\n", ":3:19:", "twice"},
	{"MX that leads nowhere", "-- dns --\nexample.net. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.1\n", ":4:1:", "network silent"},
	{"extension mistyped", "-- dns --\na.example.net. A 192.0.2.1\n-- server a.example.net --\noffer PIPELNING\n", ":5:7:", `did you mean "PIPELINING"`},
	{"recipient again without a first time", "-- plan --\nt+0 submit m1 from <> to bob@example.net again\n", ":3:26:", "no recipient yet"},
	{"units in the wrong order", "-- plan --\nt+5m1h heal\n", ":3:3:", "30s, 5m"},
	{"sender no address", "-- plan --\nt+0 submit m1 from alice to bob@example.net\n", ":3:20:", "has no @"},
	{"size too big", "-- plan --\nt+0 submit m1 from <> to bob@example.net size 99999999\n", ":3:46:", "at most"},
	{"size of a content", "-- plan --\nt+0 submit m1 from <> to bob@example.net size 9\n-- message m1 --\nHi\n", ":3:", "content of its own"},
	{"notify with nothing", "-- plan --\nt+0 submit m1 from <> to b@example.net notify\n", ":3:46:", "missing"},
	{"notify never and more", "-- plan --\nt+0 submit m1 from <> to b@example.net notify never+delay\n", ":3:47:", "success+delay"},
	{"notify default", "-- plan --\nt+0 submit m1 from <> to b@example.net notify default\n", ":3:47:", "nobody can ask"},
	{"orcpt without type", "-- plan --\nt+0 submit m1 from <> to b@example.net orcpt \"b\"\n", ":3:46:", "rfc822;bob@example.com"},
	{"ret of something else", "-- plan --\nt+0 submit m1 from <> to b@example.net ret half\n", ":3:44:", "full, headers"},
	{"envid empty", "-- plan --\nt+0 submit m1 from <> to b@example.net envid \"\"\n", ":3:46:", "1 to 100"},
	{"told of nothing known", "-- expect --\nbob@example.net failed, told of luck\n", ":3:33:", "delay, relay"},
	{"recipient twice", "-- plan --\nt+0 submit m1 from <> to b@example.net, b@EXAMPLE.net\n", ":3:41:", "b@EXAMPLE.net again"},
	{"range too long", "-- plan --\nt+0 submit m1 from <> to b{1..99999}@example.net\n", ":3:26:", "not a range"},
	{"range backwards", "-- plan --\nt+0 submit m1 from <> to b{9..1}@example.net\n", ":3:26:", "not a range"},
	{"message twice",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+0 submit m1 from <> to c@example.net\n", ":4:12:", "submitted already"},
	{"fact unknown", "-- plan --\ncrash after acepted, restart after 5s\n", ":3:13:", `did you mean "accepted"`},
	{"stage unknown", "-- plan --\ncrash after reply stage dott, restart after 5s\n", ":3:25:", `did you mean "dot"`},
	{"crash when", "-- plan --\ncrash when accepted, restart after 5s\n", ":3:7:", "before, after, at"},
	{"restart at once", "-- plan --\nt+0 crash, restart after 0\n", ":3:26:", "at least"},
	{"order without a message", "-- plan --\nt+0 hold\n", ":3:", "name"},
	{"order for nobody", "-- plan --\nt+0 hold m1, <bob@example.net>\n", ":3:14:", "write <bob@example.net>"},
	{"reroute to nowhere", "-- plan --\nt+0 reroute m1\n", ":3:15:", "write \"to\""},
	{"reroute of nobody", "-- plan --\nt+0 reroute m1, <bob@example.net> to mail.example.org\n", ":3:15:", "write \"to\""},
	{"reroute to no host", "-- plan --\nt+0 reroute m1 to mx9..example.com\n", ":3:19:", "write HOST"},
	{"reroute to a host twice", "-- plan --\nt+0 reroute m1 to mail.example.org, mail.example.org\n", ":3:37:", "write \"refused\""},
	{"reroute back to a host", "-- plan --\nt+0 reroute m1 as mail.example.org\n", ":3:19:", "write \"routed\""},
	{"order and more", "-- plan --\nt+0 hold m1, refused, <bob@example.net>\n", ":3:21:", "not expected here"},
	{"decision unknown", "-- plan --\nt+0 decide resend m1\n", ":3:12:", "retry, delivered, report"},
	{"state unknown", "-- expect --\nbob@example.net deliverd\n", ":3:17:", `did you mean "delivered"`},
	{"clause unknown", "-- expect --\nbob@example.net delivered, once\n", ":3:28:", "by HOST"},
	{"channel twice", "-- expect --\nbob@example.net delivered, encrypted, in clear\n", ":3:39:", "twice"},
	{"channel unknown", "-- expect --\nbob@example.net delivered, in vain\n", ":3:31:", "clear"},
	{"count unknown", "-- expect --\nbob@example.net delivered, 2 atempts\n", ":3:30:", `did you mean "attempts"`},
	{"count twice", "-- expect --\nbob@example.net delivered, 2 attempts, 1 attempt\n", ":3:42:", "twice"},
	{"spool mistyped", "-- expect --\nspol empty\n", ":3:1:", `did you mean "spool"`},
	{"connections of nobody", "-- expect --\nconnections 1 at mx7.example.net\n", ":3:18:", "no server"},
	{"no number of connections", "-- expect --\nconnections none at mx1.example.net\n", ":3:13:", "number of connections"},
	{"connections mistyped", "-- expect --\nconections 1\n", ":3:1:", `did you mean "connections"`},
	{"licence without text", "-- expect --\nlicence \"\"\n", ":3:", "empty"},
}

func TestWhatIsWrongIsRefusedAtItsSpot(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) { wantRefused(t, story(c.sections), c.place, c.reason) })
	}
}

func wantRefused(t *testing.T, file []byte, place, reason string) {
	t.Helper()
	_, err := Parse("f", file)
	if err == nil {
		t.Fatalf("accepted:\n%s", file)
	}
	if !strings.Contains(err.Error(), "f"+place) || !strings.Contains(err.Error(), reason) {
		t.Errorf("want %q and %q in:\n%v", "f"+place, reason, err)
	}
}

// Plans and expectations that contradict each other; the plan of the others
// submits m1 from alice@example.org to bob@example.net.
var impossible = []struct{ name, sections, reason string }{
	{"recipient nobody submits to", "-- expect --\nbobb@example.net failed\n", `did you mean "bob@example.net"`},
	{"message nobody submits", "-- expect --\nm2 bob@example.net failed\n", `did you mean "m1"`},
	{"recipient twice", "-- expect --\nbob@example.net queued\nm1 bob@example.net queued\n", "expected already"},
	{"two messages to one recipient",
		"-- plan --\nt+0 submit m1 from <> to b@example.net\nt+0 submit m2 from <> to b@example.net\n-- expect --\nb@example.net queued\n",
		"2 messages go to"},
	{"delivered without attempt", "-- expect --\nbob@example.net delivered, 0 attempts\n", "never attempted"},
	{"delivered without acceptance", "-- expect --\nbob@example.net delivered, 0 acceptances\n", "means that a server accepted"},
	{"failed with acceptance", "-- expect --\nbob@example.net failed, 1 acceptance\n", "is not failed"},
	{"refused with attempts", "-- expect --\nbob@example.net refused, 1 attempt\n", "it refused"},
	{"two acceptances without licence", "-- expect --\nbob@example.net delivered, 2 acceptances\n", "breaks NEVER-TWICE"},
	{"report of a delivery", "-- expect --\nbob@example.net delivered, 1 report\n", "is reported"},
	{"two reports", "-- expect --\nbob@example.net failed, 2 reports\n", "reported once"},
	{"report on mail of the null sender to the postmaster",
		"-- relay --\npostmaster b@example.net\n-- plan --\nt+0 submit m1 from <> to b@example.net\n-- expect --\nb@example.net failed, 1 report\n",
		"to the postmaster nothing"},
	{"report to the null sender",
		"-- plan --\nt+0 submit m1 from <> to b@example.net\n-- expect --\nb@example.net failed, 1 report\n", "null sender"},
	{"by for a failure", "-- expect --\nbob@example.net failed, by mail.example.org\n", "no server took"},
	{"a channel for a failure", "-- expect --\nbob@example.net failed, in clear\n", "no server took"},
	{"by a server that is not there", "-- expect --\nbob@example.net delivered, by mx.example.net\n", "there is no server"},
	{"held under report", "-- expect --\nbob@example.net held\n", "write in_doubt hold"},
	{"unknown under hold", "-- relay --\nin_doubt hold\n-- expect --\nbob@example.net unknown\n", "have an operator decide"},
	{"empty spool while queued", "-- expect --\nbob@example.net queued\nspool empty\n", "cannot be empty"},
	{"held spool without held", "-- expect --\nbob@example.net delivered\nspool held\n", "nothing is expected to be held or parked"},
	{"damaged spool without damage", "-- expect --\nbob@example.net delivered\nspool damaged\n", "nothing damages"},
	{"damaged spool where a content is gone", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h stop, restart after 5s\n" +
		"damage m1 content gone\n-- expect --\nbob@example.net failed\nspool damaged\n", "nothing damages"},
	{"nothing expected where a content is gone", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h stop, restart after 5s\n" +
		"damage m1 content torn\n-- expect --\nspool empty\n", "nothing is expected of bob"},
	{"final after the last crash", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1s crash\n", "stays down"},
	{"a disk that never works again",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\nfail store nth 3, for good, restart after 10s\n", "lets nothing finish"},
	{"damage while running", "-- plan --\nt+0 submit m1 from <> to bob@example.net\ndamage m1\n", "only while the relay is down"},
	{"crash at an unknown host",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\ncrash after accepted at mx9.example.net, restart after 5s\n",
		"there is no server"},
	{"reroute to an unknown host", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1m reroute m1 to mx9.example.net:587\n", "there is no server"},
	{"crash for an unknown recipient",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\ncrash after outcome <eve@example.net>, restart after 5s\n", "no step submits"},
	{"a clock that jumps nowhere", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h clock 2h\n", "in which direction"},
	{"a clock that jumps by nothing", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h clock +0\n", "the jump is at least"},
	{"a clock before all clocks", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h clock -9000d\n", "at most"},
	{"a clock set too far",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h clock -5000d\nt+2h clock -5000d\n", "wrong by more than"},
	{"a clock that jumps at no time", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nclock +2h\n", "does not say when"},
	{"no clock", "needs: clock\n", "no step sets the clock"},
	{"decision on an unknown message",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1h decide report m7\n", "no step submits the message m7"},
	{"parked without a hold", "-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1m hold m1, refused\n-- expect --\nbob@example.net parked\n",
		"add a step: t+1m hold m1"},
	{"deleted, but somebody else",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net, eve@example.net\nt+1m delete m1 <eve@example.net>\n-- expect --\nbob@example.net deleted\n",
		"nothing is deleted unless an operator says so"},
	{"deleted and reported", "-- plan --\nt+0 submit m1 from a@example.org to bob@example.net\nt+1m delete m1\n-- expect --\nbob@example.net deleted, 1 report\n",
		"only what failed or is unknown is reported"},
	{"empty spool while parked",
		"-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1m hold m1\n-- expect --\nbob@example.net parked\nspool empty\n", "cannot be empty"},
	{"unknown under hold, though a bounce was refused",
		"-- relay --\nin_doubt hold\n-- plan --\nt+0 submit m1 from <> to bob@example.net\nt+1m bounce m1, refused\n-- expect --\nbob@example.net unknown\n",
		"have an operator decide"},
	{"recipient of whom nothing is expected", "-- plan --\nt+0 submit m1 from <> to bob@example.net, eve@example.net\n",
		"write: eve@example.net anything"},
	{"anything with more", "-- expect --\nbob@example.net anything, 1 attempt\n", "leave out what follows"},
	{"no plan", "-- plan --\n", "nothing is planned"},
	{"rules that do not hold", "-- expect --\nrules break\n", "write \"hold\""},
	{"no expectation", "-- expect --\n", "nothing is expected"},
}

func TestWhatCannotComeTrueIsRefused(t *testing.T) {
	for _, c := range impossible {
		t.Run(c.name, func(t *testing.T) { wantRefused(t, story(c.sections), ":", c.reason) })
	}
}

func TestAnythingMayHappenWhereARuleIsToBeBroken(t *testing.T) {
	mustParse(t, "-- expect --\nbob@example.net delivered, 2 acceptances\nviolates NEVER-TWICE\n")
}

func TestWholeFilesThatAreNoScenarioAreRefused(t *testing.T) {
	wantRefused(t, nil, ":1:", "no prose")
	wantRefused(t, []byte("# Title.\r\n-- plan --\r\n"), ":1:", "LF line ends")
	wantRefused(t, make([]byte, MaxBytes+1), ":", "more than")
	wantRefused(t, append([]byte("\uFEFF"), story("")...), ":1:1:", "byte order mark")
	wantRefused(t, []byte("\x7fELF\x02\x01\x00\x1b[31m"), ":1:1:", "the file is not text")
	wantRefused(t, []byte("\x1f\x8b\x08\n"), ":1:1:", "the file is not text")
	wantRefused(t, []byte("A title.\n-- plan --\n"), ":1:1:", `begin with "# "`)
	wantRefused(t, []byte("#A title.\n-- plan --\n"), ":1:1:", "a blank after the #")
	wantRefused(t, []byte("# "+strings.Repeat("long ", 50)+"\n"), ":1:1:", "the title has 249 characters, more than 200")
	wantRefused(t, []byte("# Title.\n-- expect --\nbob@example.net queued\n"), ":1:", "nothing is planned")
}

// A message may have hyphens where its lines begin.
func TestHyphensInAMessageAreNoMarkers(t *testing.T) {
	mustParse(t, "-- message m1 --\n--plan\n--plan--\n-- \nBob --\n-- Bob the server--\n")
}

// TestErrorsComeByLine: as an editor goes through a file, whoever found them.
func TestErrorsComeByLine(t *testing.T) {
	_, err := Parse("f", story("seed: x\n-- server a.example.net --\nat dott: cut\nat rctp: cut\n-- dns --\na.example.net. B 192.0.2.1\n"))
	var at []int
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		at = append(at, one.(*SyntaxError).Line)
	}
	if d := cmp.Diff([]int{2, 4, 5, 7}, at); d != "" {
		t.Errorf("%s\n%v", d, err)
	}
}

func TestHintsNameEachChoiceOnce(t *testing.T) {
	if got, want := hint("zzz", []string{"a", "b", "a"}), "write one of a, b"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A line that is too long for a screen is shown around the spot.
func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("NEVER-TWICE ", 40)
	_, err := Parse("f", story("rules: "+long+"\n"))
	if err == nil || len(err.Error()) > 400 || !strings.Contains(err.Error(), "…") {
		t.Errorf("%v", err)
	}
}
