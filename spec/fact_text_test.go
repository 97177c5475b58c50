package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFactTextHasFixedColumns(t *testing.T) {
	for _, c := range []struct {
		fact Fact
		want string
	}{
		{Fact{At: 1, Actor: ActorRelay, Kind: FactReady}, `1970-01-01T00:00:00.000000001Z relay                   ready`},
		{Fact{At: 0, Actor: ServerActor("mx1.example.net"), Kind: FactAccepted, Message: "m1@example.org", From: "<>",
			To: []string{"bob@example.net", `"a,b"@example.net`}, Hash: "00"},
			`1970-01-01T00:00:00.000000000Z server mx1.example.net  accepted          ` +
				`message=m1@example.org to=bob@example.net,"\"a,b\"@example.net" from=<> hash=00`},
		{Fact{Actor: ActorRelay, Kind: FactOutcome, State: Queued, Stage: StageRCPT, Attempt: 2, Due: 5, Count: -1, Reply: "451 4.7.1 later", Text: "é\n"},
			`1970-01-01T00:00:00.000000000Z relay                   outcome           ` +
				`attempt=2 state=queued stage=rcpt reply="451 4.7.1 later" due=1970-01-01T00:00:00.000000005Z count=-1 text="é\n"`},
		{Fact{Actor: ActorRelay, Kind: FactTrouble, Session: "192.0.2.1:4", Stage: StageDot, Event: Timeout, Verdict: InDoubt},
			`1970-01-01T00:00:00.000000000Z relay                   trouble           ` +
				`session=192.0.2.1:4 stage=dot event=timeout verdict=in-doubt`},
		{Fact{Actor: ActorWorld, Kind: FactCrash, Event: 98, Verdict: 97, Count: 1, Faults: []Fault{FaultCrashAfter, "odd, kind"}},
			`1970-01-01T00:00:00.000000000Z world                   crash             event=98 verdict=97 count=1 faults=crash-after,"odd, kind"`},
		{Fact{Actor: "server a name longer than the column", Kind: "an odd kind", State: 99, Stage: 98},
			`1970-01-01T00:00:00.000000000Z server "a name longer than the column" "an odd kind" state=99 stage=98`},
		{Fact{}, `1970-01-01T00:00:00.000000000Z ""                      ""`},
	} {
		if d := cmp.Diff(c.want, c.fact.String()); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		back, err := ParseFact(c.want)
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
		} else if d := cmp.Diff(c.fact, back); d != "" {
			t.Errorf("%s: -want +got:\n%s", c.want, d)
		}
	}
}

func TestFactsSurviveText(t *testing.T) {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"server", "server x", "a=b", `"`, ",", " ", "\xff", "x,y", "\\", "<>"}))
	rapid.Check(t, func(t *rapid.T) {
		f := Fact{
			At:    Wall(rapid.Int64().Draw(t, "at")),
			Actor: Actor(rapid.OneOf(text, rapid.Map(text, func(s string) string { return "server " + s })).Draw(t, "actor")),
			Kind:  FactKind(text.Draw(t, "kind")), Message: text.Draw(t, "message"), Queue: QueueID(text.Draw(t, "queue")),
			Job: text.Draw(t, "job"), From: text.Draw(t, "from"), Dest: text.Draw(t, "dest"), Host: text.Draw(t, "host"),
			Addr: text.Draw(t, "addr"), Session: text.Draw(t, "session"), Attempt: rapid.Int().Draw(t, "attempt"),
			State: RecipientState(rapid.Uint8().Draw(t, "state")), Stage: Stage(rapid.Uint8().Draw(t, "stage")),
			Event: Event(rapid.Uint8().Draw(t, "event")), Verdict: Verdict(rapid.Uint8().Draw(t, "verdict")),
			Reply: text.Draw(t, "reply"), Name: text.Draw(t, "name"), Due: Wall(rapid.Int64().Draw(t, "due")), Count: rapid.Int64().Draw(t, "count"),
			Hash: text.Draw(t, "hash"), Text: text.Draw(t, "text"),
		}
		if to := rapid.SliceOfN(text, 0, 3).Draw(t, "to"); len(to) > 0 {
			f.To = to
		}
		if names := rapid.SliceOfN(text, 0, 3).Draw(t, "names"); len(names) > 0 {
			f.Names = names
		}
		if needs := rapid.SliceOfN(text, 0, 2).Draw(t, "needs"); len(needs) > 0 {
			f.Needs = needs
		}
		if notify := rapid.SliceOfN(text, 0, 3).Draw(t, "notify"); len(notify) > 0 {
			f.Notify = notify
		}
		fault := rapid.OneOf(rapid.SampledFrom(Faults()), rapid.Map(text, func(s string) Fault { return Fault(s) }))
		if faults := rapid.SliceOfN(fault, 0, 3).Draw(t, "faults"); len(faults) > 0 {
			f.Faults = faults
		}
		line := f.String()
		if strings.ContainsAny(line, "\r\n") {
			t.Fatalf("more than one line: %q", line)
		}
		back, err := ParseFact(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if d := cmp.Diff(f, back); d != "" {
			t.Fatalf("%s: -want +got:\n%s", line, d)
		}
	})
}

func TestBrokenFactTextIsRefused(t *testing.T) {
	const head = "1970-01-01T00:00:00.000000001Z relay ready "
	for _, line := range []string{
		"", "yesterday relay ready", "1970-01-01T00:00:00Z relay ready", "9999-01-01T00:00:00.000000000Z relay ready",
		"1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000001Z relay", "1970-01-01T00:00:00.000000001Z server ready",
		head + "message", head + "colour=red", head + "job=", head + `job="x`, head + `job="x"y`, head + "job=1 job=2", head + "to=a,", head + "to=,a",
		head + "faults=a,",
		head + "attempt=x", head + "state=dead", head + "state=256", head + "stage=later",
		head + "event=bang", head + "verdict=256", head + "due=now", head + "count=1.5", head + "job=a\tb",
	} {
		if f, err := ParseFact(line); err == nil {
			t.Errorf("%q is read as %+v", line, f)
		}
	}
}

func FuzzParseFact(f *testing.F) {
	f.Add(Fact{
		At: 1, Actor: ServerActor("mx"), Kind: FactAccepted, To: []string{"a b", "c"}, State: Held, Event: Cut,
		Verdict: NextHost, Faults: []Fault{FaultCut}, Text: "x\ny",
	}.String())
	f.Add(`1970-01-01T00:00:00.000000001Z "server x" y state=1 to="",""`)
	f.Fuzz(func(t *testing.T, line string) {
		fact, err := ParseFact(line)
		if err != nil {
			return
		}
		again, err := ParseFact(fact.String())
		if err != nil {
			t.Fatalf("%q was read, but not its text %q: %v", line, fact, err)
		}
		if d := cmp.Diff(fact, again); d != "" {
			t.Fatalf("%q: -want +got:\n%s", line, d)
		}
	})
}
