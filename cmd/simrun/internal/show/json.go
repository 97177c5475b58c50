package show

import (
	"encoding/json"
	"io"
	"time"

	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

// SchemaVersion is the version of the JSON report. It grows when a field
// changes its meaning or goes; new fields may come without that.
const SchemaVersion = 1

// A jsonReport is the JSON report. Durations are in nanoseconds of virtual
// time unless they say otherwise; facts are lines of the trace, as
// spec.ParseFact reads them.
type jsonReport struct {
	Schema    int            `json:"schema"`
	Status    string         `json:"status"`
	Exit      int            `json:"exit"`
	RealNS    int64          `json:"real_ns"`
	NotYet    int            `json:"not_yet"`
	Scenarios []jsonScenario `json:"scenarios"`
}

type jsonScenario struct {
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	File       string          `json:"file"`
	Source     string          `json:"source,omitempty"`
	Rules      []string        `json:"rules"`
	Seed       uint64          `json:"seed"`
	Relay      string          `json:"relay"`
	Status     string          `json:"status"`
	Ran        bool            `json:"ran"`
	NotYet     []string        `json:"not_yet,omitempty"`
	VirtualNS  int64           `json:"virtual_ns"`
	LastedNS   int64           `json:"lasted_ns"`
	Facts      int             `json:"facts"`
	Faults     int             `json:"faults"`
	Crashes    int             `json:"crashes"`
	Hash       string          `json:"hash"`
	Violations []jsonViolation `json:"violations"`
	Mismatches []string        `json:"mismatches"`
	Licences   []jsonLicence   `json:"licences"`
	Fired      []string        `json:"fired"`
	Unused     []string        `json:"unused"`
	Panic      string          `json:"panic,omitempty"`
	Error      string          `json:"error,omitempty"`
	Replay     string          `json:"replay"`
}

type jsonViolation struct {
	Rule     string   `json:"rule"`
	Text     string   `json:"text"`
	Sentence string   `json:"sentence"`
	Facts    []string `json:"facts"`
}

type jsonLicence struct {
	Message   string `json:"message"`
	Recipient string `json:"recipient"`
	Window    string `json:"window"`
	First     string `json:"first"`
	Second    string `json:"second"`
}

// JSON writes all runs, which took real time together, as one JSON object.
// Lists are never null.
func JSON(w io.Writer, runs []Run, real time.Duration) error {
	status := Worst(runs)
	report := jsonReport{
		Schema: SchemaVersion, Status: status.String(), Exit: int(status), RealNS: real.Nanoseconds(), Scenarios: []jsonScenario{},
	}
	for _, r := range runs {
		report.Scenarios = append(report.Scenarios, jsonRun(r))
		if r.Waits() {
			report.NotYet++
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}

func jsonRun(r Run) jsonScenario {
	s := r.Scenario
	result := r.Result
	if result == nil {
		result = &sim.Result{}
	}
	j := jsonScenario{
		Name: s.Name, Title: s.Title, File: r.File, Source: s.Source, Rules: list(s.Rules), Seed: s.Seed, Relay: r.Relay,
		Status: r.Status().String(), Ran: r.Result != nil, VirtualNS: result.Virtual.Nanoseconds(),
		LastedNS: r.Lasted().Nanoseconds(), Facts: result.Lines,
		Faults: r.count(spec.FactFault), Crashes: r.count(spec.FactCrash), Hash: result.Hash,
		Violations: []jsonViolation{}, Mismatches: placed(r, result.Mismatches), Licences: []jsonLicence{},
		Fired: list(result.Fired), Unused: placed(r, result.Unused), Panic: result.Panic, Replay: r.again(),
	}
	if r.Broken != nil {
		j.Error, j.Replay = r.Broken.Error(), ""
	}
	if r.Waits() {
		j.Status, j.NotYet = "not-yet", r.Scenario.NotYet()
	}
	for _, v := range result.Violations {
		lines := []string{}
		for _, f := range v.Facts {
			lines = append(lines, f.String())
		}
		j.Violations = append(j.Violations, jsonViolation{string(v.Rule), v.Rule.Text(), v.Sentence, lines})
	}
	for _, l := range result.Licences {
		j.Licences = append(j.Licences, jsonLicence{l.Message, l.Recipient, l.Window, l.First.String(), l.Second.String()})
	}
	return j
}

// list makes a nil list an empty one.
func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

// placed gives each text the name of the run's file.
func placed(r Run, all []string) []string {
	texts := []string{}
	for _, text := range all {
		texts = append(texts, r.placed(text))
	}
	return texts
}
