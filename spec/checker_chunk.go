package spec

import (
	"strconv"
	"strings"
)

// BDAT, as servers saw it, held against the policy. What RFC 3030 forbids at any
// server, the server says itself.

// judgeChunk judges a chunk that is about to come.
func (c *Checker) judgeChunk(s *session, e *event) {
	for _, r := range s.to {
		if dest, ok := c.destFor(s, r.address); ok && !c.policy.ChunkingFor(dest, e.Host) {
			c.violate(WireLawful, "chunking "+e.Session+s.began.At.String(), []*event{s.began, e},
				"the relay says BDAT to %s in mail for %s, though policy says that chunking is off", e.Host, dest)
			break
		}
	}
	if size := chunkSize(e.Text); size > c.policy.Limits.ChunkBytes {
		c.violate(FairAndBounded, "chunk "+e.Session+e.At.String(), []*event{s.began, e},
			"the relay sends %s a chunk of %d octets, more than %d", e.Host, size, c.policy.Limits.ChunkBytes)
	}
}

// chunkSize is how much follows a BDAT; 0 when it does not say so.
func chunkSize(command string) int64 {
	words := strings.Fields(command)
	if len(words) < 2 {
		return 0
	}
	n, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
