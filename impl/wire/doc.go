// Package wire is the text of SMTP as a client sees it: replies are parsed,
// EHLO answers understood, commands written, dots stuffed.
//
// It is pure: bytes in, values out. It knows neither connections nor
// time-outs, and what a reply means for a message is not its business; that
// is the verdict table in package spec.
package wire
