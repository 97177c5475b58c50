package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postonce/postonce/sim"
)

func TestCheckRefusesWhatIsNoTrace(t *testing.T) {
	const first = "2000-01-01T00:00:01.000000000Z world                   start             count=1\n"
	const second = "2000-01-01T00:00:03.000000000Z world                   end\n"
	for name, test := range map[string]struct{ trace, place, want string }{
		"cut in a line":           {first + second[:30], ":2: ", "the last line has no end: the trace was cut"},
		"cut before a line's end": {first + strings.TrimSuffix(second, "\n"), ":2: ", "was cut"},
		"reversed":                {"# made by hand\n" + second + first, ":3: ", "time goes back by 2s"},
		"a program":               {"\x7fELF\x02\x01\x01\x00\x00\x1b[31m\n", ":1: ", "this is no text"},
		"latin-1":                 {first + "gr\xfc\xdfe\n", ":2: ", "this is no text"},
		"a long line":             {first + strings.Repeat("x", 5000) + "\n", ":2: ", "xxx…"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trace")
			if err := os.WriteFile(file, []byte(test.trace), 0o644); err != nil {
				t.Fatal(err)
			}
			s := simrun(t, holds, "check", file)
			s.want(t, sim.Usage, file+test.place, test.want)
			if !isText(strings.NewReplacer("\n", "", "\t", "").Replace(s.err)) || len(s.err) > 500 {
				t.Errorf("the terminal gets %q", s.err)
			}
		})
	}
}
