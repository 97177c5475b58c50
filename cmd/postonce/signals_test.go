package main

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestASecondSignalCountsAfterASecond(t *testing.T) {
	begin := time.Unix(0, 0)
	var s stopping
	for _, step := range []struct {
		after  time.Duration
		signal os.Signal
		want   int
	}{
		{0, syscall.SIGHUP, signalHangup},
		{time.Minute, syscall.SIGTERM, signalStop},
		{time.Minute, syscall.SIGTERM, signalAgain},
		{time.Minute + 999*time.Millisecond, os.Interrupt, signalAgain},
		{time.Minute + time.Second, syscall.SIGHUP, signalHangup},
		{time.Minute + time.Second, os.Interrupt, signalAbandon},
	} {
		if got := s.take(step.signal, begin.Add(step.after)); got != step.want {
			t.Errorf("%v after %v means %d, want %d", step.signal, step.after, got, step.want)
		}
	}
}

func TestAnErrorOfTheDiskIsSaidOnce(t *testing.T) {
	disk := errors.New("the disk failed")
	run := errors.New("the relay cannot go on: the disk failed")
	for _, c := range []struct {
		run, closing error
		want         string
	}{
		{run, disk, run.Error()},
		{nil, disk, disk.Error()},
		{run, nil, run.Error()},
		{run, errors.New("another"), run.Error() + "\nanother"},
	} {
		if got := ending(c.run, func() error { return c.closing }); got.Error() != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if err := ending(nil, func() error { return nil }); err != nil {
		t.Error(err)
	}
}
