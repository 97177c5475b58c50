package scenarios

// What can have become of a message in the spool, beside garbage in place of its
// control entry.
const (
	HarmEmpty       = "empty"
	HarmTorn        = "torn"
	HarmGone        = "gone"
	HarmContentTorn = "content torn"
	HarmContentGone = "content gone"
)

// harms say how a message is damaged.
var harms = []term{
	{HarmEmpty, "no byte is left of its control entry"},
	{HarmTorn, "the first half is left of its control entry"},
	{HarmGone, "its control entry is not there any more, and its content is"},
	{HarmContentTorn, "the second half of its content is not there any more"},
	{HarmContentGone, "its content is not there any more"},
}

// damages reads what follows "damage".
func (l *line) damages(s *Step) {
	s.Message = l.name()
	switch {
	case l.done():
	case l.accept("content"):
		s.Harm = "content " + l.choose("damage", []string{HarmTorn, HarmGone})
	default:
		s.Harm = l.choose("damage", []string{HarmEmpty, HarmTorn, HarmGone, "content"})
	}
}

func showDamage(s Step) string {
	if s.Harm == "" {
		return s.Message
	}
	return s.Message + " " + s.Harm
}

// HarmsContent reports whether the step damages the content of a message, and
// leaves what is known of its recipients.
func (s Step) HarmsContent() bool { return s.Harm == HarmContentTorn || s.Harm == HarmContentGone }
