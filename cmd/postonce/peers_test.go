package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/foxcpp/go-mockdns"

	"github.com/postonce/postonce/cmd/postonce/internal/peer"
)

// Live tests of what the relay says to servers that others wrote. The roots that
// hold Postfix and Exim are made by .ci/peers, whose directory PEERS names.

// A feature is something that a conversation can have, and how a peer bears it out.
type feature struct {
	name, config string
	mail         []peerMail
	// holds says what is missing from the evidence; nothing when it holds.
	holds func(peerEvidence) string
}

// A peerMail is one message to bob@example.net.
type peerMail struct {
	id      string
	subject string
	options smtp.MailOptions
	rcpt    smtp.RcptOptions
}

// peerBody is the body of all mail.
const peerBody = "Hello\n.dot\n..\n.\nend\n"

// peerEvidence is what came of a feature.
type peerEvidence struct {
	// stored is the mail by its Message-ID, sessions those since the feature's
	// relay began, sent what left in clear, and reports what the peer sent.
	stored   map[string]string
	sessions []peer.Session
	sent     [][]byte
	reports  []string
	// log is the peer's.
	log string
}

// features are the extensions. Every peer offers all of them.
func features() []feature {
	return []feature{
		{"STARTTLS", "tls: {default: verified}\n", []peerMail{{id: "tls"}}, func(e peerEvidence) string {
			return wanted(e.sessions, "starttls", 1)
		}},
		{"PIPELINING", "tls: {default: 'off'}\nroutes: {example.net: [proxy.example.net]}\n", []peerMail{{id: "pipelining"}}, func(e peerEvidence) string {
			for _, read := range e.sent {
				if bytes.HasPrefix(read, []byte("MAIL FROM")) && bytes.Contains(read, []byte("\r\nRCPT TO")) && bytes.HasSuffix(read, []byte("\r\nDATA\r\n")) {
					return ""
				}
			}
			return fmt.Sprintf("no MAIL, RCPT and DATA together in %q", e.sent)
		}},
		{"DSN", "tls: {default: verified}\n", []peerMail{{
			id:      "dsn",
			options: smtp.MailOptions{EnvelopeID: "QQ+314", Return: smtp.DSNReturnHeaders},
			rcpt: smtp.RcptOptions{
				Notify:                []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure},
				OriginalRecipientType: smtp.DSNAddressTypeRFC822, OriginalRecipient: "robert@example.com",
			},
		}}, func(e peerEvidence) string {
			for _, text := range append(e.reports, e.stored["dsn"]) {
				if (strings.Contains(text, "QQ+314") || strings.Contains(text, "QQ+2B314")) && strings.Contains(text, "robert@example.com") {
					return ""
				}
			}
			return fmt.Sprintf("neither the mail nor a report names ENVID and ORCPT: %q", e.reports)
		}},
		{"AUTH", "routes: {example.net: [mx.example.net]}\nlogin: {mx.example.net: {user: relay, secret_env: PEER_SECRET}}\n",
			[]peerMail{{id: "auth"}}, func(e peerEvidence) string { return wanted(e.sessions, "auth", 1) }},
		{"CHUNKING", "tls: {default: 'off'}\nchunking: {default: on}\nroutes: {example.net: [proxy.example.net]}\n",
			[]peerMail{{id: "chunking"}}, func(e peerEvidence) string {
				if sent := string(bytes.Join(e.sent, nil)); !strings.Contains(sent, "\r\nBDAT ") || !strings.Contains(sent, "BDAT 0 LAST\r\n") {
					return fmt.Sprintf("no BDAT in %q", sent)
				}
				return ""
			}},
		{"SMTPUTF8", "tls: {default: verified}\n", []peerMail{{id: "utf8", options: smtp.MailOptions{UTF8: true}, subject: "Grüße"}},
			func(e peerEvidence) string {
				said := e.stored["utf8"] + e.log // "with UTF8SMTPS", "P=utf8esmtps", "utf8=true"
				if !strings.Contains(e.stored["utf8"], "Grüße") || !regexp.MustCompile(`(?i)utf8e?smtp|utf8=true`).MatchString(said) {
					return fmt.Sprintf("no SMTPUTF8 in %q", said)
				}
				return ""
			}},
		{"reuse", "tls: {default: verified}\n", []peerMail{{id: "first"}, {id: "second"}}, func(e peerEvidence) string {
			return wanted(e.sessions, "mail", 2)
		}},
	}
}

// wanted says that no session has heard a command as often.
func wanted(sessions []peer.Session, command string, times int) string {
	for _, s := range sessions {
		if s[command] >= times {
			return ""
		}
	}
	return fmt.Sprintf("no session with %d %s in %v", times, command, sessions)
}

// TestPeersTakeEveryExtension sends mail by each extension to a server of
// go-smtp, to Postfix and to Exim, and looks at what they stored and heard.
func TestPeersTakeEveryExtension(t *testing.T) {
	for _, name := range []string{"go-smtp", "postfix", "exim"} {
		t.Run(name, func(t *testing.T) {
			p := startPeer(t, name)
			for _, f := range features() {
				t.Run(f.name, func(t *testing.T) { p.show(t, f) })
			}
		})
	}
}

// A peerSite is a peer, a mailbox for what it sends, and a DNS that knows both.
type peerSite struct {
	peer, home peer.Server
	port       int
	dns, roots string
	proxy      *recorder
	binary     string
}

// startPeer starts a peer, or skips the test where there is none.
func startPeer(t *testing.T, name string) *peerSite {
	t.Helper()
	root := filepath.Join(os.Getenv("PEERS"), name)
	if _, err := os.Stat(root); name != "go-smtp" && (os.Getenv("PEERS") == "" || err != nil) {
		t.Skipf("PEERS names no directory with %s in it: run .ci/peers DIR as root, and set PEERS=DIR", name)
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &peerSite{binary: path}
	certificate, key := certify(t, peer.Host)
	s.roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(s.roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	if s.home, err = peer.ServeGoSMTP(l, peer.Config{}); err != nil {
		t.Fatal(err)
	}
	closed(t, s.home)
	c := peer.Config{Root: root, Addr: fmt.Sprintf("127.0.0.4:%d", s.port), NextHop: l.Addr().String(), Certificate: certificate, Key: key}
	switch name {
	case "go-smtp":
		s.peer, err = peer.StartGoSMTP(c)
	case "postfix":
		s.peer, err = peer.StartPostfix(t.Context(), c)
	case "exim":
		s.peer, err = peer.StartExim(t.Context(), c)
	}
	if err != nil {
		t.Fatal(err)
	}
	closed(t, s.peer)
	s.proxy = record(t, fmt.Sprintf("127.0.0.5:%d", s.port), c.Addr)
	dns, err := mockdns.NewServerWithLogger(map[string]mockdns.Zone{
		"example.net.":       {MX: []net.MX{{Host: peer.Host + ".", Pref: 10}}},
		peer.Host + ".":      {A: []string{"127.0.0.4"}},
		"proxy.example.net.": {A: []string{"127.0.0.5"}},
		"example.org.":       {MX: []net.MX{{Host: "mail.example.org.", Pref: 10}}},
		"mail.example.org.":  {A: []string{"127.0.0.3"}},
	}, discard{}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dns.Close() })
	s.dns = dns.LocalAddr().String()
	return s
}

func closed(t *testing.T, s peer.Server) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// show runs a relay that sends a feature's mail, and waits for the evidence.
func (s *peerSite) show(t *testing.T, f feature) {
	before, err := s.peer.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	relay := &site{t: t, dir: t.TempDir(), binary: s.binary, listen: freeAddr(t), env: []string{"SSL_CERT_FILE=" + s.roots, "PEER_SECRET=" + peer.Secret}}
	text := fmt.Sprintf("hostname: relay.example\nlisten: %s\nspool: %s\nport: %d\nresolvers: [%q]\nschedule: {first: 1s, max: 1s}\n%s",
		relay.listen, filepath.Join(relay.dir, "spool"), s.port, s.dns, f.config)
	if err := os.WriteFile(filepath.Join(relay.dir, "postonce.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	relay.start()
	t.Cleanup(func() { _ = relay.cmd.Process.Kill() }) // in case it was not stopped
	for _, m := range f.mail {
		submitWith(t, relay.listen, m)
		s.await(t, relay, m.id) // so that a connection is idle when the next comes
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(30 * time.Second)
	for stopped := false; ; <-ticker.C {
		e := s.evidence(t, len(before))
		missing := ""
		for _, m := range f.mail {
			if e.stored[m.id] == "" {
				missing += "no " + m.id + "; "
			}
		}
		if missing == "" && !stopped {
			relay.stop() // so that its connections end
			stopped = true
		}
		if missing += f.holds(e); missing == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s\nthe relay:\n%s\nthe peer:\n%s", missing, relay.log.String(), s.peer.Log())
		}
	}
}

// await waits until the peer has a message, or for as long as it could take.
func (s *peerSite) await(t *testing.T, relay *site, id string) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(30 * time.Second); s.evidence(t, 0).stored[id] == ""; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("no %s\nthe relay:\n%s\nthe peer:\n%s", id, relay.log.String(), s.peer.Log())
		}
	}
}

// evidence gathers what there is, sessions from the one after skip.
func (s *peerSite) evidence(t *testing.T, skip int) peerEvidence {
	t.Helper()
	e := peerEvidence{stored: map[string]string{}, sent: s.proxy.taken(), log: s.peer.Log()}
	all, err := s.peer.Stored()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range all {
		_, id, found := bytes.Cut(text, []byte("Message-ID: <"))
		if found {
			id, _, _ = bytes.Cut(id, []byte("@"))
			if e.stored[string(id)] != "" {
				t.Errorf("%s was stored twice", id)
			}
			e.stored[string(id)] = string(text)
			if !bytes.HasSuffix(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n\n"+peerBody)) {
				t.Errorf("the peer has not stored what was submitted:\n%s", text)
			}
		}
	}
	sessions, err := s.peer.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	e.sessions = sessions[skip:]
	home, err := s.home.Stored()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range home {
		e.reports = append(e.reports, string(text))
	}
	return e
}

// submitWith submits a message with options.
func submitWith(t *testing.T, addr string, m peerMail) {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("alice@example.org", &m.options); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("bob@example.net", &m.rcpt); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	content := fmt.Sprintf("Message-ID: <%s@submit.example>\nFrom: alice@example.org\nSubject: live %s\n\n%s", m.id, m.subject, peerBody)
	if _, err := io.WriteString(w, strings.ReplaceAll(content, "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
}

// certify makes a certificate for a host that vouches for itself.
func certify(t *testing.T, host string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host, peer.Domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// A recorder passes connections on, and keeps what the client said, read by read.
type recorder struct {
	mu   sync.Mutex
	sent [][]byte
}

// record listens at addr and passes what comes on to the address to.
func record(t *testing.T, addr, to string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := new(recorder)
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { r.pass(client, to) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		passing.Wait()
	})
	return r
}

// pass carries one connection.
func (r *recorder) pass(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(client, server)
		client.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 {
			r.mu.Lock()
			r.sent = append(r.sent, bytes.Clone(buf[:n]))
			r.mu.Unlock()
			_, _ = server.Write(buf[:n])
		}
		if err != nil {
			break
		}
	}
	server.Close()
	<-back
}

func (r *recorder) taken() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}
