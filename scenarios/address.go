package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/postonce/postonce/spec"
)

// mailbox takes an address, with or without angle brackets, and returns it
// without. A quoted local part may hold blanks and commas.
func (l *line) mailbox(what string) string {
	l.space()
	at := l.pos
	raw := l.mailboxText(what)
	if l.err == nil {
		if reason := badMailbox(raw); reason != "" {
			l.fail(at, "an address is written bob@example.net", "%q is not an address: %s", raw, reason)
		}
	}
	return raw
}

// mailboxText takes what looks like an address, checked or not.
func (l *line) mailboxText(what string) string {
	if l.done() {
		l.fail(l.pos, "", "%s is missing", what)
		return ""
	}
	rest := l.text[l.pos:]
	if rest[0] != '<' {
		end := unquotedIndex(rest, " \t,")
		l.pos += end
		return rest[:end]
	}
	end := unquotedIndex(rest, ">")
	if end == len(rest) {
		l.fail(l.pos, "", "the angle bracket is not closed")
		return ""
	}
	l.pos += end + 1
	return rest[1:end]
}

// unquotedIndex returns where in s the first of the bytes of stops stands
// outside double quotes; len(s) when none does.
func unquotedIndex(s, stops string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++ // the next byte is quoted too
		case s[i] == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(stops, s[i]) >= 0:
			return i
		}
	}
	return len(s)
}

// badMailbox says why s is no mailbox of RFC 5321 section 4.1.2, so far as a
// plan needs to care; empty when it is one.
func badMailbox(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "it has no @"
	}
	local, domain := s[:at], s[at+1:]
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "it has a control character"
		}
	}
	switch {
	case local == "":
		return "nothing stands before the @"
	case domain == "":
		return "nothing stands after the @"
	case strings.HasPrefix(local, `"`):
		if u, err := strconv.Unquote(local); err != nil || u == "" {
			return "its quotes are not closed"
		}
	case strings.ContainsAny(local, " \t,<>@\""):
		return "it has a character that needs quotes"
	}
	if strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]") && !strings.ContainsAny(domain, " \t,<>\"") {
		return ""
	}
	if !validDomain(domain) {
		return fmt.Sprintf("%q is not a domain", domain)
	}
	return ""
}

// validDomain is validHost, with letters of other scripts too.
func validDomain(domain string) bool {
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7f && r != '\uFFFD' {
			return 'x'
		}
		return r
	}, domain)
	return validHost(ascii)
}

// The most recipients that one range may stand for.
const maxRange = 10_000

// mailboxes takes an address or a range of them: user{1..150}@example.net
// stands for user1@example.net to user150@example.net. Two dots in a row
// are no lawful local part, so that no address is mistaken for a range.
func (l *line) mailboxes(what string) []string {
	l.space()
	at := l.pos
	m := l.mailbox(what)
	open, shut := strings.IndexByte(m, '{'), strings.Index(m, "}@")
	if l.err != nil || m[0] == '"' || open < 0 || shut < open || !strings.Contains(m[open:shut], "..") {
		return []string{m}
	}
	low, high, _ := strings.Cut(m[open+1:shut], "..")
	from, err1 := strconv.Atoi(low)
	to, err2 := strconv.Atoi(high)
	if err1 != nil || err2 != nil || from < 0 || to < from || to-from >= maxRange {
		l.fail(at, "a range is written user{1..150}@example.net", "%q is not a range of at most %d addresses", m, maxRange)
		return nil
	}
	all := make([]string, 0, to-from+1)
	for n := from; n <= to; n++ {
		all = append(all, m[:open]+strconv.Itoa(n)+m[shut+1:])
	}
	return all
}

// numbered splits an address whose local part ends in a number without
// leading zeros.
func numbered(address string) (prefix string, n int, domain string, ok bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || address[0] == '"' {
		return "", 0, "", false
	}
	prefix = strings.TrimRight(address[:at], "0123456789")
	digits := address[len(prefix):at]
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 9 || strconv.Itoa(n) != digits {
		return "", 0, "", false
	}
	return prefix, n, address[at:], true
}

// runLength counts how many addresses, from the first on, are a range.
func runLength(n int, address func(int) string) int {
	prefix, first, domain, ok := numbered(address(0))
	if !ok || strings.ContainsAny(prefix, "{}") {
		return 1
	}
	for i := 1; i < min(n, maxRange); i++ {
		p, k, d, ok := numbered(address(i))
		if !ok || p != prefix || d != domain || k != first+i {
			return i
		}
	}
	return min(n, maxRange)
}

// The fewest addresses that are written as a range.
const leastRange = 3

// rangeText writes the range of addresses from first to last.
func rangeText(first, last string) string {
	prefix, from, domain, _ := numbered(first)
	_, to, _, _ := numbered(last)
	return fmt.Sprintf("%s{%d..%d}%s", prefix, from, to, domain)
}

// again stands behind a recipient that the message has already.
const again = "again"

// mailboxList writes addresses, separated by commas, with ranges.
func mailboxList(all []string) string {
	var out []string
	repeated := repeats(all)
	for i := 0; i < len(all); {
		if repeated[i] {
			out = append(out, all[i]+" "+again)
			i++
			continue
		}
		until := i
		for until < len(all) && !repeated[until] {
			until++
		}
		n := runLength(until-i, func(k int) string { return all[i+k] })
		if n < leastRange {
			out = append(out, all[i])
			i++
			continue
		}
		out = append(out, rangeText(all[i], all[i+n-1]))
		i += n
	}
	return strings.Join(out, ", ")
}

// nullSender is how the null reverse-path of RFC 5321 section 4.5.5 is written.
const nullSender = "<>"

// sender takes an address or the null sender.
func (l *line) sender() string {
	if l.accept(nullSender) {
		return ""
	}
	return l.mailbox("the sender's address")
}

// repeats tells of each address whether an earlier one names the same mailbox.
func repeats(all []string) []bool {
	seen := make(map[string]bool, len(all))
	out := make([]bool, len(all))
	for i, a := range all {
		out[i], seen[canonical(a)] = seen[canonical(a)], true
	}
	return out
}

// canonical returns the form of an address that all of its mailbox share.
func canonical(address string) string { return spec.Mailbox(address) }

// SameMailbox reports whether two addresses name one mailbox: the local part
// is compared byte by byte, without quotes that it can do without, the domain
// without case (RFC 5321 sections 2.4 and 4.1.2).
func SameMailbox(a, b string) bool { return canonical(a) == canonical(b) }
