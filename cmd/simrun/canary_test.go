package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// canary is the secret of all logins, of relays and of servers.
const canary = "c4n4ry-1n-th3-m1n3"

// sung are the ways in which it would be seen: as it is, and as the mechanisms
// that hand it over say it.
func sung() []string {
	in64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return []string{
		canary, hex.EncodeToString([]byte(canary)), in64(canary), in64("\x00relay\x00" + canary),
		in64("user=relay\x01auth=Bearer " + canary + "\x01\x01"), in64("n,a=relay,\x01auth=Bearer " + canary + "\x01\x01"),
	}
}

// TestNoSecretComesToLight: not in a fact, of whomever it is, nor in a line of a
// log, an error, or what is said of the run, in any story with a login.
func TestNoSecretComesToLight(t *testing.T) {
	told := 0
	for _, name := range scenarios.Names() {
		sc, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(sc.Needs, "auth") {
			continue
		}
		sc, err = scenarios.Parse(name, []byte(sing(sc)))
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		note := hostos.LogNote(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		result := sim.Run(t, sc, mutants.Honest, sim.Options{AllowUnused: true, RulesOnly: true})
		for _, f := range result.Facts {
			note(f)
			log.WriteString(f.String() + f.Words() + fmt.Sprintf("%+v\n", f))
		}
		fmt.Fprintf(&log, "%+v %v %+v", result.Violations, result.Status, sc.Policy)
		for _, secret := range sung() {
			if i := strings.Index(log.String(), secret); i >= 0 {
				t.Errorf("%s tells %q: …%s…", name, secret, log.String()[max(0, i-300):min(log.Len(), i+100)])
			}
		}
		told += strings.Count(log.String(), "stage=auth")
	}
	if told < 100 {
		t.Errorf("only %d facts are about logins: too few to tell", told)
	}
}

// sing has a story with the canary for its secrets.
func sing(sc *scenarios.Scenario) string {
	text := string(scenarios.Format(sc))
	for _, l := range sc.Policy.Logins { // any order: all become the same
		text = strings.ReplaceAll(text, fmt.Sprintf("%q", l.Secret.Reveal()), fmt.Sprintf("%q", canary))
	}
	return text
}
