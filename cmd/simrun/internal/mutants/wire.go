package mutants

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec/seam"
)

// A line is a connection that is tampered with, as the relay sees it.
type line struct {
	net.Conn
	// sent and got see what is written, and what was read or why nothing was;
	// they return what goes on instead.
	sent func([]byte) []byte
	got  func([]byte, error) ([]byte, error)
	rest []byte
}

func (l *line) Write(p []byte) (int, error) {
	if _, err := l.Conn.Write(l.sent(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *line) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		n, err := l.Conn.Read(p)
		rest, err := l.got(slices.Clone(p[:n]), err)
		if err != nil {
			return 0, err
		}
		l.rest = rest
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// lined puts a line of its own on every connection that the relay makes.
func lined(h *seam.Host, make func(*line)) {
	dial := h.Dial
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		conn, err := dial(ctx, from, addr)
		if err != nil {
			return nil, err
		}
		l := &line{
			Conn: conn, sent: func(p []byte) []byte { return p },
			got: func(p []byte, err error) ([]byte, error) { return p, err },
		}
		make(l)
		return l, nil
	}
}

// watch calls dotted when the final dot has been written.
func watch(l *line, dotted func()) {
	l.sent = func(p []byte) []byte {
		if bytes.HasSuffix(p, []byte(".\r\n")) {
			dotted()
		}
		return p
	}
}

func cutIs451(h *seam.Host) {
	lined(h, func(l *line) {
		dot := false
		watch(l, func() { dot = true })
		l.got = func(p []byte, err error) ([]byte, error) {
			if dot && err != nil {
				dot = false
				return []byte("451 4.4.2 Connection lost, try again later\r\n"), nil
			}
			return p, err
		}
	})
}

func refusalIs250(h *seam.Host) {
	lined(h, func(l *line) {
		dot := false
		watch(l, func() { dot = true })
		l.got = func(p []byte, err error) ([]byte, error) {
			if dot && len(p) > 0 && p[0] == '5' {
				return []byte("250 2.0.0 Surely fine\r\n"), err
			}
			return p, err
		}
	})
}

func refusalIsTemporary(h *seam.Host) {
	lined(h, func(l *line) {
		l.got = func(p []byte, err error) ([]byte, error) {
			p = bytes.ReplaceAll(p, []byte("550 5."), []byte("450 4."))
			return p, err
		}
	})
}

func bareLF(h *seam.Host) {
	lined(h, func(l *line) {
		l.sent = func(p []byte) []byte {
			if bytes.Contains(p, []byte("\r\n\r\n")) {
				return bytes.ReplaceAll(p, []byte("\r\n\r\n"), []byte("\n\n"))
			}
			return p
		}
	})
}

func reversedMX(h *seam.Host) {
	exchange := h.Exchange
	h.Exchange = func(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
		answer, err := exchange(ctx, query)
		if err != nil {
			return nil, err
		}
		answer = answer.Copy()
		for _, rr := range answer.Answer {
			if mx, ok := rr.(*dns.MX); ok {
				mx.Preference = 1000 - mx.Preference
			}
		}
		return answer, nil
	}
}
