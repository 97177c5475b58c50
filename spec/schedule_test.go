package spec

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDefaultScheduleDoublesToItsMaximum(t *testing.T) {
	s := DefaultSchedule()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	for attempt, want := range map[int]time.Duration{
		-1: 5 * time.Minute, 0: 5 * time.Minute, 1: 5 * time.Minute, 2: 10 * time.Minute, 3: 20 * time.Minute,
		6: 160 * time.Minute, 7: 4 * time.Hour, 8: 4 * time.Hour, 1000: 4 * time.Hour, math.MaxInt: 4 * time.Hour,
	} {
		if got := s.Interval(attempt); got != want {
			t.Errorf("Interval(%d) = %v, want %v", attempt, got, want)
		}
	}
}

func TestNextEndsWithTheLifetime(t *testing.T) {
	s := DefaultSchedule()
	s.Jitter = 0
	const submitted = Wall(1e18)
	end := submitted.Add(s.Lifetime)
	for _, c := range []struct {
		name      string
		now, want Wall
	}{
		{"early", submitted, submitted.Add(5 * time.Minute)},
		{"just before the end", end - 1, end},
		{"at the end", end, end},
		{"after the end", end + 7, end + 7},
	} {
		if got := s.Next(c.now, s.IntervalFor("q", "example.net", 1), submitted); got != c.want {
			t.Errorf("%s: Next = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		den := rapid.Int64Range(1, 1_000_000).Draw(t, "denominator")
		s := Schedule{
			First:     time.Duration(rapid.Int64Range(1, int64(longest)).Draw(t, "first")),
			Numerator: rapid.Int64Range(den, min(100*den, 1_000_000)).Draw(t, "numerator"), Denominator: den,
			Lifetime: time.Duration(rapid.Int64Range(1, int64(longest)).Draw(t, "lifetime")), Jitter: rapid.IntRange(0, 50).Draw(t, "jitter"),
		}
		s.Max = time.Duration(rapid.Int64Range(int64(s.First), int64(longest)).Draw(t, "max"))
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		attempt := rapid.IntRange(1, 300).Draw(t, "attempt")
		a, b := s.Interval(attempt), s.Interval(attempt+1)
		if a < s.First || b < a || b > s.Max {
			t.Errorf("intervals %v then %v, first %v, max %v", a, b, s.First, s.Max)
		}
		now := Wall(rapid.Int64Range(0, 4e18).Draw(t, "now"))
		submitted := Wall(rapid.Int64Range(0, int64(now)).Draw(t, "submitted"))
		id := QueueID(rapid.String().Draw(t, "id"))
		if d := s.IntervalFor(id, "example.net", attempt); d > a || d < a/100*time.Duration(100-s.Jitter)-1 {
			t.Errorf("with a jitter of %d%%, %v is shortened to %v", s.Jitter, a, d)
		}
		next := s.Next(now, s.IntervalFor(id, "example.net", attempt), submitted)
		if next < now || next > now.Add(a) || next > max(now, s.Expires(submitted)) {
			t.Errorf("Next(%v, %d, %v) = %v", now, attempt, submitted, next)
		}
	})
}

// TestJitterSpreadsWhatFailedTogether: of a thousand messages whose attempts failed
// at one instant no tenth of the hour in which they are due again has many more
// than another, and each knows its time by itself.
func TestJitterSpreadsWhatFailedTogether(t *testing.T) {
	s := Schedule{First: 10 * time.Hour, Max: 10 * time.Hour, Numerator: 1, Denominator: 1, Jitter: 10, Lifetime: 100 * time.Hour}
	tenths := map[time.Duration]int{}
	for i := range 1000 {
		id := QueueID(fmt.Sprintf("0fnmqo0100eemm-%06d", i))
		d := s.IntervalFor(id, "example.net", 1)
		tenths[(s.First-d)/(6*time.Minute)]++
		if d != s.IntervalFor(id, "example.net", 1) || d == s.IntervalFor(id, "example.net", 2) || d == s.IntervalFor(id, "example.com", 1) {
			t.Errorf("%s: the interval %v hangs on something else than message, destination and attempt", id, d)
		}
	}
	for tenth := range time.Duration(10) {
		if n := tenths[tenth]; n < 70 || n > 130 {
			t.Errorf("%d of 1000 are due in part %d of 10", n, tenth)
		}
	}
}

func TestNonsenseSchedulesAreRefusedAndDoNotPanic(t *testing.T) {
	for name, change := range map[string]func(*Schedule){
		"no first":        func(s *Schedule) { s.First = 0 },
		"max below first": func(s *Schedule) { s.Max = time.Second },
		"endless max":     func(s *Schedule) { s.Max = math.MaxInt64 },
		"no denominator":  func(s *Schedule) { s.Denominator = 0 },
		"no numerator":    func(s *Schedule) { s.Numerator = 0 },
		"shrinking":       func(s *Schedule) { s.Numerator, s.Denominator = 1, 2 },
		"exploding":       func(s *Schedule) { s.Numerator = 101 },
		"antijitter":      func(s *Schedule) { s.Jitter = -1 },
		"all jitter":      func(s *Schedule) { s.Jitter = 51 },
		"no lifetime":     func(s *Schedule) { s.Lifetime = 0 },
		"endless":         func(s *Schedule) { s.Lifetime = math.MaxInt64 },
		"zero":            func(s *Schedule) { *s = Schedule{} },
	} {
		s := DefaultSchedule()
		change(&s)
		if s.Validate() == nil {
			t.Errorf("%s: %+v is valid", name, s)
		}
		s.Interval(10)
	}
}

func TestADestinationMayHaveASchedule(t *testing.T) {
	p := DefaultPolicy("mail.example.org")
	own := Schedule{First: time.Minute, Max: time.Hour, Numerator: 2, Denominator: 1, Lifetime: time.Hour}
	p.ScheduleAt = map[string]Schedule{"example.net": own}
	p.DelayWarningAt = map[string]time.Duration{"example.net": 0, "example.org": time.Minute}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	if p.ScheduleFor("Example.NET") != own || p.ScheduleFor("example.com") != p.Schedule || p.ScheduleFor("example.org") != p.Schedule {
		t.Error("a schedule is another destination's")
	}
	if p.DelayWarningFor("Example.NET") != 0 || p.DelayWarningFor("example.org") != time.Minute || p.DelayWarningFor("example.com") != p.DelayWarning {
		t.Error("a delay warning is another destination's")
	}
	for name, change := range map[string]func(*Policy){
		"no name":              func(p *Policy) { p.ScheduleAt = map[string]Schedule{"": own} },
		"never found":          func(p *Policy) { p.ScheduleAt = map[string]Schedule{"Example.net": own} },
		"nonsense":             func(p *Policy) { p.ScheduleAt = map[string]Schedule{"example.net": {}} },
		"warning never found":  func(p *Policy) { p.DelayWarningAt = map[string]time.Duration{"example.net.": 0} },
		"warning before it is": func(p *Policy) { p.DelayWarningAt = map[string]time.Duration{"example.net": -1} },
	} {
		q := p
		if change(&q); q.Validate() == nil {
			t.Errorf("%s: it is valid", name)
		}
	}
}

func TestDurationsAreToldWithoutWhatIsNone(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Hour: "1h", 90 * time.Minute: "1h30m", 5 * time.Minute: "5m", 10 * time.Second: "10s", time.Hour + time.Second: "1h0m1s",
		48 * time.Hour: "2d", 49 * time.Hour: "2d1h", 20*time.Minute + 213*time.Millisecond: "20m0.213s", 100 * time.Minute: "1h40m", 20 * time.Hour: "20h",
	} {
		if got := ago(d); got != want {
			t.Errorf("%v is told as %q, want %q", d, got, want)
		}
	}
}
