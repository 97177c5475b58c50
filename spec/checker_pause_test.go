package spec

import (
	"strings"
	"testing"
)

// TestNoAttemptBeginsAtAPausedDestination: once the relay has said that it is
// paused, whatever crashes, and until somebody says that it shall be resumed.
func TestNoAttemptBeginsAtAPausedDestination(t *testing.T) {
	said := func(at, word string) string { return "\n" + at + " world operator dest=example.net text=" + word }
	word := func(at, word, rest string) string {
		return said(at, word) + "\n" + at + " world operated dest=example.net text=" + word + rest
	}
	paused := strings.TrimPrefix(word("2m", "pause", ""), "\n")
	wrong := []string{"RETRY-ON-TIME: the relay began an attempt for example.net, which an operator had paused"}
	const later = `
7m relay attempt message=m1 queue=Q1 job=j2 dest=example.net to=bob@example.net attempt=2 due=5m1.7s`
	runTrials(t, []trial{
		{name: "paused", base: deferred, edits: waits(paused + "\n4m world heal")},
		{name: "attempted all the same", base: deferred, edits: waits(paused + attempted), want: wrong},
		{name: "attempted in the next process", base: deferred, edits: waits(paused + restarted + attempted), want: wrong},
		{name: "another destination is paused", base: deferred, edits: waits(strings.ReplaceAll(paused, "example.net", "example.com") + attempted)},
		{name: "not answered", base: deferred, edits: waits(said("2m", "pause")[1:] + attempted)},
		{name: "not answered before a crash", base: deferred, edits: waits(said("2m", "pause")[1:] + restarted + attempted)},
		{name: "refused", base: deferred, edits: waits(strings.TrimPrefix(word("2m", "pause", " reply=no"), "\n") + attempted)},
		{name: "resumed", base: deferred, edits: waits(paused + word("3m", "resume", "") + attempted)},
		{name: "resumed, and paused again", base: deferred, edits: waits(paused + word("3m", "resume", "") + word("4m", "pause", "") + attempted), want: wrong},
		{name: "to be resumed, and not answered", base: deferred, edits: waits(paused + said("3m", "resume") + attempted)},
		{name: "to be resumed, and a crash hides whether it is", base: deferred, edits: waits(paused + said("2m", "resume") + restarted + attempted)},
		{name: "a resume that was refused", base: deferred, edits: waits(paused + word("3m", "resume", " reply=no") + attempted), want: wrong},
		{name: "resumed before", base: deferred, edits: waits(word("1m", "resume", "")[1:] + "\n" + paused + attempted), want: wrong},
		{name: "resumed, and attempted at once", base: deferred, edits: waits(paused + word("6m30s", "resume", "") + later)},
		{name: "resumed, and attempted late", base: deferred, edits: waits(paused + word("5m30s", "resume", "") + later),
			want: []string{"FAIR-AND-BOUNDED: m1 to example.net waited 1m30s, though it was due and neither limit was reached"}},
	})
}

// TestLifetimesEndAtAPausedDestination: a while later than elsewhere.
func TestLifetimesEndAtAPausedDestination(t *testing.T) {
	const paused = "2m world operator dest=example.net text=pause\n2m world operated dest=example.net text=pause"
	ended := func(at, expires string) string {
		return strings.NewReplacer("\n2m ", "\n"+at+" ", "due=120h2m", "due="+expires).Replace(erased + reportedOn)
	}
	runTrials(t, []trial{
		{name: "at once", base: deferred, edits: waits(paused + ended("120h30s", "240h30s"))},
		{name: "when it was looked for", base: deferred, edits: waits(paused + ended("123h59m", "243h59m"))},
		{name: "late", base: deferred, edits: waits(paused + ended("124h2m", "244h2m")),
			want: []string{"RETRY-ON-TIME: the relay let m1 to bob@example.net fail 4h1m59s after its lifetime had ended"}},
		{name: "before its time", base: deferred, edits: waits(paused + ended("119h", "239h")),
			want: []string{"RETRY-ON-TIME: the relay gave up on m1 to bob@example.net"}},
		{name: "never", base: deferred, edits: waits(paused + "\n300h world end"), want: []string{"PROGRESS: m1 to bob@example.net is deferred"}},
		{name: "never, until the relay stops", base: deferred, edits: waits(paused + "\n299h world stop\n300h world end"),
			want: []string{"PROGRESS: m1 to bob@example.net is deferred"}},
		{name: "after an attempt that an operator wanted", base: deferred, edits: waits(paused +
			"\n119h world operator message=m1 queue=Q1 text=retry-now\n119h world operated message=m1 queue=Q1 text=retry-now\n300h world end")},
	})
}

// TestAnEntryThatNobodyNamedMayWaitForAResume: the process that stored it ended
// before it could say whose it is, and the next one has nothing to do for it.
func TestAnEntryThatNobodyNamedMayWaitForAResume(t *testing.T) {
	const unnamed = `
0s    world start count=1
1ms   relay ready
500ms world operator dest=example.net text=pause
500ms world operated dest=example.net text=pause
1s    submitter submit message=m1 from=alice@example.org to=bob@example.net count=100
1.1s  disk stored queue=Q1 text=body count=120
1.1s  disk stored queue=Q1 text=control
1.2s  relay halt text="input/output error"
1.2s  submitter refused message=m1 to=bob@example.net reply="451 later"
1.2s  world stop
10s   world start count=2
10s   relay ready
300h  world end
`
	submit := "1s    submitter submit message=m1 from=alice@example.org to=bob@example.net count=100\n"
	wrong := []string{"PROGRESS: the spool holds Q1, of which nothing more is known"}
	runTrials(t, []trial{
		{name: "paused", base: unnamed},
		{name: "another destination is paused", base: unnamed, edits: []edit{with("operator dest=example.net", "operator dest=example.com"),
			with("operated dest=example.net", "operated dest=example.com")}, want: wrong},
		{name: "stored before anything was submitted", base: unnamed, want: wrong,
			edits: []edit{with(submit, ""), after("text=control", strings.Replace(submit, "1s", "1.15s", 1))}},
		{name: "with less of a body than that of the message", base: unnamed, edits: []edit{with("count=120", "count=20")}, want: wrong},
		{name: "by the process that runs", base: unnamed, edits: []edit{with("1.2s  relay halt text=\"input/output error\"\n", ""),
			with("1.2s  world stop\n10s   world start count=2\n10s   relay ready\n", "")}, want: wrong},
	})
}
