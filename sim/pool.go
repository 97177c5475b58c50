package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// A Pool runs jobs in worker processes, several at once. A worker that dies
// costs no more than the job that killed it. Make one with NewPool; its methods
// may be called concurrently.
type Pool struct {
	// JobTime bounds how long one job may take, in real time; a worker that
	// takes longer is killed. NewPool sets it to two minutes.
	JobTime time.Duration

	command []string
	// idle holds a slot for each worker; nil for one that is not running.
	idle chan *workerProcess
}

// NewPool returns a pool of that many workers. They are started as they are
// needed, by command: the program itself with WorkerArg when it is empty.
func NewPool(workers int, command ...string) *Pool {
	p := &Pool{JobTime: 2 * time.Minute, command: command, idle: make(chan *workerProcess, max(workers, 1))}
	for range cap(p.idle) {
		p.idle <- nil
	}
	return p
}

// Run runs a job and returns its result. When the worker dies the status is
// Crashed and Panic holds the end of what it printed. The error is for a worker
// that cannot be started, and for ctx.
func (p *Pool) Run(ctx context.Context, job Job) (*Result, error) {
	var w *workerProcess
	select {
	case w = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.idle <- w }()
	if w == nil {
		var err error
		if w, err = startWorker(p.command); err != nil {
			return nil, err
		}
	}
	bounded, cancel := context.WithTimeout(ctx, p.JobTime)
	defer cancel()
	r, err := w.do(bounded, job)
	if err == nil {
		if r.Status == Crashed { // it may have left goroutines behind
			w.end()
			w = nil
		}
		return r, nil
	}
	w.end()
	tail := w.stderr.String()
	w = nil
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if bounded.Err() != nil {
		err = fmt.Errorf("no result within %v of real time", p.JobTime)
	}
	return &Result{Scenario: job.Scenario.Name, Status: Crashed, Panic: fmt.Sprintf("the worker died: %v\n%s", err, tail)}, nil
}

// Each runs jobs, as many at once as there are workers, and gives the results
// to use in the order of the jobs, until use returns false.
func (p *Pool) Each(ctx context.Context, jobs iter.Seq[Job], use func(Job, *Result) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		job    Job
		result *Result
		err    error
	}
	// Each answer has a channel of its own, in order; so many are under way.
	answers := make(chan chan answer, cap(p.idle))
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		defer close(answers)
		for job := range jobs {
			one := make(chan answer, 1)
			select {
			case answers <- one:
			case <-ctx.Done():
				return
			}
			running.Go(func() {
				r, err := p.Run(ctx, job)
				one <- answer{job, r, err}
			})
		}
	})
	defer cancel()
	for one := range answers {
		a := <-one
		if a.err != nil {
			return a.err
		}
		if !use(a.job, a.result) {
			return nil
		}
	}
	return ctx.Err()
}

// Close ends all workers. No Run may be under way.
func (p *Pool) Close() {
	for range cap(p.idle) {
		if w := <-p.idle; w != nil {
			w.end()
		}
		p.idle <- nil
	}
}

// A workerProcess is one worker.
type workerProcess struct {
	cmd    *exec.Cmd
	in     *json.Encoder
	out    *json.Decoder
	stdin  interface{ Close() error }
	stderr *tail
}

func startWorker(command []string) (*workerProcess, error) {
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, WorkerArg}
	}
	w := &workerProcess{cmd: exec.Command(command[0], command[1:]...), stderr: &tail{}}
	w.cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // one worker is one core
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

// do has the worker run a job. When ctx ends first, the worker is killed.
func (w *workerProcess) do(ctx context.Context, job Job) (*Result, error) {
	stop := context.AfterFunc(ctx, func() { _ = w.cmd.Process.Kill() })
	defer stop()
	if err := w.in.Encode(job); err != nil {
		return nil, err
	}
	r := new(Result)
	if err := w.out.Decode(r); err != nil {
		return nil, err
	}
	return r, nil
}

// end ends the worker and waits for it.
func (w *workerProcess) end() {
	_ = w.stdin.Close()
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait() // it was killed; how it ended says nothing
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(b), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
