package fakesmtp

import (
	"crypto/tls"
	"strings"
	"testing"
)

// TestWhatIsTornIsToldFromWhatIsWhole: however many commands come at once, and
// whatever comes before the end of the content.
func TestWhatIsTornIsToldFromWhatIsWhole(t *testing.T) {
	const script = "at mail, torn: 501 5.5.4 Torn\nat rcpt, torn: 501 5.5.4 Torn\nat dot, torn: 554 5.6.0 Torn"
	for name, c := range map[string]struct {
		pieces []string
		want   string
	}{
		"one each":             {[]string{"MAIL FROM:<a@b>\r\n", "RCPT TO:<b@b>\r\n", "DATA\r\n", "x", "\r\n.\r\n"}, "250 250 354 250"},
		"all at once":          {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", "x\r\n.\r\n"}, "250 250 354 250"},
		"an empty content":     {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", ".\r\n"}, "250 250 354 250"},
		"a torn command":       {[]string{"MAIL FROM:", "<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n"}, "501 503 503"},
		"torn in the CRLF":     {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r", "\nDATA\r\n"}, "250 501 554"},
		"torn before the dot":  {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", "x\r\n", ".\r\n"}, "250 250 354 554"},
		"torn after the dot":   {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", "x\r\n.", "\r\n"}, "250 250 354 554"},
		"after a long content": {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", strings.Repeat("y\r\n", 4000) + "x", "\r\n.\r\n"}, "250 250 354 250"},
		"in a long content":    {[]string{"MAIL FROM:<a@b>\r\nRCPT TO:<b@b>\r\nDATA\r\n", strings.Repeat("y\r\n", 4000) + "\r", "\n.\r\n"}, "250 250 354 554"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, script, func(w *world) {
				k := w.connect().greet()
				go func() {
					for _, p := range c.pieces {
						k.send(p)
					}
				}()
				for _, code := range strings.Fields(c.want) {
					k.read(code)
				}
				k.conn.Close()
			})
		})
	}
}

func TestASizeThatIsNotThatOfTheContentIsNoticed(t *testing.T) {
	for size, want := range map[string]string{" SIZE=4": "250", " SIZE=5": "554", " SIZE=3": "554", "": "250"} {
		inWorld(t, "offer SIZE\nat dot, missized: 554 5.6.0 Missized", func(w *world) {
			w.connect().greet().do("MAIL FROM:<a@b>"+size, "RCPT TO:<b@b>", "DATA = 354", "..x\r\n. = "+want)
		})
	}
}

// TestTheCertificateHangsOnTheNameThatIsAskedFor (RFC 6066 section 3).
func TestTheCertificateHangsOnTheNameThatIsAskedFor(t *testing.T) {
	for asked, want := range map[string]string{"mx1": "mx1", "MX1": "mx1", "mx2": wrongName, "": wrongName} {
		inWorld(t, "offer STARTTLS\nat handshake: present by-name", func(w *world) {
			k := w.connect().greet()
			if err := k.secure(&tls.Config{ServerName: asked, InsecureSkipVerify: true}); err != nil {
				t.Fatal(err)
			}
			if got := k.conn.(*tls.Conn).ConnectionState().PeerCertificates[0].DNSNames[0]; got != want {
				t.Errorf("who asks for %q is shown that of %s, want %s", asked, got, want)
			}
		})
	}
}

// TestAClientHearsOnlyAfterItsHandshakeThatItsCertificateIsMissing (RFC 8446
// section 4.4.2.4).
func TestAClientHearsOnlyAfterItsHandshakeThatItsCertificateIsMissing(t *testing.T) {
	inWorld(t, "offer STARTTLS\nat handshake: demand", func(w *world) {
		k := w.connect().greet()
		if err := k.secure(trusting(t, "mx1")); err != nil {
			t.Fatalf("the handshake is not over: %v", err)
		}
		if _, err := k.in.ReadByte(); err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("the client hears %v", err)
		}
	})
}
