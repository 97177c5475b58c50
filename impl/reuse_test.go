package impl_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/hostos"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam/seamtest"
)

// Over TCP: two mails over one connection; then the server closes it while it is
// idle, and the third one goes over another.
func TestMailsShareAConnectionOverTCP(t *testing.T) {
	script, err := fakesmtp.ParseScript("server", 1, "at idle, connection 1, nth 2: 421 4.4.2 Bye; fin")
	if err != nil {
		t.Fatal(err)
	}
	closed, kept := make(chan string, 1), make(chan int64, 3)
	server := fakesmtp.NewServer("server", script, func(f spec.Fact) {
		if f.Kind == spec.FactReply && f.Stage == spec.StageIdle {
			closed <- f.Reply
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // until it is closed
	defer server.Close()
	store, err := new(seamtest.Memory).Open()
	if err != nil {
		t.Fatal(err)
	}
	host, err := hostos.New(hostos.Config{Store: store, Resolvers: []string{"127.0.0.1"}, Note: func(f spec.Fact) {
		if f.Kind == spec.FactIdle {
			kept <- f.Count
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	policy := spec.DefaultPolicy("relay.example")
	policy.Relays, policy.Reuse.Idle = []string{l.Addr().String()}, time.Minute
	relay, err := impl.New(impl.Config{Policy: policy}, host)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()
	for i := range 3 {
		id := fmt.Sprintf("m%d@example.org", i)
		envelope := spec.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.net"}}
		if _, err := relay.Submit(ctx, envelope, id, strings.NewReader("Message-ID: <"+id+">\r\n\r\nhello\r\n")); err != nil {
			t.Fatal(err)
		}
		want := int64(i + 1)
		if i == 2 {
			want = 1
		}
		if n := <-kept; n != want {
			t.Errorf("after mail %d the connection has carried %d, want %d", i+1, n, want)
		}
		if i == 1 {
			<-closed
		}
	}
	cancel() // and QUIT is said
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := len(server.Accepted()); n != 3 {
		t.Errorf("%d mails were taken, want 3", n)
	}
}
