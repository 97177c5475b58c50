package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/page"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
)

// A reportWriter writes runs: for a machine, or as a page for a browser.
type reportWriter func(io.Writer, []show.Run, time.Duration) error

// reportWriters returns the kinds of reports.
func reportWriters() map[string]reportWriter {
	return map[string]reportWriter{"json": show.JSON, "junit": show.JUnit, "html": page.Report}
}

// reports says which reports to write where, by kind. It is the value of a
// flag, so that a wrong one is refused before anything runs.
type reports struct {
	cmd   *cobra.Command
	files map[string]string
}

// output as a file is standard output.
const output = "-"

// reportFlag gives a command the flag --report.
func reportFlag(cmd *cobra.Command) reports {
	all := reports{cmd, map[string]string{}}
	cmd.Flags().Var(all, "report",
		"also write reports: `html=FILE,json=FILE,junit=FILE`; FILE - is standard output, and all else then goes to standard error")
	return all
}

// Set adds reports, written KIND=FILE with commas between them.
func (r reports) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		kind, file, _ := strings.Cut(one, "=")
		if reportWriters()[kind] == nil {
			return fmt.Errorf("there is no report %q: write html=FILE, json=FILE or junit=FILE", kind)
		}
		if file == "" {
			return fmt.Errorf("where to? write %s=FILE", kind)
		}
		if r.files[kind] != "" {
			return fmt.Errorf("the %s report is asked for twice: it goes to one file", kind)
		}
		for other, taken := range r.files {
			if filepath.Clean(taken) == filepath.Clean(file) {
				return fmt.Errorf("%s is where the %s report goes: give each a file of its own", file, other)
			}
		}
		r.files[kind] = file
	}
	return nil
}

// String is empty: by default there is none.
func (r reports) String() string { return "" }

// Type names the value in help texts.
func (r reports) Type() string { return "reports" }

// any reports whether there is one to write.
func (r reports) any() bool { return len(r.files) > 0 }

// takesOutput reports whether one goes to standard output.
func (r reports) takesOutput() bool {
	return slices.Contains(slices.Collect(maps.Values(r.files)), output)
}

// try finds out whether the reports can be written, so that a long run is not
// for nothing. It changes no file.
func (r reports) try() error {
	for _, kind := range slices.Sorted(maps.Keys(r.files)) {
		if path := r.files[kind]; path != output {
			if err := tryFile(path); err != nil {
				return fmt.Errorf("the %s report cannot be written: %w", kind, err)
			}
		}
	}
	return nil
}

func tryFile(path string) error {
	_, err := os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	err = f.Close()
	if isNew {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// write writes all reports on runs that took real time together.
func (r reports) write(runs []show.Run, real time.Duration) error {
	for _, kind := range slices.Sorted(maps.Keys(r.files)) {
		write, path := reportWriters()[kind], r.files[kind]
		var err error
		if path == output {
			err = write(r.cmd.OutOrStdout(), runs, real)
		} else {
			err = writeTo(path, func(w io.Writer) error { return write(w, runs, real) })
		}
		if err != nil {
			return fmt.Errorf("writing the %s report: %w", kind, err)
		}
	}
	return nil
}

// writeTo creates a file and has it written.
func writeTo(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	err = write(b)
	if flushed := b.Flush(); err == nil {
		err = flushed
	}
	if failed := f.Close(); err == nil {
		err = failed
	}
	return err
}
