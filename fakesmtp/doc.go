// Package fakesmtp is to SMTP what httptest is to HTTP: servers that behave,
// or misbehave, as a script says, on any net.Listener. It knows the protocol
// by itself and shares no code with any client.
//
//	server := fakesmtp.New(t, `at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted`)
//	err := smtp.SendMail(server.Addr(), nil, from, to, message)
//
// [New] is for tests, on a loopback address; [NewServer] takes a [Script] from
// [ParseScript], listens where it is told, and reports what happens as facts
// of package spec. Inside a testing/synctest bubble, on a listener in memory,
// all delays take no real time. What came in is in [Server.Accepted], rules that
// never matched are in [Server.Unused]; a client that trusts [Authorities] can go
// through STARTTLS. It takes nothing else of this module but package spec; a module
// that uses it in its tests is in testdata/stranger.
//
// # The language
//
// A script has one statement a line. Blank lines do not count, nor do lines
// that begin with "#". There are five statements:
//
//	offer PIPELINING, SIZE 10485760, 8BITMIME
//	hostname mx1.example.net
//	auth relay "s3cret" PLAIN, LOGIN
//	persona greylister
//	at rcpt <bob@example.net>, first 1: 451 4.7.1 Greylisted; fin
//
// "offer" lists exactly what the reply to EHLO offers; "offer none" is nothing.
// CHUNKING has it take BDAT, and LIMITS RCPTMAX=2 have it take no more than that.
// A keyword is one that IANA has registered or one that begins with X; any other
// stands in quotes, so that it is no typing error: offer SIZE, "FROBNICATE 1".
// Without it a server offers PIPELINING, 8BITMIME, SIZE 67108864 and
// ENHANCEDSTATUSCODES. "hostname" is what the server calls itself. "auth" says
// who may send mail (RFC 4954), and by which mechanisms he can prove that it is
// he; "in clear" at its end offers that without TLS though STARTTLS is offered. "persona"
// takes in rules that have a name, see [Personas]; they are tried after those
// of the script. "at" is a rule:
//
//	at STAGE [<RECIPIENT>] [from <SENDER>] [, CONDITION]...: ACTION [; ACTION]...
//
// Of all rules for a stage the first one whose conditions hold is carried out.
// When none does, the server behaves well.
//
// # Stages
//
//	connect   the connection is there, nothing is said yet
//	greeting  the 220 is due
//	ehlo, helo, starttls, mail, rcpt, data, rset, quit
//	          the command is read, its reply is due
//	handshake the 220 to STARTTLS is said, the TLS handshake is due
//	auth      AUTH or a response is read, the reply to it is due
//	bdat      a chunk that is not the last is read, its reply is due
//	body      the first byte of the content is there
//	dot       all of the content is read, also of the last chunk, the reply is due
//	idle      a transaction is over, and the client says nothing; a delay at the
//	          beginning is how long it has until the rest is done
//
// A command that is wrong by itself, by syntax or by order, is refused without
// asking the rules.
//
// # Conditions
//
//	<bob@example.net>          the recipient; at data, body and dot: one of those taken
//	from <*@example.org>       the sender; "*" is any text, "from <>" the null sender
//	connection N               the n-th connection to this server
//	attempt N                  the n-th time that this server sees this sender and
//	                           recipient (at mail: sender; at data, body and dot:
//	                           sender and all recipients taken) at this stage
//	over N recipients          more than N recipients taken in this transaction,
//	over N messages            more than N transactions in this connection,
//	over N connections         more than N connections open: each counts the one in hand
//	parameters                 MAIL or RCPT has parameters
//	pipelined                  more input is there already
//	torn                       the command, or at dot the CRLF.CRLF, has come in more
//	                           than one piece
//	missized                   at dot: SIZE has said another number of octets
//	after TIME, until TIME     the time since Server.Epoch, such as 30s, 5m, 2h or 1d12h
//	first N                    only the first N times that all else holds
//	nth N                      only the N-th time
//
// A counter advances when its rule is reached, not when what it does is done.
//
// # Actions
//
//	451 4.7.1 Try again        a reply
//	250-first|250 last         a reply of several lines
//	raw "25\r\n"               these bytes, a Go string
//	delay TIME                 wait; the session ends if the client goes, but not at dot
//	drip TIME; REPLY           send what follows one byte per TIME
//	repeat N; REPLY            send what follows N times
//	cut                        end the connection abruptly, with RST
//	cut after N; REPLY         send N bytes of what follows, then cut
//	cut after N                at body: cut when N bytes of content were read;
//	                           at handshake: when so many were sent; or all
//	fin                        end the connection in an orderly way
//	silence                    say nothing more, until the client goes
//	present CERTIFICATE        at handshake: show this certificate, such as expired or
//	                           trusted for example.net; see [CertificateKind]
//	demand                     at handshake: ask for a certificate of the client
//	accept                     at dot: take the message, whatever is said then
//	lose                       at dot: take the message and cut
//
// A rule that neither replies nor ends the connection is followed by the normal
// reply: "at rcpt: delay 1m" is a slow server that is otherwise well. What a
// reply does to the session goes by its code: after a 2yz to RCPT the recipient
// is taken, and so on; raw bytes count by the code that they begin with, after any
// empty lines. A 421 alone does not close: write "421 4.3.2 Closing; fin".
//
// A message is accepted at the dot when a positive reply is about to be sent,
// or by accept and lose:
//
//	at dot, first 1: accept; cut            accepted, the reply is lost
//	at dot: cut                             not accepted
//	at dot: accept; delay 15m; 250 late     accepted, told too late
//	at dot: delay 15m                       accepted only after 15 minutes
//	at dot: accept; silence                 accepted, never told
//	at dot: 451 4.3.0 Try again             refused
//	at dot: cut after 2; 250 ok             accepted, the reply is torn
//
// A reply at body is sent before the content was read to its end. There is
// none at the dot then; if the early one was positive, the message is taken
// when the dot comes.
//
// More examples:
//
//	at greeting: raw "220 mx1 re"; delay 1s; raw "ady\r\n"
//	at connect: cut
//	at greeting: 554 5.7.1 No service
//	at ehlo: 502 5.5.1 What?
//	at ehlo: 250-mx1|250-SIZE 1000|250 PIPELINING
//	at mail from <alice@*>, after 1h, until 2h: 421 4.3.2 Closing; fin
//	at rcpt <*@example.net>, over 100 recipients: 452 4.5.3 Too many recipients
//	at bdat, nth 2: 452 4.3.1 No room
//	at body: cut after 100
//	at body, attempt 1: 552 5.3.4 Too big; fin
//	at starttls: 454 4.7.0 TLS not available
//	at handshake, first 1: present self-signed
//	at handshake: raw "what?\r\n"
//	at auth, until 2h: 535 5.7.8 Another password
//	at rset: repeat 100000; raw "250-and so on\r\n"
//
// # What is unlawful
//
// A client that breaks RFC 5321 or RFC 2920 makes a fact of kind FactUnlawful:
// commands out of order, malformed, unknown, too long, or with parameters that
// were not offered; input before the greeting or before a reply that had to be
// waited for; lines that are too long, a bare CR or LF, NUL, a dot that was not
// doubled, octets above 127 without 8BITMIME, addresses beyond ASCII without
// SMTPUTF8; BDAT that was not offered, or beside DATA in one transaction; more than
// was stated with LIMITS (RFC 9422). REQUIRETLS is offered under TLS alone. Input
// that came early is seen
// only as far as it has arrived when the reply is sent; a rule with a delay
// sees more. A server never blames a client wrongly.
package fakesmtp
