package mutants

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec/seam"
)

// Relays that are wrong about their connections.

// pipelined puts a line on every connection whose replies to a pipeline are
// changed: what was sent in one go with other commands.
func pipelined(change func(*line) func([]byte) []byte) func(*seam.Host) {
	return func(h *seam.Host) {
		lined(h, func(l *line) {
			several, changed := false, change(l)
			l.sent = func(p []byte) []byte {
				several = bytes.Count(p, []byte("RCPT TO:")) > 0 && bytes.Count(p, []byte("\r\n")) > 1
				return p
			}
			l.got = func(p []byte, err error) ([]byte, error) {
				if several {
					p = changed(p)
				}
				return p, err
			}
		})
	}
}

var temporary = regexp.MustCompile(`(?m)^45(\d) 4\.`)

// forGood reads every 45z as 55z.
func forGood(*line) func([]byte) []byte {
	return func(p []byte) []byte { return temporary.ReplaceAll(p, []byte("55$1 5.")) }
}

// shifts gives the refusal of a recipient to the one after it.
func shifts(*line) func([]byte) []byte {
	var owed []byte
	return func(p []byte) []byte {
		var all []byte
		for reply := range bytes.Lines(p) {
			switch {
			case owed == nil && bytes.HasPrefix(reply, []byte("550 ")):
				owed, reply = bytes.Clone(reply), []byte("250 2.1.5 Recipient ok\r\n")
			case owed != nil && bytes.HasPrefix(reply, []byte("250 ")):
				owed, reply = nil, owed
			}
			all = append(all, reply...)
		}
		return all
	}
}

// A stale connection is one that the relay closed without a QUIT, because it
// broke or was given up.
type stale struct {
	*line
	quit bool
	keep func(*stale)
}

func (s *stale) Write(p []byte) (int, error) {
	s.quit = s.quit || bytes.HasSuffix(p, []byte("QUIT\r\n"))
	return s.line.Write(p)
}

func (s *stale) Close() error {
	if !s.quit {
		s.keep(s)
		return nil
	}
	return s.line.Close()
}

// reusesStale keeps connections that it did not end in good order, and uses
// them again for the next mail to that address.
func reusesStale(h *seam.Host) {
	dial, kept := h.Dial, map[string]*stale{}
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		if s := kept[addr]; s != nil {
			delete(kept, addr)
			s.rest = []byte("220 Still here\r\n")
			return s, nil
		}
		conn, err := dial(ctx, from, addr)
		if err != nil {
			return nil, err
		}
		l := &line{
			Conn: conn, sent: func(p []byte) []byte { return p },
			got: func(p []byte, err error) ([]byte, error) { return p, err },
		}
		return &stale{line: l, keep: func(s *stale) { kept[addr] = s }}, nil
	}
}

// goesOn takes a lost reply to the dot for a reason to try the other hosts of
// the domain.
func goesOn(h *seam.Host) {
	var hosts []string
	answered(func(m *dns.Msg) {
		for _, rr := range m.Answer {
			if mx, ok := rr.(*dns.MX); ok && !slices.Contains(hosts, mx.Mx) {
				hosts = append(hosts, mx.Mx)
			}
		}
	})(h)
	dial, exchange := h.Dial, h.Exchange
	lined(h, func(l *line) {
		var all []byte
		l.sent = func(p []byte) []byte {
			all = append(all, p...)
			return p
		}
		l.got = func(p []byte, err error) ([]byte, error) {
			if err == nil || !bytes.HasSuffix(all, []byte("\r\n.\r\n")) {
				return p, err
			}
			for _, host := range hosts {
				answer, failed := exchange(context.Background(), new(dns.Msg).SetQuestion(host, dns.TypeA))
				if failed != nil || len(answer.Answer) == 0 {
					continue
				}
				a, ok := answer.Answer[0].(*dns.A)
				if !ok || l.RemoteAddr().String() == a.A.String()+":25" {
					continue
				}
				if reply := repeat(dial, a.A.String()+":25", all); len(reply) > 0 {
					return reply, nil
				}
			}
			return p, err
		}
	})
}

// repeat sends a conversation again, a command at a time, and returns the last
// reply.
func repeat(dial func(context.Context, netip.Addr, string) (net.Conn, error), addr string, all []byte) []byte {
	conn, err := dial(context.Background(), netip.Addr{}, addr)
	if err != nil {
		return nil
	}
	defer conn.Close()
	say := func(p []byte) []byte {
		_, _ = conn.Write(p)
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		reply := make([]byte, 4096)
		n, _ := conn.Read(reply)
		return reply[:n]
	}
	say(nil)
	head, content, _ := bytes.Cut(all, []byte("DATA\r\n"))
	for command := range bytes.Lines(head) {
		say(command)
	}
	say([]byte("DATA\r\n"))
	last := say(content)
	say([]byte("QUIT\r\n"))
	return last
}
