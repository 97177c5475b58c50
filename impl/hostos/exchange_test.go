package hostos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"
	"github.com/miekg/dns"

	"github.com/postonce/postonce/impl/resolve"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

// host returns a Host that asks the servers given.
func host(t *testing.T, try time.Duration, servers ...string) seam.Host {
	t.Helper()
	h, err := New(Config{Resolvers: servers, ResolverTimeout: try})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// serve runs a DNS server on one loopback port, for UDP and TCP.
func serve(t *testing.T, udp, tcp dns.HandlerFunc) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: udp}, {Listener: listener, Handler: tcp}} {
		started, done := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(done)
			_ = s.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			<-done
		})
	}
	return listener.Addr().String()
}

// answerWith answers with n address records.
func answerWith(n int) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(query)
		for i := range n {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: query.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60},
				A:   net.IPv4(192, 0, 2, byte(i)),
			})
		}
		_ = w.WriteMsg(m)
	}
}

func answerRcode(rcode int) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		m := new(dns.Msg)
		m.SetRcode(query, rcode)
		_ = w.WriteMsg(m)
	}
}

func silent(dns.ResponseWriter, *dns.Msg) {}

func question() *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Id: 4711, RecursionDesired: true},
		Question: []dns.Question{{Name: "mx.example.net.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}}
}

const (
	patient = 10 * time.Second // for tries that are answered
	brief   = 50 * time.Millisecond
)

func TestResolveAsksARealServer(t *testing.T) {
	server, err := mockdns.NewServerWithLogger(map[string]mockdns.Zone{
		"example.net.":     {MX: []net.MX{{Host: "mx1.example.net.", Pref: 10}, {Host: "mx2.example.net.", Pref: 20}}},
		"mx1.example.net.": {A: []string{"192.0.2.10"}, AAAA: []string{"2001:db8::10"}},
	}, log.New(io.Discard, "", 0), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	h := host(t, patient, server.LocalAddr().String())
	c := resolve.Client{Exchange: h.Exchange}

	answer := c.MX(t.Context(), "example.net")
	if len(answer.MX) != 2 || answer.MX[0].Host != "mx1.example.net." || answer.MX[0].Preference != 10 {
		t.Errorf("MX: %+v", answer)
	}
	if answer := c.MX(t.Context(), "nowhere.example"); answer.Event != spec.NoDomain {
		t.Errorf("MX of a domain that does not exist: %+v", answer)
	}
	addrs, _, problem := c.Addresses(t.Context(), "mx1.example.net")
	if problem != nil || fmt.Sprint(addrs) != "[192.0.2.10 2001:db8::10]" {
		t.Errorf("addresses %v, %v", addrs, problem)
	}
}

func TestTruncatedAnswerIsAskedForAgainOverTCP(t *testing.T) {
	truncate := func(w dns.ResponseWriter, query *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(query)
		m.Truncated = true
		_ = w.WriteMsg(m)
	}
	h := host(t, patient, serve(t, truncate, answerWith(200)))
	query := question()
	answer, err := h.Exchange(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Truncated || len(answer.Answer) != 200 || answer.Id != 4711 {
		t.Errorf("truncated %v, %d records, id %d", answer.Truncated, len(answer.Answer), answer.Id)
	}
	if query.Id != 4711 || query.IsEdns0() != nil {
		t.Errorf("the caller's query was changed: %v", query)
	}
}

func TestQueriesOfferEDNSAndHaveUnlikeIDs(t *testing.T) {
	ids := make(chan uint16, 16)
	h := host(t, patient, serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if opt := query.IsEdns0(); opt == nil || opt.UDPSize() != payload {
			t.Errorf("EDNS: %v", opt)
		}
		ids <- query.Id
		answerWith(30)(w, query) // more than the 512 octets of plain DNS
	}, silent))
	seen := map[uint16]bool{}
	for range 8 {
		answer, err := h.Exchange(t.Context(), question())
		if err != nil || len(answer.Answer) != 30 {
			t.Fatal(answer, err)
		}
		seen[<-ids] = true
	}
	if len(seen) < 4 {
		t.Errorf("8 queries had the IDs %v", seen)
	}
}

func TestServerWithoutEDNSIsAskedWithout(t *testing.T) {
	h := host(t, patient, serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if query.IsEdns0() != nil {
			answerRcode(dns.RcodeFormatError)(w, query)
			return
		}
		answerWith(1)(w, query)
	}, silent))
	if answer, err := h.Exchange(t.Context(), question()); err != nil || len(answer.Answer) != 1 {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestForgedAnswersArePassedOver(t *testing.T) {
	forge := func(w dns.ResponseWriter, query *dns.Msg) {
		_, _ = w.Write([]byte("short"))
		for _, spoil := range []func(*dns.Msg){
			func(m *dns.Msg) { m.Id++ },
			func(m *dns.Msg) { m.Question[0].Name = "other.example." },
			func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeMX },
			func(m *dns.Msg) { m.Question = nil },
			func(m *dns.Msg) { m.Response = false },
		} {
			m := new(dns.Msg)
			m.SetReply(query)
			spoil(m)
			_ = w.WriteMsg(m)
		}
		answerWith(3)(w, query)
	}
	h := host(t, patient, serve(t, forge, silent))
	if answer, err := h.Exchange(t.Context(), question()); err != nil || len(answer.Answer) != 3 {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestMalformedAnswerIsAnError(t *testing.T) {
	h := host(t, patient, serve(t, func(w dns.ResponseWriter, query *dns.Msg) {
		raw := []byte{byte(query.Id >> 8), byte(query.Id), 0x80, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0xff}
		_, _ = w.Write(raw)
	}, silent))
	if answer, err := h.Exchange(t.Context(), question()); err == nil {
		t.Errorf("got %v", answer)
	}
}

func TestNextServerIsAskedWhenOneFails(t *testing.T) {
	good := serve(t, answerWith(1), silent)
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, bad := range map[string]string{
		"SERVFAIL": serve(t, answerRcode(dns.RcodeServerFailure), silent),
		"REFUSED":  serve(t, answerRcode(dns.RcodeRefused), silent),
		"silent":   serve(t, silent, silent),
		"closed":   closed.LocalAddr().String(),
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, 500*time.Millisecond, bad, good)
			if answer, err := h.Exchange(t.Context(), question()); err != nil || len(answer.Answer) != 1 {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
}

func TestNXDOMAINIsAskedOfOneServerOnly(t *testing.T) {
	var others atomic.Int32
	count := func(w dns.ResponseWriter, query *dns.Msg) { others.Add(1); answerWith(1)(w, query) }
	h := host(t, patient, serve(t, answerRcode(dns.RcodeNameError), silent), serve(t, count, silent))
	answer, err := h.Exchange(t.Context(), question())
	if err != nil || answer.Rcode != dns.RcodeNameError || others.Load() > 0 {
		t.Errorf("%v, %v; the other server was asked %d times", answer, err, others.Load())
	}
}

func TestAnyRcodeIsAnAnswer(t *testing.T) {
	h := host(t, patient, serve(t, answerRcode(dns.RcodeServerFailure), silent))
	if answer, err := h.Exchange(t.Context(), question()); err != nil || answer.Rcode != dns.RcodeServerFailure {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestSilenceIsATimeOut(t *testing.T) {
	var asked atomic.Int32
	h := host(t, brief, serve(t, func(dns.ResponseWriter, *dns.Msg) { asked.Add(1) }, silent))
	_, err := h.Exchange(t.Context(), question())
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error %v", err)
	}
	if asked.Load() != rounds {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestContextEndsAnExchange(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := host(t, patient, serve(t, func(dns.ResponseWriter, *dns.Msg) { cancel() }, silent))
	if _, err := h.Exchange(ctx, question()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
