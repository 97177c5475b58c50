package draft

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

func TestNamesAreTheSameEachTimeAndOfNobody(t *testing.T) {
	n := new(Names)
	n.Host("mx.acme.test")
	bob, alice := n.Recipient("Jonathan@Acme.test"), n.Sender("boss@acme.test")
	if bob != "bob@example.net" || n.Recipient("jonathan@acme.TEST") != bob || n.Recipient("mary@acme.test") != "carol@example.net" ||
		n.Recipient("x@other.test") != "dave@example.com" || n.Sender("") != "" || alice != "alice@example.org" {
		t.Errorf("the names are %v and %v", n.recipients, n.senders)
	}
	for _, c := range []struct{ real, want string }{
		{"550 5.1.1 <jonathan@acme.test>: no such user", "550 5.1.1 <bob@example.net>: no such user"},
		{"550 Jonathan unknown at ACME.test, says mx.acme.test", "550 bob unknown at example.net, says mx1.example.net"},
		{"550 who is eve@nowhere.test?", "550 who is somebody@example.com?"},
		{"554 10.1.2.3 is listed by bl.spam.test [10.1.2.3]", "554 203.0.113.1 is listed by host.example [203.0.113.1]"},
		{"554 2a00:1450:4001::1b is listed", "554 2001:db8::2 is listed"},
		{"450 4.7.1 Try again in 5 min.", "450 4.7.1 Try again in 5 min."},
	} {
		if got := n.Text(c.real); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.real, got, c.want)
		}
	}
}

// TestADraftOfWhateverHasHappenedIsAScenario: Build reads back what it writes.
func TestADraftOfWhateverHasHappenedIsAScenario(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[245][0-5][0-9][ -][ -~]{0,20}\r\n`)
		event := rapid.Custom(func(t *rapid.T) Event {
			e := Event{
				Stage: spec.Stage(rapid.IntRange(int(spec.StageGreeting), int(spec.StageIdle)).Draw(t, "stage")),
				Reply: []byte(strings.Join(rapid.SliceOfN(rapid.OneOf(text, rapid.StringN(0, 9, 20)), 0, 3).Draw(t, "lines"), "")),
				Wait:  time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait")),
				End:   rapid.SampledFrom([]End{Open, Open, Fin, Cut, Left}).Draw(t, "end"), Count: rapid.IntRange(0, 99).Draw(t, "count"),
			}
			if e.Stage == spec.StageRCPT {
				e.To = rapid.SampledFrom([]string{"a@acme.test", "b@other.test", "weird\"@x"}).Draw(t, "to")
			}
			if e.Stage == spec.StageHandshake {
				e.Show = rapid.SampledFrom(fakesmtp.CertificateKinds()).Draw(t, "certificate")
			}
			return e
		})
		d := &Draft{Title: "It holds", Mails: []Mail{{From: "x@acme.test", To: []string{"a@acme.test"}, Size: 1 << 40}}, Login: rapid.Bool().Draw(t, "login"),
			Hosts: []*Host{{
				Name: "mx.acme.test", Network: rapid.SampledFrom([]string{"", "refused", "silent"}).Draw(t, "network"),
				Events: rapid.SliceOfN(event, 0, 6).Draw(t, "events"),
				Offer: []fakesmtp.Extension{{Keyword: "STARTTLS"}, {Keyword: "SIZE", Params: "100"},
					{Keyword: "FROB", Params: "1 2"}, {Keyword: "AUTH", Params: "PLAIN"}},
			}}}
		if _, err := d.Build(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOnlyWhatIsUnusualAndWaitsThatMatterAreRules(t *testing.T) {
	ok := func(s spec.Stage, wait time.Duration, end End) Event {
		return Event{Stage: s, Reply: []byte("250 ok\r\n"), Wait: wait, End: end}
	}
	h := &Host{Events: []Event{
		ok(spec.StageMAIL, 900*time.Millisecond, Open), ok(spec.StageDot, 90*time.Second+400*time.Millisecond, Open),
		{Stage: spec.StageIdle, Wait: 5 * time.Minute, End: Fin}, {Stage: spec.StageBody, Count: 700, End: Cut},
		{Stage: spec.StageRSET, End: Left}, ok(spec.StageQUIT, 0, Open),
	}}
	var got []string
	for _, r := range h.rules(new(Names)) {
		got = append(got, r.String())
	}
	want := "at body: cut after 700\nat dot: delay 1m30s\nat rset: silence\nat quit: 250 ok\nat idle: delay 5m; fin"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

func TestOneAfterAnotherHoldsAsOftenAsItCame(t *testing.T) {
	at := func(replies ...string) string {
		h := &Host{}
		for _, r := range replies {
			h.Events = append(h.Events, Event{Stage: spec.StageMAIL, Reply: []byte(r + "\r\n")})
		}
		var all []string
		for _, r := range h.rules(new(Names)) {
			all = append(all, r.String())
		}
		return strings.Join(all, "\n")
	}
	for want, got := range map[string]string{
		"":                         at("250 ok", "250 ok"),
		"at mail: 451 no":          at("451 no", "451 no"),
		"at mail, first 2: 451 no": at("451 no", "451 no", "250 ok"),
		"at mail, first 1: 451 no\nat mail: 550 no":             at("451 no", "550 no"),
		"at mail, first 1: delay 1ms\nat mail, first 1: 451 no": at("250 ok", "451 no", "250 ok"),
	} {
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
