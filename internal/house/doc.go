// Package house keeps the rules of this repository that a machine can keep:
// who may import whom, what a pure package may not touch, what must be
// documented, how large things may grow.
//
// Each rule is a function from the parsed source tree to findings, in a file
// of its own; testdata holds, for each, a small tree that breaks it in every
// way it knows. The test at the root of the repository runs them all.
package house
