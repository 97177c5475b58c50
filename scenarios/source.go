package scenarios

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

// readSource reads from which addresses mail leaves.
func readSource(l *line, p *spec.Policy) {
	var all []netip.Addr
	at := l.pos
	for !l.done() && l.peek() != "for" {
		l.space()
		at = l.pos
		a, err := netip.ParseAddr(l.word("an address"))
		all = append(all, a)
		if why := spec.SourceTrouble(all); err != nil || why != nil {
			l.fail(at, "write 198.51.100.7, 2001:db8::7, or one of each", "it is no address to send from")
		}
	}
	name := ""
	if l.accept("for") {
		name = strings.ToLower(l.host("the domain or host"))
	}
	if len(all) == 0 {
		l.fail(at, "write 198.51.100.7, 2001:db8::7, or one of each", "an address is missing")
	}
	if p.Source == nil {
		p.Source = make(map[string][]netip.Addr)
	}
	p.Source[name] = all
}

func showSource(p, _ spec.Policy) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.Source)) {
		var words []string
		for _, a := range p.Source[name] {
			words = append(words, a.String())
		}
		if name != "" {
			words = append(words, "for", name)
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}
