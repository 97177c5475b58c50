package scenarios

import "fmt"

// failOps are the kinds of operations that can fail.
var failOps = []term{
	{"store", "reading or writing the spool; after a failed write the disk keeps a first few of what was not acknowledged"},
	{"lookup", "asking the DNS: the resolver cannot be reached"},
	{"dial", "making a connection: the relay has no socket left"},
}

// failClauses follow it, after commas.
var failClauses = []term{
	{"for", "for good: so do all after it, until a heal"},
	{"restart", "restart after TIME: when a relay that ended because of it starts again; without it, never"},
	{"keep", "keep all|some|none: which batches that were not acknowledged the disk keeps then"},
}

// fails reads what follows "fail".
func (l *line) fails(s *Step) {
	s.Op = l.choose("operation", wordsOf(failOps))
	l.expect("nth")
	s.Nth = int(l.number("the count", 1))
	for l.comma() {
		switch l.choose("clause", wordsOf(failClauses)) {
		case "for":
			l.expect("good")
			s.Forever = true
		case "restart":
			l.restart(s)
		case "keep":
			s.Keep = l.choose("choice", wordsOf(keeps))
		}
	}
}

func showFail(s Step) string {
	out := fmt.Sprintf("%s nth %d", s.Op, s.Nth)
	if s.Forever {
		out += ", for good"
	}
	out += clause("restart after", s.Restart)
	if s.Keep != "" {
		out += ", keep " + s.Keep
	}
	return out
}
