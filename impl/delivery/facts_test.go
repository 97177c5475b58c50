package delivery

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

// The reply to the dot is stored before QUIT is said.
func TestResultsAreRecordedBeforeQUIT(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := world{
			zone: zone2, settle: func() error { time.Sleep(time.Minute); return nil },
			servers: map[string][]string{"192.0.2.1": {hello + takes("b@y") + "quiet 59s\nC: QUIT\nS: 221 bye\n"}},
		}
		w.deliver(t, t.Context(), "b@y")
	})
}

// Facts say what happened and what it means, once for those it happened to.
func TestFacts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := world{zone: zone2, facts: new([]string), servers: map[string][]string{
			"192.0.2.1": {"S: 554 5.7.1 not you\n" + quit},
			"192.0.2.2": {hello + envelope("b@y", "550 no", "c@y", "450 later", "d@y", "550 no") + quit},
		}}
		w.deliver(t, t.Context(), "b@y", "c@y", "d@y")
		want := []string{
			`route |MX 10 mx1.y, MX 20 mx2.y`,
			`dial mx1.y|`,
			`trouble mx1.y greeting b@y c@y d@y 554 5.7.1 not you 5yz next-host|`,
			`dial mx1.y|`,
			`trouble mx1.y connect b@y c@y d@y  refused next-host|[2001:db8::1]:25: connection refused`,
			`dial mx2.y|`,
			`trouble mx2.y rcpt b@y d@y 550 no 5yz fail-recipient|`,
			`trouble mx2.y rcpt c@y 450 later 4yz defer|`,
		}
		if diff := cmp.Diff(want, *w.facts); diff != "" {
			t.Error(diff)
		}
	})
}

// What comes of QUIT is told when it is no yes, though it changes nothing.
func TestAFactSaysThatQUITWentWrong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := world{zone: zone2, facts: new([]string), servers: map[string][]string{
			"192.0.2.1": {hello + takes("b@y") + "C: QUIT\nS: 500 what?\n"},
		}}
		w.deliver(t, t.Context(), "b@y")
		const want = `trouble mx1.y quit  500 what? 5yz proceed|`
		if all := *w.facts; all[len(all)-1] != want {
			t.Errorf("the last fact is %q, want %q", all[len(all)-1], want)
		}
	})
}

// factLine is a fact as the test above writes it.
func factLine(f spec.Fact) string {
	words := []string{string(f.Kind), f.Host}
	if f.Stage != 0 {
		words = append(append(words, f.Stage.String()), strings.Join(f.To, " "), f.Reply)
		words = append(words, f.Event.String(), f.Verdict.String())
	}
	return strings.Join(words, " ") + "|" + f.Text
}
