package record

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/spec"
)

// Bounds on what a line has and on what is kept of a reply.
const (
	maxLine  = 64 << 10
	maxReply = 16 << 10
)

// A session is one connection of a client, and the one to the server that belongs
// to it. Two goroutines pass on bytes, one in each direction; what must be known
// in both stands under mu.
type session struct {
	r      *Recorder
	client net.Conn

	mu     sync.Mutex
	cond   *sync.Cond
	server net.Conn
	closed bool
	// asked are commands without a reply; code is that of the last reply.
	asked []ask
	code  int
	// lastReply is when it was whole; content is true while content is sent, of
	// which so many bytes were.
	lastReply time.Time
	lastStage spec.Stage
	content   bool
	sent      int
	secure    bool
	mail      *transaction
	// over is true when a direction has ended: the other side's end is then no
	// news.
	clientGone, serverGone, quit bool

	in, out *bufio.Reader // from the client, from the server
}

// An ask is a command that waits for its reply.
type ask struct {
	stage spec.Stage
	to    string
	at    time.Time
}

func newSession(r *Recorder, client net.Conn) *session {
	s := &session{r: r, client: client, in: bufio.NewReaderSize(client, maxLine)}
	s.cond = sync.NewCond(&s.mu)
	return s
}

// close breaks both connections off.
func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.client.Close()
	if s.server != nil {
		_ = s.server.Close()
	}
	s.cond.Broadcast()
}

// run passes on a whole session.
func (s *session) run(ctx context.Context) {
	defer s.close()
	dialer := net.Dialer{Timeout: DialTimeout}
	began := s.r.Now()
	server, err := dialer.DialContext(ctx, "tcp", s.r.To)
	if err != nil {
		s.unreached(err)
		return
	}
	s.mu.Lock()
	s.server, s.out = server, bufio.NewReaderSize(server, maxLine)
	s.asked, s.lastReply = []ask{{stage: spec.StageGreeting, at: began}}, began
	closed := s.closed
	s.mu.Unlock()
	if closed {
		_ = server.Close()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.replies()
	}()
	s.commands()
	<-done
}

// unreached notes that the server could not be connected to.
func (s *session) unreached(err error) {
	network := "unreachable"
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ENOTCONN):
		// It took the connection, and cut it before it could be used here.
		s.r.note(draft.Event{Stage: spec.StageGreeting, End: draft.Cut})
		reset(s.client)
		return
	case errors.Is(err, syscall.ECONNREFUSED):
		network = "refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		network = "silent"
	}
	s.r.trouble("the server could not be reached: %v", err)
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if len(s.r.host.Events) == 0 {
		s.r.host.Network = network
	}
	reset(s.client)
}

// reset has a connection end with RST.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// commands passes on what the client says.
func (s *session) commands() {
	for {
		line, err := readLine(s.in)
		if len(line) > 0 {
			if verb := s.command(line); !s.pass(line) || !s.follow(verb, line) {
				return
			}
		}
		if err != nil {
			s.left()
			return
		}
	}
}

// readLine reads up to the end of a line, or as much as there is room for.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return bytes.Clone(line), err
}

// pass sends on what came from the client.
func (s *session) pass(data []byte) bool {
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	_, err := server.Write(data)
	return err == nil
}

// command notes a command of which the reply is due, and returns its verb.
func (s *session) command(line []byte) string {
	text := strings.TrimRight(string(line), "\r\n")
	verb, args, _ := strings.Cut(text, " ")
	verb = strings.ToUpper(verb)
	a := ask{at: s.r.Now()}
	switch verb {
	case "EHLO":
		a.stage = spec.StageEHLO
	case "HELO":
		a.stage = spec.StageHELO
	case "STARTTLS":
		a.stage = spec.StageSTARTTLS
	case "AUTH":
		a.stage = spec.StageAUTH
		s.r.loggedIn(s.isSecure())
	case "MAIL":
		a.stage = spec.StageMAIL
		s.envelope(args, a.at)
	case "RCPT":
		a.stage, a.to = spec.StageRCPT, path(args)
		s.mu.Lock()
		if s.mail != nil && a.to != "" {
			s.mail.To = append(s.mail.To, a.to)
		}
		s.mu.Unlock()
	case "DATA":
		a.stage = spec.StageDATA
	case "BDAT":
		if a.stage = spec.StageBDAT; strings.HasSuffix(strings.ToUpper(args), " LAST") {
			a.stage = spec.StageDot
		}
	case "RSET":
		a.stage = spec.StageRSET
	case "QUIT":
		a.stage = spec.StageQUIT
	default:
		a.stage = 0 // of NOOP and its like nothing is kept
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quit = s.quit || verb == "QUIT"
	s.asked = append(s.asked, a)
	return verb
}

// envelope begins a transaction.
func (s *session) envelope(args string, at time.Time) {
	t := &transaction{Mail: draft.Mail{At: at.Sub(s.r.began), From: path(args)}}
	for _, word := range strings.Fields(strings.ToUpper(args)) {
		if size, ok := strings.CutPrefix(word, "SIZE="); ok {
			t.Size, _ = strconv.ParseInt(size, 10, 64) // what is no number is none
		}
		t.EightBit = t.EightBit || word == "BODY=8BITMIME"
	}
	s.mu.Lock()
	s.mail = t
	s.mu.Unlock()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.mails = append(s.r.mails, t)
}

// path returns what stands between angle brackets.
func path(args string) string {
	_, text, _ := strings.Cut(args, "<")
	address, _, _ := strings.Cut(text, ">")
	return address
}

func (s *session) isSecure() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secure
}

// follow does what comes after a command that is not the next one.
func (s *session) follow(verb string, line []byte) bool {
	switch verb {
	case "STARTTLS":
		return s.answered() > 0
	case "DATA":
		return s.answered() != 354 || s.body()
	case "AUTH":
		for s.answered() == 334 {
			said, err := readLine(s.in) // a secret, which is passed on and forgotten
			s.mu.Lock()
			s.asked = append(s.asked, ask{stage: spec.StageAUTH, at: s.r.Now()})
			s.mu.Unlock()
			if err != nil || !s.pass(said) {
				s.left()
				return false
			}
		}
		return true
	case "BDAT":
		return s.chunk(strings.Fields(string(line)))
	}
	return true
}

// chunk passes on what follows a BDAT.
func (s *session) chunk(words []string) bool {
	if len(words) < 2 {
		return true
	}
	n, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || n < 0 {
		return true // the server will say what it thinks of that
	}
	s.mu.Lock()
	server := s.server
	if s.mail != nil {
		s.mail.Size = max(s.mail.Size, n)
	}
	s.mu.Unlock()
	_, err = io.CopyN(server, s.in, n)
	return err == nil
}

// answered waits until no command is without a reply, and returns the code of the
// last one; 0 when the session is over.
func (s *session) answered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.asked) > 0 && !s.serverGone && !s.closed {
		s.cond.Wait()
	}
	if s.serverGone || s.closed {
		return 0
	}
	return s.code
}

// body passes on content up to the final dot.
func (s *session) body() bool {
	begin := true // of a line
	for {
		line, err := readLine(s.in)
		end := begin && string(line) == ".\r\n"
		s.mu.Lock()
		if end {
			s.content, s.asked = false, append(s.asked, ask{stage: spec.StageDot, at: s.r.Now()})
		} else if s.sent += len(line); s.mail != nil {
			s.mail.Size = int64(s.sent)
		}
		s.mu.Unlock()
		if len(line) > 0 && !s.pass(line) {
			return false
		}
		switch begin = bytes.HasSuffix(line, []byte("\n")); {
		case end:
			return true
		case err != nil:
			s.left()
			return false
		}
	}
}

// grace is how long a server has to end the connection itself, when the client has
// gone and owes nothing: after a 421 both do so at once, and who was first is what
// the story is about.
const grace = time.Second

// left notes that the client went, maybe without a reply that was due.
func (s *session) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := false
	defer time.AfterFunc(grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		over = true
		s.cond.Broadcast()
	}).Stop()
	for len(s.asked) == 0 && !s.quit && !over && !s.serverGone && !s.closed {
		s.cond.Wait()
	}
	if s.clientGone = true; s.serverGone || s.closed {
		return
	}
	if len(s.asked) > 0 && !s.quit && s.asked[0].stage != 0 {
		s.r.note(draft.Event{Stage: s.asked[0].stage, To: s.asked[0].to, End: draft.Left})
	}
	_ = s.server.Close()
}

// secured takes both connections to TLS.
func (s *session) secured() bool {
	host, _, _ := net.SplitHostPort(s.r.To)
	e := draft.Event{Stage: spec.StageHandshake}
	conn := tls.Client(s.server, &tls.Config{
		ServerName: host, InsecureSkipVerify: true, // what is shown is judged, and recorded
		VerifyConnection: func(state tls.ConnectionState) error {
			e.Show = s.r.judge(state, host)
			return nil
		},
	})
	if err := conn.Handshake(); err != nil {
		e.End = ended(err)
		s.r.note(e)
		return false
	}
	s.r.note(e)
	client := tls.Server(s.client, &tls.Config{Certificates: []tls.Certificate{s.r.certificate}})
	if err := client.Handshake(); err != nil {
		s.r.trouble("the client gave up the handshake with the proxy, whose certificate nobody knows: %v", err)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client, s.server, s.secure = client, conn, true
	s.in, s.out = bufio.NewReaderSize(client, maxLine), bufio.NewReaderSize(conn, maxLine)
	return true
}
