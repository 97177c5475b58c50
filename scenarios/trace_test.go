package scenarios

import (
	"strings"
	"testing"
)

func TestATraceIsFilledInAndAllElseStays(t *testing.T) {
	const before = "# A  title.\n-- plan --\nt+0   submit m1 from <> to bob@example.net\n\n-- trace --\nold\n-- expect --\nbob@example.net queued\n"
	got, err := WithTrace("f", []byte(before), []byte("one\ntwo\n"))
	if want := strings.Replace(before, "old", "one\ntwo", 1); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := WithTrace("f", []byte("# A title.\n"), nil); err == nil || !strings.Contains(err.Error(), "f has no trace section") {
		t.Errorf("a file without the section: %v", err)
	}
	if _, err := WithTrace("f", []byte(before), make([]byte, MaxBytes)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a trace too long: %v", err)
	}
	s, err := Parse("f", []byte(before))
	if err != nil || string(s.Trace) != "old\n" || s.TraceLine != 5 {
		t.Errorf("%v: line %d is %q", err, s.TraceLine, s.Trace)
	}
}
