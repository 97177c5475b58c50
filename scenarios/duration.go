package scenarios

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The units of durations, longest first: "1d12h", "1h30m", "15ms".
var units = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
	{"ns", time.Nanosecond},
}

var errDuration = errors.New("not a duration")

// parseDuration reads whole numbers with units, longest unit first and each at
// most once; "0" alone is no time at all. There are no signs and no fractions,
// so that a duration has few spellings.
func parseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	var total time.Duration
	rest, from := text, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, errDuration
		}
		rest = rest[digits:]
		letters := len(rest) - len(strings.TrimLeft(rest, "dhmsun"))
		i := unitIndex(rest[:letters], from)
		if i < 0 || n > int64(math.MaxInt64-total)/int64(units[i].size) {
			return 0, errDuration
		}
		total += time.Duration(n) * units[i].size
		rest, from = rest[letters:], i+1
	}
	if text == "" {
		return 0, errDuration
	}
	return total, nil
}

// unitIndex finds a unit among those from index from on.
func unitIndex(name string, from int) int {
	for i := from; i < len(units); i++ {
		if units[i].name == name {
			return i
		}
	}
	return -1
}

// formatDuration is the inverse of parseDuration: the fewest units that say d.
// "0" is written for none, and "24h" is written "1d".
func formatDuration(d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	var b strings.Builder
	for _, u := range units {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
