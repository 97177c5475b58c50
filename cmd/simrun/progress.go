package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long work goes on before a bar shows how far it is: what is
// done sooner needs none.
const patience = 2 * time.Second

// A progress shows on a terminal how many worlds have run, how many a second,
// and how long the rest will take.
type progress struct {
	out   io.Writer // nil when there is no terminal
	now   func() time.Time
	began time.Time
	total int
	late  latecomer
	bar   *progressbar.ProgressBar // nil when there is no terminal
}

// A latecomer passes on what is written once it is awake.
type latecomer struct {
	out   io.Writer
	awake bool
}

// Write drops what comes too early.
func (l *latecomer) Write(b []byte) (int, error) {
	if !l.awake {
		return len(b), nil
	}
	return l.out.Write(b)
}

func (c console) newProgress(total int) *progress { return c.newProgressOf(total, "worlds") }

// newProgressOf is newProgress with another unit.
func (c console) newProgressOf(total int, unit string) *progress {
	p := &progress{now: c.now, began: c.now(), total: total, late: latecomer{out: c.err}}
	if c.live && total > 0 {
		p.out = c.err
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(&p.late), progressbar.OptionSetWidth(40),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		p.bar.StartWithoutRender()
	}
	return p
}

// add counts one more.
func (p *progress) add() { p.advance(1) }

// advance counts n more. The bar counts from the start, or its rate would be
// wrong; it is seen when there was no end in sight for long.
func (p *progress) advance(n int) {
	if p.bar == nil {
		return
	}
	p.late.awake = p.late.awake || p.now().Sub(p.began) >= patience
	// What a bar cannot show is no reason to stop.
	_ = p.bar.Add(n)
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
