package page

import (
	"embed"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/spec"
)

//go:embed assets
var assets embed.FS

// A view is what the page of a trace is filled with.
type view struct {
	Run     show.Run
	Command string // which shows the same again
	Status  status
	Facts   string
	Lasted  string
	Broken  []violation
	Others  []violation
	// More are violations beyond those.
	More       int
	Mismatches []string
	Unused     []string
	Licences   []spec.Licence
	Panic      string
	Fates      []message
	// Untold counts the messages beyond those.
	Untold int
	Story  []moment
	// Cut counts the moments in the middle of the story that are left out.
	Cut   int
	Chart *Chart
}

// A status is how a run ended.
type status struct{ Word, Sign, Text string }

// A violation is one broken rule, told.
type violation struct {
	// At counts violations in the order in which the page shows them.
	At                            int
	Rule, Sentence, Text, Sources string
	Facts                         []moment
}

// A moment is one line of a timeline.
type moment struct {
	When, What string
	// Fact is the fact's place in the trace; -1 when it is not there.
	Fact int
	Kind string
}

// A message is what became of one.
type message struct {
	ID, From, Remarks string
	Report            bool
	Recipients        []fate
}

// A fate is what became of recipients, who all had the same.
type fate struct {
	Addresses   []string
	State, Text string
}

// What a page holds at most: a trace that broke a rule a thousand times is
// read from its first violations.
const (
	mostOthers   = 100
	mostMessages = 100
	storyBegins  = 150
	storyEnds    = 50
	reportBegins = 40
	reportEnds   = 15
)

// Trace writes the page of one run, which command shows again. The run has a
// result. Scenario may be one without a file: its title and prose are shown.
func Trace(w io.Writer, r show.Run, command string) error {
	v := newView(r, command)
	v.Story, v.Cut = story(r, storyBegins, storyEnds)
	var all []spec.Violation
	v.Broken, v.Others, v.More, all = violations(r)
	v.Chart = newChart(r.Result.Began, r.Result.Facts, all)
	for i := range v.Broken {
		v.Broken[i].place(v.Chart)
	}
	for i := range v.Others {
		v.Others[i].place(v.Chart)
	}
	t, err := parse("trace.html")
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// place notes which facts of the chart a violation is made of.
func (v *violation) place(c *Chart) {
	if len(c.Broken[v.At]) != len(v.Facts) {
		return
	}
	for i, at := range c.Broken[v.At] {
		v.Facts[i].Fact = at
	}
}

func newView(r show.Run, command string) *view {
	v := &view{
		Run: r, Command: command, Status: statusOf(r.Status()), Facts: show.Number(r.Result.Lines, "fact"),
		Lasted: show.Span(r.Lasted()), Mismatches: r.Placed(r.Result.Mismatches), Licences: r.Result.Licences,
	}
	v.Fates, v.Untold = messages(r)
	if r.Result.Panic != "" {
		v.Panic = show.Stacks(r.Result.Panic)
	}
	if r.Result.Status == sim.NoVerdict {
		v.Unused = r.Placed(r.Result.Unused)
	}
	return v
}

func statusOf(s sim.Status) status { return status{s.String(), show.Sign(s), show.Verdict(s)} }

// violations tells the violations of a run, and returns those told in the
// order of the page.
func violations(r show.Run) (first, others []violation, more int, all []spec.Violation) {
	told, rest := show.Gravest(r.Result.Violations)
	if len(rest) > mostOthers {
		more = len(rest) - mostOthers
		rest = rest[:mostOthers]
	}
	for _, v := range told {
		first = append(first, tell(r, v, len(all)))
		all = append(all, v)
	}
	for _, v := range rest {
		others = append(others, tell(r, v, len(all)))
		all = append(all, v)
	}
	return first, others, more, all
}

func tell(r show.Run, v spec.Violation, at int) violation {
	t := violation{At: at, Rule: string(v.Rule), Sentence: v.Sentence, Text: v.Rule.Text(), Sources: v.Rule.Sources()}
	for _, f := range v.Facts {
		when, what := told(r.Result.Began, f)
		t.Facts = append(t.Facts, moment{when, what, -1, string(f.Kind)})
	}
	return t
}

// messages says what became of the messages, and how many more there are.
func messages(r show.Run) (all []message, more int) {
	for _, m := range r.Messages() {
		if len(all) == mostMessages {
			more++
			continue
		}
		from := m.From
		if from == "" {
			from = "somebody"
		}
		all = append(all, message{ID: m.ID, From: from, Remarks: show.Remarks(m), Report: m.Report, Recipients: alike(m.Recipients)})
	}
	return all, more
}

// alike puts recipients together of whom the same is to be said, when they are
// more than a reader wants to see one by one.
func alike(all []spec.RecipientSummary) []fate {
	var fates []fate
	at := map[string]int{}
	for _, to := range all {
		f := fate{[]string{to.Address}, to.State.String(), show.Fate(to)}
		if i, ok := at[f.Text]; ok && len(all) > mostNamed {
			fates[i].Addresses = append(fates[i].Addresses, to.Address)
			continue
		}
		at[f.Text] = len(fates)
		fates = append(fates, f)
	}
	return fates
}

// paragraphs is prose without the line breaks that a file has for its width:
// the first line, which says what holds, then the rest.
func paragraphs(prose string) []string {
	first, rest, _ := strings.Cut(strings.TrimSpace(prose), "\n")
	all := []string{first}
	for block := range strings.SplitSeq(rest, "\n\n") {
		if block = strings.Join(strings.Fields(block), " "); block != "" {
			all = append(all, block)
		}
	}
	return all
}

// story tells the facts that matter; of a long story the begin and the end.
func story(r show.Run, begins, ends int) (all []moment, cut int) {
	facts := r.Telling()
	if len(facts) > begins+ends {
		cut = len(facts) - begins - ends
	}
	for i, f := range facts {
		if cut > 0 && i == begins {
			all = append(all, moment{Fact: -1, Kind: "cut"})
		}
		if cut > 0 && i >= begins && i < begins+cut {
			continue
		}
		when, what := told(r.Result.Began, f)
		all = append(all, moment{when, what, -1, string(f.Kind)})
	}
	return all, cut
}

// parse reads the template of a page, with what all pages share.
func parse(name string) (*template.Template, error) {
	return template.New(name).Funcs(template.FuncMap{
		"style":      func(name string) (template.CSS, error) { text, err := read(name); return template.CSS(text), err },
		"script":     func(name string) (template.JS, error) { text, err := read(name); return template.JS(text), err },
		"paragraphs": paragraphs,
		"plus":       func(a, b int) int { return a + b },
		"number":     show.Number,
		"short":      func(hash string) string { return hash[:min(len(hash), 16)] },
	}).ParseFS(assets, "assets/"+name, "assets/shared.html")
}

// read returns a file that is put into the page as it is. It is part of this
// program, so nothing in it has to be escaped.
func read(name string) (string, error) {
	data, err := fs.ReadFile(assets, "assets/"+name)
	return strings.TrimSpace(string(data)), err
}
