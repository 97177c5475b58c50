package main

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestARelayWhoseLogNobodyReadsGoesOn: the pipe on its standard error has no
// reading end, from before its first line.
func TestARelayWhoseLogNobodyReadsGoesOn(t *testing.T) {
	s := newSite(t, "", "")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.startLogging(w)
	if err := errors.Join(w.Close(), s.submit("one@submit.example", "bob@example.net")); err != nil {
		t.Fatal(err)
	}
	s.await("delivery", func() bool { return s.accepted["one@submit.example bob@example.net"] == 1 })
	s.stop()
}

func TestTheLogTellsOfARefusal(t *testing.T) {
	s := newSite(t, "", "")
	s.start()
	if err := s.submit("one@submit.example", "bob@@example.net"); err == nil {
		t.Error("a recipient without a domain is taken")
	}
	s.stop()
	if log := s.log.String(); !strings.Contains(log, `msg="command refused" part=submission command=RCPT client=127.0.0.1:`) {
		t.Errorf("the log does not tell of it:\n%s", log)
	}
}
