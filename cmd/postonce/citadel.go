package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/postonce/postonce/impl/deliverylist"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
)

// A citadelPair is a control message and the mail that it is about.
type citadelPair struct {
	control, mail string // files
	list          *deliverylist.List
}

// A citadelSpool is what a directory of exported messages holds.
type citadelSpool struct {
	pairs []citadelPair
	// wrong says which files cannot be read, which control messages cannot be
	// used, and why; idle are files that no control message names.
	wrong []error
	idle  []string
}

// readCitadelSpool finds the pairs in a directory: a file for each message of
// the room. Control messages are known by their Content-Type; a mail's file has
// the mail's number as its name, with any extension or none.
func readCitadelSpool(dir string) (*citadelSpool, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	s := &citadelSpool{}
	mails := map[int64][]string{}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		control, err := f.Type().IsRegular(), error(nil)
		if control {
			control, err = isControl(path)
		}
		switch {
		case err != nil: // It may be a mail all the same.
			s.wrong = append(s.wrong, err)
		case control:
			s.add(path)
			continue
		default:
			s.idle = append(s.idle, path)
		}
		if n, err := strconv.ParseInt(strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), 10, 64); err == nil && f.Type().IsRegular() {
			mails[n] = append(mails[n], path)
		}
	}
	if len(s.pairs)+len(s.wrong) == 0 {
		return nil, fmt.Errorf("there is no control message (Content-Type %s) in %s", deliverylist.MediaType, dir)
	}
	s.match(mails, dir)
	return s, nil
}

// add reads a control message.
func (s *citadelSpool) add(path string) {
	list, err := readControl(path)
	if err != nil {
		s.wrong = append(s.wrong, err)
		return
	}
	s.pairs = append(s.pairs, citadelPair{control: path, list: list})
}

// match gives each control message its mail. Of two that name one mail nobody
// can tell which holds, and of two files of one number which is the mail.
func (s *citadelSpool) match(mails map[int64][]string, dir string) {
	controls := map[int64][]string{}
	for _, p := range s.pairs {
		controls[p.list.MsgID] = append(controls[p.list.MsgID], p.control)
	}
	s.pairs = slices.DeleteFunc(s.pairs, func(p citadelPair) bool {
		n := p.list.MsgID
		var wrong string
		switch files := mails[n]; {
		case len(files) == 0:
			wrong = fmt.Sprintf("mail %d is missing: there is no file %d or %d.eml in %s", n, n, n, dir)
		case len(files) > 1:
			wrong = fmt.Sprintf("mail %d is not clear: remove all but one of %s", n, strings.Join(files, ", "))
		case len(controls[n]) > 1:
			wrong = fmt.Sprintf("mail %d has more than one control message: remove all but the newest of %s", n, strings.Join(controls[n], ", "))
		}
		if wrong != "" {
			s.wrong = append(s.wrong, fmt.Errorf("%s: %s", p.control, wrong))
		}
		s.idle = slices.DeleteFunc(s.idle, func(path string) bool { return slices.Contains(mails[n], path) })
		return wrong != ""
	})
	for i := range s.pairs {
		s.pairs[i].mail = mails[s.pairs[i].list.MsgID][0]
	}
}

// isControl reports whether a file is a control message, by its header.
func isControl(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f) // a line too long for it ends the loop, and is no header
	for lines.Scan() && len(lines.Bytes()) > 0 && lines.Text() != "\r" {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			media, _, _ := strings.Cut(value, ";")
			return strings.EqualFold(strings.TrimSpace(media), deliverylist.MediaType), nil
		}
	}
	return false, nil
}

// readControl reads a control message. Its errors begin with file and line.
func readControl(path string) (*deliverylist.List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, deliverylist.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	list, err := deliverylist.Parse(text)
	var syntax *deliverylist.SyntaxError
	if errors.As(err, &syntax) {
		return nil, fmt.Errorf("%s:%d: %s", path, syntax.Line, syntax.Reason())
	}
	return list, err
}

// A citadelMail reads a stored mail, whose lines may end in LF, with CRLF at
// their ends (RFC 5321 section 2.3.8).
type citadelMail struct {
	file  *os.File
	lines *bufio.Reader
	last  byte // what was read last
	due   bool // an LF, whose CR was put in front
}

func openMail(path string) (*citadelMail, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &citadelMail{file: f, lines: bufio.NewReader(f)}, nil
}

// Close implements io.Closer.
func (m *citadelMail) Close() error { return m.file.Close() }

// Read implements io.Reader.
func (m *citadelMail) Read(p []byte) (int, error) {
	n := 0
	for ; n < len(p); n++ {
		if m.due {
			p[n], m.due, m.last = '\n', false, '\n'
			continue
		}
		b, err := m.lines.ReadByte()
		if err != nil {
			return n, err
		}
		if m.due = b == '\n' && m.last != '\r'; m.due {
			b = '\r'
		}
		p[n], m.last = b, b
	}
	return n, nil
}

// id is the queue ID that the pair has whenever it is imported: it follows from
// when the mail was submitted, its number, and its content; not from how far its
// recipients have come.
func (p *citadelPair) id() (spec.QueueID, error) {
	m, err := openMail(p.mail)
	if err != nil {
		return "", err
	}
	defer m.Close()
	h := sha256.New()
	fmt.Fprintf(h, "citadel\x00%d\x00%d\x00", p.list.MsgID, p.list.Submitted)
	if _, err := io.Copy(h, m); err != nil {
		return "", fmt.Errorf("%s: %w", p.mail, err)
	}
	// The seconds in front are written as in other queue IDs, so that queue
	// list shows it where its age belongs; the letter after them is in no other.
	seconds := strconv.FormatInt(p.list.Submitted, 36)
	return spec.QueueID(strings.Repeat("0", 7-len(seconds)) + seconds + "-c" + hex.EncodeToString(h.Sum(nil)[:8])), nil
}

// mostHeaderBytes bounds the header of a mail.
const mostHeaderBytes = 1 << 20

// from returns the address in the mail's From field.
func (p *citadelPair) from() (string, error) {
	m, err := openMail(p.mail)
	if err != nil {
		return "", err
	}
	defer m.Close()
	message, err := mail.ReadMessage(io.LimitReader(m, mostHeaderBytes))
	if err != nil {
		return "", fmt.Errorf("%s: its header cannot be read: %w", p.mail, err)
	}
	address, err := senderIn(message.Header.Get("From"))
	if err != nil {
		return "", fmt.Errorf("%s: its From field names no sender: %w", p.mail, err)
	}
	return address, nil
}

// senderIn returns an address of a From field: the first, where the field can be
// parsed. Only the address counts: the name before it may be in any character
// set, also in one that is not named, as old mail has it.
func senderIn(field string) (string, error) {
	asItIs := func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: asItIs}}
	list, err := parser.ParseList(field)
	switch {
	case err == nil && len(list) > 0:
		return list[0].Address, nil
	case err == nil: // an empty group (RFC 6854 section 2)
		return "", fmt.Errorf("there is no address in %q", field)
	}
	if open, end := strings.LastIndexByte(field, '<'), strings.LastIndexByte(field, '>'); 0 <= open && open < end {
		if address, wrong := submission.ParseMailbox(field[open+1 : end]); wrong == nil {
			return address.String(), nil
		}
	}
	return "", err
}
