package sim

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// emptyWorld is a world without a relay.
func emptyWorld(sc *scenarios.Scenario) *world {
	if sc == nil {
		sc = &scenarios.Scenario{Name: "test", Seed: 1, Policy: spec.DefaultPolicy("relay.example")}
	}
	return newWorld(sc, nil, Options{})
}

// newProcess makes a process of which no relay is made.
func (w *world) newProcess() *process {
	p := &process{world: w, gone: make(chan struct{}), done: make(chan struct{}), void: never, starts: w.stream("starts")}
	p.store = w.disk.open(p)
	close(p.done)
	w.relay = p
	return p
}

// contractDisk is the world's disk as seamtest wants it.
type contractDisk struct {
	world *world
	owner *process
}

func (d *contractDisk) Open() (seam.Store, error) {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	d.world.commit()
	d.owner = d.world.newProcess()
	return d.owner.store, nil
}

func (d *contractDisk) Crash(kept int) {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	d.world.commit()
	d.owner.kill(true)
	keep := map[int]string{0: "none", 100: "all"}[kept]
	if keep == "" {
		keep = "some"
	}
	d.world.disk.crash(keep)
}

func TestDiskKeepsTheContract(t *testing.T) {
	seamtest.StoreInBubbles(t, func(*testing.T) seamtest.Disk { return &contractDisk{world: emptyWorld(nil)} })
}

func put(space seam.Space, name string) seam.Op {
	return seam.Op{Key: seam.Key{Space: space, Name: name}, Value: []byte("v")}
}

func del(space seam.Space, name string) seam.Op {
	return seam.Op{Key: seam.Key{Space: space, Name: name}, Delete: true}
}

// told returns the facts of a world in short.
func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit()
	var all []string
	for _, f := range w.facts {
		text := string(f.Kind)
		for _, part := range []string{string(f.Queue), f.Session, f.Text} {
			if part != "" {
				text += " " + part
			}
		}
		all = append(all, text)
	}
	return all
}

func TestDiskTellsWhatBecomesDurable(t *testing.T) {
	chunk := func(n string) string { return "q1/0000000" + n }
	for _, tt := range []struct {
		name    string
		batches [][]seam.Op // the first of several is only written
		want    []string
	}{
		{"a message is stored with its body first",
			[][]seam.Op{{put('b', chunk("0"))}, {put('b', chunk("1")), put('c', "q1"), put('d', "x")}},
			[]string{"stored q1 body", "stored q1 control"}},
		{"an entry that is changed is not stored again",
			[][]seam.Op{{put('c', "q1")}, {put('c', "q1")}},
			[]string{"stored q1 control"}},
		{"other spaces are nobody's business", [][]seam.Op{{put('d', "q1"), put('w', "q1")}}, nil},
		{"what comes and goes in one sync was never there", [][]seam.Op{{put('c', "q1")}, {del('c', "q1")}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := emptyWorld(nil)
				s := w.newProcess().store
				for _, ops := range tt.batches[:len(tt.batches)-1] {
					if err := s.Write(ops); err != nil {
						t.Fatal(err)
					}
				}
				durable := make(chan error)
				s.Apply(tt.batches[len(tt.batches)-1], func(err error) { durable <- err })
				if err := <-durable; err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, w.told()); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestDiskTellsRemovalOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := emptyWorld(nil)
		s := w.newProcess().store
		s.Apply([]seam.Op{put('b', "q1/0"), put('b', "q1/1"), put('c', "q1"), put('b', "q10/0"), put('c', "q10")}, func(error) {})
		s.Apply([]seam.Op{del('b', "q1/0")}, func(error) {})
		done := make(chan error)
		s.Apply([]seam.Op{del('b', "q1/1"), del('c', "q1"), put('b', "q2/0"), put('c', "q2")}, func(err error) { done <- err })
		<-done
		want := []string{
			"stored q1 body", "stored q1 control", "stored q10 body", "stored q10 control",
			"stored q2 body", "stored q2 control", "erased q1 control", "erased q1 body",
		}
		if d := cmp.Diff(want, w.told()); d != "" {
			t.Error(d)
		}
	})
}

func TestCrashSaysWhatTheDiskKept(t *testing.T) {
	for keep, want := range map[string][]string{
		"none": {"kept q1 body", "kept q1 control"},
		"all":  {"kept q1 body", "kept q1 control", "kept q2 body", "kept q2 control"},
	} {
		t.Run(keep, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := emptyWorld(nil)
				s := w.newProcess().store
				done, lost := make(chan error), make(chan error, 1)
				s.Apply([]seam.Op{put('b', "q1/0"), put('c', "q1")}, func(err error) { done <- err })
				<-done
				s.Apply([]seam.Op{put('b', "q2/0"), put('c', "q2")}, func(err error) { lost <- err })
				w.mu.Lock()
				w.crash(&crashStep{Step: scenarios.Step{Kind: scenarios.StepCrash, Keep: keep}})
				w.mu.Unlock()
				if err := <-lost; err == nil {
					t.Error("the dead process was told that its batch is durable")
				}
				if err := s.Write(nil); err == nil {
					t.Error("the dead process can still write")
				}
				got := slices.DeleteFunc(w.told(), func(f string) bool { return f[:4] != "kept" })
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestDamageTakesWhatItSays(t *testing.T) {
	control := seam.ControlKey("q1")
	chunk := func(n int) seam.Key { return seam.ChunkKey("q1", n) }
	whole := map[seam.Key]int{control: 100, chunk(0): 10, chunk(1): 10, chunk(2): 10}
	for harm, want := range map[string]map[seam.Key]int{
		"":                        {control: 64, chunk(0): 10, chunk(1): 10, chunk(2): 10},
		scenarios.HarmEmpty:       {control: 0, chunk(0): 10, chunk(1): 10, chunk(2): 10},
		scenarios.HarmTorn:        {control: 50, chunk(0): 10, chunk(1): 10, chunk(2): 10},
		scenarios.HarmGone:        {chunk(0): 10, chunk(1): 10, chunk(2): 10},
		scenarios.HarmContentTorn: {control: 100, chunk(0): 10},
		scenarios.HarmContentGone: {control: 100},
	} {
		w := emptyWorld(nil)
		var ops []seam.Op
		for key, size := range whole {
			ops = append(ops, seam.Op{Key: key, Value: make([]byte, size)})
		}
		w.disk.durable.change(ops)
		if !w.disk.damage("q1", scenarios.Step{Harm: harm}) || w.disk.damage("q2", scenarios.Step{Harm: harm}) {
			t.Errorf("%q: there is one message, q1", harm)
		}
		got := map[seam.Key]int{}
		for key, value := range w.disk.durable.values {
			got[key] = len(value)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", harm, d)
		}
	}
	w := emptyWorld(nil)
	w.disk.durable.change([]seam.Op{{Key: control, Value: []byte("c")}, {Key: chunk(0), Value: make([]byte, 10)}})
	w.disk.damage("q1", scenarios.Step{Harm: scenarios.HarmContentTorn})
	if got := len(w.disk.durable.values[chunk(0)]); got != 5 {
		t.Errorf("of one chunk of 10 bytes %d are left, want the first half", got)
	}
}
