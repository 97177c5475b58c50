package fakesmtp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postonce/postonce/spec"
)

// secure says STARTTLS and goes on under TLS.
func (k *talk) secure(config *tls.Config) error {
	k.t.Helper()
	k.do("STARTTLS = 220")
	// A pipe holds no bytes: who sends an alert waits for a reader.
	_ = k.conn.SetDeadline(time.Now().Add(30 * time.Second))
	t := tls.Client(k.conn, config)
	if err := t.Handshake(); err != nil {
		return err
	}
	k.conn, k.in = t, bufio.NewReader(t)
	return nil
}

// trusting is a client that trusts Authorities and wants a name.
func trusting(t *testing.T, name string) *tls.Config {
	t.Helper()
	roots, err := Authorities()
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{RootCAs: roots, ServerName: name}
}

func TestStartTLSBeginsAnew(t *testing.T) {
	inWorld(t, "offer STARTTLS, REQUIRETLS, SIZE 100", func(w *world) {
		k := w.connect()
		k.read("220 mx1 ESMTP")
		k.do("EHLO client.example = 250-mx1|250-STARTTLS|250 SIZE 100")
		if err := k.secure(trusting(t, "mx1")); err != nil {
			t.Fatal(err)
		}
		k.do("MAIL FROM:<alice@example.org> = 503", "EHLO client.example = 250-mx1|250-REQUIRETLS|250 SIZE 100", "STARTTLS = 503")
		k.envelope("bob@example.net").do(content+". = 250", "QUIT = 221")
		k.ended("")
		w.check("0s unlawful MAIL before EHLO or HELO (RFC 5321 section 4.1.4)", "0s unlawful STARTTLS under TLS (RFC 3207 section 4.2)",
			"0s accepted m1@example.org bob@example.net", "0s replied m1@example.org bob@example.net")
		var seen []spec.Fact
		for _, f := range w.facts {
			if f.Kind == spec.FactTLSSeen {
				seen = append(seen, f)
			}
		}
		if len(seen) != 1 || seen[0].Name != "mx1" || strings.Join(seen[0].Names, " ") != "mx1" || seen[0].Text != "TLS 1.3" {
			t.Errorf("the handshakes are %v", seen)
		}
	})
}

func TestCertificatesAreWrongInTheirOwnWay(t *testing.T) {
	for script, want := range map[string]string{
		"":                                    "",
		"present trusted for example.net":     "not example.org",
		"present self-signed":                 "unknown authority",
		"present unknown-authority":           "unknown authority",
		"present expired":                     "expired",
		"present not-yet-valid":               "not yet valid",
		"present wrong-name":                  "not example.org",
		"present self-signed for example.net": "not example.org",
	} {
		t.Run(script, func(t *testing.T) {
			script, name := "offer STARTTLS\nat handshake: "+script, "example.org"
			if strings.HasSuffix(script, ": ") {
				script, name = "offer STARTTLS", "mx1"
			}
			if !strings.Contains(script, "wrong-name") && !strings.Contains(script, " for ") {
				name = "mx1"
			}
			inWorld(t, script, func(w *world) {
				err := w.connect().greet().secure(trusting(t, name))
				if text := errorText(err); (text == "") != (want == "") || !strings.Contains(text, want) {
					t.Errorf("the client says %q, want %q", text, want)
				}
			})
		})
	}
}

// TestOnlyACertificateThatIsValidHasNames: those for which it is, whatever the
// client makes of it.
func TestOnlyACertificateThatIsValidHasNames(t *testing.T) {
	for shown, want := range map[string]string{
		"trusted": "mx1", "trusted for example.net": "example.net", "wrong-name": "wrong.example",
		"self-signed": "", "unknown-authority": "", "expired": "", "not-yet-valid": "", "expired for example.net": "",
	} {
		inWorld(t, "offer STARTTLS\nat handshake: present "+shown, func(w *world) {
			k := w.connect().greet()
			if err := k.secure(&tls.Config{InsecureSkipVerify: true}); err != nil {
				t.Fatal(err)
			}
			k.conn.Close()
			synctest.Wait()
			i := slices.IndexFunc(w.facts, func(f spec.Fact) bool { return f.Kind == spec.FactTLSSeen })
			if i < 0 || strings.Join(w.facts[i].Names, " ") != want {
				t.Errorf("%s: the facts are %v", shown, w.facts)
			}
		})
	}
}

// A countingConn counts the bytes that are read.
type countingConn struct {
	net.Conn
	read int
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read += n
	return n, err
}

// TestTLSHearsOfAnOrderlyEnd: and of no other (RFC 8446 section 6.1). Go's own
// TLS takes either for the end, but something has to come.
func TestTLSHearsOfAnOrderlyEnd(t *testing.T) {
	for end, want := range map[string]bool{"fin": true, "cut": false} {
		inWorld(t, "offer STARTTLS\nat mail: "+end, func(w *world) {
			k := w.connect().greet()
			c := &countingConn{Conn: k.conn}
			k.conn = c
			if err := k.secure(trusting(t, "mx1")); err != nil {
				t.Fatal(err)
			}
			k.do("EHLO client.example")
			before := c.read
			k.send("MAIL FROM:<alice@example.org>\r\n")
			k.ended("")
			if heard := c.read > before; heard != want {
				t.Errorf("after %s TLS heard of the end: %t", end, heard)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAHandshakeGoesWrongAsTheScriptSays(t *testing.T) {
	for rule, want := range map[string]string{
		"at handshake: cut":           "closed pipe",
		"at handshake: fin":           "closed pipe",
		"at handshake: cut after 7":   "EOF",
		"at handshake: cut after 200": "EOF",
		// After all that is sent, the client knows of nothing wrong until it speaks.
		"at handshake: cut after 9000": "closed pipe",
		"at handshake: silence":        "timeout",
		"at handshake: delay 1m":       "timeout",
		"at handshake: delay 10s":      "",
	} {
		t.Run(rule, func(t *testing.T) {
			inWorld(t, "offer STARTTLS\n"+rule, func(w *world) {
				k := w.connect().greet()
				err := k.secure(trusting(t, "mx1"))
				if err == nil {
					_, err = io.WriteString(k.conn, "EHLO client.example\r\n")
				}
				if text := errorText(err); (text == "") != (want == "") || !strings.Contains(text, want) {
					t.Errorf("the client says %q, want %q", text, want)
				}
				k.conn.Close()
				synctest.Wait()
				if n := len(w.told(spec.FactTLSSeen)); (n == 1) != (want == "") {
					t.Errorf("%d handshakes were completed", n)
				}
			})
		})
	}
}

// A run under TLS takes the same bytes every time, so that it can be replayed.
func TestCertificatesAreTheSameEveryTime(t *testing.T) {
	for _, kind := range certificateKinds {
		a, err := NewCertificate(kind.kind, "mx1.example.net")
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewCertificate(kind.kind, "mx1.example.net")
		if err != nil || !bytes.Equal(a.Certificate[0], b.Certificate[0]) {
			t.Errorf("two certificates %s differ, error %v", kind.kind, err)
		}
		if leaf, err := x509.ParseCertificate(a.Certificate[0]); err != nil || len(leaf.Signature) != 64 {
			t.Errorf("%s: the signature has %d octets, error %v", kind.kind, len(leaf.Signature), err)
		}
	}
	if _, err := NewCertificate("good", "mx1"); err == nil {
		t.Error("there are good certificates")
	}
}
