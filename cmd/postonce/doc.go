// Postonce is an outbound SMTP relay: it takes mail, keeps it until it is
// delivered or reported to the sender, and never delivers it twice.
//
//	postonce serve --config FILE    run the relay
//	postonce check [FILE]           check a configuration
//	postonce queue list             show what a stopped relay's spool holds
//	postonce queue show ID          show one message of it
//	postonce queue decide           decide what a stopped relay holds in doubt
//	postonce queue hold, release, retry, bounce, delete
//	                                park, try, give up or drop what waits there
//	postonce queue import-citadel   take the outbound mail of a Citadel server over
//	postonce version                say which version this is
//
// The exit status is 0 when all went well, 1 for a wrong command line or
// configuration, 2 when something failed while running.
package main
