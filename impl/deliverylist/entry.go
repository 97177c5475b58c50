package deliverylist

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// A Note says what is lost by a conversion. Line is where it stands in the
// control message; 0 when it stands nowhere.
type Note struct {
	Line int
	Text string
}

// Entry returns the queue's entry for a list that is taken over at the time
// now: sender, recipients, and when it was submitted. What only the mail tells
// is left empty. from is the address of the mail's From field, the sender when
// the list names none.
//
// Citadel tells the sender itself of a recipient that failed, before it stores
// the list in which it stands; so it is final, like a delivered one. Of one
// whose attempts failed for now it does not tell whether one of them was cut off
// after the final dot: a server may have accepted it, so it is Doubted, and can
// no longer end as failed.
func (l *List) Entry(from string, now spec.Wall, schedule spec.Schedule) (queue.Entry, []Note) {
	e := queue.Entry{Sender: from, Submitted: now}
	if l.Submitted > 0 {
		e.Submitted = min(wall(l.Submitted), now) // a lifetime cannot begin later than now
	}
	if l.EnvelopeFrom != nil {
		e.Sender = bare(*l.EnvelopeFrom)
	}
	due, last := l.due(now, schedule)
	at := map[string]int{} // mailbox -> its recipient
	for _, r := range l.Remotes {
		next := r.recipient(now, due, last, len(l.Attempted))
		same := spec.Mailbox(next.Address)
		i, again := at[same]
		switch {
		case !again:
			at[same] = len(e.Recipients)
			e.Recipients = append(e.Recipients, next)
		case rank(next) > rank(e.Recipients[i]):
			e.Recipients[i] = next
		}
	}
	return e, l.lost(e.Sender)
}

// rank orders what is said of one mailbox: who has the mail does not get it
// again, and a doubt is not forgotten. A failure is less than an attempt to
// come, which brings the truth.
func rank(r queue.Recipient) int {
	switch {
	case r.State == spec.Delivered:
		return 3
	case r.Doubted:
		return 2
	case r.State == spec.Queued:
		return 1
	}
	return 0
}

// due returns when a recipient that failed for now is attempted next, and when
// the last attempt was; 0 when that is not said. A time to come is that of the
// next attempt; one that is over may be either, and the interval counts from it.
func (l *List) due(now spec.Wall, schedule spec.Schedule) (due, last spec.Wall) {
	if len(l.Attempted) == 0 {
		return now, 0
	}
	at := wall(slices.Max(l.Attempted))
	if at > now {
		return at, 0
	}
	retry := time.Duration(l.Retry) * time.Second
	if retry == 0 {
		retry = schedule.Interval(len(l.Attempted))
	}
	return max(now, at.Add(min(retry, schedule.Max))), at
}

// recipient returns the queue's recipient.
func (r *Remote) recipient(now, due, last spec.Wall, attempts int) queue.Recipient {
	q := queue.Recipient{Address: r.Mailbox(), State: spec.Queued, Due: now, Last: queue.Trouble{Text: r.Text}}
	switch r.Status {
	case NotAttempted:
		return q
	case Delivered:
		q.State, q.Due = spec.Delivered, 0
	case Failed:
		q.State, q.Due = spec.Failed, 0
	case NextHost, Later:
		q.Doubted = true
		if r.Status == Later {
			q.Due = due
		}
	}
	q.Attempts, q.Last.At = max(attempts, 1), last
	return q
}

// bare returns an address without the angle brackets that some writers left.
func bare(address string) string {
	if inner, ok := strings.CutPrefix(strings.TrimSpace(address), "<"); ok {
		return strings.TrimSuffix(inner, ">")
	}
	return strings.TrimSpace(address)
}

// wall converts Unix seconds.
func wall(seconds int64) spec.Wall { return spec.Wall(seconds * int64(time.Second)) }

// lost says what of the list has no place in an entry from sender.
func (l *List) lost(sender string) []Note {
	var notes []Note
	if sender == "" {
		notes = append(notes, Note{0, "envelope_from is empty, the null sender: what fails is reported to nobody"})
	}
	if l.BounceTo != "" && sender != "" && spec.Mailbox(bare(l.BounceTo)) != spec.Mailbox(sender) {
		notes = append(notes, Note{0, fmt.Sprintf("reports go to the envelope sender <%s>, not to bounceto %s", sender, l.BounceTo)})
	}
	for _, f := range l.Foreign {
		fields := strings.Split(f.Text, "|")
		at := 2
		switch strings.ToLower(fields[0]) {
		case "local", "room":
		case "ignet":
			at = 3
		default:
			notes = append(notes, Note{f.Number, fmt.Sprintf("the instruction %.80q is not known, and not followed", f.Text)})
			continue
		}
		if len(fields) <= at || fields[at] != "2" && fields[at] != "5" {
			notes = append(notes, Note{f.Number, fmt.Sprintf("%.80q is not delivered by SMTP: leave it to Citadel", f.Text)})
		}
	}
	return notes
}

// FromEntry returns the list of an entry whose mail Citadel knows by the number
// msgid. There is one time for all recipients, the latest at which one is due:
// then none is attempted too early, whichever generation reads it.
func FromEntry(e *queue.Entry, msgid int64) (*List, []Note) {
	l := &List{MsgID: msgid, Submitted: int64(e.Submitted) / int64(time.Second), EnvelopeFrom: &e.Sender, BounceTo: e.Sender}
	var notes []Note
	var earliest, latest queue.Recipient
	for i := range e.Recipients {
		r := &e.Recipients[i]
		remote := Remote{Address: r.Address, Text: clean(r.Last.String())}
		switch {
		case r.State == spec.Delivered:
			remote.Status = Delivered
		case r.State == spec.Failed:
			remote.Status = Failed
		case r.State != spec.Queued:
			remote.Status = Failed
			remote.Text = clean(strings.TrimSuffix(r.State.String()+", may have arrived: "+r.Last.String(), ": "))
			notes = append(notes, Note{0, fmt.Sprintf(
				"%s is %s: Citadel has no status for what may have arrived; 5 keeps it from being sent again", r.Address, r.State)})
		case r.Attempts > 0:
			remote.Status = Later
			if earliest.Due == 0 || r.Due < earliest.Due {
				earliest = *r
			}
			if r.Due > latest.Due {
				latest = *r
			}
		}
		l.Remotes = append(l.Remotes, remote)
	}
	if latest.Due > 0 {
		l.Attempted = []int64{seconds(latest.Due)}
		l.Retry = max(seconds(latest.Due-latest.Last.At), 1)
		if latest.Last.At == 0 {
			l.Retry = 0
		}
	}
	if earliest.Due != latest.Due {
		notes = append(notes, Note{0, fmt.Sprintf("recipients are due at different times from %s: Citadel knows one, the latest", earliest.Due)})
	}
	return l, notes
}

// seconds rounds a time up to whole seconds.
func seconds(w spec.Wall) int64 { return (int64(w) + int64(time.Second) - 1) / int64(time.Second) }

// clean makes one field of a text, of which a server may have chosen every
// octet: what it holds must not be taken for a separator, nor for a command to a
// terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '|':
			return '/'
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, text)
}
