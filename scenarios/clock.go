package scenarios

import (
	"strings"
	"time"
)

// maxJump bounds by how much the wall clock can be set, in one step and in all
// of a plan: worlds begin in the year 2000, and no machine is older than 1970.
const maxJump = 20 * 365 * 24 * time.Hour

// jump reads what follows "clock".
func (l *line) jump(s *Step) {
	l.space()
	at := l.pos
	sign := l.peek()
	if !strings.HasPrefix(sign, "+") && !strings.HasPrefix(sign, "-") {
		l.fail(at, "a jump is written +2h or -30m", "it is not said in which direction the clock jumps")
		return
	}
	l.pos++
	if s.Jump = l.duration("the jump", 1); s.Jump > maxJump {
		l.fail(at, "", "the clock jumps by %s at most", formatDuration(maxJump))
	}
	if sign[0] == '-' {
		s.Jump = -s.Jump
	}
}

func showJump(s Step) string {
	if s.Jump < 0 {
		return "-" + formatDuration(-s.Jump)
	}
	return "+" + formatDuration(s.Jump)
}

// clock checks that the jumps of a plan do not lead out of what clocks show.
func (c *checker) clock() {
	set := time.Duration(0)
	for _, s := range c.s.Plan {
		if set += s.Jump; set.Abs() > maxJump {
			c.fail(s.Line, string(StepClock), "", "the clock would be wrong by more than %s", formatDuration(maxJump))
			return
		}
	}
}
