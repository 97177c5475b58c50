package fakesmtp

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The units of durations, longest first: "1d12h", "1h30m", "15ms".
var units = [...]struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second},
	{"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
}

var errDuration = errors.New("not a duration")

// parseDuration reads whole numbers with units, longest unit first and each at
// most once. There are no signs and no fractions.
func parseDuration(text string) (time.Duration, error) {
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
		i := from
		for i < len(units) && units[i].name != rest[:letters] {
			i++
		}
		if i == len(units) || n > int64(math.MaxInt64-total)/int64(units[i].size) {
			return 0, errDuration
		}
		total += time.Duration(n) * units[i].size
		rest, from = rest[letters:], i+1
	}
	if total == 0 {
		return 0, errDuration
	}
	return total, nil
}

// formatDuration is the inverse of parseDuration: the fewest units that say d.
func formatDuration(d time.Duration) string {
	var b strings.Builder
	for _, u := range units {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
