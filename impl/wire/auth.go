package wire

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// maxCommandLine is RFC 5321 section 4.5.3.1.4, with CRLF.
const maxCommandLine = 512

// maxChallenge is how long a line of a login may be (RFC 4954 section 4), with
// CRLF.
const maxChallenge = 12288

// AUTH writes the command, with the initial response when there is one: nil is
// none, which is another thing than an empty one. One that is too long for a
// command line has to wait for an empty challenge (RFC 4954 section 4); then
// waits is true.
func AUTH(mechanism string, initial []byte) (command []byte, waits bool) {
	command = []byte("AUTH " + mechanism)
	if initial == nil {
		return append(command, "\r\n"...), false
	}
	said := base64.StdEncoding.EncodeToString(initial)
	if said == "" {
		said = "="
	}
	if len(command)+1+len(said)+2 > maxCommandLine {
		return append(command, "\r\n"...), true
	}
	return slices.Concat(command, []byte(" "+said+"\r\n")), false
}

// Response writes the answer to a challenge.
func Response(text []byte) ([]byte, error) {
	said := base64.StdEncoding.EncodeToString(text)
	if len(said)+2 > maxChallenge {
		return nil, fmt.Errorf("the response is longer than %d bytes", maxChallenge)
	}
	return append([]byte(said), "\r\n"...), nil
}

// Challenge reads what a server asks in a login: one line of base64, which may
// be empty, after 334. The error says why it is none.
func Challenge(reply spec.Reply) ([]byte, error) {
	switch {
	case reply.Code != 334:
		return nil, fmt.Errorf("%d is no challenge", reply.Code)
	case len(reply.Lines) > 1:
		return nil, fmt.Errorf("a challenge of %d lines", len(reply.Lines))
	}
	said := strings.TrimSpace(strings.Join(reply.Lines, ""))
	if len(said) > maxChallenge {
		return nil, fmt.Errorf("a challenge of more than %d bytes", maxChallenge)
	}
	challenge, err := base64.StdEncoding.DecodeString(said)
	if err != nil {
		return nil, fmt.Errorf("a challenge that is no base64")
	}
	return challenge, nil
}
