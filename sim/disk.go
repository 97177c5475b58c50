package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

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
	for _, space := range [...]seam.Space{seam.SpaceBody, seam.SpaceControl} {
		for _, name := range d.durable.names[space] {
			f := presence(spec.FactKept, space, name)
			if len(facts) == 0 || facts[len(facts)-1].Queue != f.Queue || facts[len(facts)-1].Text != f.Text {
				facts = append(facts, f)
			}
		}
	}
	slices.SortStableFunc(facts, func(a, b spec.Fact) int { return strings.Compare(string(a.Queue), string(b.Queue)) })
	return facts
}

// damage overwrites the control entry of a message. It reports whether there
// was one.
func (d *disk) damage(queue spec.QueueID) bool {
	key := seam.Key{Space: seam.SpaceControl, Name: string(queue)}
	if _, there := d.durable.values[key]; !there {
		return false
	}
	garbage := make([]byte, 64)
	for i := range garbage {
		garbage[i] = byte(d.random.Uint32())
	}
	d.durable.change([]seam.Op{{Key: key, Value: garbage}})
	return true
}

// presence makes a fact about one of the two entries of a message.
func presence(kind spec.FactKind, space seam.Space, name string) spec.Fact {
	queue, _, _ := strings.Cut(name, "/")
	text := "control"
	if space == seam.SpaceBody {
		text = "body"
	}
	return spec.Fact{Actor: spec.ActorDisk, Kind: kind, Queue: spec.QueueID(queue), Text: text}
}

// changes returns the facts that become true when the first n pending batches
// are durable: first what is stored, body before control, then what is
// erased, control before body.
func (d *disk) changes(n int) []spec.Fact {
	// after says of every key touched whether it will be there.
	after := map[seam.Key]bool{}
	var queues []string
	for _, b := range d.pending[:n] {
		for _, op := range b.ops {
			if op.Key.Space != seam.SpaceControl && op.Key.Space != seam.SpaceBody {
				continue
			}
			after[op.Key] = !op.Delete
			if queue, _, _ := strings.Cut(op.Key.Name, "/"); !slices.Contains(queues, queue) {
				queues = append(queues, queue)
			}
		}
	}
	var stored, erased []spec.Fact
	for _, queue := range queues {
		bodyWas, bodyIs := d.body(queue, after)
		control := seam.Key{Space: seam.SpaceControl, Name: queue}
		_, controlWas := d.durable.values[control]
		controlIs, touched := after[control]
		controlIs = controlIs || !touched && controlWas
		if bodyIs && !bodyWas {
			stored = append(stored, presence(spec.FactStored, seam.SpaceBody, queue))
		}
		if controlIs && !controlWas {
			stored = append(stored, presence(spec.FactStored, seam.SpaceControl, queue))
		}
		if controlWas && !controlIs {
			erased = append(erased, presence(spec.FactErased, seam.SpaceControl, queue))
		}
		if bodyWas && !bodyIs {
			erased = append(erased, presence(spec.FactErased, seam.SpaceBody, queue))
		}
	}
	return append(stored, erased...)
}

// body reports whether a message has a chunk on the disk, and whether it will.
func (d *disk) body(queue string, after map[seam.Key]bool) (was, is bool) {
	prefix := queue + "/"
	for _, name := range d.durable.scan(seam.SpaceBody, prefix, "", len(d.durable.values)) {
		was = true
		if stays, touched := after[seam.Key{Space: seam.SpaceBody, Name: name}]; stays || !touched {
			is = true
		}
	}
	for key, there := range after { // in any order: any chunk will do
		if there && key.Space == seam.SpaceBody && strings.HasPrefix(key.Name, prefix) {
			is = true
		}
	}
	return was, is
}

// errGone is what a store of a dead process says.
var errGone = fmt.Errorf("the process is gone: %w", seam.ErrClosed)
