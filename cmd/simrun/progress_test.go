package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestABarComesWhenItTakesLong: with count, rate and the time that is left,
// counted from the start; and goes at the end.
func TestABarComesWhenItTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs bytes.Buffer
		c := console{err: &errs, live: true, now: time.Now}
		p := c.newProgress(100)
		for range 3 {
			time.Sleep(patience / 4)
			p.add()
		}
		if errs.Len() > 0 {
			t.Errorf("before long it shows %q", errs.String())
		}
		time.Sleep(patience / 4)
		p.add()
		p.close()
		for _, want := range []string{"(4/100, 2 worlds/s)", "[2s:48s]"} {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("%q is not in %q", want, errs.String())
			}
		}
		if !strings.HasSuffix(errs.String(), " \r") {
			t.Errorf("the bar stays: %q", errs.String())
		}
	})
}

func TestThereIsNoBarWithoutATerminal(t *testing.T) {
	var errs bytes.Buffer
	p := console{err: &errs, now: fixedTime}.newProgress(1)
	p.add()
	p.close()
	if errs.Len() > 0 {
		t.Errorf("it shows %q", errs.String())
	}
}
