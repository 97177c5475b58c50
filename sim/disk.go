package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// A disk outlives the processes of the relay. It holds what is durable, and in
// order the batches that are applied and not yet durable, of which a crash
// keeps the first few.
type disk struct {
	world   *world
	random  *rand.Rand
	durable contents
	pending []*batch
	// last is when the latest batch becomes durable.
	last time.Duration
}

// A batch is one call of Apply; or of Write, when done is nil.
type batch struct {
	ops  []seam.Op
	done func(error)
	// ready is true when done can be called, with err.
	ready bool
	err   error
}

func newDisk(w *world) disk {
	return disk{world: w, random: w.stream("disk"), durable: newContents()}
}

// open returns a store on what the disk holds, for one process.
func (d *disk) open(p *process) *store {
	return &store{disk: d, owner: p, applied: d.durable.clone(), idle: newPlace(d.world)}
}

// settle makes the first n pending batches durable.
func (d *disk) settle(n int) {
	for _, b := range d.pending[:n] {
		d.durable.change(b.ops)
	}
	d.pending = slices.Delete(d.pending, 0, n)
}

// kept says how many of the pending batches a disk keeps.
func (d *disk) kept(keep string) int {
	switch keep {
	case "all":
		return len(d.pending)
	case "some":
		return d.random.IntN(len(d.pending) + 1)
	}
	return 0
}

// lose makes durable what a disk that failed keeps of what was pending when
// its process ended, and forgets the rest.
func (d *disk) lose(p *process, keep string) {
	d.world.commit()
	d.world.sync(p, d.kept(keep))
	d.world.commit()
	d.pending = nil
}

// flush makes everything durable, as a system does whose process has ended in
// good order.
func (d *disk) flush(p *process) {
	d.world.commit()
	d.world.sync(p, len(d.pending))
	d.world.commit()
}

// crash keeps some of the pending batches and forgets the others. It returns
// the facts that say what is still there, by queue ID.
func (d *disk) crash(keep string) []spec.Fact {
	d.settle(d.kept(keep))
	d.pending = nil
	var facts []spec.Fact
	for _, space := range [...]seam.Space{seam.SpaceBody, seam.SpaceControl, seam.SpaceIntent} {
		for _, name := range d.durable.names[space] {
			f := presence(spec.FactKept, space, name)
			if last := len(facts) - 1; last < 0 || facts[last].Queue != f.Queue || facts[last].Text != f.Text {
				facts = append(facts, f)
			}
			if space == seam.SpaceBody {
				facts[len(facts)-1].Count += int64(len(d.durable.values[seam.Key{Space: space, Name: name}]))
			}
		}
	}
	slices.SortStableFunc(facts, func(a, b spec.Fact) int { return strings.Compare(string(a.Queue), string(b.Queue)) })
	return facts
}

// damage damages a message in the way of a step. It reports whether there was
// one.
func (d *disk) damage(queue spec.QueueID, s scenarios.Step) bool {
	op := seam.Op{Key: seam.ControlKey(queue)}
	control, there := d.durable.values[op.Key]
	if !there {
		return false
	}
	switch s.Harm {
	case scenarios.HarmContentTorn, scenarios.HarmContentGone:
		d.damageContent(queue, s.Harm == scenarios.HarmContentGone)
		return true
	case scenarios.HarmGone:
		op.Delete = true
	case scenarios.HarmTorn:
		op.Value = control[:len(control)/2]
	case scenarios.HarmEmpty:
		op.Value = []byte{}
	default:
		op.Value = make([]byte, 64)
		for i := range op.Value {
			op.Value[i] = byte(d.random.Uint32())
		}
	}
	d.durable.change([]seam.Op{op})
	return true
}

// damageContent takes away the content of a message, or its second half.
func (d *disk) damageContent(queue spec.QueueID, all bool) {
	names := slices.Clone(d.durable.scan(seam.SpaceBody, string(queue)+"/", "", len(d.durable.values)))
	for i, name := range names {
		op := seam.Op{Key: seam.Key{Space: seam.SpaceBody, Name: name}}
		switch half := len(names) / 2; {
		case all || len(names) > 1 && i >= half:
			op.Delete = true
		case len(names) == 1:
			chunk := d.durable.values[op.Key]
			op.Value = chunk[:len(chunk)/2]
		default:
			continue
		}
		d.durable.change([]seam.Op{op})
	}
}

// presence makes a fact about one of the entries of a message.
func presence(kind spec.FactKind, space seam.Space, name string) spec.Fact {
	queue, _, _ := strings.Cut(name, "/")
	text := "control"
	switch space {
	case seam.SpaceBody:
		text = "body"
	case seam.SpaceIntent:
		text = "intent"
	}
	return spec.Fact{Actor: spec.ActorDisk, Kind: kind, Queue: spec.QueueID(queue), Text: text}
}

// changes returns the facts that become true when the first n pending batches
// are durable: first what is stored, body before control before intent, then
// what is erased, the other way round. A body of which more is durable than
// before is stored again.
func (d *disk) changes(n int) []spec.Fact {
	// after says of every key touched how many bytes it will have; -1 is gone.
	after := map[seam.Key]int{}
	var queues []string
	for _, b := range d.pending[:n] {
		for _, op := range b.ops {
			if op.Key.Space != seam.SpaceControl && op.Key.Space != seam.SpaceBody && op.Key.Space != seam.SpaceIntent {
				continue
			}
			after[op.Key] = len(op.Value)
			if op.Delete {
				after[op.Key] = -1
			}
			if queue, _, _ := strings.Cut(op.Key.Name, "/"); !slices.Contains(queues, queue) {
				queues = append(queues, queue)
			}
		}
	}
	var stored, erased []spec.Fact
	for _, queue := range queues {
		was, is := d.body(queue, after)
		if is > was {
			f := presence(spec.FactStored, seam.SpaceBody, queue)
			f.Count = is
			stored = append(stored, f)
		}
		var gone []spec.Fact
		for _, space := range [...]seam.Space{seam.SpaceControl, seam.SpaceIntent} {
			key := seam.Key{Space: space, Name: queue}
			_, was := d.durable.values[key]
			size, touched := after[key]
			switch is := size >= 0 && touched || !touched && was; {
			case is && !was:
				stored = append(stored, presence(spec.FactStored, space, queue))
			case was && !is:
				gone = append(gone, presence(spec.FactErased, space, queue))
			}
		}
		slices.Reverse(gone)
		erased = append(erased, gone...)
		if was > 0 && is == 0 {
			erased = append(erased, presence(spec.FactErased, seam.SpaceBody, queue))
		}
	}
	return append(stored, erased...)
}

// body returns how many bytes of a message's body are on the disk, and how
// many will be.
func (d *disk) body(queue string, after map[seam.Key]int) (was, is int64) {
	prefix := queue + "/"
	for _, name := range d.durable.scan(seam.SpaceBody, prefix, "", len(d.durable.values)) {
		key := seam.Key{Space: seam.SpaceBody, Name: name}
		n := int64(len(d.durable.values[key]))
		was += n
		if _, touched := after[key]; !touched {
			is += n
		}
	}
	for key, size := range after { // in any order: a sum has none
		if size > 0 && key.Space == seam.SpaceBody && strings.HasPrefix(key.Name, prefix) {
			is += int64(size)
		}
	}
	return was, is
}

// errGone is what a store of a dead process says.
var errGone = fmt.Errorf("the process is gone: %w", seam.ErrClosed)
