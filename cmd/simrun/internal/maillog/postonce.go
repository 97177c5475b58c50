package maillog

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/spec"
)

// postonceLine reads a line of postonce, in either of its forms: attributes as
// text, or JSON.
func postonceLine(line string) *entry {
	var got map[string]string
	switch {
	case strings.HasPrefix(line, "{"):
		got = ofJSON(line)
	case strings.HasPrefix(line, "time="):
		got = ofText(line)
	}
	at, ok := clock(got["time"])
	if !ok || got["actor"] != string(spec.ActorRelay) {
		return nil
	}
	e := &entry{at: at, queue: got["queue"], host: got["host"], to: strings.Fields(strings.Trim(got["to"], "[]"))}
	switch spec.FactKind(got["msg"]) {
	case spec.FactQueued:
		e.submitted, e.from = true, strings.Trim(got["from"], "<>")
		return e
	case spec.FactTrouble:
		return e.postonceTrouble(got)
	case spec.FactOutcome:
		e.delivered = got["state"] == spec.Delivered.String()
		return e
	}
	return nil
}

// postonceTrouble reads what a stage came to.
func (e *entry) postonceTrouble(got map[string]string) *entry {
	stage, err := spec.ParseStage(got["stage"])
	if err != nil {
		return nil
	}
	event := got["event"]
	switch {
	case stage == spec.StageResolve:
		e.host, e.fault = "", draft.Fault{Name: got["dest"], Type: "ANY", Fault: "SERVFAIL"}
		if event == spec.NoDomain.String() {
			e.fault.Fault = "NXDOMAIN"
		}
	case stage == spec.StageConnect:
		e.network = map[string]string{"refused": "refused", "timeout": "silent"}[event]
		if e.network == "" {
			e.network = "unreachable"
		}
	case code.MatchString(got["reply"]):
		e.stage, e.reply = stage, got["reply"]
	case strings.Contains(event, "timeout"):
		e.stage, e.end = stage, draft.Left
	default:
		e.stage, e.end = stage, draft.Cut
	}
	return e
}

// ofJSON reads the attributes of a line of JSON; none of another one.
func ofJSON(line string) map[string]string {
	var raw map[string]any
	if json.Unmarshal([]byte(line), &raw) != nil {
		return nil
	}
	got := map[string]string{}
	for key, value := range raw { // any order: each is one entry
		got[key] = fmt.Sprint(value)
	}
	return got
}

// ofText reads the attributes of a line of log/slog's text.
func ofText(line string) map[string]string {
	got := map[string]string{}
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok {
			break
		}
		value, after, _ := strings.Cut(rest, " ")
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			value, _ = strconv.Unquote(quoted) // QuotedPrefix has looked
			after = strings.TrimPrefix(rest[len(quoted):], " ")
		}
		got[key], line = value, after
	}
	return got
}
