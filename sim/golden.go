package sim

import (
	"bytes"
	"fmt"
)

// compareTrace holds the trace against the golden one of the file, and tells
// the first line that differs: what comes after is mostly its echo. A run with
// options that change the world has another trace.
func (w *world) compareTrace() {
	if w.scenario.Trace == nil || len(w.options.Steps) > 0 || w.options.SplitReads || w.options.MaxVirtual > 0 {
		return
	}
	marker := w.scenario.TraceLine
	want := bytes.Split(bytes.TrimSuffix(w.scenario.Trace, []byte("\n")), []byte("\n"))
	if len(w.scenario.Trace) == 0 {
		w.mismatch(marker, "the golden trace is empty: fill it in with simrun run --rewrite FILE")
		return
	}
	got := bytes.Split(bytes.TrimSuffix(traceOf(w.facts), []byte("\n")), []byte("\n"))
	for i := range max(len(want), len(got)) {
		line := fmt.Sprintf("line %d of the trace", i+1)
		switch {
		case i >= len(got):
			w.mismatch(marker+1+i, "the trace has ended after %d lines, expected\n\t%s", len(got), want[i])
		case i >= len(want):
			w.mismatch(marker+i, "the golden trace ends here, but %s is\n\t%s", line, got[i])
		case !bytes.Equal(got[i], want[i]):
			w.mismatch(marker+1+i, "%s is\n\t%s\nexpected\n\t%s", line, got[i], want[i])
		default:
			continue
		}
		return
	}
}
