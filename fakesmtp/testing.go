package fakesmtp

import (
	"net"
	"testing"

	"github.com/postonce/postonce/spec"
)

// New starts a server that follows script on a loopback address (Server.Addr)
// and closes it when the test ends. It calls itself mx.test, which is the name in
// its certificates. A client that breaks the protocol fails the test; for one that
// should, use NewServer.
func New(t testing.TB, script string) *Server {
	t.Helper()
	parsed, err := ParseScript(t.Name(), 1, script)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer("mx.test", parsed, func(f spec.Fact) {
		if f.Kind == spec.FactUnlawful {
			t.Errorf("the client is unlawful at %s: %s", f.Stage, f.Text)
		}
	})
	s.add(l)
	go func() {
		defer s.running.Done()
		if err := s.loop(l); err != nil {
			t.Errorf("accept: %v", err)
		}
	}()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
