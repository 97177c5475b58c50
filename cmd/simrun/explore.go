package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/sim"
	"github.com/postonce/postonce/sim/search"
)

// An exploration is how random worlds are chosen.
type exploration struct {
	seeds, from uint64
	lasting     time.Duration
	shard       string
	focus       string
	missing     bool
}

func exploreCommand(c console) *cobra.Command {
	var e exploration
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "Run random worlds",
		Long: `explore makes worlds from seeds and runs the relay in them: DNS of any shape,
servers that refuse, cut, delay and lie, crashes, failing disks, operators. Each
world has a few kinds of trouble and not the others; after a time faults end, for
all servers or for some, and everything has to finish. Half of the worlds go
where most that is new was reached of late.

What breaks a rule is shrunk, saved as a scenario file, and told. A world is
named by its number: simrun replay world/123 tells it.`,
		Example: `  simrun explore                         10,000 worlds
  simrun explore --for 10m               as many as ten minutes hold
  simrun explore --seeds 1000000 --shard 3/8
  simrun explore --focus crashes --relay citadel-later-forgets`,
		Args: noArgs,
	}
	relay := relayFlag(cmd)
	numberFlag(cmd, &e.seeds, "seeds", 10_000, "how many worlds")
	seedFlag(cmd, &e.from, "from", "the first seed")
	cmd.Flags().Var((*lasting)(&e.lasting), "for", "go on for this long instead of --seeds")
	cmd.Flags().StringVar(&e.shard, "shard", "", "`I/N`: only the I-th of N parts of the seeds, from 1")
	cmd.Flags().StringVar(&e.focus, "focus", "", "only worlds with this `KIND` of trouble: "+strings.Join(search.FocusNames(), ", "))
	cmd.Flags().BoolVar(&e.missing, "missing", false, "list what no world has reached, a point a line")
	save := cmd.Flags().String("save", "found", "where scenario files are saved of what is found: `DIR`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := knownRelay(*relay); err != nil {
			return err
		}
		switch {
		case e.lasting > 0 && cmd.Flags().Changed("seeds"):
			return errors.New("--seeds says how many worlds and --for how long: choose one of them")
		case e.seeds == 0:
			return errors.New("--seeds 0 runs nothing: write 1 or more, or --for 10m")
		}
		plan, err := e.plan()
		if err != nil {
			return err
		}
		return c.explore(cmd.Context(), plan, &hoard{c: c, relay: *relay, dir: *save})
	}
	return cmd
}

// A course is what an exploration comes to.
type course struct {
	first, count, stride uint64
	lasting              time.Duration
	// focus is one of search's, or -1 for all.
	focus int
	// missing asks for what was not reached.
	missing bool
}

// plan reads the flags.
func (e exploration) plan() (course, error) {
	p := course{first: e.from, count: e.seeds, stride: 1, lasting: e.lasting, focus: -1, missing: e.missing}
	if e.focus != "" {
		for i, name := range search.FocusNames() {
			if name == e.focus {
				p.focus = i
			}
		}
		if p.focus < 0 {
			return p, fmt.Errorf("there is no kind of trouble %q%s\n\tsimrun explore --help lists them", e.focus, meant(e.focus, search.FocusNames()))
		}
	}
	if e.shard == "" {
		return p, nil
	}
	i, n, ok := strings.Cut(e.shard, "/")
	part, err := strconv.ParseUint(i, 10, 32)
	parts, err2 := strconv.ParseUint(n, 10, 32)
	if !ok || err != nil || err2 != nil || part < 1 || part > parts {
		return p, fmt.Errorf("--shard %q: write I/N, such as 3/8, with I from 1 to N", e.shard)
	}
	if p.lasting > 0 { // an endless part each, far from the others
		p.first = e.from + (part-1)<<40
		return p, nil
	}
	each, more := e.seeds/parts, e.seeds%parts // the first parts have one more
	p.first += (part-1)*each + min(part-1, more)
	if p.count = each; part <= more {
		p.count++
	}
	if p.count == 0 {
		return p, fmt.Errorf("--shard %s of %d worlds runs nothing: write --seeds %d or more", e.shard, e.seeds, parts)
	}
	return p, nil
}

// exploreChunk is how many worlds one job has.
const exploreChunk = 50

// progress returns a bar, and what says how far it goes on after n more worlds:
// it counts them, or the seconds when time is what was asked for.
func (p course) progress(c console) (*progress, func(n int) int) {
	if p.lasting == 0 {
		return c.newProgress(int(p.count)), func(n int) int { return n }
	}
	began, shown := c.now(), 0
	return c.newProgressOf(int(p.lasting.Seconds()), "seconds"), func(int) int {
		step := int(min(c.now().Sub(began), p.lasting).Seconds()) - shown
		shown += step
		return step
	}
}

func (c console) explore(ctx context.Context, p course, h *hoard) error {
	if err := h.try(); err != nil {
		return err
	}
	began := c.now()
	total := show.Explored{Cores: runtime.NumCPU()}
	steer := search.NewSteer(p.first)
	next := func(yield func(search.Job) bool) {
		for at := uint64(0); p.lasting > 0 || at < p.count; at += exploreChunk {
			if ctx.Err() != nil || p.lasting > 0 && c.now().Sub(began) >= p.lasting {
				return
			}
			n := uint64(exploreChunk)
			if p.lasting == 0 {
				n = min(n, p.count-at)
			}
			focus := p.focus
			if focus < 0 {
				focus = steer.Next()
			}
			if !yield(search.Job{Relay: h.relay, Explore: &search.Explore{First: p.first + at, Count: int(n), Focus: focus}}) {
				return
			}
		}
	}
	bar, ahead := p.progress(c)
	err := c.search(ctx, iter.Seq[search.Job](next), func(j search.Job, a search.Answer) bool {
		bar.advance(ahead(j.Explore.Count))
		if a.Explored == nil {
			h.add([]search.Found{{Scenario: search.World(search.NumberOf(j.Explore.First, j.Explore.Focus)), Result: a.Run}}, 1)
			return true
		}
		total.Add(a.Explored)
		steer.Reached(j.Explore.Focus, a.Explored.Coverage)
		h.add(a.Explored.Found, a.Explored.Broken)
		return true
	})
	bar.close()
	if err != nil {
		return err
	}
	total.Real = c.now().Sub(began)
	told := h.tell(ctx)
	show.ExploreSummary(c.out, c.colours(), total)
	if p.missing && total.Coverage != nil {
		show.Missing(c.out, total.Coverage)
	}
	switch {
	case h.broken > 0:
		return errors.Join(told, end(sim.Safety))
	case ctx.Err() != nil:
		return errors.Join(told, end(sim.NoVerdict))
	}
	return told
}
