package smtptest

import (
	"bufio"
	"crypto/tls"
	"errors"
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
//	B: "text"      the client sends exactly this, a Go string
//	wait 5m        time passes
//	quiet 5m       time passes, and the client sends nothing in it
//	stall          the server reads no more
//	close, reset   the server ends the connection by FIN, or RST
//	tls            the server does its part of a handshake, and goes on under TLS
//	eof            the client ends it
//
// Leading space and empty lines do not count. After the last line the client
// must close without another byte, unless the server did.
func Play(conn *Conn, script string) error { return PlayTLS(conn, nil, script) }

// PlayTLS is Play for a script with a handshake, which goes by config.
func PlayTLS(conn *Conn, config *tls.Config, script string) error {
	p := &player{conn: conn, config: config, r: bufio.NewReader(conn), w: conn}
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
	conn   *Conn
	config *tls.Config
	// r and w are conn, or TLS over it.
	r    *bufio.Reader
	w    io.Writer
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
	case "B:":
		text, err := strconv.Unquote(rest)
		if err != nil {
			return err
		}
		return p.expectBytes(text)
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
	case "tls":
		return p.handshake()
	case "eof":
		return p.eof()
	default:
		return fmt.Errorf("no such step")
	}
	return nil
}

func (p *player) send(text string) error {
	_, err := p.w.Write([]byte(text))
	return err
}

// handshake demands that the client has waited for it.
func (p *player) handshake() error {
	if n := p.r.Buffered(); n > 0 {
		return fmt.Errorf("the client sent %d bytes before", n)
	}
	t := tls.Server(p.conn, p.config)
	if err := t.Handshake(); err != nil {
		return err
	}
	p.r, p.w = bufio.NewReader(t), t
	return nil
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

func (p *player) expectBytes(want string) error {
	got := make([]byte, len(want))
	n, err := io.ReadFull(p.r, got)
	if err != nil || string(got) != want {
		return fmt.Errorf("the client sent %q and then: %w", got[:n], err)
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
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // under TLS: the connection was dropped without a word
	}
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
