package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/spf13/cobra"

	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// What fmt does with a file.
type formatting struct{ list, write, diff bool }

func formatCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Format scenario files, as gofmt does Go",
		Long: `fmt brings scenario files into their one form: sections in order, columns
aligned, nothing said that is the default. Without a flag it prints the result;
without a path it reads standard input. With -l or -d the exit status is 1 when
a file is not formatted.`,
		Example: `  simrun fmt -d scenarios/library     what would change?
  simrun fmt -w my-bug.txtar          change it`,
	}
	var f formatting
	cmd.Flags().BoolVarP(&f.list, "list", "l", false, "list files that are not formatted")
	cmd.Flags().BoolVarP(&f.write, "write", "w", false, "write the result to the file")
	cmd.Flags().BoolVarP(&f.diff, "diff", "d", false, "print what would change as a diff")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.formatInput(f)
		}
		return c.formatPaths(args, f)
	}
	return cmd
}

func (c console) formatInput(f formatting) error {
	if f.write {
		return errors.New("standard input cannot be written to: name a file, or leave out -w")
	}
	data, err := io.ReadAll(io.LimitReader(c.in, scenarios.MaxBytes+1))
	if err != nil {
		return err
	}
	changed, err := c.format("standard input", data, f)
	if err == nil && changed && (f.list || f.diff) {
		err = ending{sim.Usage}
	}
	return err
}

// formatPaths goes on after a file that is wrong, to report others too.
func (c console) formatPaths(paths []string, f formatting) error {
	var errs []error
	changed := false
	for _, path := range paths {
		if err := formattable(path); err != nil {
			errs = append(errs, err)
			continue
		}
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			var unread []error
			files, unread = filesIn(path)
			errs = append(errs, unread...)
			if len(files)+len(unread) == 0 {
				errs = append(errs, noneBelow(path))
			}
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			this, err := c.format(file, data, f)
			changed = changed || this
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if changed && (f.list || f.diff) && !f.write {
		return ending{sim.Usage}
	}
	return nil
}

// formattable says what is wrong with a path that is none.
func formattable(path string) error {
	if path == "-" {
		return errors.New("fmt reads standard input when no path is given: leave out the -")
	}
	if _, err := os.Stat(path); err != nil && len(namesOf(path)) > 0 {
		return fmt.Errorf("%s is a name of the library: fmt takes the path of a file or directory, such as %s", path, fileOf(namesOf(path)[0]))
	}
	return nil
}

// format formats one file and reports whether that changes it.
func (c console) format(file string, data []byte, f formatting) (bool, error) {
	s, err := scenarios.Parse(file, data)
	if err != nil {
		return false, err
	}
	formatted := scenarios.Format(s)
	changed := !bytes.Equal(data, formatted)
	if f.list && changed {
		fmt.Fprintln(c.out, file)
	}
	if f.diff && changed {
		if err := writeDiff(c.out, file, data, formatted); err != nil {
			return true, err
		}
	}
	if f.write && changed {
		if err := replaceFile(file, formatted); err != nil {
			return true, err
		}
	}
	if !f.list && !f.diff && !f.write {
		_, err = c.out.Write(formatted)
	}
	return changed, err
}

// writeDiff writes a patch that patch -p0 applies, with the names that gofmt -d
// gives: a file before and after.
func writeDiff(w io.Writer, file string, before, after []byte) error {
	name := file
	if strings.ContainsAny(file, " \t") {
		name += "\t" // ends a name with blanks, as GNU diff writes it
	}
	return difflib.WriteUnifiedDiff(w, difflib.UnifiedDiff{
		A: patchLines(before), B: patchLines(after),
		FromFile: strings.Replace(name, file, file+".orig", 1), ToFile: name, Context: 3,
	})
}

// patchLines splits text as a patch has it, which tells a last line without an
// end from one with.
func patchLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	last := len(lines) - 1
	if lines[last] == "" {
		return lines[:last]
	}
	lines[last] += "\n\\ No newline at end of file\n"
	return lines
}
