package spec

import (
	"strings"
	"testing"
)

// hushed adds the relay's word that nobody is told.
var hushed = after("1.9s   relay outcome", "1.9s relay untold message=m1 queue=Q1 to=bob@example.net state=failed text=why")

// postmastered names a postmaster.
func postmastered(p *Policy) { p.Postmaster = "postmaster@Example.org" }

// TestThePostmasterIsToldOfWhatTheNullSenderCannotBe: once, and nobody else; of
// his own mail nobody is.
func TestThePostmasterIsToldOfWhatTheNullSenderCannotBe(t *testing.T) {
	noReport := func(t testing.TB, text string) string { return without("Q2")(t, without("message=r1")(t, text)) }
	notice := replacing("alice@example.org", "postmaster@example.org")
	own := replacing("bob@example.net", "postmaster@example.org")
	ownHushed := after("1.9s   relay outcome", "1.9s relay untold message=m1 queue=Q1 to=postmaster@example.org state=failed")
	another := after("Q2 text=body", "1.8s disk stored queue=Q3 text=control\n1.8s disk stored queue=Q3 text=body")
	twice := after("1.9s   relay report", "1.9s relay report message=r2 queue=Q3 from=postmaster@example.org to=bob@example.net text=Q1")
	runTrials(t, []trial{
		{name: "told", base: refused, policy: postmastered, edits: []edit{fromNull, notice}},
		{name: "told twice", base: refused, policy: postmastered, edits: []edit{fromNull, notice, another, twice,
			until("2.6s   relay outcome")}, want: []string{"NOTHING-LOST: reported more than once"}},
		{name: "not told", base: refused, policy: postmastered, edits: []edit{fromNull, noReport},
			want: []string{"CLEAN-EXACTLY: removed from the spool while bob", "NOTHING-LOST: the sender was never told"}},
		{name: "hushed up", base: refused, policy: postmastered, edits: []edit{fromNull, hushed, noReport},
			want: []string{"CLEAN-EXACTLY: removed from the spool while bob", "NOTHING-LOST: though postmaster@example.org is to be told",
				"NOTHING-LOST: was never told"}},
		{name: "somebody else is told", base: refused, policy: postmastered, edits: []edit{fromNull},
			want: []string{"NOTHING-LOST: goes to alice@example.org, but it is from the null sender, and the postmaster is", "NOTHING-LOST: but says nothing of m1"}},
		{name: "the sender is known, and told", base: refused, policy: postmastered},
		{name: "the postmaster is told instead of the sender", base: refused, policy: postmastered, edits: []edit{
			with("from=alice@example.org to=bob@example.net text=Q1", "from=postmaster@example.org to=bob@example.net text=Q1")},
			want: []string{"NOTHING-LOST: goes to postmaster@example.org, but its sender is alice", "NOTHING-LOST: r1 to postmaster@example.org is lost"}},
		{name: "told of his own mail", base: refused, policy: postmastered, edits: []edit{fromNull, ownHushed, own, notice},
			want: []string{"NOTHING-LOST: to the postmaster, who is told nothing of his own mail"}},
		{name: "not told of his own mail", base: refused, policy: postmastered, edits: []edit{fromNull, ownHushed, own, noReport}},
	})
}

// TestThatNobodyIsToldIsSaid, by a relay that says what it believes; not of who
// asked that nobody be told, nor where the end of a process may have hidden it.
func TestThatNobodyIsToldIsSaid(t *testing.T) {
	noReport := func(t testing.TB, text string) string { return without("Q2")(t, without("message=r1")(t, text)) }
	runTrials(t, []trial{
		{name: "said", base: refused, edits: []edit{fromNull, hushed, noReport}},
		{name: "not said", base: refused, edits: []edit{fromNull, noReport}, want: []string{"NOTHING-LOST: the relay does not say so"}},
		{name: "not said, of who wanted nobody told", base: refused, edits: []edit{asking("never"), fromNull, noReport}},
		{name: "not said, before the process ended", base: refused,
			edits: []edit{fromNull, without("relay removed"), noReport, after("relay outcome", "1.9s world crash\n2s world start count=2\n2s relay ready")}},
		{name: "said, though the sender is known", base: refused, edits: []edit{hushed},
			want: []string{"NOTHING-LOST: though alice@example.org is to be told"}},
	})
}

// TestAPostmasterIsAnAddress.
func TestAPostmasterIsAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "postmaster@example.org": "", "post.master+2@sub.example.org": "",
		"postmaster": "no name of a mailbox", "@example.org": "no name of a mailbox", "a b@example.org": "no name of a mailbox",
		"<a@example.org>": "no name of a mailbox", "a@": "the domain is none: it is empty", "a@exa mple.org": "the domain is none",
		"a@b@example.org": "no name of a mailbox",
	} {
		p := DefaultPolicy("mail.example.org")
		p.Postmaster = address
		if err := p.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}
