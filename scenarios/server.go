package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postonce/postonce/fakesmtp"
)

// peers are the well-behaved servers that "peer" can name.
var peers = []term{{"go-smtp", "the server of github.com/emersion/go-smtp, which takes all mail"}}

// networks are the ways in which connecting goes wrong.
var networks = []term{
	{"refused", "connecting is refused with RST"},
	{"unreachable", "an ICMP error comes back"},
	{"silent", "nothing comes back at all"},
}

// serverLines are the lines of a server section that are not rules of package
// fakesmtp.
var serverLines = []term{
	{"peer", "peer go-smtp: a real server instead of rules"},
	{"network", "network refused|unreachable|silent [until TIME]: how connecting goes"},
	{"split-reads", "split-reads: at both ends of its connections, a read returns less than there is"},
	{"window", "window BYTES: how many bytes may be on the way in one direction of a connection, until the one who writes waits; 65536 unless said"},
}

// serverSection reads one server. What the loader does not know is a rule of
// package fakesmtp, whose parser sees blank lines where ours stood, so that its
// errors name the right line.
func (p *parser) serverSection(name string, first int, data string) {
	if !validHost(name) {
		p.fail(first-1, name, "a server is called by its host name, without a final dot", "%q is not a host name", name)
		return
	}
	s := Server{Name: name, Line: first - 1}
	lines := strings.Split(data, "\n")
	bad, left := false, 0
	for i, text := range lines {
		l := &line{file: p.file, row: first + i, text: text}
		if l.serverLine(&s) {
			lines[i] = ""
		} else if strings.TrimSpace(text) != "" {
			left = first + i
		}
		if l.err != nil {
			p.add(l.err)
			lines[i], bad = "", true // one error is enough
		}
	}
	switch {
	case s.Peer && left > 0:
		p.fail(left, "", "leave out the rules, or the line peer", "%s is a go-smtp server, which takes no rules", name)
		return
	case !s.Peer:
		script, err := fakesmtp.ParseScript(p.file, first, strings.Join(lines, "\n"))
		if err != nil {
			p.add(err)
			return
		}
		s.Script = script
	}
	if !bad {
		p.s.Servers = append(p.s.Servers, s)
	}
}

// serverLine reads the line if it is one of serverLines.
func (l *line) serverLine(s *Server) bool {
	l.noComment()
	l.space()
	at := l.pos
	switch {
	case l.accept("peer"):
		l.choose("server", wordsOf(peers))
		if s.Peer {
			l.fail(at, "", "peer stands here twice")
		}
		s.Peer = true
	case l.accept("network"):
		if s.Network != "" {
			l.fail(at, "", "network stands here twice")
		}
		s.Network = l.choose("network", wordsOf(networks))
		if l.accept("until") {
			s.NetworkUntil = l.duration("the time", 1)
		}
	case l.accept("split-reads"):
		if s.SplitReads {
			l.fail(at, "", "split-reads stands here twice")
		}
		s.SplitReads = true
	case l.accept("window"):
		if s.Window != 0 {
			l.fail(at, "", "window stands here twice")
		}
		s.Window = int(min(l.number("the number of bytes", 1), maxNumber))
	default:
		return false
	}
	l.end("until")
	return true
}

// offer reports whether one of the servers offers an extension.
func (s *Scenario) offer(keyword string) bool {
	offers := func(e fakesmtp.Extension) bool { return strings.EqualFold(e.Keyword, keyword) }
	return slices.ContainsFunc(s.Servers, func(s Server) bool { return s.Script != nil && slices.ContainsFunc(s.Script.Offer, offers) })
}

// serverText writes a server's section.
func serverText(s Server) string {
	var b strings.Builder
	if s.Network != "" {
		b.WriteString("network " + s.Network)
		if s.NetworkUntil > 0 {
			b.WriteString(" until " + formatDuration(s.NetworkUntil))
		}
		b.WriteString("\n")
	}
	if s.SplitReads {
		b.WriteString("split-reads\n")
	}
	if s.Window > 0 {
		fmt.Fprintf(&b, "window %d\n", s.Window)
	}
	if s.Peer {
		b.WriteString("peer " + peers[0].word + "\n")
	} else if s.Script != nil {
		if text := strings.TrimSpace(s.Script.String()); text != "" {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}
