package scenarios

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	classRow  = regexp.MustCompile(`^\| ([A-Z]+) +\| +([0-9]+) +\|`)
	exception = regexp.MustCompile(`^- \*\*([A-Z]+-[0-9]{2})\*\*(.*)$`)
)

// A bugClass is a row of the table of field bugs in README.md.
type bugClass struct {
	name  string
	count int
}

// catalogue reads the classes of field bugs from README.md, and the reason of each
// that no story tells, by name.
func catalogue(t *testing.T, readme string) (classes []bugClass, reasons map[string]string) {
	t.Helper()
	_, text, _ := strings.Cut(readme, "\n## Field bugs\n")
	text, _, _ = strings.Cut(text, "\n## ")
	reasons = map[string]string{}
	under, bug := "", ""
	for text := range strings.SplitSeq(text, "\n") {
		if row := classRow.FindStringSubmatch(text); row != nil {
			n, err := strconv.Atoi(row[2])
			if err != nil {
				t.Fatal(err)
			}
			classes = append(classes, bugClass{row[1], n})
		}
		if heading, ok := strings.CutPrefix(text, "### "); ok {
			under, bug = strings.TrimSpace(heading), ""
		}
		switch found := exception.FindStringSubmatch(text); {
		case found != nil:
			bug = found[1]
			if reasons[bug] != "" || !strings.HasPrefix(bug, under+"-") {
				t.Errorf("%s stands twice, or under %s", bug, under)
			}
			reasons[bug] = strings.TrimSpace(found[2])
		case strings.HasPrefix(text, "- "):
			t.Errorf("begin the line with a bug, as in - **DUP-05** and the reason: %s", text)
		case bug != "" && strings.HasPrefix(text, "  "):
			reasons[bug] += " " + strings.TrimSpace(text)
		}
	}
	return classes, reasons
}

// TestEveryFieldBugHasAStoryOrAReason: of each bug that the table in README.md
// counts there is one or the other; and nothing has the name of a bug that there
// is not.
func TestEveryFieldBugHasAStoryOrAReason(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	classes, reasons := catalogue(t, string(readme))
	told := map[string]bool{}
	for _, s := range stories(t) {
		for _, bug := range s.Bugs {
			told[bug] = true
		}
	}
	known, total := map[string]bool{}, 0
	for _, c := range classes {
		t.Run(c.name, func(t *testing.T) {
			total += c.count
			var missing []string
			for n := range c.count {
				bug := fmt.Sprintf("%s-%02d", c.name, n+1)
				known[bug] = true
				if !told[bug] && len(strings.Fields(reasons[bug])) < 3 {
					missing = append(missing, bug)
				}
			}
			if len(missing) > 0 {
				t.Errorf("%d of %d bugs have neither a story nor, in README.md, a line with the reason: %s", len(missing), c.count, strings.Join(missing, " "))
			}
		})
	}
	for bug := range told { // any order
		if !known[bug] {
			t.Errorf("a story is said to tell %s, which the table in README.md does not count", bug)
		}
	}
	for bug := range reasons { // any order
		if !known[bug] {
			t.Errorf("README.md has a reason for %s, which its table does not count", bug)
		}
	}
	if said := fmt.Sprintf(": %d of them, in", total); len(classes) == 0 || !strings.Contains(string(readme), said) {
		t.Errorf("the table counts %d bugs in %d classes, and README.md says otherwise", total, len(classes))
	}
}

func TestTheReasonsOfFieldBugsAreRead(t *testing.T) {
	classes, reasons := catalogue(t, "x\n## Field bugs\n\n| class | bugs |\n|---|---|\n| DUP | 14 | twice |\n\n### DUP\n\n"+
		"- **DUP-05** is an intake's\n  concern\n- **DUP-06** too\n\n## Other\n- no\n")
	if len(classes) != 1 || classes[0] != (bugClass{"DUP", 14}) || len(reasons) != 2 || reasons["DUP-05"] != "is an intake's concern" {
		t.Errorf("got %v and %v", classes, reasons)
	}
}
