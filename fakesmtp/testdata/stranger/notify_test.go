package notify

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/postonce/postonce/fakesmtp"
)

func TestAGreylistedNoteIsTriedAgain(t *testing.T) {
	server := fakesmtp.New(t, `persona greylister`)
	s := &Sender{Addr: server.Addr(), From: "robot@example.org", Tries: 2}
	if err := s.Send("bob@example.net", "The build is broken."); err != nil {
		t.Fatal(err)
	}
	all := server.Accepted()
	if len(all) != 1 || all[0].From != "robot@example.org" || !strings.Contains(string(all[0].Content), "The build is broken.") {
		t.Errorf("it took %+v", all)
	}
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	server := fakesmtp.New(t, `
		at rcpt <eve@example.net>, first 1: 550 5.1.1 No such user
	`)
	s := &Sender{Addr: server.Addr(), From: "robot@example.org", Tries: 2}
	if err := s.Send("eve@example.net", "Hello"); err == nil || errors.Is(err, ErrTemporary) {
		t.Errorf("it says %v", err)
	}
	if rest := server.Unused(); len(rest) > 0 {
		t.Errorf("never met: %v", rest)
	}
}

func TestALostReplyIsAnError(t *testing.T) {
	server := fakesmtp.New(t, `persona drops-after-dot`)
	s := &Sender{Addr: server.Addr(), From: "robot@example.org"}
	if err := s.Send("bob@example.net", "Hello"); err == nil || len(server.Accepted()) != 1 {
		t.Errorf("%v, and it took %d", err, len(server.Accepted()))
	}
}

func TestOnlyAGoodCertificateWillDo(t *testing.T) {
	roots, err := fakesmtp.Authorities()
	if err != nil {
		t.Fatal(err)
	}
	for script, good := range map[string]bool{
		"offer STARTTLS": true,
		"offer STARTTLS\nat handshake: present expired":     false,
		"offer STARTTLS\nat handshake: present self-signed": false,
		"offer STARTTLS\nat handshake: present wrong-name":  false,
	} {
		s := &Sender{Addr: fakesmtp.New(t, script).Addr(), From: "robot@example.org", TLS: &tls.Config{ServerName: "mx.test", RootCAs: roots}}
		if err := s.Send("bob@example.net", "Hello"); (err == nil) != good {
			t.Errorf("%s: %v", script, err)
		}
	}
}
