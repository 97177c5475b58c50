// Package postonce holds no code: it is the map of a repository that holds an
// outbound SMTP relay which never delivers twice, and the means to prove it.
// Read package spec first: the vocabulary and the rules. Package impl is the
// relay, for production and for embedding, with a package for each of its
// parts below it; cmd/postonce is its daemon. Package fakesmtp scripts the
// servers that it meets, scenarios is the library of what can go wrong, a file
// each, and sim is the world in which they happen, in virtual time and from a
// seed; cmd/simrun runs it, and hunts relays that are wrong on purpose to see
// whether the world is awake. Arrows between packages point one way, and internal/house keeps it
// so, with the other rules of the house.
package postonce
