// Package spec is the vocabulary and the rules of postonce.
//
// It holds what every other part must agree on and nothing that does anything:
// messages, replies, recipient states, the verdict table, the retry schedule,
// limits and time-outs, facts, and the Checker that judges a run from its
// facts alone. It is pure: no I/O, no goroutine, no clock, no randomness.
//
// The rules are stated for a mail operator in spec/README.md.
package spec
