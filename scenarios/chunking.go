package scenarios

import (
	"maps"
	"slices"
	"strings"

	"github.com/postonce/postonce/spec"
)

var onOff = []string{"on", "off"}

func readChunking(l *line, p *spec.Policy) {
	on := l.choose("setting of chunking", onOff) == "on"
	if l.done() {
		p.Chunking = on
		return
	}
	at := strings.ToLower(l.host("the domain or host"))
	if p.ChunkingAt == nil {
		p.ChunkingAt = make(map[string]bool)
	}
	p.ChunkingAt[at] = on
}

func showChunking(p, d spec.Policy) []string {
	word := map[bool]string{true: onOff[0], false: onOff[1]}
	out := oneIf(p.Chunking != d.Chunking, word[p.Chunking])
	for _, at := range slices.Sorted(maps.Keys(p.ChunkingAt)) {
		out = append(out, word[p.ChunkingAt[at]]+" "+at)
	}
	return out
}
