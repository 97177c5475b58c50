package fakesmtp_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/spec"
)

// In a test one line starts a server, and the end of the test closes it. What the
// client does that SMTP forbids fails the test.
func ExampleNew() {
	_ = func(t *testing.T) {
		server := fakesmtp.New(t, `at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted`)
		send := func() error {
			return smtp.SendMail(server.Addr(), nil, "alice@example.org", []string{"bob@example.net"}, []byte("Subject: Hi\r\n\r\nHello\r\n"))
		}
		if err := send(); err == nil {
			t.Error("bob is not greylisted")
		}
		if err := send(); err != nil {
			t.Error(err)
		}
		if n := len(server.Accepted()); n != 1 {
			t.Errorf("%d messages came", n)
		}
	}
}

// serve runs a server on a loopback address until the function that it returns is
// called.
func serve(name, script string, note func(spec.Fact)) (server *fakesmtp.Server, addr string, end func()) {
	parsed, err := fakesmtp.ParseScript(name, 1, script)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server = fakesmtp.NewServer(name, parsed, note)
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	return server, l.Addr().String(), func() {
		if err := errors.Join(server.Close(), <-served); err != nil {
			panic(err)
		}
	}
}

// Everything that happens at a server is a fact: here those of its replies.
func ExampleNewServer() {
	var replies []string
	_, addr, end := serve("mx.example.net", "at mail: 550 5.7.1 Not you", func(f spec.Fact) {
		if f.Kind == spec.FactReply {
			replies = append(replies, fmt.Sprintf("%v: %s", f.Stage, strings.ReplaceAll(f.Reply, "\n", " ")))
		}
	})
	_ = smtp.SendMail(addr, nil, "alice@example.org", []string{"bob@example.net"}, nil)
	end()
	fmt.Println(replies[0])
	fmt.Println(replies[len(replies)-1])
	// Output:
	// greeting: 220 mx.example.net ESMTP
	// mail: 550 5.7.1 Not you
}

// A client that trusts Authorities finds the certificate of a server good, unless
// the script shows another one.
func ExampleAuthorities() {
	roots, err := fakesmtp.Authorities()
	if err != nil {
		fmt.Println(err)
		return
	}
	_, addr, end := serve("mx.example.net", "offer STARTTLS\nat handshake, nth 2: present expired", nil)
	defer end()
	for range 2 {
		c, err := smtp.Dial(addr)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.StartTLS(&tls.Config{ServerName: "mx.example.net", RootCAs: roots}) == nil)
		_ = c.Close()
	}
	// Output:
	// true
	// false
}

// A rule that was never reached is mostly a mistake of the test.
func ExampleServer_Unused() {
	server, addr, end := serve("mx.example.net", "at dot, first 1: accept; cut\nat rset: 500 What?", nil)
	_ = smtp.SendMail(addr, nil, "alice@example.org", []string{"bob@example.net"}, []byte("Hello\r\n"))
	end()
	for _, rule := range server.Unused() {
		fmt.Println(rule)
	}
	// Output:
	// at rset: 500 What?
}

// Personas are rules that have a name.
func ExamplePersonas() {
	for _, p := range fakesmtp.Personas()[:2] {
		fmt.Printf("persona %s %s\n", p.Name, p.Meaning)
	}
	// Output:
	// persona greylister refuses every new pair of sender and recipient once
	// persona tarpit takes 30 seconds for every answer
}
