package spec

import (
	"testing"
	"time"
)

func TestTheCauseIsWhatServersOfTheFieldSay(t *testing.T) {
	for reply, want := range map[string]Cause{
		// Postgrey, milter-greylist, rspamd and those who wrap it, SQLgrey, Exim's documentation.
		"450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted, see http://postgrey.example/help": CauseGreylisted,
		"451 4.7.1 Greylisting in action, please come back in 00:04:59":                                         CauseGreylisted,
		"451 4.7.1 Try again later":                             CauseGreylisted,
		"450 4.7.1 <bob@example.net>: Recipient rejected":       CauseGreylisted,
		"450 Greylisted for 5 minutes":                          CauseGreylisted,
		"451 This is graylisted":                                CauseGreylisted,
		"421 4.3.0 GREYLISTED":                                  CauseGreylisted,
		"452 4.2.2 Mailbox full":                                CauseMailboxFull,
		"450 4.2.2 Over quota":                                  CauseMailboxFull,
		"452 4.3.1 Insufficient system storage":                 CauseOther,
		"452 Mailbox full":                                      CauseOther, // words alone are no code: a disk is full as well
		"552 5.2.2 Mailbox full":                                CauseOther, // TooMany made it one for now
		"450 4.2.1 Mailbox busy":                                CauseOther,
		"421 4.7.0 Try again later":                             CauseOther, // whoever sends too much hears this, and is to send less
		"454 4.7.0 Temporary authentication failure":            CauseOther,
		"451 Temporary failure, please try again later":         CauseOther,
		"550 5.7.1 Greylisting is what you should try":          CauseOther,
		"4.7.1 this relay's own words, which have no such code": CauseOther,
		"": CauseOther,
	} {
		if got := CauseOf(reply, false); got != want {
			t.Errorf("%q: %v, want %v", reply, got, want)
		}
		if want == CauseOther {
			want = CauseUnreached
		}
		if got := CauseOf(reply, true); got != want {
			t.Errorf("%q, and nobody was reached: %v, want %v", reply, got, want)
		}
	}
}

func TestASetbackCountsOneCauseInARow(t *testing.T) {
	b := Backoffs{CauseGreylisted: {First: 1, Max: 1, Numerator: 1, Denominator: 1}, CauseUnreached: {First: 1, Max: 1, Numerator: 1, Denominator: 1}}
	at := Setback{}
	for i, c := range []struct {
		cause Cause
		want  Setback
	}{
		{CauseGreylisted, Setback{CauseGreylisted, 1}},
		{CauseGreylisted, Setback{CauseGreylisted, 2}},
		{CauseUnreached, Setback{CauseUnreached, 1}},
		{CauseMailboxFull, Setback{}}, // it has no back-off
		{CauseMailboxFull, Setback{}},
		{CauseUnreached, Setback{CauseUnreached, 1}},
		{CauseOther, Setback{}},
	} {
		if at = b.After(at, c.cause); at != c.want {
			t.Errorf("after attempt %d: %+v, want %+v", i+1, at, c.want)
		}
	}
}

func TestABackoffGoesBeforeAnySchedule(t *testing.T) {
	p := DefaultPolicy("mail.example.org")
	p.Schedule.Jitter = 0
	own := p.Schedule
	own.First, own.Max = time.Hour, 3*time.Hour
	p.ScheduleAt = map[string]Schedule{"example.net": own}
	p.Backoffs[CauseGreylisted] = Backoff{First: time.Minute, Max: 8 * time.Hour, Numerator: 3, Denominator: 1}
	for _, c := range []struct {
		dest    string
		attempt int
		at      Setback
		want    time.Duration
	}{
		{"example.net", 5, Setback{CauseGreylisted, 1}, time.Minute},
		{"example.net", 5, Setback{CauseGreylisted, 3}, 9 * time.Minute},
		{"example.net", 2, Setback{}, 2 * time.Hour},
		{"example.com", 2, Setback{}, 10 * time.Minute},
		{"example.com", 2, Setback{CauseUnreached, 1}, 10 * time.Minute}, // as the spool has it from when there was one
	} {
		if got := p.IntervalFor("q", c.dest, c.attempt, c.at); got != c.want {
			t.Errorf("%s after %d attempts and %+v: %v, want %v", c.dest, c.attempt, c.at, got, c.want)
		}
	}
	if p.Longest("example.net") != 8*time.Hour || p.Dead("example.net", 2) != 2*time.Hour {
		t.Errorf("longest %v, dead for %v", p.Longest("example.net"), p.Dead("example.net", 2))
	}
	p.Backoffs[CauseUnreached] = Backoff{First: 7 * time.Minute, Max: 8 * time.Minute, Numerator: 2, Denominator: 1}
	if p.Dead("example.net", 1) != 7*time.Minute || p.Dead("example.net", 2) != 8*time.Minute {
		t.Errorf("dead for %v and %v", p.Dead("example.net", 1), p.Dead("example.net", 2))
	}
}

func TestNonsenseBackoffsAreRefused(t *testing.T) {
	good := Backoff{First: 1, Max: 2, Numerator: 1, Denominator: 1}
	for name, b := range map[string]Backoffs{
		"no first":  {CauseGreylisted: {Max: 2, Numerator: 1, Denominator: 1}},
		"shrinking": {CauseMailboxFull: {First: 1, Max: 2, Numerator: 1, Denominator: 2}},
		"max below": {CauseUnreached: {First: 3, Max: 2, Numerator: 1, Denominator: 1}},
		"of others": {CauseOther: good},
	} {
		p := DefaultPolicy("mail.example.org")
		p.Backoffs = b
		if p.Validate() == nil {
			t.Errorf("%s: it is valid", name)
		}
	}
}

func TestCausesHaveNames(t *testing.T) {
	for _, c := range Causes() {
		if got, err := ParseCause(c.String()); err != nil || got != c {
			t.Errorf("%v is read as %v, %v", c, got, err)
		}
	}
	if _, err := ParseCause("other"); err == nil {
		t.Error("other is the name of a back-off")
	}
}
