package spec

import (
	"errors"
	"fmt"
	"strings"
)

// A Notify says of what a sender wants to be told about a recipient: the
// NOTIFY of RFC 3461 section 4.1. Zero is a sender who asked for nothing; that
// one is told of failure. The RFC lets the relay choose whether to tell of
// delay too; this one does not, since a warning that nobody asked for is often
// read as a failure, and the mail sent again by hand.
type Notify uint8

// What can be asked for. NotifyNever stands alone.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

var notifyNames = [...]struct {
	bit  Notify
	name string
}{{NotifyNever, "never"}, {NotifySuccess, "success"}, {NotifyFailure, "failure"}, {NotifyDelay, "delay"}}

// Valid reports whether a sender can ask for n.
func (n Notify) Valid() bool {
	return n == 0 || n == NotifyNever || n&NotifyNever == 0 && n < NotifyDelay<<1
}

// Success, Failure and Delay report whether the sender is told of that. What is
// unknown is told as failure is: RFC 3461 and 3464 know no other word for a
// relay that has given up, so who does not want to hear "failed" does not.
func (n Notify) Success() bool { return n&NotifySuccess != 0 }

// Failure reports whether the sender is told of failure.
func (n Notify) Failure() bool { return n == 0 || n&NotifyFailure != 0 }

// Delay reports whether the sender is told of delay.
func (n Notify) Delay() bool { return n&NotifyDelay != 0 }

// String returns what is asked for as facts and scenarios have it, with "+"
// between the words; "default" when that is nothing.
func (n Notify) String() string { return n.words("+") }

// Keywords returns the value of the NOTIFY parameter; empty when there is none.
func (n Notify) Keywords() string {
	if n == 0 {
		return ""
	}
	return strings.ToUpper(n.words(","))
}

func (n Notify) words(between string) string {
	if n == 0 {
		return "default"
	}
	var words []string
	for _, x := range notifyNames {
		if n&x.bit != 0 {
			words = append(words, x.name)
		}
	}
	return strings.Join(words, between)
}

// ParseNotify is the inverse of String.
func ParseNotify(s string) (Notify, error) {
	if s == "default" {
		return 0, nil
	}
	return parseNotify(s, "+")
}

// ParseKeywords reads the value of a NOTIFY parameter, whose words may be in
// any case and order.
func ParseKeywords(s string) (Notify, error) { return parseNotify(strings.ToLower(s), ",") }

func parseNotify(s, between string) (Notify, error) {
	var n Notify
	for word := range strings.SplitSeq(s, between) {
		bit := Notify(0)
		for _, x := range notifyNames {
			if x.name == word {
				bit = x.bit
			}
		}
		switch {
		case bit == 0:
			return 0, errors.New("NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY")
		case n&bit != 0:
			return 0, fmt.Errorf("NOTIFY has %s twice", strings.ToUpper(word))
		}
		n |= bit
	}
	if !n.Valid() {
		return 0, errors.New("NOTIFY=NEVER stands alone")
	}
	return n, nil
}

// A Return says how much of a message a report of failure gives back: the RET
// of RFC 3461 section 4.3. Zero is a sender who did not say.
type Return uint8

// What can be given back.
const (
	ReturnHeaders Return = iota + 1
	ReturnFull
)

// String returns the value of the RET parameter; empty when there is none.
func (r Return) String() string {
	switch r {
	case ReturnHeaders:
		return "HDRS"
	case ReturnFull:
		return "FULL"
	}
	return ""
}

// ParseReturn reads the value of a RET parameter, in any case.
func ParseReturn(s string) (Return, error) {
	switch strings.ToUpper(s) {
	case "HDRS":
		return ReturnHeaders, nil
	case "FULL":
		return ReturnFull, nil
	}
	return 0, errors.New("RET is FULL or HDRS")
}

// Asked is what a sender asked for about one recipient (RFC 3461 sections 4.1
// and 4.2).
type Asked struct {
	Notify Notify
	// Original is the ORCPT, decoded: an address type, ";", and the address as
	// the sender first had it. Empty when there was none.
	Original string
}

// Tracking is what a sender asked for about a whole message (RFC 3461 sections
// 4.3 and 4.4).
type Tracking struct {
	Return Return
	// EnvelopeID is the ENVID, decoded; empty when there was none.
	EnvelopeID string
}

// AskedOf returns what was asked for about the i-th of some recipients; all may
// be shorter than they are.
func AskedOf(all []Asked, i int) Asked {
	if i >= 0 && i < len(all) {
		return all[i]
	}
	return Asked{}
}

// MaxEnvelopeID and MaxOriginal bound ENVID and ORCPT, in xtext, as RFC 3461
// sections 4.4 and 4.2 do: so both fit into the commands of the next hop.
const (
	MaxEnvelopeID = 100
	MaxOriginal   = 500
)

// Validate returns an error when RET or ENVID is none that can be sent on.
func (t Tracking) Validate() error {
	switch {
	case t.Return > ReturnFull:
		return errors.New("RET is FULL or HDRS")
	case !graphic(t.EnvelopeID):
		return errors.New("ENVID has a character that cannot be printed")
	case len(XText(t.EnvelopeID)) > MaxEnvelopeID:
		return fmt.Errorf("ENVID is longer than %d characters", MaxEnvelopeID)
	}
	return nil
}

// Validate returns an error when NOTIFY or ORCPT is none that can be sent on.
func (a Asked) Validate() error {
	if !a.Notify.Valid() {
		return errors.New("NOTIFY=NEVER stands alone")
	}
	if a.Original == "" {
		return nil
	}
	kind, address, ok := strings.Cut(a.Original, ";")
	switch {
	case !ok || !isAtom(kind) || address == "":
		return errors.New("ORCPT is an address type, a semicolon and an address: write ORCPT=rfc822;user@example.org")
	case !graphic(address):
		return errors.New("ORCPT has a character that cannot be printed")
	case len(kind)+1+len(XText(address)) > MaxOriginal:
		return fmt.Errorf("ORCPT is longer than %d characters", MaxOriginal)
	}
	return nil
}

// isAtom reports whether s is an atom of RFC 5322 section 3.2.3, as RFC 3461
// section 4.2 wants of an address type; without "+" and "=", which have a
// meaning in what surrounds it here.
func isAtom(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alnum && !strings.ContainsRune("!#$%&'*-/?^_`{|}~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// graphic reports whether s is printable ASCII, blanks included.
func graphic(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// XText encodes s as the xtext of RFC 3461 section 4.
func XText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ParseXText is the inverse of XText. Hexadecimal digits are upper case; what
// need not be encoded may be.
func ParseXText(s string) (string, error) {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < '!' || c > '~' || c == '=':
			return "", errors.New("a character has to be written as + and two hexadecimal digits (RFC 3461 section 4)")
		case c != '+':
			b.WriteByte(c)
		default:
			high, low := -1, -1
			if i+2 < len(s) {
				high, low = strings.IndexByte(digits, s[i+1]), strings.IndexByte(digits, s[i+2])
			}
			if high < 0 || low < 0 {
				return "", errors.New("two hexadecimal digits in upper case follow a + (RFC 3461 section 4)")
			}
			b.WriteByte(byte(high<<4 | low))
			i += 2
		}
	}
	return b.String(), nil
}
