package spec

import (
	"strings"
	"testing"
)

// needing has the message need something, as its submitter says and the relay.
func needing(what string) edit {
	return func(t testing.TB, text string) string {
		text = with("submit message=m1 from=alice@example.org", "submit message=m1 needs="+what+" from=alice@example.org")(t, text)
		return with("queued message=m1 queue=Q1", "queued message=m1 needs="+what+" queue=Q1")(t, text)
	}
}

// said has MAIL carry a parameter.
func said(parameter string) edit {
	return with(`text="MAIL FROM:<alice@example.org>"`, `text="MAIL FROM:<alice@example.org> `+parameter+`"`)
}

func TestWhatAMessageNeedsIsAskedFor(t *testing.T) {
	utf8 := func(_ testing.TB, text string) string {
		text = strings.ReplaceAll(text, "to=bob@example.net", `to="böb@example.net"`)
		return strings.ReplaceAll(text, "<bob@example.net>", "<böb@example.net>")
	}
	runTrials(t, []trial{
		{name: "SMTPUTF8 for a header, and said", base: delivered, edits: []edit{needing("SMTPUTF8"), said("SMTPUTF8")}},
		{name: "SMTPUTF8 for a header, and not said", base: delivered, edits: []edit{needing("SMTPUTF8")},
			want: []string{"WIRE-LAWFUL: begins m1 at mx1 without SMTPUTF8"}},
		{name: "SMTPUTF8 for nothing", base: delivered, edits: []edit{said("SMTPUTF8")}, want: []string{"WIRE-LAWFUL: asks mx1 for SMTPUTF8, and nothing in m1"}},
		{name: "SMTPUTF8 for a recipient", base: delivered, edits: []edit{utf8, said("SMTPUTF8")}},
		{name: "the submitter is believed, not the relay", base: delivered,
			edits: []edit{said("SMTPUTF8"), with("queued message=m1", "queued needs=SMTPUTF8 message=m1")}, want: []string{"WIRE-LAWFUL: nothing in m1"}},
		{name: "REQUIRETLS, verified and said", base: delivered, edits: []edit{encrypted, with("host=mx1 stage=handshake", "host=mx1.example.net stage=handshake"),
			renamed, needing("REQUIRETLS"), said("REQUIRETLS")}},
		{name: "REQUIRETLS, verified and not said", base: delivered, edits: []edit{encrypted,
			with("host=mx1 stage=handshake", "host=mx1.example.net stage=handshake"), renamed, needing("REQUIRETLS")},
			want: []string{"WIRE-LAWFUL: without REQUIRETLS, which the sender had asked for"}},
		{name: "REQUIRETLS, in clear", base: delivered, edits: []edit{needing("REQUIRETLS"), said("REQUIRETLS")},
			want: []string{"WIRE-LAWFUL: in clear, though policy says verified"}},
		{name: "REQUIRETLS, with any certificate", base: delivered, edits: []edit{encrypted, with(" names=*.example.net", ""), needing("REQUIRETLS"),
			said("REQUIRETLS")}, want: []string{"WIRE-LAWFUL: whose certificate is valid for none of"}},
	})
}

// lacking has the message fail by the relay's own code, after what mx1 answers to
// EHLO.
func lacking(code, offer string) []edit {
	return []edit{
		without("session=s1 host=mx1"), after("attempt message=m1", `
1.2s dns query text="example.net. MX"
1.2s dns answer text="example.net. MX: NOERROR MX 10 mx1.example.net."
1.2s dns answer text="mx1.example.net. A: NOERROR A 192.0.2.1; A 192.0.2.9"
1.2s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25`),
		after("connect session=s1", `1.5s server mx1 reply session=s1 host=mx1 stage=ehlo reply="250 mx1 `+offer+`"`),
		with(`state=failed reply="550 5.1.1 no"`, `state=failed text="`+code+` no"`),
	}
}

func TestAnOwnCodeIsBorneOutByEveryHost(t *testing.T) {
	none := []string{"RETRY-ON-TIME: though neither a server nor the DNS had refused it for good"}
	large := with("submit message=m1 from=alice@example.org", "submit message=m1 count=9000 from=alice@example.org")
	second := with("MX 10 mx1.example.net.", "MX 10 mx1.example.net.; MX 20 mx2.example.net.")
	unanswered := after("connect session=s1", `1.6s relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.9:25`)
	runTrials(t, []trial{
		{name: "no room", base: refused, edits: append(lacking("5.3.4", "SIZE 1000"), large)},
		{name: "room enough", base: refused, edits: append(lacking("5.3.4", "SIZE 20000"), large), want: none},
		{name: "no limit", base: refused, edits: append(lacking("5.3.4", "SIZE"), large), want: none},
		{name: "no SMTPUTF8 for a header", base: refused, edits: append(lacking("5.6.7", "8BITMIME"), needing("SMTPUTF8"))},
		{name: "no SMTPUTF8 for ASCII", base: refused, edits: lacking("5.6.7", "8BITMIME"), want: none},
		{name: "SMTPUTF8 for a header", base: refused, edits: append(lacking("5.6.7", "SMTPUTF8"), needing("SMTPUTF8")), want: none},
		{name: "no REQUIRETLS", base: refused, edits: append(lacking("5.7.30", "8BITMIME"), needing("REQUIRETLS"))},
		{name: "no REQUIRETLS for who did not ask", base: refused, edits: lacking("5.7.30", "8BITMIME"), want: none},
		{name: "another host is left", base: refused, edits: append(lacking("5.6.3", "SIZE"), second, needing("8BITMIME")), want: none},
		{name: "no 8BITMIME", base: refused, edits: append(lacking("5.6.3", "SIZE"), needing("8BITMIME"))},
		{name: "no 8BITMIME for ASCII", base: refused, edits: lacking("5.6.3", "SIZE"), want: none},
		{name: "each host lacks another thing", base: refused, edits: append(lacking("5.6.7", "SMTPUTF8"), needing("8BITMIME,SMTPUTF8"))},
		{name: "another address did not answer", base: refused, edits: append(lacking("5.6.3", "SIZE"), unanswered, needing("8BITMIME")), want: none},
	})
}

func TestASubmissionIsAnsweredOneRecipientAtATime(t *testing.T) {
	refuse := func(to string) string {
		return `1.05s submitter refused message=m1 to=` + to + ` reply="550 no"` + "\n"
	}
	const base = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net,carol@example.net hash=h1
`
	runTrials(t, []trial{
		{name: "each by itself", base: base + refuse("bob@example.net") + refuse("carol@example.net") + "200h world end"},
		{name: "but for one", base: base + refuse("bob@example.net") + "200h world end", want: []string{"PROGRESS: has not been answered"}},
	})
}
