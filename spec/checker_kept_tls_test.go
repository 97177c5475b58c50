package spec

import "testing"

// TestAServerThatLeadsAstrayExcusesClearText: but who was not led astray has to wait
// for the answer to STARTTLS, and to say it where it is offered.
func TestAServerThatLeadsAstrayExcusesClearText(t *testing.T) {
	extra := after("network connect session=s1", `
1.5s server mx1 fault session=s1 host=mx1 stage=greeting faults=reply-extra text="at greeting: repeat 2"`)
	hasty := after("stage=starttls text", `1.52s server mx1 command session=s1 host=mx1 text=NOOP`)
	runTrials(t, []trial{
		{name: "a command before the reply to STARTTLS", base: delivered, edits: []edit{encrypted, hasty, extra}},
		{name: "in clear, where STARTTLS is offered", base: delivered, edits: []edit{offered, extra}},
	})
}

// TestWhatDoesNotExistHasNoAddressOfAnyKind: RFC 8020.
func TestWhatDoesNotExistHasNoAddressOfAnyKind(t *testing.T) {
	given := func(lines string) []edit {
		return []edit{without("server mx1"), without("network connect session=s1"), with(`state=failed reply="550 5.1.1 no"`, `state=failed text="no"`),
			after("relay attempt message=m1", `
1.3s dns answer text="example.net. MX: NOERROR MX 5 mx1.example.net."
1.3s dns answer text="mx1.example.net. AAAA: SERVFAIL"
`+lines)}
	}
	runTrials(t, []trial{
		{name: "it does not exist", base: refused, edits: given(`1.3s dns answer text="mx1.example.net. A: NXDOMAIN"`)},
		{name: "it has none of one kind", base: refused, edits: given(`1.3s dns answer text="mx1.example.net. A: NOERROR"`),
			want: []string{"RETRY-ON-TIME: neither a server nor the DNS had refused it for good"}},
	})
}
