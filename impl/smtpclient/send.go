package smtpclient

import (
	"context"
	"fmt"
	"io"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
)

// A Transaction is one message to some of its recipients.
type Transaction struct {
	// Sender is the reverse-path without angle brackets; empty is the null
	// sender.
	Sender string
	// Recipients are forward-paths without angle brackets; at least one.
	Recipients []string
	// Tracking and Asked are what the sender wants to be told, of the message and
	// of each of the Recipients, in their order; Asked may be shorter. Only a
	// server that offers DSN gets them.
	Tracking spec.Tracking
	Asked    []spec.Asked
	// Size is the message's size in bytes as RFC 1870 section 5 counts it:
	// with its CRLFs, without dot stuffing. 0 is unknown.
	Size int64
	// Body8Bit is true when the content has bytes above 127.
	Body8Bit bool
	// Needs is what else the server has to offer. What an address needs, it shows
	// itself.
	Needs spec.Needs
	// Body is the content: lines that end in CRLF.
	Body io.Reader
	// Commit is called when the server has all of the content but the final
	// dot, or the empty last chunk, with the indices of the recipients that it accepted, at least one.
	// The dot leaves only after it returned nil; else the connection is
	// dropped. A Client may come to call it while the content is still being
	// sent.
	Commit func(accepted []int) error
	// Dot, when not nil, is called in the instant before the first byte of the
	// dot is written, with the same indices: from here on the message may have
	// been accepted.
	Dot func(accepted []int)
}

// Send carries out one transaction and returns a result for each recipient.
// The Client must be Ready.
//
// When ctx is done before the dot leaves, the connection is dropped at once.
// After that ctx is not looked at any more: to stop waiting for the reply
// would make a doubt where there need not be one.
func (c *Client) Send(ctx context.Context, tx Transaction) []Result {
	t := &transaction{Transaction: tx, c: c, ctx: ctx, results: make([]Result, len(tx.Recipients))}
	t.run()
	return t.results
}

// A transaction is a Transaction under way.
type transaction struct {
	Transaction
	c   *Client
	ctx context.Context
	// results has the zero Result for recipients that are still on the way.
	results []Result
	// accepted are the recipients on the way whose RCPT was accepted.
	accepted []int
	// taken counts the recipients that the server accepted, of interest or not.
	taken int
	// refused: the server took no mail from the sender.
	refused bool
	// data: the server waits for the content.
	data bool
}

// run is RFC 5321 section 3.3.
func (t *transaction) run() {
	stop := t.c.watch(t.ctx)
	defer stop()

	commands := t.commands()
	if len(commands) == 0 {
		return
	}
	t.envelope(commands)
	var terminator []byte
	var r Result
	var ok bool
	switch {
	case t.chunked() && len(t.accepted) > 0:
		terminator, r, ok = t.chunks()
	case !t.data:
		return
	case len(t.accepted) == 0:
		t.loneDot()
		return
	default:
		terminator, r, ok = t.content()
	}
	if !ok {
		t.conclude(r)
		return
	}
	if r, early := t.c.unasked(t.ctx, spec.StageBody); early {
		t.conclude(r) // And the commit is spared.
		return
	}
	if err := t.Commit(t.accepted); err != nil {
		t.conclude(t.c.local(spec.StageBody, fmt.Errorf("not committed: %w", err)))
		return
	}
	// A reply that is here before the dot has left is not the reply to it: a
	// 250 would be taken for an acceptance that never was, and the mail lost.
	// What is still on its way cannot be told from the real reply, neither by
	// its words nor by its time; but a server that sends it has broken RFC 5321
	// section 4.1.1.4, and has said in so many words that the mail is its own.
	if r, early := t.c.unasked(t.ctx, spec.StageBody); early {
		t.conclude(r)
		return
	}
	if !stop() {
		t.conclude(t.c.local(spec.StageBody, fmt.Errorf("broken off: %w", context.Cause(t.ctx))))
		return
	}
	t.conclude(t.dot(terminator))
}

// conclude gives r to every recipient that is still on the way.
func (t *transaction) conclude(r Result) {
	for i := range t.results {
		if t.results[i].Stage == 0 {
			t.results[i] = r
		}
	}
	t.accepted = nil
}

// A command is one of MAIL, RCPT and DATA.
type command struct {
	stage spec.Stage
	// recipient is the index of RCPT's.
	recipient int
	line      []byte
}

// commands returns what the transaction has to say up to DATA; nothing when
// it can be known beforehand that nobody can have the message.
func (t *transaction) commands() []command {
	if r, lacks := t.lack(); lacks {
		t.conclude(r)
		return nil
	}
	ext := t.c.ext
	mail, err := wire.MAIL(t.Sender, t.Size, t.Body8Bit, t.says(), t.Tracking, ext)
	if err != nil {
		t.conclude(unwritable(spec.StageMAIL, err))
		return nil
	}
	all := []command{{stage: spec.StageMAIL, line: mail}}
	for i, recipient := range t.Recipients {
		if r, lacks := t.lackFor(recipient); lacks {
			t.results[i] = r
			continue
		}
		line, err := wire.RCPT(recipient, spec.AskedOf(t.Asked, i), ext)
		if err != nil {
			t.results[i] = unwritable(spec.StageRCPT, err)
			continue
		}
		all = append(all, command{spec.StageRCPT, i, line})
	}
	if len(all) == 1 {
		return nil
	}
	if t.chunked() {
		return all // No chunk leaves before it is known for whom.
	}
	return append(all, command{stage: spec.StageDATA, line: []byte(wire.DATA)})
}

// envelope says the commands, in groups when the server offers pipelining.
func (t *transaction) envelope(commands []command) {
	t.c.dirty = true
	for len(commands) > 0 && !t.over(commands[0]) {
		n := t.c.group(commands)
		t.exchange(commands[:n])
		commands = commands[n:]
	}
	if !t.data && !t.c.broken {
		stage := spec.StageDATA
		if t.chunked() {
			stage = spec.StageBDAT
		}
		if r, ok := t.c.unasked(t.ctx, stage); ok {
			t.void(r)
		}
	}
}

// over reports whether nothing would come of next.
func (t *transaction) over(next command) bool {
	switch next.stage {
	case spec.StageRCPT:
		return t.results[next.recipient].Stage != 0
	case spec.StageDATA:
		return len(t.accepted) == 0
	}
	return false
}

// groupBytes bounds a group of commands: a client that writes more than the
// network holds while the server waits for its replies to be read would wait
// for ever (RFC 2920 section 3.1).
const groupBytes = 4 << 10

// group returns how many of the commands may be sent before a reply is read:
// without pipelining, one.
func (c *Client) group(commands []command) int {
	if !c.ext.Pipelining {
		return 1
	}
	n, size := 1, len(commands[0].line)
	for n < len(commands) && size+len(commands[n].line) <= groupBytes {
		size += len(commands[n].line)
		n++
	}
	return n
}

// exchange sends a group and matches the replies to its commands.
func (t *transaction) exchange(group []command) {
	c := t.c
	if r, ok := c.unasked(t.ctx, group[0].stage); ok {
		t.void(r)
		return
	}
	var lines []byte
	for _, cmd := range group {
		lines = append(lines, cmd.line...)
		t.use(cmd)
	}
	if err := c.write(t.ctx, lines, c.limit(group[0].stage)); err != nil {
		t.conclude(c.lastWords(t.ctx, group[0].stage, err))
		return
	}
	for i, cmd := range group {
		// The first reply shares its command's deadline; each later one has the
		// time that it would have had without pipelining.
		if i > 0 {
			if err := c.arm(t.ctx, c.limit(cmd.stage)); err != nil {
				t.conclude(c.fault(t.ctx, cmd.stage, err))
				return
			}
		}
		t.answer(cmd, c.receive(t.ctx, cmd.stage))
		if c.broken {
			return
		}
	}
}

// answer takes the reply to one command. What comes after a refused MAIL
// changes no result, but has to be read to stay in step.
func (t *transaction) answer(cmd command, r Result) {
	switch {
	case t.c.broken:
		t.conclude(r)
	case r.Event == spec.Reply3 && cmd.stage != spec.StageDATA:
		// Only DATA is answered so. The replies are out of step: who goes on may
		// take the acceptance of one recipient for that of another, and what was
		// said before may have been another's refusal. The reply to MAIL came
		// first, so nobody hangs on what follows its refusal.
		t.c.broken = true
		if !t.refused {
			clear(t.results)
		}
		t.conclude(r)
	case cmd.stage == spec.StageRCPT:
		if r.Reply.Code != 0 {
			r.Event = spec.EventAt(cmd.stage, r.Reply, t.taken > 0)
		}
		switch {
		case r.OK():
			t.taken++
		case r.Event == spec.TooMany:
			t.c.used.learnt = t.taken
		}
		switch i := cmd.recipient; {
		case t.results[i].Stage != 0:
		case r.OK():
			t.accepted = append(t.accepted, i)
		default:
			t.results[i] = r
		}
	case !r.OK():
		t.refused = t.refused || cmd.stage == spec.StageMAIL
		t.conclude(r)
	case cmd.stage == spec.StageDATA:
		t.data = true
	}
}

// void gives a result to every recipient, also to those that had one: with a
// reply too many, none can be trusted to belong to its recipient. 421 may come
// unasked and voids nothing.
func (t *transaction) void(r Result) {
	if r.Event == spec.Malformed {
		clear(t.results)
	}
	t.conclude(r)
}

// loneDot answers a server that waits for content although it refused every
// recipient, as a pipelined DATA may end (RFC 2920 section 3.1). Its reply is
// an acceptance of nobody. Where a recipient was accepted but is not wanted,
// a dot could make a message of nothing: then the connection is dropped.
func (t *transaction) loneDot() {
	if t.taken > 0 {
		t.c.abort()
		return
	}
	r := t.c.command(t.ctx, spec.StageDATA, []byte(".\r\n"))
	// No dot is answered with 3yz: the replies are out of step, and who went on
	// would take this one's for that to the next MAIL.
	t.c.broken = t.c.broken || r.Event == spec.Reply3
	t.c.dirty = false
}
