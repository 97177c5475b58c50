package spec

import (
	"strings"
	"testing"
)

// TestMailGoesWhereAnOperatorSends: once the relay has said that it is done, or
// while it may be; and what may have been taken stays where it is.
func TestMailGoesWhereAnOperatorSends(t *testing.T) {
	const there, back = "reroute via:mx9.example.com", "reroute as-routed"
	said := func(at, word string) string {
		return "\n" + at + ` world operator message=m1 queue=Q1 text="` + word + `"`
	}
	word := func(at, word, rest string) string {
		return said(at, word) + "\n" + at + ` world operated message=m1 queue=Q1` + rest + ` text="` + word + `"`
	}
	stored := func(at, due string) string {
		return "\n" + at + " relay outcome message=m1 queue=Q1 dest=via:mx9.example.com to=bob@example.net attempt=1 state=queued due=" + due
	}
	const paused = "2m world operator dest=example.net text=pause\n2m world operated dest=example.net text=pause"
	answered := func(at, w string) string { return word(at, w, "")[len(said(at, w)):] }
	failing := func(at, word string) string {
		return said(at, word) + strings.ReplaceAll("\nAT relay halt text=\"input/output error\"\nAT world operated message=m1 queue=Q1 reply=no text=\""+
			word+"\"\nAT world stop\nAT world start count=2\nAT relay ready", "AT", at)
	}
	at9 := strings.Replace(attempted, "dest=example.net", "dest=via:mx9.example.com", 1)
	doubt := "2m relay doubt message=m1 queue=Q1 dest=example.net to=bob@example.net text=retry"
	trim := func(lines string) []edit { return waits(strings.TrimPrefix(lines, "\n")) }
	const late = `
121h   relay attempt message=m1 queue=Q1 job=j2 dest=via:mx9.example.com to=bob@example.net attempt=2 due=121h
121h1s relay attempt-end message=m1 queue=Q1 job=j2 dest=via:mx9.example.com
121h1s relay outcome message=m1 queue=Q1 job=j2 dest=via:mx9.example.com to=bob@example.net attempt=2 state=queued reply="451 no" due=121h2s
121h2s relay attempt message=m1 queue=Q1 job=j3 dest=via:mx9.example.com to=bob@example.net attempt=3 due=121h2s`
	wrong := []string{"NEXT-HOP-ORDER: the relay attempts m1 to bob@example.net at example.net, but an operator has sent it to via:mx9.example.com"}
	runTrials(t, []trial{
		{name: "rerouted", base: deferred, edits: trim(said("2m", there) + stored("2m", "5m1.7s") + word("2m", there, "")[len(said("2m", there)):] + at9)},
		{name: "rerouted, and said no word of it but to the operator", base: deferred, edits: trim(word("2m", there, "") + at9)},
		{name: "rerouted, and attempted where it was", base: deferred, edits: trim(word("2m", there, "") + attempted), want: wrong},
		{name: "rerouted, and attempted where it was in the next process", base: deferred, edits: trim(word("2m", there, "") + restarted + attempted), want: wrong},
		{name: "rerouted, and back", base: deferred, edits: trim(word("2m", there, "") + word("3m", back, "") + attempted)},
		{name: "back, and attempted there", base: deferred, edits: trim(word("2m", there, "") + word("3m", back, "") + at9),
			want: []string{"NEXT-HOP-ORDER: the relay attempts m1 to bob@example.net at via:mx9.example.com, but an operator has sent it to example.net"}},
		{name: "not answered: there", base: deferred, edits: trim(said("2m", there) + at9)},
		{name: "not answered: where it was", base: deferred, edits: trim(said("2m", there) + attempted)},
		{name: "not answered before a crash: there", base: deferred, edits: trim(said("2m", there) + restarted + at9)},
		{name: "not answered before a crash: where it was", base: deferred, edits: trim(said("2m", there) + restarted + attempted)},
		{name: "not answered: elsewhere", base: deferred, edits: trim(said("2m", "reroute via:mx8.example.com") + at9),
			want: []string{"NEXT-HOP-ORDER: at via:mx9.example.com, but policy sends it to example.net"}},
		{name: "a disk that fails keeps the first of two words", base: deferred, edits: trim(failing("2m", there) +
			failing("3m", "reroute via:mx8.example.com") + at9)},
		{name: "a disk that fails keeps another word", base: deferred, edits: trim(failing("2m", "reroute via:mx8.example.com") + at9),
			want: []string{"NEXT-HOP-ORDER: at via:mx9.example.com, but policy sends it to example.net"}},
		{name: "due when nobody waits so long there", base: deferred, edits: trim(said("2m", there) + stored("2m", "4h4m")),
			want: []string{"RETRY-ON-TIME: the relay rerouted m1 to bob@example.net, and made it due 2m later than anybody has to wait there"}},
		{name: "refused", base: deferred, edits: trim(word("2m", there, " reply=no") + at9),
			want: []string{"NEXT-HOP-ORDER: at via:mx9.example.com, but policy sends it to example.net"}},
		{name: "nobody said so", base: deferred, edits: trim(at9),
			want: []string{"NEXT-HOP-ORDER: at via:mx9.example.com, but policy sends it to example.net"}},
		{name: "to another one of the message", base: deferred,
			edits: trim(strings.ReplaceAll(word("2m", there, ""), "queue=Q1", "queue=Q1 to=carol@example.net") + at9),
			want:  []string{"NEXT-HOP-ORDER: at via:mx9.example.com, but policy sends it to example.net"}},
		{name: "answers out of order", base: deferred, edits: trim(said("2m", back) + said("2m", there) + stored("2m", "5m1.7s") +
			word("2m", there, "")[len(said("2m", there)):] + word("2m", back, "")[len(said("2m", back)):] + at9)},
		{name: "made due at once by that", base: deferred, edits: trim(said("2m", there) + stored("2m", "2m")),
			want: []string{"RETRY-ON-TIME: the relay rerouted m1 to bob@example.net, and made it due 3m1.7s earlier than it was"}},
		{name: "in doubt, and rerouted", base: deferred, edits: trim("\n" + doubt + said("2m", there) + stored("2m", "5m1.7s")),
			want: []string{"NEXT-HOP-ORDER: what is in doubt stays where it is"}},
		{name: "in doubt, and left where it is", base: deferred, edits: trim("\n" + doubt + word("2m", there, "") + attempted)},
		{name: "attempted there once when its lifetime was over", base: deferred, edits: append(trim(paused+said("118h", there)+
			stored("118h", "121h")+answered("118h", there)+late), until("121h2s "))},
		{name: "attempted there twice when its lifetime was over", base: deferred, edits: trim(paused + said("118h", there) +
			stored("118h", "121h") + answered("118h", there) + late), want: []string{"RETRY-ON-TIME: after its lifetime had ended"}},
		{name: "to a host that is none of those", base: deferred, edits: trim(word("2m", there, "") + at9 +
			"\n5m1.8s relay dial message=m1 queue=Q1 job=j2 dest=via:mx9.example.com host=mx1.example.net addr=192.0.2.10:25"),
			want: []string{"NEXT-HOP-ORDER: the relay dialled mx1.example.net for via:mx9.example.com: it is not among its next hops"}},
	})
}
