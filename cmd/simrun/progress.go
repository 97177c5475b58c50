package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long work goes on before a bar shows how far it is: what is
// done sooner needs none.
const patience = 2 * time.Second

// A progress shows on a terminal how many worlds have run.
type progress struct {
	out   io.Writer // nil when there is no terminal
	now   func() time.Time
	began time.Time
	total int
	count int
	bar   *progressbar.ProgressBar
}

func (c console) newProgress(total int) *progress {
	p := &progress{now: c.now, began: c.now(), total: total}
	if c.live {
		p.out = c.err
	}
	return p
}

// add counts one more. The bar comes when there was no end in sight for long.
func (p *progress) add() {
	p.count++
	if p.out == nil {
		return
	}
	if p.bar == nil {
		if p.now().Sub(p.began) < patience {
			return
		}
		p.bar = progressbar.NewOptions(p.total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetWidth(40),
			progressbar.OptionShowCount(), progressbar.OptionSetDescription("worlds"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	// What a bar cannot show is no reason to stop.
	_ = p.bar.Set(p.count)
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
