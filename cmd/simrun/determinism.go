package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

func determinismCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "determinism --against FILE",
		Short: "Compare this process with hashes of another one",
		Long: `determinism runs the worlds of a list that another process made with simrun
hashes, and demands the same traces. Of one that differs it shows the first
fact that does: at once if the other process has left its traces in a
directory, else by running the world again and again here.`,
		Example: `  simrun-race hashes --trace-dir race > race.txt
  simrun determinism --against race.txt --trace-dir race`,
		Args: noArgs,
	}
	against := cmd.Flags().String("against", "", "the list of hashes, a `FILE`")
	dir := cmd.Flags().String("trace-dir", "", "the `DIR`ectory where the other process left its traces")
	relay := relayFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *against == "" {
			return fmt.Errorf("compare with what? Make a list with simrun hashes > FILE, then simrun determinism --against FILE")
		}
		if err := knownRelay(*relay); err != nil {
			return err
		}
		list, err := readHashFile(*against)
		if err != nil {
			return err
		}
		return c.compare(cmd.Context(), *relay, list, *dir)
	}
	return cmd
}

func readHashFile(path string) ([]hashed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readHashes(path, f)
}

// compare runs the worlds of a list and says which differ, and where.
func (c console) compare(ctx context.Context, relay string, list []hashed, dir string) error {
	runs, err := listed(relay, list)
	if err != nil {
		return err
	}
	if err := c.fill(ctx, runs, true); err != nil {
		return err
	}
	same, differ, worst := 0, 0, sim.OK
	for i, r := range runs {
		switch {
		case r.Result == nil:
			worst = show.Worse(worst, sim.NoVerdict)
		case r.Result.Hash == list[i].hash:
			same++
		default:
			differ++
			worst = show.Worse(worst, sim.Nondeterministic)
			if err := c.difference(ctx, r, list[i], dir); err != nil {
				return err
			}
		}
	}
	p := c.colours()
	fmt.Fprintf(c.out, "%s of %d worlds are the same in both processes\n", show.Ratio(p, same, len(list)), len(list))
	if differ == 0 && worst == sim.OK {
		return nil
	}
	return ending{worst}
}

// listed returns the worlds of a list, still without results.
func listed(relay string, list []hashed) ([]show.Run, error) {
	library, err := scenarios.Ready()
	if err != nil {
		return nil, err
	}
	picks := make([]pick, len(list))
	for i, h := range list {
		if picks[i] = seeded(library, h.seed); strings.HasPrefix(h.name, randomPrefix) {
			picks[i] = numbered(h.seed)
		}
		if name := picks[i].scenario.Name; name != h.name {
			return nil, fmt.Errorf("seed %d is %s in the list but %s here: the library has changed; make the list again", h.seed, h.name, name)
		}
	}
	return selection{relay: relay}.runs(picks)
}

// again is how often a world is run to see it differ from itself. Each is cheap.
const again = 8

// difference shows where a world first differs from what the other process had.
func (c console) difference(ctx context.Context, r show.Run, other hashed, dir string) error {
	fmt.Fprintf(c.out, "%s differs: %s seed %d\n", c.colours().Cross(), r.Scenario.Name, r.Scenario.Seed)
	theirs, err := readTrace(dir, other)
	if err != nil {
		return err
	}
	if theirs != nil && theirs.Hash != other.hash {
		fmt.Fprintf(c.out, "  %s has the hash %.16s…, not %.16s… as the list says: the list was edited, or the trace is of another run\n",
			traceFile(dir, other.seed), theirs.Hash, other.hash)
		if r.Result.Hash == theirs.Hash {
			fmt.Fprintln(c.out, "  the trace there and the trace here are the same; only the hash in the list differs")
			return nil
		}
	}
	runs := slices.Repeat([]show.Run{r}, again)
	if err := c.fill(ctx, runs, false); err != nil {
		return err
	}
	for _, mine := range runs {
		if mine.Result == nil {
			continue
		}
		if theirs == nil {
			theirs = mine.Result
		}
		if where := sim.Diverges(theirs, mine.Result); where != "" {
			fmt.Fprintf(c.out, "  %s\n", where)
			return nil
		}
	}
	fmt.Fprintf(c.out, "  here it was the same %d times; to see where it differs, have the other process write its traces\n", again)
	fmt.Fprintln(c.out, "  (simrun hashes --trace-dir DIR) and give that directory with --trace-dir")
	return nil
}
