package mutants

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/postonce/postonce/spec/seam"
)

// Relays that do not hear what was said, or do not wait for it.

// reads makes the relay read a text where another was sent.
func reads(sent, read string) func(*seam.Host) {
	return func(h *seam.Host) {
		lined(h, func(l *line) {
			l.got = func(p []byte, err error) ([]byte, error) { return bytes.ReplaceAll(p, []byte(sent), []byte(read)), err }
		})
	}
}

// swapsReplies takes the refusal of one recipient for the acceptance of
// another.
func swapsReplies(h *seam.Host) {
	lined(h, func(l *line) {
		l.got = func(p []byte, err error) ([]byte, error) {
			if bytes.Contains(p, []byte("550 5.1.1")) {
				p = []byte(strings.NewReplacer("550 5.1.1", "250 2.1.5", "250 2.1.5", "550 5.1.1").Replace(string(p)))
			}
			return p, err
		}
	})
}

// cutIs554 takes a connection that ends for a permanent refusal.
func cutIs554(h *seam.Host) {
	lined(h, func(l *line) {
		l.got = func(p []byte, err error) ([]byte, error) {
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return []byte("554 5.4.2 Connection lost\r\n"), nil
			}
			return p, err
		}
	})
}

// hangsUp waits 20 seconds for the reply to the final dot, and takes none for
// a 451.
func hangsUp(h *seam.Host) {
	lined(h, func(l *line) {
		dot := false
		watch(l, func() {
			dot = true
			_ = l.Conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		})
		l.got = func(p []byte, err error) ([]byte, error) {
			if dot && err != nil {
				dot = false
				return []byte("451 4.4.2 No time\r\n"), nil
			}
			return p, err
		}
		l.Conn = undisturbed{l.Conn, &dot}
	})
}

// An undisturbed connection keeps its read deadline while it is to be kept.
type undisturbed struct {
	net.Conn
	keep *bool
}

func (u undisturbed) SetDeadline(t time.Time) error {
	if *u.keep {
		return u.SetWriteDeadline(t)
	}
	return u.Conn.SetDeadline(t)
}

// sendsAgain sends every message again, over another connection, four hours
// and a half later, and tells nobody.
func sendsAgain(h *seam.Host) {
	dial := h.Dial
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		conn, err := dial(ctx, from, addr)
		if err != nil {
			return nil, err
		}
		l := &line{Conn: conn, got: func(p []byte, err error) ([]byte, error) { return p, err }}
		var all []byte
		l.sent = func(p []byte) []byte {
			all = append(all, p...)
			if again := bytes.Clone(all); bytes.HasSuffix(p, []byte(".\r\n")) {
				time.AfterFunc(4*time.Hour+30*time.Minute, func() { repeat(dial, addr, again) })
			}
			return p
		}
		return l, nil
	}
}

// dialsPort25 never heard of another port.
func dialsPort25(h *seam.Host) {
	dial := h.Dial
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		return dial(ctx, from, strings.Replace(addr, ":587", ":25", 1))
	}
}

// answered changes the answers of the DNS.
func answered(change func(*dns.Msg)) func(*seam.Host) {
	return func(h *seam.Host) {
		exchange := h.Exchange
		h.Exchange = func(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
			answer, err := exchange(ctx, query)
			if err != nil {
				return nil, err
			}
			answer = answer.Copy()
			change(answer)
			return answer, nil
		}
	}
}

func servfailIsNoData(m *dns.Msg) {
	if m.Rcode == dns.RcodeServerFailure {
		m.Rcode = dns.RcodeSuccess
	}
}

// noNullMX never heard of RFC 7505.
func noNullMX(m *dns.Msg) {
	m.Answer = slices.DeleteFunc(m.Answer, func(rr dns.RR) bool {
		mx, ok := rr.(*dns.MX)
		return ok && mx.Mx == "."
	})
}

func servfailIsNXDomain(m *dns.Msg) {
	if m.Rcode == dns.RcodeServerFailure {
		m.Rcode = dns.RcodeNameError
	}
}

// lastRecord drops all but the last record of an answer about MX.
func lastRecord(m *dns.Msg) {
	if n := len(m.Answer); n > 1 && m.Question[0].Qtype == dns.TypeMX {
		m.Answer = m.Answer[n-1:]
	}
}

// aDay has every answer live for a day.
func aDay(m *dns.Msg) {
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		rr.Header().Ttl = 86_400
	}
}

// unstuffed sends dots at the beginning of a line as they are.
func unstuffed(h *seam.Host) {
	lined(h, func(l *line) {
		l.sent = func(p []byte) []byte { return bytes.ReplaceAll(p, []byte("\r\n.."), []byte("\r\n.")) }
	})
}
