package hostos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	// defaultTry limits one try to ask one server.
	defaultTry = 3 * time.Second
	// rounds is how often each server is asked that does not answer.
	rounds = 2
	// payload is the UDP size offered with EDNS (RFC 6891): what fits into one
	// packet nearly everywhere.
	payload = 1232
)

// An exchanger asks DNS servers. It has no state, and so none to share.
type exchanger struct {
	servers []string
	try     time.Duration
}

// exchange asks each server in turn until one answers NOERROR or NXDOMAIN.
// When none does, the last answer counts, and when there was none, the last
// error.
func (e *exchanger) exchange(ctx context.Context, query *dns.Msg) (*dns.Msg, error) {
	var answer *dns.Msg
	err := errors.New("no DNS server to ask")
	for round := 0; round < rounds && answer == nil; round++ {
		for _, server := range e.servers {
			got, failure := e.ask(ctx, server, query)
			if ctx.Err() != nil && failure != nil {
				return nil, ctx.Err()
			}
			if failure != nil {
				err = fmt.Errorf("DNS server %s: %w", server, failure)
				continue
			}
			answer = got
			if conclusive(got) {
				return got, nil
			}
		}
	}
	if answer != nil {
		return answer, nil
	}
	return nil, err
}

// conclusive reports whether another server need not be asked.
func conclusive(answer *dns.Msg) bool {
	return answer.Rcode == dns.RcodeSuccess || answer.Rcode == dns.RcodeNameError
}

// ask gets the whole answer of one server: over UDP, and over TCP when it does
// not fit. A server that does not understand EDNS is asked without (RFC 6891
// section 7).
func (e *exchanger) ask(ctx context.Context, server string, query *dns.Msg) (*dns.Msg, error) {
	extended := query.IsEdns0() == nil
	ours := query.Copy()
	if extended {
		ours.SetEdns0(payload, false)
	}
	answer, err := e.send(ctx, "udp", server, ours)
	if err == nil && extended && (answer.Rcode == dns.RcodeFormatError || answer.Rcode == dns.RcodeNotImplemented) {
		ours = query.Copy()
		answer, err = e.send(ctx, "udp", server, ours)
	}
	if err == nil && answer.Truncated {
		answer, err = e.send(ctx, "tcp", server, ours)
	}
	if err != nil {
		return nil, err
	}
	answer.Id = query.Id
	return answer, nil
}

// send sends query with an ID of its own from a port of its own, which makes a
// forged answer hard (RFC 5452), and waits for the answer that belongs to it.
func (e *exchanger) send(ctx context.Context, network, server string, query *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, e.try)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// The context's end, by time or by cancellation, ends every read and write.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	query.Id = dns.Id()
	messages := &dns.Conn{Conn: conn, UDPSize: payload}
	if err := messages.WriteMsg(query); err != nil {
		return nil, err
	}
	for {
		raw, err := messages.ReadMsgHeader(nil)
		if errors.Is(err, dns.ErrShortRead) {
			raw = nil
		} else if err != nil {
			return nil, err
		}
		answer := new(dns.Msg)
		err = answer.Unpack(raw)
		if err == nil && belongs(query, answer) {
			return answer, nil
		}
		if raw != nil && answer.Id == query.Id && err != nil {
			return nil, fmt.Errorf("malformed answer: %w", err)
		}
		if network != "udp" {
			return nil, errors.New("an answer to another query")
		}
		// Anybody can send a UDP packet: what does not belong is passed over.
	}
}

// belongs reports whether answer is one to query. Servers may leave out the
// question when they report an error.
func belongs(query, answer *dns.Msg) bool {
	if answer.Id != query.Id || !answer.Response || answer.Opcode != query.Opcode || len(query.Question) != 1 {
		return false
	}
	if len(answer.Question) == 0 {
		return !conclusive(answer)
	}
	asked, echoed := query.Question[0], answer.Question[0]
	return len(answer.Question) == 1 && strings.EqualFold(asked.Name, echoed.Name) &&
		asked.Qtype == echoed.Qtype && asked.Qclass == echoed.Qclass
}
