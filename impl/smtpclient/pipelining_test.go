package smtpclient

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postonce/postonce/impl/smtpclient/smtptest"
	"github.com/postonce/postonce/spec"
)

// Whatever a server answers, every recipient has the same result with and
// without pipelining.
func TestPipeliningChangesNoResult(t *testing.T) {
	reply := rapid.SampledFrom([]string{
		"250 ok\r\n", "250 ok\r\n", "250-a\r\n250 b\r\n", "354 go\r\n", "450 later\r\n", "421 bye\r\n", "550 5.1.1 no\r\n", "what\r\n",
		"250-a\r\n550 b\r\n", "", "cut",
	})
	data := rapid.SampledFrom([]string{
		"354 go\r\n", "354 go\r\n", "354 go\r\n", "250 ok\r\n", "450 later\r\n", "554 no\r\n", "421 bye\r\n", "", "cut",
	})
	rapid.Check(t, func(rt *rapid.T) {
		s := server{mail: reply.Draw(rt, "mail"), data: data.Draw(rt, "data"), dot: reply.Draw(rt, "dot")}
		s.rcpt = rapid.SliceOfN(reply, 1, 4).Draw(rt, "rcpt")
		s.fill = rapid.SampledFrom([]int{1, 200}).Draw(rt, "length")
		plain := s.results(t, false)
		pipelined := s.results(t, true)
		if diff := cmp.Diff(plain, pipelined); diff != "" {
			rt.Fatalf("results differ with pipelining (+):\n%s", diff)
		}
	})
}

// A server answers by command, not by order: "" is silence, "cut" closes.
type server struct {
	mail, data, dot string
	rcpt            []string
	// fill is how long a local part is: with long ones, groups are small.
	fill int
}

func (s server) results(t *testing.T, pipelining bool) (out []string) {
	synctest.Test(t, func(t *testing.T) {
		near, far := smtptest.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); s.serve(far, pipelining) }()
		tx := testTransaction(0)
		for i := range s.rcpt {
			tx.Recipients = append(tx.Recipients, fmt.Sprintf("%0*d@y", s.fill, i))
		}
		c := New(near, testOptions)
		for _, r := range deliver(t.Context(), c, tx) {
			out = append(out, fmt.Sprintf("%v %v %v %v", r.Stage, r.Event, spec.Decide(r.Stage, r.Event).Verdict, r.Reply))
		}
		c.Quit(t.Context())
		<-done
	})
	return out
}

func (s server) serve(conn *smtptest.Conn, pipelining bool) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 mx\r\n")
	content, dead := false, false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		answer := ""
		switch {
		case content && verb == ".":
			content, answer = false, s.dot
		case content:
			continue
		case verb == "EHLO" && pipelining:
			answer = "250-mx\r\n250 PIPELINING\r\n"
		case verb == "EHLO":
			answer = "250-mx\r\n250 HELP\r\n"
		case verb == "MAIL":
			answer = s.mail
		case verb == "RCPT":
			var i int
			fmt.Sscanf(strings.TrimPrefix(line, "RCPT TO:<"), "%d", &i)
			answer = s.rcpt[i]
		case verb == "DATA":
			answer, content = s.data, strings.HasPrefix(s.data, "354")
		case verb == "QUIT":
			answer = "221 bye\r\n"
		}
		// A server that left one command unanswered does nothing any more.
		dead = dead || answer == ""
		if dead {
			continue
		}
		if answer == "cut" {
			return
		}
		fmt.Fprint(conn, answer)
	}
}
