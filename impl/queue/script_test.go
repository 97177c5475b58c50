package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// TestScripts drives the core by the text scripts in testdata, each a story of
// events and the actions that they must lead to. The commands are those of
// (*script).run; -rewrite fills in what the core does.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := newScript()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
	})
}

// A script is a core with a disk that it can lose.
type script struct {
	policy  spec.Policy
	core    *Queue
	now     spec.Instant
	disk    map[seam.Key][]byte
	unacked []Commit
	wake    spec.Mono
	fresh   int
	tickets uint64
	// late are reads of the disk that have not come back; slow is true when
	// they wait there for the command arrive.
	slow bool
	late []Loaded
	out  strings.Builder
}

func newScript() *script {
	s := &script{policy: spec.DefaultPolicy("relay.example"), disk: map[seam.Key][]byte{}}
	s.policy.Schedule.Jitter = 0 // the times of the stories are whole intervals
	s.now.Wall = spec.WallOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	s.core = New(s.policy)
	return s
}

// run carries out one command:
//
//	policy in_doubt=hold per-destination=1 deliveries=2 window=10   before start
//	start                           recovery, its reads and its batches
//	submit ID from=A to=(B,C) [size=N]
//	durable                         all batches so far become durable
//	durable-one                     the oldest does
//	advance 5m                      time passes, timers fire
//	intend JOB host=H to=(B)
//	settle JOB [B=verdict...] [last]
//	decide ID retry|delivered|report [to=B]
//	slow-reads                      reads see the disk as it is when they are
//	                                asked for, and come back by
//	arrive groups|message           the oldest of the kind does
//	crash [keep=N]                  a new core; the N oldest of the batches
//	                                that were not durable survive
//	damage ID                       overwrites the control entry
//	disk                            what the disk holds
//	sizes                           what the memory holds
func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	switch d.Cmd {
	case "policy":
		s.setPolicy(t, d)
	case "start":
		s.step(Start{})
		s.durable(len(s.unacked))
	case "submit":
		s.submit(d)
	case "durable":
		s.durable(len(s.unacked))
	case "durable-one":
		s.durable(1)
	case "advance":
		s.advance(t, d.CmdArgs[0].Key)
	case "intend":
		s.step(Intend{Job: d.CmdArgs[0].Key, Host: value(d, "host"), To: values(d, "to")})
	case "settle":
		s.settle(d)
	case "decide":
		s.tickets++
		s.step(Decide{Ticket: s.tickets, ID: spec.QueueID(d.CmdArgs[0].Key), Decision: Decision(d.CmdArgs[1].Key), Recipient: value(d, "to")})
	case "slow-reads":
		s.slow = true
	case "arrive":
		s.arrive(t, d)
	case "stop":
		s.step(Stop{})
	case "crash":
		s.crash(d)
	case "damage":
		s.disk[seam.ControlKey(spec.QueueID(d.CmdArgs[0].Key))] = []byte("damaged beyond repair")
	case "disk":
		s.list()
	case "sizes":
		fmt.Fprintf(&s.out, "%+v\n", s.core.Sizes())
	default:
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
	return s.out.String()
}

func (s *script) setPolicy(t *testing.T, d *datadriven.TestData) {
	for _, a := range d.CmdArgs {
		var n int
		fmt.Sscan(a.Vals[0], &n)
		switch a.Key {
		case "in_doubt":
			p, err := spec.ParseInDoubtPolicy(a.Vals[0])
			if err != nil {
				t.Fatal(err)
			}
			s.policy.InDoubt = p
		case "per-destination":
			s.policy.Limits.DeliveriesPerDestination = n
		case "deliveries":
			s.policy.Limits.Deliveries = n
		case "window":
			s.policy.Limits.WindowGroups = n
		default:
			t.Fatalf("%s: no policy %q", d.Pos, a.Key)
		}
	}
	s.core = New(s.policy)
}

// nothingAsked leaves out what was asked for, where that was nothing.
var nothingAsked = strings.NewReplacer(" Lane:none", "", " Needs:0", "", " Tracking:{Return: EnvelopeID:} Asked:[]", "", " Size:22 Return:", "")

func (s *script) submit(d *datadriven.TestData) {
	id := spec.QueueID(d.CmdArgs[0].Key)
	from := value(d, "from")
	if from == "<>" {
		from = ""
	}
	content := []byte("Subject: " + string(id) + "\r\n\r\nHello\r\n")
	s.step(Submit{
		ID: id, Message: string(id) + "@submit.example", Size: int64(len(content)),
		Envelope: spec.Envelope{Sender: from, Recipients: values(d, "to")},
		Ops:      []seam.Op{{Key: seam.ChunkKey(id, 0), Value: content}},
	})
}

var verdicts = map[string]spec.Verdict{
	"delivered": spec.Proceed, "defer": spec.Defer, "refused": spec.FailRecipient, "doubt": spec.InDoubt,
}

func (s *script) settle(d *datadriven.TestData) {
	s.fresh++
	e := Settle{Job: d.CmdArgs[0].Key, Header: []byte("Subject: original\r\n"), Fresh: spec.QueueID(fmt.Sprintf("R%d", s.fresh))}
	for _, a := range d.CmdArgs[1:] {
		if a.Key == "last" {
			e.Last = true
			continue
		}
		t := Trouble{Host: "mx.test", Stage: spec.StageDot, Text: a.Vals[0]}
		e.Results = append(e.Results, Result{Recipient: a.Key, Verdict: verdicts[a.Vals[0]], Trouble: t})
	}
	s.step(e)
}

func value(d *datadriven.TestData, key string) string {
	if v := values(d, key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func values(d *datadriven.TestData, key string) []string {
	for _, a := range d.CmdArgs {
		if a.Key == key {
			return a.Vals
		}
	}
	return nil
}

// step feeds an event to the core and prints what it asks for. Reads are
// answered at once.
func (s *script) step(e Event) {
	var next []Event
	for _, act := range slices.Clone(s.core.Step(s.now, e)) {
		switch act := act.(type) {
		case Note:
			f := act.Fact
			f.Actor = spec.ActorRelay
			_, line, _ := strings.Cut(f.String(), string(spec.ActorRelay))
			fmt.Fprintf(&s.out, "fact: %s\n", strings.TrimSpace(line))
			continue
		case Commit:
			s.unacked = append(s.unacked, act)
			fmt.Fprintf(&s.out, "commit %d:%s\n", act.Seq, describe(act.Ops))
			continue
		case Load:
			if s.slow {
				s.late = append(s.late, s.load(act))
			} else {
				next = append(next, s.load(act))
			}
		case Close:
			next = append(next, Settle{Job: act.Job, Last: true, Header: []byte("Subject: original\r\n"), Fresh: s.freshID()})
		case WakeAt:
			s.wake = act.At
			fmt.Fprintf(&s.out, "wake at t+%v\n", time.Duration(act.At))
			continue
		}
		line := strings.TrimPrefix(fmt.Sprintf("%T %+v", act, act), "queue.")
		line = nothingAsked.Replace(line)
		fmt.Fprintln(&s.out, strings.ReplaceAll(line, "\x00", "|"))
	}
	for _, e := range next {
		s.step(e)
	}
}

func (s *script) arrive(t *testing.T, d *datadriven.TestData) {
	kinds := map[string]LoadKind{"groups": LoadGroups, "message": LoadMessage}
	i := slices.IndexFunc(s.late, func(e Loaded) bool { return e.Load.Kind == kinds[d.CmdArgs[0].Key] })
	if i < 0 {
		t.Fatalf("%s: no read of %s is under way", d.Pos, d.CmdArgs[0].Key)
	}
	e := s.late[i]
	s.late = slices.Delete(s.late, i, i+1)
	s.step(e)
}

func (s *script) freshID() spec.QueueID {
	s.fresh++
	return spec.QueueID(fmt.Sprintf("R%d", s.fresh))
}

func describe(ops []seam.Op) string {
	var b strings.Builder
	for _, op := range ops {
		sign := "+"
		if op.Delete {
			sign = "-"
		}
		fmt.Fprintf(&b, " %s%c:%s", sign, op.Key.Space, strings.ReplaceAll(op.Key.Name, "\x00", "|"))
	}
	return b.String()
}

func (s *script) durable(n int) {
	for ; n > 0; n-- {
		c := s.unacked[0]
		s.unacked = s.unacked[1:]
		apply(s.disk, c.Ops)
		s.step(Durable{Seq: c.Seq})
	}
}

func apply(disk map[seam.Key][]byte, ops []seam.Op) {
	for _, op := range ops {
		if op.Delete {
			delete(disk, op.Key)
		} else {
			disk[op.Key] = op.Value
		}
	}
}

func (s *script) advance(t *testing.T, by string) {
	d, err := time.ParseDuration(by)
	if err != nil {
		t.Fatal(err)
	}
	until := s.now.Mono.Add(d)
	for s.wake != 0 && s.wake <= until {
		s.now.Wall = s.now.Wall.Add(s.wake.Sub(s.now.Mono))
		s.now.Mono = s.wake
		s.wake = 0
		s.step(Wake{})
	}
	s.now.Wall = s.now.Wall.Add(until.Sub(s.now.Mono))
	s.now.Mono = until
}

func (s *script) crash(d *datadriven.TestData) {
	keep := 0
	fmt.Sscan(value(d, "keep"), &keep)
	for _, c := range s.unacked[:keep] {
		apply(s.disk, c.Ops)
	}
	s.unacked, s.wake, s.now.Mono = nil, 0, 0
	s.core = New(s.policy)
}

func (s *script) list() {
	for _, k := range sortedKeys(s.disk) {
		fmt.Fprintf(&s.out, "%c:%s", k.Space, strings.ReplaceAll(k.Name, "\x00", "|"))
		if k.Space == seam.SpaceControl {
			if e, err := DecodeEntry(s.disk[k]); err == nil {
				for _, r := range e.Recipients {
					fmt.Fprintf(&s.out, " %s=%v/%d", r.Address, r.State, r.Attempts)
				}
			}
		}
		s.out.WriteByte('\n')
	}
}

func sortedKeys(disk map[seam.Key][]byte) []seam.Key {
	var keys []seam.Key
	for k := range disk {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b seam.Key) int {
		if a.Space != b.Space {
			return int(a.Space) - int(b.Space)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return keys
}

// load reads the disk as the shell does, undurable batches included.
func (s *script) load(l Load) Loaded {
	view := map[seam.Key][]byte{}
	for k, v := range s.disk {
		view[k] = v
	}
	for _, c := range s.unacked {
		apply(view, c.Ops)
	}
	out := Loaded{Load: l}
	seen := map[string]bool{} // prefixes of lanes
	for _, k := range sortedKeys(view) {
		switch {
		case l.Kind == LoadIntents && k.Space == seam.SpaceIntent, l.Kind == LoadWriting && k.Space == seam.SpaceWriting:
			id := spec.QueueID(k.Name)
			out.Entries = append(out.Entries, Raw{id, view[seam.ControlKey(id)]})
		case l.Kind == LoadDestinations && k.Space == seam.SpaceDue:
			w, _ := ParseWaiting(k.Name)
			if lane := LanePrefix(w.Destination, w.Lane); !seen[lane] {
				seen[lane] = true
				out.Groups = append(out.Groups, w)
			}
		case l.Kind == LoadDestinations && k.Space == seam.SpacePaused && l.After == "":
			out.Paused = append(out.Paused, k.Name)
		case l.Kind == LoadGroups && k.Space == seam.SpaceDue && strings.HasPrefix(k.Name, LanePrefix(l.Destination, l.Lane)) && k.Name > l.After:
			w, _ := ParseWaiting(k.Name)
			if w.Lane != l.Lane {
				continue
			}
			if len(out.Groups) == l.Limit {
				if !out.More {
					out.More, out.Next = true, w.Due
				}
				continue
			}
			out.Groups = append(out.Groups, w)
			out.Entries = append(out.Entries, Raw{w.ID, view[seam.ControlKey(w.ID)]})
		}
	}
	if l.Kind == LoadMessage {
		out.Entries = []Raw{{l.ID, view[seam.ControlKey(l.ID)]}}
	}
	return out
}
