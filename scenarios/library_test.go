package scenarios

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stories loads all stories, or fails.
func stories(t *testing.T) []*Scenario {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryFileOfTheLibraryIsFormatted(t *testing.T) {
	for _, name := range Names() {
		path := filepath.Join(root, filepath.FromSlash(name)+Ending)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(path, data)
		if err != nil {
			t.Error(err)
			continue
		}
		want := Format(s)
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(string(data), string(want)); d != "" {
			t.Errorf("%s is not formatted; run the test with UPDATE=1 in the environment:\n%s", name, d)
		}
		if s.Name != name {
			t.Errorf("%s calls itself %s", name, s.Name)
		}
	}
}

func TestTheLibraryTellsEnoughStories(t *testing.T) {
	themes := make(map[string]int)
	titles := make(map[string]string)
	for _, s := range stories(t) {
		theme, _, _ := strings.Cut(s.Name, "/")
		themes[theme]++
		if other := titles[s.Title]; other != "" {
			t.Errorf("%s and %s have one title: %s", other, s.Name, s.Title)
		}
		titles[s.Title] = s.Name
		if len(s.Rules) == 0 {
			t.Errorf("%s names no rule", s.Name)
		}
	}
	for _, theme := range strings.Fields("plain retry reply mx relaymode tls auth timeout cut doubt crash clock stop expiry report damage fair citadel operator") {
		if themes[theme] == 0 {
			t.Errorf("no story is about %s", theme)
		}
	}
	if len(titles) < 100 {
		t.Errorf("the library has only %d stories", len(titles))
	}
}

func TestStoriesSayWhatTheyNeed(t *testing.T) {
	for _, s := range stories(t) {
		for _, need := range implied(s) {
			if !slices.Contains(s.Needs, need) {
				t.Errorf("%s needs %q and does not say so", s.Name, need)
			}
		}
	}
}

// implied returns the needs that can be seen from outside.
func implied(s *Scenario) []string {
	var out []string
	kinds := map[StepKind]string{StepCrash: "crash", StepStop: "stop", StepDamage: "damage", StepClock: "clock"}
	for _, step := range s.Plan {
		if step.Order() != "" {
			out = append(out, "operator")
		}
		if need := kinds[step.Kind]; need != "" {
			out = append(out, need)
		}
		if step.At >= time.Hour || step.Restart >= time.Hour {
			out = append(out, "time")
		}
	}
	for _, e := range s.Expect {
		if e.State == stateUnknown || e.State == stateHeld {
			out = append(out, "doubt")
		}
		if e.Attempts > 1 && !slices.Contains(s.Needs, "crash") {
			out = append(out, "time")
		}
	}
	for _, offered := range []struct{ keyword, need string }{{"STARTTLS", "tls"}, {"CHUNKING", "chunking"}, {"LIMITS", "limits"}} {
		if s.offer(offered.keyword) {
			out = append(out, offered.need)
		}
	}
	if len(s.Policy.Logins) > 0 {
		out = append(out, "auth")
	}
	if !cmp.Equal(s.Policy, DefaultPolicy(), butLines) {
		out = append(out, "config")
	}
	return out
}

// Only addresses set aside for documentation (RFC 5737, RFC 3849).
var documentation = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
}

func TestStoriesUseDocumentationAddresses(t *testing.T) {
	for _, s := range stories(t) {
		for _, r := range s.DNS {
			a, err := netip.ParseAddr(r.Value)
			if a.IsLoopback() || a.IsLinkLocalUnicast() {
				continue // they are nobody's on the internet
			}
			if err == nil && !slices.ContainsFunc(documentation, func(p netip.Prefix) bool { return p.Contains(a) }) {
				t.Errorf("%s: %s is not an address for documentation", s.Name, r.Value)
			}
		}
	}
}

func TestEveryRecipientIsExpectedUnlessItsEntryIsDamaged(t *testing.T) {
	for _, s := range stories(t) {
		damaged := func(name string) bool {
			return slices.ContainsFunc(s.Plan, func(x Step) bool { return x.Kind == StepDamage && x.Message == name && !x.HarmsContent() })
		}
		for _, step := range s.Plan {
			for _, r := range step.Recipients {
				expected := slices.ContainsFunc(s.Expect, func(e Expectation) bool {
					return SameMailbox(e.Recipient, r) && (e.Message == "" || e.Message == step.Message)
				})
				if step.Kind == StepSubmit && expected == damaged(step.Message) {
					t.Errorf("%s: %s of %s is expected: %v, damaged: %v", s.Name, r, step.Message, expected, damaged(step.Message))
				}
			}
		}
	}
}

func TestLoadReadsFilesAndTheLibrary(t *testing.T) {
	byName, err := Load("doubt/report")
	if err != nil {
		t.Fatal(err)
	}
	byPath, err := Load("library/doubt/report.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(byName, byPath); d != "" {
		t.Error(d)
	}
	if _, err := Load("doubt/raport"); err == nil || !strings.Contains(err.Error(), `did you mean "doubt/report"`) {
		t.Errorf("a mistyped name gives %v", err)
	}
	if _, err := Load("nowhere.txtar"); err == nil {
		t.Error("a file that is not there is loaded")
	}
}

func TestTheExampleOfTheReadmeIsInTheLibrary(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	story, err := library.ReadFile(root + "/doubt/report" + Ending)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```\n"+string(story)+"```\n") {
		t.Errorf("README.md does not show doubt/report as it is:\n%s", story)
	}
}
