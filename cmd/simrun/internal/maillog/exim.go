package maillog

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	// "2026-11-24 10:00:00 1vNabc-000000001Xy-0000 => …", with or without a pid.
	eximHead = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)?(?: [+-]\d{4})?(?: \[\d+\])? (\w{6}-\w{6,11}-\w{2,4}) (<=|=>|->|\*\*|==|H=)\s*(.*)$`)
	eximSize = regexp.MustCompile(` S=(\d+)`)
	eximHost = regexp.MustCompile(`(?:^| )H=([^\s\[]+) \[([^\]]*)\]`)
	eximSaid = regexp.MustCompile(`SMTP error from remote mail server after (.*?): (\d{3}[ -].*)$`)
	eximTold = regexp.MustCompile(`^(initial connection|end of data|(?:pipelined )?(?:sending data block|[A-Z]+(?: (?:FROM|TO):<[^>]*>)?(?: SIZE=\d+)?))`)
	eximAddr = regexp.MustCompile(`^(?:[^\s<]*@[^\s<:]+|[^\s<]+ <([^>]*)>|<([^>]*)>)`)
)

// eximLine reads a line of Exim's main log.
func eximLine(line string) *entry {
	m := eximHead.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	at, err := time.Parse(time.DateTime, m[1])
	if err != nil {
		return nil
	}
	e := &entry{at: at, queue: m[2]}
	text := m[4]
	if m[3] == "<=" {
		from, _, _ := strings.Cut(text, " ")
		if e.submitted = true; from != "<>" {
			e.from = from
		}
		if size := eximSize.FindStringSubmatch(text); size != nil {
			e.size, _ = strconv.ParseInt(size[1], 10, 64) // what is too long is no size
		}
		return e
	}
	if m[3] == "H=" {
		text = "H=" + text // what went wrong before the line about a recipient
	} else if to := eximAddr.FindStringSubmatch(text); to != nil {
		address := to[0]
		for _, inner := range to[1:] {
			if inner != "" {
				address = inner
			}
		}
		e.to = []string{address}
	} else {
		return nil
	}
	if host := eximHost.FindStringSubmatch(text); host != nil {
		e.host = host[1]
	}
	return e.eximReason(m[3], text)
}

// eximReason reads what follows the recipient.
func (e *entry) eximReason(sign, text string) *entry {
	if sign == "=>" || sign == "->" {
		e.delivered = e.host != ""
		return e
	}
	if said := eximSaid.FindStringSubmatch(text); said != nil {
		// An address may hold a colon and a blank; the command ends where it is known to.
		if told := eximTold.FindString(said[1]); told != "" {
			e.stage, e.reply = stageOf(told), said[2]
		}
		return e
	}
	if !e.broken(text) && e.host == "" {
		e.unresolved(text, domainOf(e.to), sign == "**")
	}
	if sign == "H=" && e.network == "" && e.stage == 0 {
		return nil
	}
	return e
}
