package show

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/postonce/postonce/sim"
)

// What a JUnit report consists of, as CI systems read it: a suite per theme, a
// case per scenario. Times are real, in seconds.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`

		real time.Duration
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Error   *junitFailure `xml:"error"`
		Skipped *junitSkipped `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes all runs, which took real time together, as JUnit XML.
func JUnit(w io.Writer, runs []Run, real time.Duration) error {
	suites := junitSuites{Name: "simrun", Time: seconds(real)}
	for _, r := range runs {
		theme := cmp.Or(r.Theme(), "scenarios")
		n := len(suites.Suites)
		if n == 0 || suites.Suites[n-1].Name != theme {
			suites.Suites = append(suites.Suites, junitSuite{Name: theme})
			n++
		}
		suites.Suites[n-1].add(r)
	}
	for i := range suites.Suites {
		s := &suites.Suites[i]
		s.Time = seconds(s.real)
		suites.Tests += s.Tests
		suites.Failures += s.Failures
		suites.Errors += s.Errors
		suites.Skipped += s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(r Run) {
	_, name := Split(r.Scenario.Name)
	c := junitCase{Class: s.Name, Name: name, Time: seconds(0)}
	if r.Result != nil {
		s.real += r.Result.Real
		c.Time = seconds(r.Result.Real)
	}
	s.Tests++
	switch status := r.Status(); {
	case r.missing():
		c.Skipped = &junitSkipped{"there was no time to run it"}
		s.Skipped++
	case r.Waits():
		c.Skipped = &junitSkipped{"the relay does not have this yet: " + NotYet(r.Scenario)}
		s.Skipped++
	case status == sim.Safety || status == sim.Progress:
		c.Failure = failureOf(r)
		s.Failures++
	case status != sim.OK:
		c.Error = failureOf(r)
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

// failureOf says what is wrong with a run: the rule or status as the type, the
// first sentence as the message, all of it as the text.
func failureOf(r Run) *junitFailure {
	f := junitFailure{Type: r.Status().String(), Message: Verdict(r.Status())}
	if r.Broken != nil {
		f.Text = r.Broken.Error()
		f.Message, _, _ = strings.Cut(f.Text, "\n")
		return &f
	}
	switch {
	case len(r.Result.Violations) > 0:
		f.Type, f.Message = string(r.Result.Violations[0].Rule), r.Result.Violations[0].Sentence
	case len(r.Result.Mismatches) > 0:
		f.Type, f.Message = "expectation", r.placed(r.Result.Mismatches[0])
	}
	var b strings.Builder
	Failure(&b, Paint{}, r)
	fmt.Fprintf(&b, "\n  %s\n", replayHint(r))
	f.Text = b.String()
	return &f
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
