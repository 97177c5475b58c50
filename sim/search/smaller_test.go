package search

import (
	"slices"
	"strings"
	"testing"

	"github.com/postonce/postonce/scenarios"
)

// smaller returns what single changes make of a scenario, each as text.
func smaller(sc *scenarios.Scenario) []string {
	var all []string
	for _, changes := range [...]func(*scenarios.Scenario) []change{dropSteps, dropPlaces, dropRules, dropRecords, plainPolicy, plainSteps} {
		for _, change := range changes(sc) {
			if c := clone(sc); change(c) {
				all = append(all, string(scenarios.Format(c)))
			}
		}
	}
	return all
}

// TestEachThingCanBeLeftOutAlone: else what is found keeps it, though it has no
// part in it.
func TestEachThingCanBeLeftOutAlone(t *testing.T) {
	sc, err := scenarios.Parse("it", []byte(`# A world in which there is much.
-- relay --
relays smart1.example.com
fallback smart2.example.com
port 2525
tls required
tls off example.org
-- dns --
example.net.      MX 10 mx1.example.net.
mx1.example.net.  A  192.0.2.10
mx1.example.net.  A  TIMEOUT, first 2
-- server mx1.example.net --
network refused until 1h
split-reads
offer PIPELINING
persona greylister
at mail from <alice@*>, parameters, pipelined, nth 2: 451 4.3.0 Later; fin
at rcpt <bob@*>, attempt 1, after 1h: delay 1s
at data, first 3: 451 4.3.0 Later
-- plan --
t+0     submit m1 from carol@example.org to bob@example.net, carol@example.net size 5000
t+1h1s  hold m1 <bob@example.net>, refused
-- expect --
rules  hold
`))
	if err != nil {
		t.Fatal(err)
	}
	text, all := string(scenarios.Format(sc)), smaller(sc)
	for old, by := range map[string]string{
		"relays smart1.example.com\n":      "",
		"fallback smart2.example.com\n":    "",
		"port 2525\n":                      "",
		"tls required\n":                   "",
		"tls off example.org\n":            "",
		"A  TIMEOUT, first 2":              "A  TIMEOUT",
		"network refused until 1h\n":       "",
		"refused until 1h":                 "refused",
		"split-reads\n":                    "",
		"offer PIPELINING\n":               "",
		"persona greylister\n":             "",
		" from <alice@*>,":                 ",",
		", parameters":                     "",
		", pipelined":                      "",
		", nth 2":                          "",
		"Later; fin":                       "Later",
		"rcpt <bob@*>":                     "rcpt",
		", attempt 1":                      "",
		", after 1h":                       "",
		", first 3":                        "",
		"first 3":                          "first 1",
		"carol@example.org to":             "alice@example.org to",
		" size 5000":                       "",
		"m1 <bob@example.net>, refused":    "m1, refused",
		"<bob@example.net>, refused":       "<bob@example.net>",
		"bob@example.net, carol@example.n": "bob@example.n",
	} {
		if strings.Count(text, old) != 1 {
			t.Errorf("%q stands there %d times:\n%s", old, strings.Count(text, old), text)
		}
		if !slices.Contains(all, strings.Replace(text, old, by, 1)) {
			t.Errorf("%q is not made %q by itself", old, by)
		}
	}
}

// TestWhatIsSaidOfARecipientGoesWithHimAlone: one who was named twice is still
// there when he is named once.
func TestWhatIsSaidOfARecipientGoesWithHimAlone(t *testing.T) {
	sc, err := scenarios.Parse("it", []byte(`# A recipient is named twice.
-- plan --
t+0   submit m1 from alice@example.org to bob@example.net, bob@example.net again, carol@example.net
t+1m  hold m1 <bob@example.net>
t+2m  hold m1 <carol@example.net>
-- expect --
rules  hold
`))
	if err != nil {
		t.Fatal(err)
	}
	text := string(scenarios.Format(sc))
	for old, by := range map[string]string{
		", bob@example.net again": "",
		", carol@example.net\nt+1m  hold m1 <bob@example.net>\nt+2m  hold m1 <carol@example.net>": "\nt+1m  hold m1 <bob@example.net>",
	} {
		if want := strings.Replace(text, old, by, 1); want == text || !slices.Contains(smaller(sc), want) {
			t.Errorf("%q is not made %q", old, by)
		}
	}
}
