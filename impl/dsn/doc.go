// Package dsn writes delivery status notifications: the reports by which a
// sender learns that a message was not delivered, or that nobody knows whether
// it was. A report is a multipart/report (RFC 6522) of a text for a person, a
// message/delivery-status for a program (RFC 3464), and the header of the
// message reported on.
//
// Everything that comes from outside, such as a server's reply or the
// original's header, is taken for hostile: nothing of it can end a line, a
// field or a part, or make a line longer than 998 octets or not ASCII; where the
// reader's own address is beyond ASCII, not UTF-8 (RFC 6533). The
// package is pure, and the same Report gives the same bytes.
package dsn
