package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// A textLister shows a queue to a person.
type textLister struct {
	w                           io.Writer
	now                         spec.Wall
	messages, waiting, unusable int
	// some is true when a filter leaves others out.
	some bool
	// resting are the destinations that are paused.
	resting []string
}

func (l *textLister) message(e *queue.Entry) error {
	l.messages++
	sender := e.Sender
	if sender == "" {
		sender = "<>"
	}
	_, err := fmt.Fprintf(l.w, "%s  %s old, from %s, %d bytes\n", clean(string(e.ID)), span(l.now.Sub(e.Submitted)), clean(sender), e.Size)
	width := 0
	for i := range e.Recipients {
		width = max(width, len([]rune(e.Recipients[i].Address)))
	}
	for i := range e.Recipients {
		r := &e.Recipients[i]
		if !r.State.Final() {
			l.waiting++
		}
		line := fmt.Sprintf("    %-*s  %-9s  %s", width, clean(r.Address), r.Standing(), l.standing(r))
		if _, err := fmt.Fprintln(l.w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return err
}

// standing says how far a recipient has come.
func (l *textLister) standing(r *queue.Recipient) string {
	s := plural(r.Attempts, "attempt")
	if r.Standing() == spec.Queued {
		if wait := r.Due.Sub(l.now); wait > 0 {
			s += ", next in " + span(wait)
		} else {
			s += ", due now"
		}
	}
	if r.Via != "" && !r.State.Final() {
		s += ", rerouted to " + clean(viaText(r.Via))
	}
	if trouble := r.Last.String(); trouble != "" && r.State != spec.Delivered {
		s += "; " + clean(trouble)
	}
	return s
}

func (l *textLister) damaged(id spec.QueueID, why error) error {
	l.unusable++
	_, err := fmt.Fprintf(l.w, "%s  DAMAGED: %s\n", clean(string(id)), clean(why.Error()))
	return err
}

func (l *textLister) paused(dest string) error {
	l.resting = append(l.resting, clean(dest))
	return nil
}

func (l *textLister) end() error {
	s := "The queue is empty."
	if l.some {
		s = "Nothing in the queue matches."
	}
	if l.messages > 0 {
		s = fmt.Sprintf("%s, %s to go.", plural(l.messages, "message"), plural(l.waiting, "recipient"))
	}
	if l.unusable > 0 {
		s += fmt.Sprintf(" %s cannot be read.", plural(l.unusable, "damaged entry"))
	}
	if len(l.resting) > 0 {
		s += "\nPaused, until postonce queue resume: " + strings.Join(l.resting, ", ") + "."
	}
	_, err := fmt.Fprintln(l.w, s)
	return err
}

// plural returns a number with a noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span returns a length of time in its two largest units.
func span(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// clean makes text safe for a terminal: servers choose what their replies say.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// A jsonLister shows a queue to a program: an object a line.
type jsonLister struct{ w io.Writer }

// A listedMessage is a line for a message.
type listedMessage struct {
	ID         spec.QueueID      `json:"id"`
	Message    string            `json:"message_id"`
	Sender     string            `json:"sender"`
	Size       int64             `json:"size"`
	Submitted  time.Time         `json:"submitted"`
	Return     string            `json:"ret,omitempty"`
	EnvelopeID string            `json:"envid,omitempty"`
	Needs      []string          `json:"needs,omitempty"`
	Recipients []listedRecipient `json:"recipients"`
}

// A listedRecipient is one recipient of a listedMessage.
type listedRecipient struct {
	Address  string     `json:"address"`
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	Due      *time.Time `json:"due,omitempty"`
	Last     string     `json:"last,omitempty"`
	Notify   string     `json:"notify,omitempty"`
	Original string     `json:"orcpt,omitempty"`
	Via      string     `json:"rerouted,omitempty"`
}

// A listedDamage is a line for an entry that cannot be read.
type listedDamage struct {
	ID      spec.QueueID `json:"id"`
	Damaged string       `json:"damaged"`
}

func (l *jsonLister) message(e *queue.Entry) error {
	m := listedMessage{
		ID: e.ID, Message: e.Message, Sender: e.Sender, Size: e.Size, Submitted: e.Submitted.Time(),
		Return: e.Tracking.Return.String(), EnvelopeID: e.Tracking.EnvelopeID,
		Needs: e.Needs.Keywords(),
	}
	for i := range e.Recipients {
		r := &e.Recipients[i]
		listed := listedRecipient{
			Address: r.Address, State: r.Standing().String(), Attempts: r.Attempts, Last: r.Last.String(),
			Notify: r.Asked.Notify.Keywords(), Original: r.Asked.Original, Via: r.Via,
		}
		if r.Standing() == spec.Queued {
			due := r.Due.Time()
			listed.Due = &due
		}
		m.Recipients = append(m.Recipients, listed)
	}
	return json.NewEncoder(l.w).Encode(m)
}

func (l *jsonLister) damaged(id spec.QueueID, why error) error {
	return json.NewEncoder(l.w).Encode(listedDamage{id, why.Error()})
}

func (l *jsonLister) paused(dest string) error {
	return json.NewEncoder(l.w).Encode(struct {
		Paused string `json:"paused"`
	}{dest})
}

func (l *jsonLister) end() error { return nil }
