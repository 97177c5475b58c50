package spec

// A Fault is one kind of thing that goes wrong in a world, or is done to it.
// It is a closed set, so that it can be said which kinds a run met.
type Fault string

// Faults of connecting.
const (
	// FaultRefused: connecting was refused with RST.
	FaultRefused Fault = "net-refused"
	// FaultUnreachable: an ICMP error came back.
	FaultUnreachable Fault = "net-unreachable"
	// FaultNoAnswer: nothing came back at all.
	FaultNoAnswer Fault = "net-silent"
)

// Faults of the DNS.
const (
	FaultNXDomain  Fault = "dns-nxdomain"
	FaultNoData    Fault = "dns-nodata"
	FaultServFail  Fault = "dns-servfail"
	FaultDNSRefuse Fault = "dns-refused"
	FaultDNSMute   Fault = "dns-timeout"
	FaultTruncated Fault = "dns-truncated"
)

// Faults of a server, on one connection.
const (
	// FaultReply2 to FaultReply5: a reply of this class where a well-behaved
	// server gives another.
	FaultReply2   Fault = "reply-2yz"
	FaultReply3   Fault = "reply-3yz"
	FaultReply4   Fault = "reply-4yz"
	FaultReply421 Fault = "reply-421"
	FaultReply5   Fault = "reply-5yz"
	// FaultOddReply: lawful bytes in a form that is seldom seen.
	FaultOddReply Fault = "reply-odd"
	// FaultMalformed: bytes that are no reply.
	FaultMalformed Fault = "reply-malformed"
	// FaultExtraReply: more replies than were asked for.
	FaultExtraReply Fault = "reply-extra"
	// FaultEarly: a reply before the final dot.
	FaultEarly Fault = "reply-early"
	// FaultDelay: time passes before the reply, FaultDrip: within it.
	FaultDelay Fault = "delay"
	FaultDrip  Fault = "drip"
	// FaultSilence: no reply comes, and the connection stays.
	FaultSilence Fault = "silence"
	// FaultCut: the connection ends with RST, FaultFin: with FIN.
	FaultCut Fault = "cut"
	FaultFin Fault = "fin"
	// FaultTorn: the connection ends within a reply.
	FaultTorn Fault = "torn"
	// FaultCertificate: the server shows a certificate that is not valid for it.
	FaultCertificate Fault = "tls-certificate"
	// FaultLost: the message was accepted and the reply that says so never
	// comes whole. FaultDenied: it was accepted, and the reply says no.
	FaultLost   Fault = "accept-lost"
	FaultDenied Fault = "accept-denied"
)

// Faults of the relay's process, and of its disk.
const (
	// FaultCrash: the process was killed at a time; before or after a fact.
	FaultCrash       Fault = "crash"
	FaultCrashBefore Fault = "crash-before"
	FaultCrashAfter  Fault = "crash-after"
	// FaultCrashMute: its peers heard nothing of that.
	FaultCrashMute Fault = "crash-silent"
	// FaultKeepNone, FaultKeepSome, FaultKeepAll: what the disk kept of what
	// was not acknowledged.
	FaultKeepNone Fault = "keep-none"
	FaultKeepSome Fault = "keep-some"
	FaultKeepAll  Fault = "keep-all"
	// FaultStop: the relay was told to stop.
	FaultStop Fault = "stop"
	// FaultDamage: an entry of the spool was damaged; with Stage StageBody, the
	// content alone.
	FaultDamage Fault = "damage"
	// FaultStore, FaultLookup, FaultDial: an operation of the relay's own
	// machine failed: on its disk, its resolver, its sockets.
	FaultStore  Fault = "store-error"
	FaultLookup Fault = "lookup-error"
	FaultDial   Fault = "dial-error"
	// FaultLineCut: the network broke a connection that was made.
	FaultLineCut Fault = "net-cut"
	// FaultClock: the wall clock of the relay's machine was set.
	FaultClock Fault = "clock-jump"
)

// A FaultPlace says what a kind of fault touches.
type FaultPlace uint8

// The places.
const (
	// PlaceConnect: a connection that is not made.
	PlaceConnect FaultPlace = iota + 1
	// PlaceDNS: an answer of the DNS.
	PlaceDNS
	// PlaceHandshake: a TLS handshake, before any mail is spoken of.
	PlaceHandshake
	// PlaceServer: one connection to a server.
	PlaceServer
	// PlaceProcess: the relay's process, with all that it has in hand.
	PlaceProcess
	// PlaceDisk: an entry of the spool.
	PlaceDisk
	// PlaceClock: the time by which everything is due.
	PlaceClock
)

// Faults lists all kinds, by place.
func Faults() []Fault {
	return []Fault{
		FaultRefused, FaultUnreachable, FaultNoAnswer,
		FaultNXDomain, FaultNoData, FaultServFail, FaultDNSRefuse, FaultDNSMute, FaultTruncated,
		FaultReply2, FaultReply3, FaultReply4, FaultReply421, FaultReply5, FaultOddReply, FaultMalformed, FaultExtraReply, FaultEarly,
		FaultDelay, FaultDrip, FaultSilence, FaultCut, FaultFin, FaultTorn, FaultCertificate, FaultLost, FaultDenied,
		FaultCrash, FaultCrashBefore, FaultCrashAfter, FaultCrashMute, FaultKeepNone, FaultKeepSome, FaultKeepAll, FaultStop,
		FaultDamage, FaultStore, FaultLookup, FaultDial, FaultLineCut, FaultClock,
	}
}

// Place says what the fault touches; 0 when it is not in the set.
func (f Fault) Place() FaultPlace {
	switch f {
	case FaultRefused, FaultUnreachable, FaultNoAnswer, FaultDial:
		return PlaceConnect
	case FaultNXDomain, FaultNoData, FaultServFail, FaultDNSRefuse, FaultDNSMute, FaultTruncated, FaultLookup:
		return PlaceDNS
	case FaultReply2, FaultReply3, FaultReply4, FaultReply421, FaultReply5, FaultOddReply, FaultMalformed, FaultExtraReply, FaultEarly,
		FaultDelay, FaultDrip, FaultSilence, FaultCut, FaultFin, FaultTorn, FaultLost, FaultDenied, FaultLineCut:
		return PlaceServer
	case FaultCertificate:
		return PlaceHandshake
	case FaultCrash, FaultCrashBefore, FaultCrashAfter, FaultCrashMute, FaultKeepNone, FaultKeepSome, FaultKeepAll, FaultStop, FaultStore:
		return PlaceProcess
	case FaultDamage:
		return PlaceDisk
	case FaultClock:
		return PlaceClock
	}
	return 0
}

// FaultOfReply is the fault of a reply of this class where another belongs.
func FaultOfReply(e Event) Fault {
	switch e {
	case Reply2:
		return FaultReply2
	case Reply3:
		return FaultReply3
	case Reply4:
		return FaultReply4
	case Reply421:
		return FaultReply421
	case Reply5:
		return FaultReply5
	case Malformed, Timeout, Cut, Refused, NoDomain, NoAddress, DNSTrouble, NullMX, Loop, NotOffered, Untrusted:
	}
	return FaultMalformed
}

// touchesSessions reports whether the fault of a fact may have touched a
// connection that existed. What has no kind may have done anything.
func (f *Fact) touchesSessions() bool {
	for _, fault := range f.Faults {
		switch fault.Place() {
		case PlaceConnect, PlaceDNS, PlaceDisk, PlaceClock:
		default:
			if fault != FaultStore {
				return true
			}
		}
	}
	return len(f.Faults) == 0
}
