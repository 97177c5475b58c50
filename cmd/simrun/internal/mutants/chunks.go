package mutants

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/postonce/postonce/impl/wire"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// Relays that are wrong about chunks, and about a server's limits.
func ofChunks() []Mutant {
	return []Mutant{
		{"lets-the-last-chunk-go-first", "says LAST with the content, before the intent is stored", spec.NeverTwice,
			"chunking/crash-after-acceptance-report", seamed(lastFirst)},
		{"falls-back-to-data", "sends by DATA what it had sent by BDAT, when the reply to the last chunk is lost", spec.NeverTwice, "chunking/lost-reply",
			seamed(fallsBack)},
		{"chunks-unasked", "says BDAT wherever it is offered, though policy says off", spec.WireLawful, "chunking/off",
			changed(func(p *spec.Policy) { p.Chunking = true })},
		{"knows-no-rcptmax", "names more recipients than the server says that it takes", spec.WireLawful, "limits/rcptmax",
			seamed(reads("RCPTMAX=", "XCPTMAX="))},
	}
}

// lastFirst makes the only chunk of a message the last, and says nothing when
// that would be due.
func lastFirst(h *seam.Host) {
	lined(h, func(l *line) {
		l.sent = func(p []byte) []byte {
			if string(p) == wire.LastChunk {
				l.rest = []byte("250 2.0.0 As I said\r\n")
				return nil
			}
			if command, content, ok := bytes.Cut(p, []byte("\r\n")); ok && bytes.HasPrefix(p, []byte("BDAT ")) {
				return fmt.Appendf(nil, "%s LAST\r\n%s", command, content)
			}
			return p
		}
	})
}

// fallsBack sends again by DATA, over another connection.
func fallsBack(h *seam.Host) {
	dial := h.Dial
	h.Dial = func(ctx context.Context, from netip.Addr, addr string) (net.Conn, error) {
		conn, err := dial(ctx, from, addr)
		if err != nil {
			return nil, err
		}
		var all []byte
		l := &line{Conn: conn}
		l.sent = func(p []byte) []byte {
			all = append(all, p...)
			return p
		}
		l.got = func(p []byte, err error) ([]byte, error) {
			if err == nil || !bytes.HasSuffix(all, []byte(wire.LastChunk)) {
				return p, err
			}
			if reply := repeat(dial, addr, byDATA(all)); len(reply) > 0 {
				return reply, nil
			}
			return p, err
		}
		return l, nil
	}
}

// byDATA is a conversation with DATA instead of BDAT.
func byDATA(all []byte) []byte {
	head, rest, _ := bytes.Cut(all, []byte("BDAT "))
	said := append(bytes.Clone(head), "DATA\r\n"...)
	for {
		size, after, ok := bytes.Cut(rest, []byte("\r\n"))
		n, err := strconv.Atoi(string(size))
		if !ok || err != nil || n > len(after) {
			return append(said, ".\r\n"...)
		}
		said = append(said, after[:n]...)
		rest = bytes.TrimPrefix(after[n:], []byte("BDAT "))
	}
}
