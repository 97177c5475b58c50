package mutants

import (
	"bytes"

	"github.com/postonce/postonce/spec/seam"
)

// Relays that are wrong about TLS.

const startTLS = "STARTTLS\r\n"

// dropsInjected passes over what comes in clear with the reply to STARTTLS, and
// uses the session all the same.
func dropsInjected(h *seam.Host) {
	lined(h, func(l *line) {
		asked := false
		l.sent = func(p []byte) []byte {
			asked = string(p) == startTLS
			return p
		}
		l.got = func(p []byte, err error) ([]byte, error) {
			if end := bytes.Index(p, []byte("\r\n")); asked && end >= 0 {
				p, asked = p[:end+2], false
			}
			return p, err
		}
	})
}

// hastyAfterSTARTTLS says NOOP in one go with STARTTLS.
func hastyAfterSTARTTLS(h *seam.Host) {
	lined(h, func(l *line) {
		l.sent = func(p []byte) []byte {
			if string(p) == startTLS {
				return append(bytes.Clone(p), "NOOP\r\n"...)
			}
			return p
		}
	})
}
