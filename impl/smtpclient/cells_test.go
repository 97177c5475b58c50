package smtpclient

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/spec"
)

// said is what makes each event, as steps of a script.
var said = map[spec.Event]string{
	spec.Reply2: "S: 299 two", spec.Reply3: "S: 399 three", spec.Reply4: "S: 499 four", spec.Reply421: "S: 421 bye",
	spec.Reply5: "S: 599 five", spec.Malformed: "S: what", spec.Timeout: "", spec.Cut: "close",
}

// ends are the events after which the conversation is over.
var ends = map[spec.Event]bool{spec.Reply421: true, spec.Malformed: true, spec.Timeout: true, spec.Cut: true}

// over reports whether the conversation is over after an event. A 3yz to other
// than DATA shows that the replies are out of step.
func over(stage spec.Stage, event spec.Event) bool {
	return ends[event] || stage == spec.StageBody || event == spec.Reply3 && (stage == spec.StageMAIL || stage == spec.StageRCPT || stage == spec.StageBDAT)
}

// script leads up to a stage, makes the event there, and says how the client
// is to end it.
func script(stage spec.Stage, event spec.Event, pipelining bool) string {
	steps := []string{}
	add := func(lines ...string) { steps = append(steps, lines...) }
	end := func() string {
		if over(stage, event) {
			add("eof")
		} else {
			add("C: QUIT", "S: 221 bye")
		}
		return strings.Join(steps, "\n")
	}
	// ask is a command of the envelope and the reply that leads on; after the
	// event the server has to answer what was pipelined.
	replies := []string{}
	ask := func(s spec.Stage, command, reply string) {
		add("C: " + command)
		switch {
		case s == stage:
			reply = said[event]
		case s > stage && !over(stage, event) && stage < spec.StageBody:
			reply = "S: 503 no"
		case s > stage && stage < spec.StageBody:
			reply = ""
		}
		if !pipelining {
			add(reply)
		} else {
			replies = append(replies, reply)
		}
	}

	if stage == spec.StageGreeting {
		add(said[event])
		return end()
	}
	add("S: 220 mx.test", "C: EHLO relay.test")
	switch {
	case stage == spec.StageEHLO:
		add(said[event])
		return end()
	case stage == spec.StageSTARTTLS && event == spec.NotOffered:
		add("S: 250 mx.test")
		return end()
	case stage == spec.StageSTARTTLS:
		add("S: 250-mx.test", "S: 250 STARTTLS", "C: STARTTLS", said[event])
		return end()
	case stage == spec.StageAUTH && event == spec.NotOffered:
		add("S: 250 mx.test")
		return end()
	case stage == spec.StageAUTH && event == spec.Untrusted:
		add("S: 250-mx.test", "S: 250 AUTH SCRAM-SHA-256", "C: AUTH SCRAM-SHA-256 "+inBase64("n,,n=relay,r=nonce"), "S: 235 welcome")
		return end()
	case stage == spec.StageAUTH:
		add("S: 250-mx.test", "S: 250 AUTH PLAIN", "C: AUTH PLAIN "+inBase64("\x00relay\x00hunter2"), said[event])
		return end()
	case stage == spec.StageHELO:
		add("S: 502 what", "C: HELO relay.test", said[event])
		return end()
	case stage == spec.StageBDAT:
		add("S: 250-mx.test", "S: 250 CHUNKING", "C: MAIL FROM:<a@x>", "S: 250 ok", "C: RCPT TO:<b@y>", "S: 250 ok", "C: BDAT 4", `B: "hell"`, said[event])
		return end()
	case pipelining:
		add("S: 250-mx.test", "S: 250 PIPELINING")
	default:
		add("S: 250 mx.test")
	}
	ask(spec.StageMAIL, "MAIL FROM:<a@x>", "S: 250 ok")
	if stage > spec.StageMAIL || pipelining {
		ask(spec.StageRCPT, "RCPT TO:<b@y>", "S: 250 ok")
	}
	if stage > spec.StageRCPT || pipelining {
		ask(spec.StageDATA, "DATA", dataReply(stage, event))
	}
	add(replies...)
	if stage == spec.StageDot {
		add("C: hello", "C: .", said[event])
	}
	return end()
}

// dataReply is the reply to DATA with what the server does while the content
// is sent.
func dataReply(stage spec.Stage, event spec.Event) string {
	switch {
	case stage == spec.StageBody && event == spec.Timeout:
		return "stall\nS: 354 go"
	case stage == spec.StageBody && event == spec.Cut:
		return "S: 354 go\nclose"
	case stage == spec.StageBody:
		return fmt.Sprintf("R: %q", "354 go\r\n"+strings.TrimPrefix(said[event], "S: ")+"\r\n")
	}
	return "S: 354 go"
}

// Every cell of the verdict table that a conversation can reach and that ends
// it is reached, with and without pipelining, and a time-out is its stage's.
// The handshake and too many recipients have tests of their own.
func TestEveryCell(t *testing.T) {
	for stage := spec.StageGreeting; stage <= spec.StageDot; stage++ {
		for _, event := range spec.Events() {
			if stage == spec.StageHandshake || event == spec.TooMany || !spec.CanOccur(stage, event) || spec.Decide(stage, event).Verdict == spec.Proceed {
				continue
			}
			if event == spec.NotOffered && stage > spec.StageSTARTTLS {
				continue // see TestWhatIsNotOfferedIsNotBegun
			}
			for _, pipelining := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v %v pipelining=%v", stage, event, pipelining), func(t *testing.T) {
					text := script(stage, event, pipelining)
					t.Log(text)
					meet(t, text, func(t *testing.T, c *Client) {
						if stage == spec.StageSTARTTLS {
							c.opts.TLS.Level = spec.TLSRequired
						}
						if stage == spec.StageAUTH {
							c.opts.Login = testLogin()
						}
						if stage == spec.StageBDAT {
							c.opts.ChunkBytes = 4
						}
						start := time.Now()
						r := deliver(t.Context(), c, testTransaction(1))[0]
						if r.Stage != stage || r.Event != event || r.Err != nil {
							t.Errorf("got %v %v, %+v", r.Stage, r.Event, r)
						}
						checkTold(t, r)
						if took := time.Since(start); event == spec.Timeout && took != lateIf(stage)+c.limit(stage) {
							t.Errorf("the time-out came after %v, want %v", took, c.limit(stage))
						}
					})
				})
			}
		}
	}
}

// lateIf is how long the last words of a server that takes no more content
// are waited for.
func lateIf(stage spec.Stage) time.Duration {
	if stage == spec.StageBody {
		return lateReply
	}
	return 0
}

func checkTold(t *testing.T, r Result) {
	t.Helper()
	if reply := r.Reply.Code != 0; reply && spec.EventOf(r.Reply) != r.Event {
		t.Errorf("the reply %v does not fit the event %v", r.Reply, r.Event)
	} else if !reply && r.Text == "" {
		t.Error("neither reply nor text")
	}
}
