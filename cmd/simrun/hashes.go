package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

func hashesCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hashes",
		Short: "Print the hash of the trace of many worlds",
		Long: `hashes runs many worlds, the scenarios of the library in turn with a seed each,
and prints a line for each: hash of the trace, seed, scenario. Two processes
must print the same, also when one was built with -race, which shuffles the
scheduler. simrun determinism compares; simrun replay SEED shows one world.`,
		Example: `  simrun hashes --seeds 300 > plain
  simrun-race hashes --seeds 300 | diff plain -       the same, built with go build -race`,
		Args: noArgs,
	}
	var n int
	numberFlag(cmd, &n, "seeds", 300, "how many seeds, a world each")
	var first uint64
	seedFlag(cmd, &first, "from", "the first seed, `N`")
	dir := cmd.Flags().String("trace-dir", "", "also write each trace to `DIR`/SEED.trace")
	relay := relayFlag(cmd)
	random := cmd.Flags().Bool("random", false, "random worlds, as simrun explore makes them, instead of the library")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if n < 1 {
			return fmt.Errorf("--seeds %d runs nothing: write 1 or more", n)
		}
		if err := knownRelay(*relay); err != nil {
			return err
		}
		runs, err := worlds{relay: *relay, random: *random}.of(first, n)
		if err != nil {
			return err
		}
		if *dir != "" {
			if err := os.MkdirAll(*dir, 0o755); err != nil {
				return err
			}
		}
		if err := c.fill(cmd.Context(), runs, *dir == ""); err != nil {
			return err
		}
		ran := 0
		for _, r := range runs {
			if r.Result == nil {
				continue
			}
			ran++
			fmt.Fprintln(c.out, hashLine(r))
			if *dir != "" {
				if err := os.WriteFile(traceFile(*dir, r.Scenario.Seed), r.Result.Trace(), 0o644); err != nil {
					return err
				}
			}
		}
		// Hashes are for a machine to compare, so all else goes beside them.
		if worst := show.Worst(runs); worst != sim.OK {
			show.Failures(c.err, show.Paint{}, runs)
			if ran < len(runs) {
				fmt.Fprintf(c.err, "simrun: interrupted: %d of %d worlds ran\n", ran, len(runs))
			}
			return ending{worst}
		}
		return nil
	}
	return cmd
}

// hashLine is one line of the list.
func hashLine(r show.Run) string {
	return fmt.Sprintf("%s %6d  %s", r.Result.Hash, r.Scenario.Seed, r.Scenario.Name)
}

func traceFile(dir string, seed uint64) string {
	return filepath.Join(dir, strconv.FormatUint(seed, 10)+".trace")
}

// worlds says which world a seed means: a scenario of the library in turn, or
// a random one.
type worlds struct {
	relay  string
	random bool
}

// of returns the worlds of n seeds from first on.
func (w worlds) of(first uint64, n int) ([]show.Run, error) {
	library, err := scenarios.Ready()
	if err != nil {
		return nil, err
	}
	picks := make([]pick, n)
	for i := range picks {
		seed := first + uint64(i)
		if picks[i] = seeded(library, seed); w.random {
			picks[i] = numbered(seed)
		}
	}
	return selection{relay: w.relay}.runs(picks)
}

// A hashed is a line of a list of hashes.
type hashed struct {
	hash, name string
	seed       uint64
}

// readHashes reads a list that hashes has printed.
func readHashes(name string, r io.Reader) ([]hashed, error) {
	var all []hashed
	in := bufio.NewScanner(r)
	for in.Scan() {
		fields := strings.Fields(in.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s:%d: a line is HASH SEED NAME, as simrun hashes prints it", name, len(all)+1)
		}
		seed, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %q is not a seed", name, len(all)+1, fields[1])
		}
		all = append(all, hashed{fields[0], fields[2], seed})
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s is empty: make it with simrun hashes", name)
	}
	return all, nil
}

// readTrace reads a trace that hashes has written, as far as comparing it
// takes; nil when there is none.
func readTrace(dir string, h hashed) (*sim.Result, error) {
	if dir == "" {
		return nil, nil
	}
	data, err := os.ReadFile(traceFile(dir, h.seed))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	facts, err := readFacts(traceFile(dir, h.seed), bytes.NewReader(data))
	sum := sha256.Sum256(data)
	return &sim.Result{Hash: hex.EncodeToString(sum[:]), Facts: facts, Lines: len(facts)}, err
}
