package fakesmtp

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/spec"
)

func TestARuleSaysWhichFaultsItIs(t *testing.T) {
	for text, want := range map[string][]spec.Fault{
		"at rcpt: 250 2.1.5 Ok":                               nil,
		"at dot: accept":                                      nil,
		"at rcpt: 451 4.7.1 Later":                            {spec.FaultReply4},
		"at rcpt: 421 4.3.2 Closing; fin":                     {spec.FaultFin, spec.FaultReply421},
		"at greeting: 554 No":                                 {spec.FaultReply5},
		"at mail: 354 What?":                                  {spec.FaultReply3},
		"at data: 250 Ok":                                     {spec.FaultReply2},
		"at rcpt: delay 5s":                                   {spec.FaultDelay},
		"at rcpt: drip 1s; 250 Ok":                            {spec.FaultDrip},
		"at rcpt: repeat 2; 250 Ok":                           {spec.FaultExtraReply},
		"at mail: silence":                                    {spec.FaultSilence},
		"at mail: cut":                                        {spec.FaultCut},
		"at rcpt: cut after 4; 250 Ok":                        {spec.FaultCut, spec.FaultTorn},
		"at body: cut after 20":                               {spec.FaultCut},
		"at body: 552 5.3.4 Too big":                          {spec.FaultEarly, spec.FaultReply5},
		"at bdat: 452 4.3.1 No room":                          {spec.FaultReply4},
		"at bdat: 354 More":                                   {spec.FaultReply3},
		"at bdat: repeat 2; 250 More":                         {spec.FaultExtraReply},
		"at starttls: 454 4.7.0 Not now":                      {spec.FaultReply4},
		`at starttls: raw "220 go\r\n250 mx1\r\n"`:            {spec.FaultExtraReply},
		"at handshake: present trusted for example.net":       nil,
		"at idle: delay 1m; 421 4.4.2 Bye; fin":               {spec.FaultFin, spec.FaultReply421},
		"at idle: 250 ok":                                     {spec.FaultReply2, spec.FaultExtraReply},
		"at idle: delay 1m; cut":                              {spec.FaultCut},
		"at handshake: present expired":                       {spec.FaultCertificate},
		"at handshake: cut after 20":                          {spec.FaultCut},
		`at handshake: raw "250 ok\r\n"`:                      {spec.FaultMalformed},
		"at dot: lose":                                        {spec.FaultCut, spec.FaultLost},
		"at dot: accept; cut":                                 {spec.FaultCut, spec.FaultLost},
		"at dot: accept; silence":                             {spec.FaultSilence, spec.FaultLost},
		"at dot: accept; cut after 6; 250 2.0.0 Ok":           {spec.FaultCut, spec.FaultTorn, spec.FaultLost},
		"at dot: accept; delay 15m; 250 2.0.0 Late":           {spec.FaultDelay},
		"at dot: accept; 451 4.3.0 No":                        {spec.FaultReply4, spec.FaultDenied},
		`at rcpt: raw "250\r\n"`:                              {spec.FaultOddReply},
		`at rcpt: raw "250-a\r\n250 b\r\n"`:                   {spec.FaultOddReply},
		`at rcpt: raw "250-a\r\n"`:                            {spec.FaultMalformed},
		`at rcpt: raw "250-a\r\n550 b\r\n"`:                   {spec.FaultMalformed},
		`at rcpt: raw "250 a\n"`:                              {spec.FaultMalformed},
		`at rcpt: raw "250/a\r\n"`:                            {spec.FaultMalformed},
		`at rcpt: raw "999 a\r\n"`:                            {spec.FaultMalformed},
		`at data: raw "354 go\r\n554 no\r\n"`:                 {spec.FaultExtraReply},
		`at rcpt: raw "250-a\r\n"; delay 1s; raw "250 b\r\n"`: {spec.FaultDelay},
	} {
		s, err := ParseScript("test", 1, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, s.Rules[0].Faults()); d != "" {
			t.Errorf("%s: -want +got:\n%s", text, d)
		}
	}
}

// What the personas do has a kind, and none is outside the set.
func TestEveryFaultHasItsKind(t *testing.T) {
	for _, p := range Personas() {
		rules, err := personaRules(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			faults := r.Faults()
			if r.IsFault() != (len(faults) > 0) {
				t.Errorf("%s: %s: a fault: %v; its kinds: %v", p.Name, r, r.IsFault(), faults)
			}
			for _, f := range faults {
				if f.Place() != spec.PlaceServer {
					t.Errorf("%s: %s is %q, which is no fault of a server", p.Name, r, f)
				}
			}
		}
	}
}
