package page

import (
	"math"
	"time"

	"github.com/postonce/postonce/spec"
)

// An Instant is a time at which something happened, with the room that its
// facts take.
type Instant struct {
	X     int    `json:"x"`
	Width int    `json:"w"`
	Time  string `json:"t"`
}

// A Fold is a time in which nothing happened, drawn as a break.
type Fold struct {
	X     int    `json:"x"`
	Width int    `json:"w"`
	For   string `json:"for"`
}

const (
	margin = 16 // before the first fact and after the last
	// pitch is the room for one fact: a finger's, or a mouse's. Where many
	// happen at one instant, those beyond many stand closer.
	pitch, many, tight = 13, 40, 4
	// foldOver is how long nothing must happen for a break.
	foldOver  = time.Second
	foldWidth = 64
)

// scale gives every fact its place, the later the further to the right, and
// notes instants and breaks. Time is not to scale: a world has microseconds
// between the lines of a dialogue and hours between attempts. Below foldOver
// the room grows with the logarithm of the time.
func (c *Chart) scale(start spec.Wall, facts []spec.Fact) []int {
	xs := make([]int, len(facts))
	c.Instants, c.Folds = []Instant{}, []Fold{}
	x := margin
	for i := 0; i < len(facts); {
		n := 1
		for i+n < len(facts) && facts[i+n].At == facts[i].At {
			n++
		}
		if i > 0 {
			x = c.gap(x, facts[i].At.Sub(facts[i-1].At))
		}
		begin := x
		for k := range n {
			room := pitch
			if k >= many {
				room = tight
			}
			xs[i+k] = x + room/2
			x += room
		}
		c.Instants = append(c.Instants, Instant{begin, x - begin, clock(start, facts[i].At)})
		i += n
	}
	c.Width = x + margin
	return xs
}

// gap makes room for a time in which nothing happened.
func (c *Chart) gap(x int, d time.Duration) int {
	if d >= foldOver {
		c.Folds = append(c.Folds, Fold{x, foldWidth, briefly(d)})
		return x + foldWidth
	}
	return x + int(4+4*math.Log10(1+float64(max(d, 0))/float64(10*time.Microsecond)))
}

// clock is a time since start as stories tell it, but to the millisecond also
// hours and days later: the lines of a dialogue are not all at one second.
func clock(start, at spec.Wall) string {
	const day = 24 * time.Hour
	d := at.Sub(start)
	if d < time.Hour {
		when, _ := told(start, spec.Fact{At: at})
		return when
	}
	d = d.Round(time.Millisecond)
	if d < day {
		return "t+" + d.String()
	}
	return "t+" + itoa(int(d/day)) + "d" + (d % day).String()
}

// briefly writes a duration in two units at most.
func briefly(d time.Duration) string {
	const day = 24 * time.Hour
	if d < time.Minute-time.Second/20 {
		return d.Round(time.Second / 10).String()
	}
	if d = d.Round(time.Second); d < time.Hour {
		return two(d, time.Minute, "m", time.Second, "s")
	}
	if d = d.Round(time.Minute); d < day {
		return two(d, time.Hour, "h", time.Minute, "m")
	}
	return two(d.Round(time.Hour), day, "d", time.Hour, "h")
}

// two writes a duration in a large unit and what is left in a small one.
func two(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := itoa(int(d/large)) + largeName
	if rest := d % large / small; rest > 0 {
		text += " " + itoa(int(rest)) + smallName
	}
	return text
}
