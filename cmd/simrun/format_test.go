package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/postonce/postonce/sim"
)

// untidy are files that fmt changes, by what is special about them.
var untidy = map[string]string{
	"in the middle": "# A title.\n-- plan --\n\n\nt+0 submit m1 from <> to bob@example.net\n-- expect --\nbob@example.net queued\n",
	"at both ends":  "# A title.\n\n-- plan --\nt+0  submit m1 from <> to bob@example.net\n-- expect --\nbob@example.net  queued\n\n\n",
	"no last end":   "# A title.\n-- plan --\nt+0  submit m1 from <> to bob@example.net\n-- expect --\nbob@example.net  queued",
}

func TestAPatchOfFmtAppliesWithoutFuzz(t *testing.T) {
	for name, before := range untidy {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "my bug.txtar")
			if err := os.WriteFile(file, []byte(before), 0o644); err != nil {
				t.Fatal(err)
			}
			want := simrun(t, holds, "fmt", file).out
			diff := simrun(t, holds, "fmt", "-d", file)
			diff.want(t, sim.Usage, "--- "+file+".orig\t\n+++ "+file+"\t\n")
			got, err := patched(before, diff.out)
			if err != nil || got != want {
				t.Errorf("%v: the patch\n%s\nmakes\n%s\nwant\n%s", err, diff.out, got, want)
			}
		})
	}
}

var hunkHead = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$`)

// patched applies a patch as patch does, but for fuzz and offsets.
func patched(text, patch string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	at := 0
	var out []string
	var last string
	for line := range strings.Lines(patch) {
		switch m := hunkHead.FindStringSubmatch(strings.TrimSuffix(line, "\n")); {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
		case m != nil:
			from, _ := strconv.Atoi(m[1])
			if m[2] != "0" {
				from--
			}
			if from < at || from > len(lines) {
				return "", fmt.Errorf("a hunk begins at %d", from)
			}
			out = append(out, lines[at:from]...)
			at = from
		case strings.HasPrefix(line, `\`):
			if i := len(out) - 1; last != "-" {
				out[i] = strings.TrimSuffix(out[i], "\n")
			}
		default:
			last = line[:1]
			if last != "+" {
				if at >= len(lines) || strings.TrimSuffix(lines[at], "\n") != strings.TrimSuffix(line[1:], "\n") {
					return "", fmt.Errorf("line %d is not %q", at+1, line[1:])
				}
				at++
			}
			if last != "-" {
				out = append(out, line[1:])
			}
		}
	}
	return strings.Join(slices.Concat(out, lines[at:]), ""), nil
}

func TestFmtReplacesAFileWhole(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "bug.txtar"), filepath.Join(dir, "link.txtar")
	if err := os.WriteFile(file, []byte(untidy["in the middle"]), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	old, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	simrun(t, holds, "fmt", "-w", link).want(t, sim.OK)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %v: %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v: %v", info, err)
	}
	if before, _ := old.Stat(); os.SameFile(before, info) {
		t.Error("the file was written in place: an interruption would leave half of it")
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("left behind: %v %v", all, err)
	}
}
