// Package route turns DNS answers into the ordered list of hosts that a
// delivery tries: RFC 5321 section 5.1 (MX preference, implicit MX, the
// relay's own name), RFC 7505 (null MX) and RFC 5321 section 4.1.3 (address
// literals). It is pure: the answers come from package resolve, the
// randomness from the caller.
package route
