// Package impl is the relay: it wires the core (queue) to the network, the
// DNS, the disk and the submitters, through the seams of spec/seam.
//
// A Go program embeds it:
//
//	store, err := spool.Open("/var/spool/myapp", spool.Options{})
//	host, err := hostos.New(hostos.Config{Store: store})
//	relay, err := impl.New(impl.Config{Policy: spec.DefaultPolicy("mail.example.org"), Listen: "127.0.0.1:2525"}, host)
//	err = relay.Run(ctx) // until ctx is done
//
// # Who runs where
//
// One goroutine owns the core; everything reaches it through one inbox, and
// what it decides it carries out in order (actor.go). Each delivery has a
// goroutine of its own, begun through Host.Start, which holds one conversation
// and asks the core before the final dot and after the reply (ledger.go); those
// that it has left in good order are kept for the next (delivery.Pool). Run
// owns them all and returns when they have ended.
//
// # Stopping
//
// When its context is done, the relay takes no more mail, begins no delivery,
// breaks off those whose final dot has not left, and waits for the replies to
// those whose dot has: cutting one of these would make a doubt. It says QUIT to
// the servers with whom it keeps a connection.
package impl
