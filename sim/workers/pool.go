// Package workers runs jobs in worker processes of the same program, one per
// core: bubbles of testing/synctest run fastest so, and what a job breaks, it
// breaks alone.
package workers

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A Pool runs jobs in worker processes, several at once. A worker that dies
// costs no more than the job that killed it. Make one with New; its methods
// may be called concurrently.
type Pool struct {
	// JobTime bounds how long one job may take, in real time; a worker that
	// takes longer is killed. New sets it to two minutes.
	JobTime time.Duration

	command []string
	// idle holds a slot for each worker; nil for one that is not running.
	idle chan *process
}

// New returns a pool of that many workers. They are started as they are
// needed, by command: the program itself with Arg when it is empty.
func New(workers int, command ...string) *Pool {
	p := &Pool{JobTime: 2 * time.Minute, command: command, idle: make(chan *process, max(workers, 1))}
	for range cap(p.idle) {
		p.idle <- nil
	}
	return p
}

// A DiedError says that a worker died over a job, and what it printed last.
type DiedError struct {
	Why  error
	Tail string
}

// Error tells both.
func (e *DiedError) Error() string { return fmt.Sprintf("the worker died: %v\n%s", e.Why, e.Tail) }

// Unwrap returns why.
func (e *DiedError) Unwrap() error { return e.Why }

// Do has a worker do a job and reads the answer into answer. The error is a
// *DiedError when the worker died, else for a worker that cannot be started,
// and for ctx.
func (p *Pool) Do(ctx context.Context, job, answer any) error {
	var w *process
	select {
	case w = <-p.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.idle <- w }()
	if w == nil {
		var err error
		if w, err = start(p.command); err != nil {
			return err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, p.JobTime)
	defer cancel()
	spent, err := w.do(bounded, job, answer)
	if err == nil && !spent {
		return nil
	}
	w.end()
	tail := w.stderr.String()
	w = nil
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case bounded.Err() != nil:
		err = fmt.Errorf("no result within %v of real time", p.JobTime)
	}
	return &DiedError{err, tail}
}

// Each has jobs done, as many at once as there are workers, and gives the
// answers to use in the order of the jobs, until use returns false. An error
// that use is given is a *DiedError; any other ends Each.
func Each[J, A any](ctx context.Context, p *Pool, jobs iter.Seq[J], use func(J, A, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type done struct {
		job    J
		answer A
		err    error
	}
	// Each answer has a channel of its own, in order. A long job holds up those
	// after it only when there are many: they are done, and wait to be used.
	answers := make(chan chan done, lookAhead*cap(p.idle))
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		defer close(answers)
		for job := range jobs {
			one := make(chan done, 1)
			select {
			case answers <- one:
			case <-ctx.Done():
				return
			}
			running.Go(func() {
				d := done{job: job}
				d.err = p.Do(ctx, job, &d.answer)
				one <- d
			})
		}
	})
	defer cancel()
	for one := range answers {
		d := <-one
		if _, died := d.err.(*DiedError); d.err != nil && !died {
			return d.err
		}
		if !use(d.job, d.answer, d.err) {
			return nil
		}
	}
	return ctx.Err()
}

// lookAhead is how many jobs a worker may be ahead of the answers.
const lookAhead = 16

// Close ends all workers. No Do may be under way.
func (p *Pool) Close() {
	for range cap(p.idle) {
		if w := <-p.idle; w != nil {
			w.end()
		}
		p.idle <- nil
	}
}

// A process is one worker.
type process struct {
	cmd    *exec.Cmd
	in     *json.Encoder
	out    *json.Decoder
	stdin  interface{ Close() error }
	stderr *tail
}

func start(command []string) (*process, error) {
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, Arg}
	}
	w := &process{cmd: exec.Command(command[0], command[1:]...), stderr: &tail{}}
	// One worker is one core. What a world needs is small and soon garbage, so
	// collecting it seldom costs little memory and saves a third of the time.
	// The limit is for jobs that need much: what they use is collected as often
	// as it takes to stay below. It is far above what they keep, since close to
	// it a worker would do little else.
	w.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=1600", "GOMEMLIMIT=1GiB")
	w.cmd.Stderr = w.stderr
	stdin, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.stdin, w.in, w.out = stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a worker: %w", err)
	}
	return w, nil
}

// do has the worker do a job. When ctx ends first, the worker is killed.
func (w *process) do(ctx context.Context, job, answer any) (spent bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = w.cmd.Process.Kill() })
	defer stop()
	if err := w.in.Encode(job); err != nil {
		return false, err
	}
	e := envelope{Answer: answer}
	if err := w.out.Decode(&e); err != nil {
		return false, err
	}
	return e.Spent, nil
}

// end ends the worker and waits for it.
func (w *process) end() {
	_ = w.stdin.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait() // it was killed; how it ended says nothing
}
