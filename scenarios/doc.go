// Package scenarios holds the library of stories that an outbound relay has to
// live through, and the small language in which they are written.
//
// A scenario is one txtar archive: prose that says what holds, then sections
// that each keep their natural notation: zone lines for the DNS, rules for
// servers, .eml for messages, a plan, and what is expected. [Parse] reads one
// and refuses what it does not understand with file, line and a caret;
// [Format] writes it in the one canonical form; [Reference] describes the
// language from the tables that the parser itself uses. README.md tells how to
// write one while reading a bug report.
//
// A [Scenario] is plain data. The package runs nothing.
package scenarios
