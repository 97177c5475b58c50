package fakesmtp_test

import (
	"fmt"
	"net"
	"net/smtp"

	"github.com/postonce/postonce/fakesmtp"
)

// A server that greylists bob and loses the reply to the first message.
func Example() {
	script, err := fakesmtp.ParseScript("mx1", 1, `
		at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted
		at dot, first 1: accept; cut
	`)
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := fakesmtp.NewServer("mx1.example.net", script, nil)
	served := make(chan error)
	go func() { served <- server.Serve(l) }()

	message := []byte("Message-ID: <m1@example.org>\r\n\r\nHello\r\n")
	for range 3 {
		err := smtp.SendMail(l.Addr().String(), nil, "alice@example.org", []string{"bob@example.net"}, message)
		fmt.Println("sent:", err == nil)
	}
	if err := server.Close(); err != nil {
		fmt.Println(err)
	}
	if err := <-served; err != nil {
		fmt.Println(err)
	}
	for _, a := range server.Accepted() {
		fmt.Println("accepted:", a.Message, "for", a.To)
	}
	// Output:
	// sent: false
	// sent: false
	// sent: true
	// accepted: m1@example.org for [bob@example.net]
	// accepted: m1@example.org for [bob@example.net]
}

func ExampleParseScript() {
	_, err := fakesmtp.ParseScript("story.txtar", 7, "at rcpt, frist 1: 451 4.7.1 Greylisted")
	fmt.Println(err)
	// Output:
	// story.txtar:7:10: unknown condition "frist"
	// 	at rcpt, frist 1: 451 4.7.1 Greylisted
	// 	         ^
	// 	did you mean "first"?
}
