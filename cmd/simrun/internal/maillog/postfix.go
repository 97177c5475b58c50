package maillog

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	// "Nov 24 10:00:00 mail postfix/smtp[17]: 4B1: …", or with the time of RFC 3339.
	postfixHead = regexp.MustCompile(`^(\S+|[A-Z][a-z]{2} +\d+ [\d:]{8}) \S+ postfix[\w-]*/(\w+)\[\d+\]: (?:([0-9A-Za-z]+): )?(.*)$`)
	postfixFrom = regexp.MustCompile(`^from=<([^>]*)>, size=(\d+)`)
	postfixTo   = regexp.MustCompile(`^to=<([^>]*)>,.* relay=([^,\[\]]*)(?:\[([^\]]*)\](?::\d+)?)?,.* status=(\w+) \((.*)\)$`)
	postfixHost = regexp.MustCompile(`^(?:host|connect to) ([^\s\[]+)\[[^\]]*\]`)
	postfixSaid = regexp.MustCompile(`^host \S+ (?:said|refused to talk to me): (.*)$`)
	postfixNext = regexp.MustCompile(` \(in reply to ([^()]*?)(?: command)?\)$`)
	postfixName = regexp.MustCompile(`[Nn]ame service error for name=([^ ]+) type=`)
	postfixConn = regexp.MustCompile(`^(?:connect to|lost connection with|conversation with) ([^\s\[]+)\[`)
)

// postfixLine reads a line of Postfix.
func postfixLine(line string) *entry {
	m := postfixHead.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	at, ok := clock(m[1])
	if !ok {
		return nil
	}
	e := &entry{at: at, queue: m[3]}
	text := m[4]
	if from := postfixFrom.FindStringSubmatch(text); from != nil {
		e.submitted, e.from = true, from[1]
		e.size, _ = strconv.ParseInt(from[2], 10, 64) // what is too long is no size
		return e
	}
	if m[2] != "smtp" && m[2] != "lmtp" && m[2] != "error" && m[2] != "bounce" {
		return nil
	}
	if to := postfixTo.FindStringSubmatch(text); to != nil {
		e.to = []string{to[1]}
		if e.host = to[2]; e.host == "none" {
			e.host = ""
		}
		e.postfixReason(to[4], to[5])
		return e
	}
	// What went wrong before the line that says what became of a recipient.
	if strings.HasPrefix(text, "host ") || strings.HasPrefix(text, "connect to ") {
		e.postfixReason("", text)
		if e.host != "" && (e.network != "" || e.stage != 0) {
			return e
		}
	}
	return nil
}

// postfixReason reads what stands in brackets behind a status.
func (e *entry) postfixReason(status, text string) {
	if status == "sent" {
		e.delivered = true
		return
	}
	if name := postfixName.FindStringSubmatch(text); name != nil || strings.HasPrefix(text, "Host or domain name not found") {
		domain := domainOf(e.to)
		if name != nil {
			domain = name[1]
		}
		e.host = ""
		e.unresolved(text, domain, status == "bounced")
		return
	}
	for _, named := range []*regexp.Regexp{postfixHost, postfixConn} {
		if host := named.FindStringSubmatch(text); host != nil {
			e.host = host[1]
		}
	}
	if said := postfixSaid.FindStringSubmatch(text); said != nil {
		reply, stage := said[1], "greeting"
		if next := postfixNext.FindStringSubmatch(reply); next != nil {
			reply, stage = strings.TrimSuffix(reply, next[0]), next[1]
		}
		if code.MatchString(reply) {
			e.stage, e.reply = stageOf(stage), reply
		}
		return
	}
	e.broken(text)
}

// clock reads a time: of RFC 3339, or of syslog, which knows no year.
func clock(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.Stamp} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
