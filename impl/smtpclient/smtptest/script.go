package smtptest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Play is a server that follows a script, and returns what went otherwise. The
// script has a line for each thing that happens:
//
//	S: text        the server sends text and CRLF
//	R: "text"      the server sends exactly this, a Go string
//	C: text        the client sends text and CRLF, and nothing else before
//	wait 5m        time passes
//	quiet 5m       time passes, and the client sends nothing in it
//	stall          the server reads no more
//	close, reset   the server ends the connection by FIN, or RST
//	eof            the client ends it
//
// Leading space and empty lines do not count. After the last line the client
// must close without another byte, unless the server did.
func Play(conn *Conn, script string) error {
	p := &player{conn: conn, r: bufio.NewReader(conn)}
	for i, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if err := p.step(line); err != nil {
			conn.Reset()
			return fmt.Errorf("line %d, %q: %w", i+1, line, err)
		}
	}
	if err := p.eof(); err != nil {
		conn.Reset()
		return fmt.Errorf("after the script: %w", err)
	}
	return nil
}

type player struct {
	conn *Conn
	r    *bufio.Reader
	over bool
}

func (p *player) step(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "S:":
		return p.send(rest + "\r\n")
	case "R:":
		text, err := strconv.Unquote(rest)
		if err != nil {
			return err
		}
		return p.send(text)
	case "C:":
		return p.expect(rest)
	case "wait", "quiet":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return err
		}
		return p.wait(d, word == "quiet")
	case "stall":
		p.conn.Stall()
	case "close":
		p.over = true
		return p.conn.Close()
	case "reset":
		p.over = true
		p.conn.Reset()
	case "eof":
		return p.eof()
	default:
		return fmt.Errorf("no such step")
	}
	return nil
}

func (p *player) send(text string) error {
	_, err := p.conn.Write([]byte(text))
	return err
}

func (p *player) expect(want string) error {
	got, err := p.r.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the client sent %q and then: %w", got, err)
	}
	if got != want+"\r\n" {
		return fmt.Errorf("the client sent %q", got)
	}
	return nil
}

func (p *player) wait(d time.Duration, quiet bool) error {
	time.Sleep(d)
	if !quiet {
		return nil
	}
	if p.r.Buffered() > 0 || p.conn.pending() > 0 {
		return fmt.Errorf("the client sent something")
	}
	return nil
}

func (p *player) eof() error {
	if p.over {
		return nil
	}
	p.over = true
	rest, err := io.ReadAll(p.r)
	if len(rest) > 0 || err != nil {
		return fmt.Errorf("the client sent %q, then %v", rest, err)
	}
	return nil
}

func (c *Conn) pending() int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return len(c.in.buf)
}
