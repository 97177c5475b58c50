// Package exhaust searches all that can happen to the core of the relay in a
// small world: every order in which batches become durable, reads come back,
// deliveries are answered, cut or silent, timers fire and operators decide,
// with a crash at any moment that keeps any number of the batches that were
// not durable. It is pure: the same world gives the same search.
//
// # The model
//
// A state is the core, the disk (what is durable, and the batches that are not,
// in their order), the deliveries and reads under way, and what is true: who
// accepted what, who was told, who waits. A delivery here does what the
// relay's does (impl/delivery): it asks for an intent for some recipients,
// sends the dot when it may, hears a reply or none, settles, and does so again
// for the others or ends.
//
// What is true is judged by what the disk, the servers, the submitter and the
// operator know, never by what the core says: a report is what stands in a
// stored body, a message exists when its control entry does. Each event is
// judged when it happens, and each state in which nothing but a crash can
// happen: there everything must be over, nobody wait, the disk be empty and
// the memory too. When the graph of all states is known, it must have no
// circle: then everything comes to an end by any way, whatever the faults.
//
// # Why what is left out may be
//
//   - A server's acceptance is not seen by the relay until the reply comes. So
//     it stands right after the dot, before anything else that happens in
//     between, and a late one, after a crash, needs no event of its own.
//   - That a batch is on disk and that the core hears of it is one event: a
//     crash in between leaves what a crash before leaves that keeps the batch.
//     So is that a reply comes and that the delivery settles.
//   - During recovery a read of what cannot change before it comes back has no
//     moment of its own (see isFresh, and boot).
//   - Time goes by intervals between attempts; every due time is a whole
//     number of them. The core compares times and adds to them, so a state is
//     told from another only by how far its times are from now.
//   - A message that has ended is forgotten, but for that it has: whatever
//     happens to it afterwards is wrong.
//
// Destinations are not taken for alike, though they nearly are: the core
// breaks ties by their names.
package exhaust
