package spec

import "testing"

// TestAnEntryThatOnlyACrashShowsMayBeTheReport: the batch was durable, and the process
// ended before anybody could say so.
func TestAnEntryThatOnlyACrashShowsMayBeTheReport(t *testing.T) {
	const crash = "1.85s world crash\n1.86s world start count=2\n1.86s disk kept queue=Q2 text=control\n1.86s disk kept queue=Q2 text=body\n1.87s relay ready"
	unsaid := func(t testing.TB, text string) string { return without("1.8s ")(t, without("1.9s ")(t, text)) }
	runTrials(t, []trial{
		{name: "kept, and delivered", base: refused, edits: []edit{unsaid, after("relay attempt-end message=m1", crash),
			after("1.87s relay ready", "1.9s relay attempt message=r1 queue=Q2 job=j2 dest=example.org to=alice@example.org attempt=1 due=1.8s")}},
		{name: "none is kept", base: refused, edits: []edit{unsaid, without("home"), without("Q2"), after("relay attempt-end message=m1",
			"1.85s world crash\n1.86s world start count=2\n1.87s relay ready")}, want: []string{"ACCEPT-DURABLE: the crash took m1"}},
	})
}
