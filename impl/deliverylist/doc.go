// Package deliverylist reads and writes the control message of Citadel's SMTP
// client, of the type application/x-citadel-delivery-list: which stored mail is
// for whom, and how far each recipient has come. It converts between that and
// the queue's own entries.
//
// A control message is a header, an empty line, and one instruction a line with
// fields separated by "|". Three generations of Citadel wrote it, and differ:
//
//   - Lines end in LF or CRLF, with or without a "|" at the end. Fields at the
//     end of a line may be missing.
//   - The header is the Content-Type alone, as it is stored, or has the fields
//     that Citadel shows with it when it is read as a message.
//   - attempted is the time of an attempt, a line for each; the event-driven
//     generation wrote one line, with the time of the next attempt.
//   - Delivered recipients have status 2, or their lines are gone.
//
// msgid comes first, the others in any order. What is not about the outbound
// delivery by SMTP (local, room, ignet, and what nobody knows) is kept as it
// stands, in its order.
package deliverylist
