package spec

import "testing"

// chunked has the content go in two chunks.
func chunked(t testing.TB, text string) string {
	return after("stage=rcpt", `
1.6s   server mx1 command session=s1 host=mx1 stage=bdat text="BDAT 100"
1.6s   server mx1 reply session=s1 host=mx1 stage=bdat reply="250 100 octets"
1.6s   server mx1 command session=s1 host=mx1 stage=bdat text="BDAT 7 LAST"`)(t, text)
}

func on(p *Policy) { p.Chunking = true }

func TestChunksAreThoseOfThePolicy(t *testing.T) {
	off := func(at string) func(*Policy) {
		return func(p *Policy) {
			p.Chunking, p.Fallback, p.ChunkingAt = true, []string{"mx1:25"}, map[string]bool{at: false}
		}
	}
	runTrials(t, []trial{
		{name: "on", base: delivered, edits: []edit{chunked}, policy: on},
		{name: "off", base: delivered, edits: []edit{chunked},
			want: []string{"WIRE-LAWFUL: says BDAT to mx1 in mail for example.net, though policy says that chunking is off"}},
		{name: "off for the domain", base: delivered, edits: []edit{chunked}, policy: off("example.net"), want: []string{"WIRE-LAWFUL: chunking is off"}},
		{name: "off at the host", base: delivered, edits: []edit{chunked}, policy: off("mx1"), want: []string{"WIRE-LAWFUL: chunking is off"}},
		{name: "off for another domain", base: delivered, edits: []edit{chunked}, policy: off("example.com")},
		{name: "as large as allowed", base: delivered, edits: []edit{chunked}, policy: func(p *Policy) { on(p); p.Limits.ChunkBytes = 100 }},
		{name: "larger than allowed", base: delivered, edits: []edit{chunked}, policy: func(p *Policy) { on(p); p.Limits.ChunkBytes = 99 },
			want: []string{"FAIR-AND-BOUNDED: a chunk of 100 octets, more than 99"}},
		{name: "no sizes", base: delivered, policy: on, edits: []edit{chunked, with("BDAT 100", "BDAT"), with("BDAT 7 LAST", "BDAT x")}},
	})
}

// A server that refused a chunk, and was left for another one, has not said what
// became of the dot there.
func TestARefusalIsNoAnswerToTheDotOfAnotherConversation(t *testing.T) {
	dotted := with("1.6s   relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net",
		"1.6s relay dot message=m1 queue=Q1 job=j1 dest=example.net host=mx1 to=bob@example.net session=s1")
	refused := func(session, stage string) edit {
		return after("1.2s   relay attempt", `
1.25s server mx0 command session=`+session+` host=mx0 stage=mail text="MAIL FROM:<alice@example.org>"
1.25s server mx0 command session=`+session+` host=mx0 stage=rcpt text="RCPT TO:<bob@example.net>"
1.26s server mx0 reply session=`+session+` host=mx0 stage=`+stage+` reply="451 4.3.0 Trouble"`)
	}
	again := []string{"NEVER-TWICE: will send m1 to bob@example.net again, though its final dot had left"}
	var trials []trial
	for _, stage := range []string{"bdat", "body"} {
		trials = append(trials,
			trial{name: stage + " elsewhere", base: retried, edits: []edit{without("accepted session=s1"), dotted, refused("s0", stage)}, want: again},
			trial{name: stage + " there", base: retried, edits: []edit{without("accepted session=s1"), dotted,
				after("1.5s   server mx1", `1.55s server mx1 reply session=s1 host=mx1 stage=`+stage+` reply="451 4.3.0 Trouble"`)}})
	}
	runTrials(t, trials)
}

// A recipient who may be one of two, and is refused, takes nobody else out of the
// transaction.
func TestARefusalOfATwinIsAboutNobodyElse(t *testing.T) {
	twins := after("relay ready", `
0.5s submitter submit message=m2 from=alice@example.org to=twin@example.net hash=h2
0.5s submitter submit-unknown message=m2
0.5s submitter submit message=m3 from=alice@example.org to=twin@example.net hash=h3
0.5s submitter submit-unknown message=m3`)
	refused := after("1.5s   server mx1", `
1.5s server mx1 command session=s1 host=mx1 stage=rcpt text="RCPT TO:<twin@example.net>"
1.5s server mx1 refused-recipient session=s1 host=mx1 from=<alice@example.org> to=twin@example.net stage=rcpt reply="452 too many"
1.5s server mx1 reply session=s1 host=mx1 stage=rcpt reply="452 too many"`)
	no := with("1.7s   server mx1 accepted session=s1 host=mx1 message=m1 from=alice@example.org to=bob@example.net hash=h1",
		`1.7s server mx1 reply session=s1 host=mx1 stage=dot reply="452 4.3.1 Full"`)
	runTrials(t, []trial{
		{name: "the other is refused at the dot", base: retried, edits: []edit{twins, refused, no}},
		{name: "the other is refused by nobody", base: retried, edits: []edit{twins, refused, without("accepted session=s1")},
			want: []string{"NEVER-TWICE: will send m1 to bob@example.net again, though its final dot had left"}},
	})
}

// What is said to a chunk before the last is neither a yes nor a no to the mail,
// unless the server says more than it was asked.
func TestAReplyToAChunkIsNoReplyToTheMail(t *testing.T) {
	twice := after("text=\"BDAT 7 LAST\"", `
1.6s   server mx1 fault session=s1 host=mx1 stage=bdat faults=reply-extra text="at bdat: repeat 2; 250 ok"
1.6s   server mx1 reply session=s1 host=mx1 stage=bdat reply="250 ok"`)
	lost := []edit{chunked, without("mx1 accepted"), without("mx1 replied")}
	runTrials(t, []trial{
		{name: "delivered, for a chunk was", base: delivered, policy: on, edits: lost, want: []string{"TRUE-REPORTS: delivered"}},
		{name: "delivered, for a chunk was twice", base: delivered, policy: on, edits: append(lost, twice)},
		{name: "retried after the dot, which nobody refused", base: retried, policy: on, edits: []edit{chunked},
			want: []string{"NEVER-TWICE: will send m1 to bob@example.net again, though its final dot had left", "NEVER-TWICE"}},
	})
}
