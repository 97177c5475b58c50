package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// epoch is t+0 of the histories in tests.
const epoch = Wall(1_800_000_000_000_000_000)

// history reads facts: one a line, as Fact.String prints them, but with the
// time since epoch in front, and in due=. Blank lines do not count.
func history(t testing.TB, text string) []Fact {
	t.Helper()
	var all []Fact
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		at, rest, _ := strings.Cut(line, " ")
		words := strings.Fields(rest)
		for _, w := range words {
			if due, ok := strings.CutPrefix(w, "due="); ok {
				rest = strings.Replace(rest, w, "due="+since(t, due).String(), 1)
			}
		}
		f, err := ParseFact(since(t, at).String() + " " + rest)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, f)
	}
	return all
}

func since(t testing.TB, text string) Wall {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return epoch.Add(d)
}

// An edit changes the text of a history.
type edit func(t testing.TB, text string) string

// without drops the lines that contain part; there must be one at least.
func without(part string) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		var kept strings.Builder
		for line := range strings.Lines(text) {
			if !strings.Contains(line, part) {
				kept.WriteString(line)
			}
		}
		if kept.Len() == len(text) {
			t.Fatalf("no line contains %q", part)
		}
		return kept.String()
	}
}

// with replaces the only occurrence of old.
func with(old, replacement string) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		if n := strings.Count(text, old); n != 1 {
			t.Fatalf("%q occurs %d times", old, n)
		}
		return strings.Replace(text, old, replacement, 1)
	}
}

// after puts lines behind the first line that contains part.
func after(part, lines string) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		i := strings.Index(text, part)
		if i < 0 {
			t.Fatalf("no line contains %q", part)
		}
		end := i + strings.IndexByte(text[i:], '\n') + 1
		return text[:end] + strings.TrimPrefix(lines, "\n") + "\n" + text[end:]
	}
}

// fromNull makes the null sender that of all that does not speak of a report.
func fromNull(t testing.TB, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "r1") && !strings.Contains(line, "host=home") {
			line = strings.NewReplacer("from=alice@example.org", "from=<>", "from=<alice@example.org>", "from=<>", "FROM:<alice@example.org>", "FROM:<>").Replace(line)
		}
		b.WriteString(line)
	}
	return b.String()
}

// outside leaves what is seen of a relay from outside.
func outside(t testing.TB, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, " relay ") && !strings.Contains(line, " disk ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// until drops the first line that contains part, and all behind it.
func until(part string) edit {
	return func(t testing.TB, text string) string {
		t.Helper()
		i := strings.Index(text, part)
		if i < 0 {
			t.Fatalf("no line contains %q", part)
		}
		return text[:strings.LastIndexByte(text[:i], '\n')+1]
	}
}

// A trial is a history and the rules that it must be found to break.
type trial struct {
	name  string
	base  string
	edits []edit
	// policy changes the policy, when not nil.
	policy func(*Policy)
	// want are the rules broken, in order, with a part of the sentence: "RULE: part".
	want []string
	// licence is a part of the window of the one licence; empty for none.
	licence string
}

func testPolicy() Policy {
	p := DefaultPolicy("relay.example.org")
	p.Schedule.Jitter = 0 // the times of the histories are whole intervals
	return p
}

// judge runs a Checker over facts.
func judge(p Policy, facts []Fact) (*Checker, []Violation) {
	c := NewChecker(p)
	var all []Violation
	for _, f := range facts {
		all = append(all, c.Observe(f)...)
	}
	return c, append(all, c.Finish()...)
}

func (tr trial) run(t *testing.T) {
	p := testPolicy()
	if tr.policy != nil {
		tr.policy(&p)
	}
	text := tr.base
	for _, e := range tr.edits {
		text = e(t, text)
	}
	c, found := judge(p, history(t, text))
	for i, v := range found {
		if v.Sentence == "" || len(v.Facts) == 0 || strings.Contains(v.Sentence, "%!") || strings.HasSuffix(v.Sentence, ".") {
			t.Errorf("violation without sense: %+v", v)
		}
		if i >= len(tr.want) {
			t.Errorf("unexpected:\n%s", v.Story(epoch))
		}
	}
	for i, want := range tr.want {
		rule, part, _ := strings.Cut(want, ": ")
		switch {
		case i >= len(found):
			t.Errorf("missing: %s", want)
		case string(found[i].Rule) != rule || !strings.Contains(found[i].Sentence, part):
			t.Errorf("want %s, got\n%s", want, found[i].Story(epoch))
		}
	}
	licences := fmt.Sprint(c.Licences())
	if tr.licence == "" && len(c.Licences()) > 0 || !strings.Contains(licences, tr.licence) {
		t.Errorf("licences are %s, want %q", licences, tr.licence)
	}
}

func runTrials(t *testing.T, trials []trial) {
	for _, tr := range trials {
		t.Run(tr.name, tr.run)
	}
}

// delivered is a history in which all is well: one message, one recipient,
// delivered at the first attempt.
const delivered = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 2.0.0 queued as Q1"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   dns query text="example.net. MX"
1.3s   dns answer text="example.net. MX: NOERROR MX 10 mx1.example.net.; MX 20 mx2.example.net."
1.3s   dns answer text="mx1.example.net. A: NOERROR A 192.0.2.1"
1.4s   relay route message=m1 queue=Q1 job=j1 dest=example.net text="mx1.example.net mx2.example.net"
1.4s   relay dial message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net addr=192.0.2.1:25
1.5s   network connect session=s1 addr=192.0.2.1:25
1.6s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.6s   server mx1 reply session=s1 host=mx1 stage=mail reply="250 ok"
1.7s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.7s   server mx1 reply session=s1 host=mx1 stage=rcpt reply="250 ok"
1.8s   disk stored queue=Q1 text=intent
1.8s   relay intent message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net to=bob@example.net attempt=1
1.8s   relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net to=bob@example.net
1.9s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
1.9s   server mx1 reply session=s1 host=mx1 stage=dot reply="250 ok"
1.9s   server mx1 replied session=s1 host=mx1 message=m1 to=bob@example.net
2s     server mx1 command session=s1 host=mx1 stage=quit text=QUIT
2.1s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2.2s   disk erased queue=Q1 text=intent
2.2s   disk erased queue=Q1 text=control
2.2s   disk erased queue=Q1 text=body
2.2s   relay outcome message=m1 queue=Q1 job=j1 dest=example.net host=mx1.example.net to=bob@example.net attempt=1 state=delivered reply="250 ok"
2.2s   relay removed message=m1 queue=Q1
1h     world end
`

// refused is a history in which all is well: the recipient is refused for
// good, and the sender is told.
const refused = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   network connect session=s1 addr=192.0.2.1:25
1.4s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.4s   server mx1 reply session=s1 host=mx1 stage=mail reply="250 ok"
1.5s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.5s   server mx1 fault session=s1 host=mx1 stage=rcpt text="at rcpt: 550 no"
1.5s   server mx1 refused-recipient session=s1 host=mx1 from=<alice@example.org> to=bob@example.net stage=rcpt reply="550 5.1.1 no"
1.5s   server mx1 reply session=s1 host=mx1 stage=rcpt reply="550 5.1.1 no"
1.6s   server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.7s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
1.8s   disk erased queue=Q1 text=control
1.8s   disk erased queue=Q1 text=body
1.8s   disk stored queue=Q2 text=control
1.8s   disk stored queue=Q2 text=body
1.9s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=failed reply="550 5.1.1 no"
1.9s   relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1
1.9s   relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=120h0m1.8s
1.9s   relay removed message=m1 queue=Q1
1.9s   relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1 due=1.8s
2s     network connect session=s2 addr=192.0.2.9:25
2.1s   server home command session=s2 host=home stage=mail text="MAIL FROM:<>"
2.2s   server home command session=s2 host=home stage=rcpt text="RCPT TO:<alice@example.org>"
2.2s   disk stored queue=Q2 text=intent
2.2s   relay intent message=r1 queue=Q2 job=j2 dest=example.org host=home to=alice@example.org attempt=1
2.2s   relay dot message=r1 queue=Q2 job=j2 dest=example.org host=home to=alice@example.org
2.3s   server home accepted session=s2 host=home message=r1 from=<> to=alice@example.org
2.3s   server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=failed text=m1
2.3s   server home replied session=s2 host=home message=r1 to=alice@example.org
2.4s   server home command session=s2 host=home stage=quit text=QUIT
2.5s   relay attempt-end message=r1 queue=Q2 job=j2 dest=example.org
2.6s   disk erased queue=Q2 text=intent
2.6s   disk erased queue=Q2 text=control
2.6s   disk erased queue=Q2 text=body
2.6s   relay outcome message=r1 queue=Q2 dest=example.org to=alice@example.org attempt=1 state=delivered
1h     world end
`

// deferred is a history in which all is well: greylisted, and delivered at the
// second attempt.
const deferred = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   network connect session=s1 addr=192.0.2.1:25
1.4s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.5s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.5s   server mx1 refused-recipient session=s1 host=mx1 from=<alice@example.org> to=bob@example.net stage=rcpt reply="451 4.7.1 Greylisted"
1.6s   server mx1 command session=s1 host=mx1 stage=quit text=QUIT
1.7s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
1.8s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=queued reply="451 4.7.1 Greylisted" due=5m1.7s
5m1.7s relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.7s
5m2s   network connect session=s2 addr=192.0.2.1:25
5m3s   server mx1 command session=s2 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
5m4s   server mx1 command session=s2 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
5m4s   disk stored queue=Q1 text=intent
5m4s   relay intent message=m1 queue=Q1 job=j2 dest=example.net host=mx1 to=bob@example.net attempt=2
5m4s   relay dot message=m1 queue=Q1 job=j2 dest=example.net host=mx1 to=bob@example.net
5m5s   server mx1 accepted session=s2 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
5m5s   server mx1 replied session=s2 host=mx1 message=m1 to=bob@example.net
5m6s   relay attempt-end message=m1 queue=Q1 job=j2 dest=example.net
5m7s   disk erased queue=Q1 text=intent
5m7s   disk erased queue=Q1 text=control
5m7s   disk erased queue=Q1 text=body
5m7s   relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=2 state=delivered
1h     world end
`

// doubted is a history in which all is well: the reply to the dot is lost, so
// the recipient is unknown, and the sender is told.
const doubted = `
0s     world start count=1
1ms    relay ready
1s     submitter submit message=m1 from=alice@example.org to=bob@example.net hash=h1
1.1s   disk stored queue=Q1 text=control
1.1s   disk stored queue=Q1 text=body
1.1s   relay queued message=m1 queue=Q1 from=alice@example.org to=bob@example.net due=120h0m1s
1.2s   submitter submitted message=m1 to=bob@example.net reply="250 ok"
1.2s   relay attempt message=m1 queue=Q1 job=j1 dest=example.net to=bob@example.net attempt=1 due=1s
1.3s   network connect session=s1 addr=192.0.2.1:25
1.4s   server mx1 command session=s1 host=mx1 stage=mail text="MAIL FROM:<alice@example.org>"
1.5s   server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<bob@example.net>"
1.6s   disk stored queue=Q1 text=intent
1.6s   relay intent message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net attempt=1
1.6s   relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net
1.7s   server mx1 fault session=s1 host=mx1 stage=dot text="at dot: lose"
1.7s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1
1.8s   network closed session=s1 addr=192.0.2.1:25
1.9s   relay attempt-end message=m1 queue=Q1 job=j1 dest=example.net
2s     disk stored queue=Q2 text=control
2s     disk stored queue=Q2 text=body
2s     disk erased queue=Q1 text=intent
2s     disk erased queue=Q1 text=control
2s     disk erased queue=Q1 text=body
2s     relay outcome message=m1 queue=Q1 dest=example.net to=bob@example.net attempt=1 state=unknown
2s     relay report message=r1 queue=Q2 from=alice@example.org to=bob@example.net text=Q1
2s     relay queued message=r1 queue=Q2 from=<> to=alice@example.org due=120h0m2s
2.1s   relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1 due=2s
2.2s   disk stored queue=Q2 text=intent
2.2s   relay intent message=r1 queue=Q2 job=j2 dest=example.org host=home to=alice@example.org attempt=1
2.2s   relay dot message=r1 queue=Q2 job=j2 dest=example.org host=home to=alice@example.org
2.3s   server home accepted session=s2 host=home message=r1 from=<> to=alice@example.org
2.3s   server home report-seen session=s2 host=home message=r1 to=bob@example.net reply=failed state=unknown text=m1
2.3s   server home replied session=s2 host=home message=r1 to=alice@example.org
2.5s   relay attempt-end message=r1 queue=Q2 job=j2 dest=example.org
2.6s   disk erased queue=Q2 text=intent
2.6s   disk erased queue=Q2 text=control
2.6s   disk erased queue=Q2 text=body
2.6s   relay outcome message=r1 queue=Q2 dest=example.org to=alice@example.org attempt=1 state=delivered
1h     world end
`
