package mutants

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postonce/postonce/impl/dsn"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A control is a control message: instructions a line each, fields separated
// by "|".
type control struct {
	id        spec.QueueID
	message   string
	sender    string
	submitted time.Time
	retry     time.Duration
	size      int64
	remotes   []remote
}

// A remote is one recipient.
type remote struct {
	address string
	status  int
	text    string
}

// The statuses of a recipient.
const (
	statusNew       = 0
	statusDelivered = 2
	statusTransient = 4
	statusFailed    = 5
)

func (r *remote) done() bool { return r.status == statusDelivered || r.status == statusFailed }

func (c *control) done() bool {
	for i := range c.remotes {
		if !c.remotes[i].done() {
			return false
		}
	}
	return true
}

func messageNumber(at time.Time, n int) spec.QueueID {
	return spec.QueueID(fmt.Sprintf("%d%04d", at.Unix(), n))
}

// put stores the control message.
func (c *control) put() seam.Op {
	var b strings.Builder
	b.WriteString("Content-type: application/x-citadel-delivery-list\n\n")
	fmt.Fprintf(&b, "msgid|%s|%s|%d\nsubmitted|%d\nretry|%d\nenvelope_from|%s\n", c.id, c.message, c.size, c.submitted.Unix(), int(c.retry.Seconds()), c.sender)
	for _, r := range c.remotes {
		fmt.Fprintf(&b, "remote|%s|%d|%s\n", r.address, r.status, strings.NewReplacer("|", "/", "\n", " ").Replace(r.text))
	}
	return seam.Op{Key: seam.ControlKey(c.id), Value: []byte(b.String())}
}

func parseControl(text []byte) (*control, error) {
	c := &control{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		number := func(i int) int64 {
			if i >= len(f) {
				return 0
			}
			n, _ := strconv.ParseInt(f[i], 10, 64)
			return n
		}
		switch {
		case f[0] == "msgid" && len(f) == 4:
			c.id, c.message, c.size = spec.QueueID(f[1]), f[2], number(3)
		case f[0] == "submitted":
			c.submitted = time.Unix(number(1), 0)
		case f[0] == "retry":
			c.retry = time.Duration(number(1)) * time.Second
		case f[0] == "envelope_from" && len(f) == 2:
			c.sender = f[1]
		case f[0] == "remote" && len(f) == 4:
			c.remotes = append(c.remotes, remote{f[1], int(number(2)), f[3]})
		}
	}
	if c.id == "" {
		return nil, fmt.Errorf("control message without msgid: %.60q", text)
	}
	return c, nil
}

// bounce makes the report for the recipients that failed, if any.
func (r *citadelRelay) bounce(c *control) ([]seam.Op, []spec.Fact) {
	if c.sender == "" {
		return nil, nil
	}
	id := r.NewID()
	report := dsn.Report{
		ID: id, MessageID: fmt.Sprintf("%s@%s", id, r.cfg.Policy.Hostname), Hostname: r.cfg.Policy.Hostname, To: c.sender,
		Date: spec.WallOf(r.host.Now()), Original: dsn.Original{Queue: c.id, MessageID: c.message, Arrival: spec.WallOf(c.submitted)},
	}
	b := &control{id: id, message: report.MessageID, submitted: r.host.Now(), remotes: []remote{{address: c.sender}}}
	var failed []string
	for _, to := range c.remotes {
		if to.status == statusFailed {
			report.Recipients = append(report.Recipients, dsn.Recipient{Address: to.address, State: spec.Failed, Status: "5.0.0", Diagnostic: to.text})
			failed = append(failed, to.address)
		}
	}
	if len(failed) == 0 {
		return nil, nil
	}
	content := report.Content()
	b.size = int64(len(content))
	return []seam.Op{{Key: seam.ChunkKey(id, 0), Value: content}, b.put()}, []spec.Fact{
		{Kind: spec.FactReport, Message: b.message, Queue: id, From: c.sender, To: failed, Text: string(c.id)},
		r.queued(b),
	}
}
