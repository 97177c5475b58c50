package spec

// judgeDestination judges that an attempt is for the destination to which the
// mail of its sender for its recipients belongs. Other destinations than those
// of senders are judged by the hosts that are dialled.
func (c *Checker) judgeDestination(j *job) {
	if j.start.Dest == "" || j.mail.from == "" {
		return
	}
	for _, r := range j.to {
		want := c.policy.Destination(j.mail.from, r.address)
		if bySender := viaHosts(want) != nil || viaHosts(j.start.Dest) != nil; bySender && hostName(j.start.Dest) != hostName(want) {
			c.violate(NextHopOrder, "belongs "+j.mail.id, []*event{j.mail.submit, j.start},
				"the relay attempts %s at %s, but policy sends it to %s", r.name(), j.start.Dest, want)
			return
		}
	}
}
