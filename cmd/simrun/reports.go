package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
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
type reports map[string]string

// reportFlag gives a command the flag --report.
func reportFlag(cmd *cobra.Command) reports {
	all := reports{}
	cmd.Flags().Var(all, "report", "also write reports: `html=FILE,json=FILE,junit=FILE`")
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
		r[kind] = file
	}
	return nil
}

// String is empty: by default there is none.
func (r reports) String() string { return "" }

// Type names the value in help texts.
func (r reports) Type() string { return "reports" }

// write writes all reports on runs that took real time together.
func (r reports) write(runs []show.Run, real time.Duration) error {
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		write := reportWriters()[kind]
		if err := writeTo(r[kind], func(w io.Writer) error { return write(w, runs, real) }); err != nil {
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
