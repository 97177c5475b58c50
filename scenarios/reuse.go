package scenarios

import (
	"fmt"
	"strings"

	"github.com/postonce/postonce/spec"
)

// readReuse reads the clauses of a connections line, in any order.
func readReuse(l *line, p *spec.Policy) {
	r := &p.Reuse
	for first := true; first || l.comma(); first = false {
		switch l.choose("clause", []string{"messages", "age", "idle", "kept", "per-destination"}) {
		case "messages":
			r.Messages = int(l.number("the number of messages", 1))
		case "age":
			r.Age = l.duration("the age", 1)
		case "idle":
			r.Idle = l.duration("the time", 1)
		case "kept":
			r.Kept = int(l.number("the number of connections", 0))
		case "per-destination":
			r.KeptPerDestination = int(l.number("the number of connections", 0))
		}
	}
}

func showReuse(p, d spec.Policy) []string {
	r, o := p.Reuse, d.Reuse
	var out []string
	if r.Messages != o.Messages {
		out = append(out, fmt.Sprintf("messages %d", r.Messages))
	}
	if r.Age != o.Age {
		out = append(out, "age "+formatDuration(r.Age))
	}
	if r.Idle != o.Idle {
		out = append(out, "idle "+formatDuration(r.Idle))
	}
	if r.Kept != o.Kept {
		out = append(out, fmt.Sprintf("kept %d", r.Kept))
	}
	if r.KeptPerDestination != o.KeptPerDestination {
		out = append(out, fmt.Sprintf("per-destination %d", r.KeptPerDestination))
	}
	return oneIf(len(out) > 0, strings.Join(out, ", "))
}
