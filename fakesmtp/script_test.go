package fakesmtp

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/spec"
)

var rewrite = flag.Bool("rewrite", false, "write what is computed into the golden files")

// golden compares got with testdata/name, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// noLines leaves out what the canonical text does not keep.
var noLines = cmpopts.IgnoreFields(Rule{}, "Line")

func mustParse(t testing.TB, text string) *Script {
	t.Helper()
	s, err := ParseScript("script", 1, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScriptsHaveACanonicalText(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{
		{"", ""},
		{"# nothing\n\n  \t\n", ""},
		{"offer PIPELINING, 8BITMIME, SIZE 67108864, ENHANCEDSTATUSCODES", ""},
		{"offer none", "offer none"},
		{`offer SIZE, "FROBNICATE  1 2", X-OWN, "DSN"`, `offer SIZE, "FROBNICATE 1 2", X-OWN, DSN`},
		{"offer  pipelining ,SIZE   10 , AUTH PLAIN  LOGIN", "offer pipelining, SIZE 10, AUTH PLAIN LOGIN"},
		{`auth  relay "s3cret"`, `auth relay "s3cret"`},
		{`auth "a b" "\"" PLAIN ,XOAUTH2  in clear`, `auth "a b" "\"" PLAIN, XOAUTH2 in clear`},
		{`auth a@b "x" in clear`, `auth a@b "x" in clear`},
		{"at auth, nth 2: 334 eA==", "at auth, nth 2: 334 eA=="},
		{"hostname mx1.example.net", "hostname mx1.example.net"},
		{"at dot: cut\npersona greylister\noffer none", "offer none\npersona greylister\nat dot: cut"},
		{"at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted", "at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted"},
		{"at rcpt<*@example.net>from<>,first 1:451", "at rcpt <*@example.net> from <>, first 1: 451"},
		{`at rcpt <"a, b>: ;"@x>: 250 ok`, `at rcpt <"a, b>: ;"@x>: 250 ok`},
		{"at mail from <a@b>, until 36h, after 90m: 421 closing ; fin", "at mail from <a@b>, after 1h30m, until 1d12h: 421 closing; fin"},
		{"at dot, first 1: accept; cut", "at dot, first 1: accept; cut"},
		{"at dot: accept; delay 15m; 250 late", "at dot: accept; delay 15m; 250 late"},
		{"at dot: accept; silence", "at dot: accept; silence"},
		{"at dot: lose", "at dot: lose"},
		{"at body: cut after 100", "at body: cut after 100"},
		{"at handshake:cut after 100", "at handshake: cut after 100"},
		{"at handshake,first 1:delay 1s; present expired  for mx2.example.net", "at handshake, first 1: delay 1s; present expired for mx2.example.net"},
		{`at greeting: raw "220 mx1 re";delay 1s; raw "ady\r\n"`, `at greeting: raw "220 mx1 re"; delay 1s; raw "ady\r\n"`},
		{`at rset: raw "\x00\xff;|"`, `at rset: raw "\x00\xff;|"`},
		{"at ehlo: 250 a| b |250-c|250 d", "at ehlo: 250-a|250-b|250-c|250 d"},
		{"at ehlo: 250-|250", "at ehlo: 250-|250"},
		{"at ehlo: 250 2500 bytes|25 more", "at ehlo: 250-2500 bytes|250 25 more"},
		{"at quit, nth 3, connection 2: drip 1s; cut after 4; 221 bye", "at quit, connection 2, nth 3: drip 1s; cut after 4; 221 bye"},
		{"at rcpt, over 100 recipients, parameters, pipelined, attempt 2: 452 4.5.3 Too many",
			"at rcpt, attempt 2, over 100 recipients, parameters, pipelined: 452 4.5.3 Too many"},
		{"at greeting, over 2 connections: 421 no\r\nat mail, over 1 messages: repeat 3; 421 no",
			"at greeting, over 2 connections: 421 no\nat mail, over 1 messages: repeat 3; 421 no"},
		{"at dot, missized, torn, pipelined: cut", "at dot, pipelined, torn, missized: cut"},
		{"at handshake:demand;present by-name for a.example", "at handshake: demand; present by-name for a.example"},
		{"at connect: delay 1d; fin", "at connect: delay 1d; fin"},
		{"at helo: 250 grüß dich", "at helo: 250 grüß dich"},
	} {
		s, err := ParseScript("script", 1, test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got := strings.TrimSuffix(s.String(), "\n"); got != test.canonical {
			t.Errorf("%q:\n got %q\nwant %q", test.text, got, test.canonical)
		}
		if d := cmp.Diff(s, mustParse(t, s.String()), noLines); d != "" {
			t.Errorf("%q read back (-want +got):\n%s", test.text, d)
		}
	}
}

func TestErrorsPointAtTheSpot(t *testing.T) {
	var b strings.Builder
	for _, text := range []string{
		"of PIPELINING", "offer", "offer PIPELINING,", "offer SIZE big", "offer SIZE -1", "offer BINARYMIME",
		"offer LIMITS RCPTMAX=0", "offer LIMITS", "offer LIMITS RCPTMAX=1 FOO=2", "offer 8-BIT_MIME",
		"offer VRFY, HELP, vrfy", "offer PIPELNING", "offer FROBNICATE 1", "offer \"FROBNICATE\", \"8-BIT_MIME\"", "offer \"\"",
		"offer X\x01",
		"offer none please", "offer none\noffer none", "hostname", "hostname a/b", "hostname -bad-",
		"auth", "auth bob", "auth bob s3cret", `auth "" "x"`, `auth bob ""`, `auth bob "x" PLANE`, `auth bob "x" PLAIN, PLAIN`,
		`auth bob "x" PLAIN LOGIN`, `auth bob "x" in`, `auth bob "x" in clear please`, "auth a \"x\"\nauth b \"y\"", "at auth, attempt 1: 250 ok",
		"at rset: repeat 1000001; 250 ok", "hostname a\nhostname b", "persona",
		"persona greylisted", "persona mute\npersona mute",
		"at", "at rctp: 250 ok", "at resolve: cut", "at rcpt", "at rcpt first 1: 250 ok", "at rcpt <bob@x: 250 ok",
		"at rcpt <>: 250 ok", "at rcpt <<a@b>: 250 ok",
		"at rcpt bob@x: 250 ok", "at mail <a@b>: 250 ok", "at ehlo from <a@b>: 250 ok", "at mail from: 250 ok", "at rcpt <a\x01@b>: 250 ok",
		"at rcpt, : 250 ok", "at rcpt, frist 1: 250 ok", "at rcpt, first: 250 ok", "at rcpt, first 0: 250 ok",
		"at rcpt, first +1: 250 ok", "at rcpt, first 1, first 2: 250 ok",
		"at rcpt, first 1, nth 2: 250 ok", "at rcpt, after 5: 250 ok", "at rcpt, after 5x: 250 ok", "at rcpt, after 0s: 250 ok",
		"at rcpt, after 2h, until 1h: 250 ok",
		"at rcpt, over 2 things: 250 ok", "at mail, over 2 recipients: 250 ok", "at ehlo, attempt 1: 250 ok",
		"at data, parameters: 250 ok", "at body, pipelined: cut", "at body, torn: cut", "at mail, missized: cut", "at mail: demand",
		"at rcpt:", "at rcpt: ;", "at rcpt: 250 ok;", "at rcpt: bye", "at rcpt: delya 5m", "at rcpt: delay", "at rcpt: delay 5",
		"at rcpt: delay 5m 250 ok", "at rcpt: drip 1s",
		"at rcpt: drip 1s; delay 1s; 250 ok", "at rcpt: cut; 250 ok", "at rcpt: cut after", "at rcpt: cut after 5",
		"at body: cut after 5; 250 ok", "at handshake: cut after 5; cut", "at handshake: 454 no", "at handshake: repeat 2; raw \"x\"",
		"at handshake, pipelined: cut", "at rcpt: present expired", "at handshake: present", "at handshake: present expird",
		"at handshake: present expired for a/b", "at handshake: present wrong-name for mx2.example.net", "at rcpt: accept", "at mail: lose",
		"at connect: 220 hi", `at rcpt: raw`, `at rcpt: raw 'x'`,
		`at rcpt: raw "x`, `at rcpt: raw ""`, "at rcpt: raw `x`", "at rcpt: 25 ok", "at rcpt: 650 ok", "at rcpt: 2500 ok",
		"at rcpt: 250-a", "at rcpt: 250-a|250-b", "at rcpt: 250-a|550 b", "at rcpt: 250 a; b", "at rcpt: 250 a\x00b",
		"at rcpt: 250 \xff", "\tat\trcpt:\tfrob",
		"at rcpt: bye\nat rcpt: bye bye",
		"at idle: delay 5m", "at idle, pipelined: fin", "at idle: accept",
	} {
		s, err := ParseScript("story.txtar", 7, text)
		if err == nil {
			t.Errorf("%q is read as %q", text, s)
			continue
		}
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line < 7 || syntax.Col < 1 || syntax.Col > len(syntax.Text)+1 {
			t.Errorf("%q: the error is no *SyntaxError within the text: %v", text, err)
		}
		fmt.Fprintf(&b, "%s\n\n", err)
	}
	golden(t, "errors.txt", b.String())
}

func TestScriptsAreBounded(t *testing.T) {
	if _, err := ParseScript("script", 1, strings.Repeat("\n", MaxScript+1)); err == nil {
		t.Error("a script that is too long is read")
	}
	_, err := ParseScript("script", 1, strings.Repeat("x\n", 1000))
	if n := strings.Count(err.Error(), "script:"); n != maxErrors {
		t.Errorf("%d errors are reported, want %d", n, maxErrors)
	}
}

func TestPersonasAreRules(t *testing.T) {
	for _, p := range Personas() {
		rules, err := personaRules(p.Name)
		if err != nil || len(rules) == 0 {
			t.Errorf("%s: %d rules, error %v", p.Name, len(rules), err)
			continue
		}
		var text []string
		for _, r := range rules {
			text = append(text, r.String())
			if !r.IsFault() && p.Name != "dripper" {
				t.Errorf("%s: %s is no fault", p.Name, r)
			}
		}
		if got := strings.Join(text, "\n"); got != p.Rules {
			t.Errorf("%s is not canonical:\n got %s\nwant %s", p.Name, got, p.Rules)
		}
	}
	if err := NewServer("mx", &Script{Personas: []string{"nobody"}}, nil).Serve(newListener()); err == nil {
		t.Error("a server serves with a persona that does not exist")
	}
}

func TestFaultsAreAllButPlainReplies(t *testing.T) {
	for text, want := range map[string]bool{
		"at rcpt: 250 ok": false, "at rcpt: 251 ok": false, "at data: 354 go": false, "at dot: accept": false, "at dot: accept; 250 ok": false,
		"at rcpt: 354 ok": true, "at data: 250 ok": true, "at rcpt: 451 no": true, "at rcpt: 250 ok; 250 ok": true, "at rcpt: delay 1s": true,
		"at rcpt: delay 1s; 250 ok": true, `at rcpt: raw "250 ok\r\n"`: true, "at dot: accept; 451 no": true, "at dot: lose": true,
		"at body: delay 1s":    true,
		"at rcpt: 250 ok; fin": true, "at connect: delay 1s": true,
	} {
		if got := mustParse(t, text).Rules[0].IsFault(); got != want {
			t.Errorf("%s: fault is %v", text, got)
		}
	}
}

// genScript draws scripts that can be written.
func genScript(t *rapid.T) *Script {
	s := &Script{Hostname: rapid.SampledFrom([]string{"", "mx1.example.net", "[192.0.2.1]"}).Draw(t, "hostname")}
	s.Offer = rapid.SampledFrom([][]Extension{nil, DefaultOffer(), {{Keyword: "x-Foo", Params: "a b=c"}, {Keyword: "SIZE",
		Params: "0"}}}).Draw(t, "offer")
	s.Auth = rapid.SampledFrom([]Auth{{}, {User: "a", Secret: "b c\""}, {
		User: "a,b", Secret: "x", Mechanisms: []string{"PLAIN", "XOAUTH2"}, Clear: true,
	}}).Draw(t, "auth")
	s.Personas = rapid.SampledFrom([][]string{nil, {"mute"}, {"greylister", "tarpit"}}).Draw(t, "personas")
	if s.Rules = rapid.SliceOfN(rapid.Custom(genRule), 0, 4).Draw(t, "rules"); len(s.Rules) == 0 {
		s.Rules = nil
	}
	return s
}

func genRule(t *rapid.T) Rule {
	count := rapid.IntRange(0, 3)
	r := Rule{Stage: rapid.SampledFrom(ruleStages[:]).Draw(t, "stage"), Connection: count.Draw(t, "connection")}
	switch count.Draw(t, "counter") {
	case 1:
		r.First = 5
	case 2:
		r.Nth = maxCount
	}
	r.After = time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "after"))
	if rapid.Bool().Draw(t, "ends") {
		r.Until = r.After + time.Duration(rapid.Int64Range(1, 1<<50).Draw(t, "until"))
	}
	address := rapid.SampledFrom([]string{"", "*", "bob@example.net", `"a >;:,\""@x`})
	if hasEnvelope(r.Stage) {
		r.Attempt = count.Draw(t, "attempt")
		r.From = rapid.OneOf(address, rapid.Just("<>")).Draw(t, "from")
	}
	if hasRecipient(r.Stage) {
		r.To = address.Draw(t, "to")
		r.OverRecipients = count.Draw(t, "over")
	} else {
		r.OverConnections = count.Draw(t, "over")
	}
	r.Parameters = hasParameters(r.Stage) && rapid.Bool().Draw(t, "parameters")
	r.Pipelined = canBePipelined(r.Stage) && rapid.Bool().Draw(t, "pipelined")
	r.Torn = canBeTorn(r.Stage) && rapid.Bool().Draw(t, "torn")
	r.Missized = isDot(r.Stage) && rapid.Bool().Draw(t, "missized")
	r.Actions = genActions(t, r.Stage)
	return r
}

func genActions(t *rapid.T, stage spec.Stage) []Action {
	var all []Action
	wait := rapid.Int64Range(1, 1<<62)
	for range rapid.IntRange(0, 3).Draw(t, "actions") {
		if stage == spec.StageHandshake {
			all = append(all, rapid.SampledFrom([]Action{
				{Do: Present, Text: "expired"}, {Do: Present, Text: "trusted for example.net"}, {Do: Demand}, {Do: Raw, Text: "250 x\r\n"},
			}).Draw(t, "handshake"))
			continue
		}
		if stage == spec.StageConnect || rapid.Bool().Draw(t, "wait") {
			all = append(all, Action{Do: Delay, Wait: time.Duration(wait.Draw(t, "delay"))})
			continue
		}
		if rapid.Bool().Draw(t, "drip") {
			all = append(all, Action{Do: Drip, Wait: time.Duration(wait.Draw(t, "drip"))}, Action{Do: Repeat, Count: 2})
		}
		all = append(all, rapid.OneOf(
			rapid.Map(rapid.StringN(1, 20, -1), func(s string) Action { return Action{Do: Raw, Text: s} }),
			rapid.Map(rapid.StringMatching(`[!-:<-{}~]([ -:<-{}~]*[!-:<-{}~])?`), func(s string) Action {
				return Action{Do: Reply,
					Text: "250-|250-" + s + "|250 " + s}
			}),
		).Draw(t, "reply"))
	}
	if stage == spec.StageDot && rapid.Bool().Draw(t, "accept") {
		all = append(all, Action{Do: Accept})
	}
	ends := []Action{{Do: Cut}, {Do: Fin}, {Do: Silence}, {Do: Delay, Wait: 1}}
	if stage == spec.StageIdle {
		ends = ends[:3] // it would do nothing
	}
	return append(all, rapid.SampledFrom(ends).Draw(t, "end"))
}

func TestParseScriptReadsWhatStringWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genScript(t)
		got, err := ParseScript("script", 1, s.String())
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if d := cmp.Diff(s, got, noLines); d != "" {
			t.Fatalf("%s (-want +got):\n%s", s, d)
		}
	})
}

func FuzzParseScript(f *testing.F) {
	for _, p := range Personas() {
		f.Add(p.Rules)
	}
	f.Add("offer \"A\", SIZE 1\nhostname x\npersona mute\nat rcpt <\"a\\>\"@b> from <>, over 1 recipients, until 1h: drip 1s; raw \"\\xff\"; fin")
	f.Add("at ehlo: 250-a|b|250")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScript("script", 1, text)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("no *SyntaxError: %v", err)
			}
			return
		}
		again, err := ParseScript("script", 1, s.String())
		if err != nil {
			t.Fatalf("%q is written %q: %v", text, s, err)
		}
		if d := cmp.Diff(s, again, noLines); d != "" {
			t.Fatalf("%q (-want +got):\n%s", text, d)
		}
		if _, err := newMatcher(s); err != nil {
			t.Fatal(err)
		}
	})
}
