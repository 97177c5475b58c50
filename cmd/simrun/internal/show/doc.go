// Package show says in words what runs of the simulator found: for a person,
// and as JSON and JUnit XML for a machine. It runs nothing, and what it writes
// depends on nothing but what it is given; only the real time of a run differs
// from one to the next.
package show
