package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/impl/queue/exhaust"
	"github.com/postonce/postonce/spec"
)

func exhaustCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exhaust",
		Short: "Search all that can happen to the core in small worlds",
		Long: `exhaust takes the core of the relay alone, the part that decides, and lets
everything happen to it that can happen in a small world, in every order:
batches become durable, reads come back, servers accept, refuse, or are cut off
before or after they accepted, timers fire, the operator decides, and the
process crashes at any moment, when the disk keeps any number of the batches
that were not durable. States that were seen before are known by a hash, so a
search comes to an end. It is complete when it went on from every state in
every way: then what holds, holds in that world whatever happens.

Judged are NEVER-TWICE, NOTHING-LOST, TRUE-REPORTS, CLEAN-EXACTLY,
ACCEPT-DURABLE, RETRY-ON-TIME, FAIR-AND-BOUNDED (that nobody waits who is due,
and that no memory is left) and PROGRESS (by any way, everything ends). What
breaks one is told as the shortest way there that was seen.

A flag that says what a world has makes one of your own instead of a preset; it
is searched under all three policies, or that of --in-doubt.

` + presetHelp() + `
Exit status: 0 all complete and all holds, 2 a rule is broken, 3 something does
not finish, 6 not complete. Ctrl-C ends the search, and what was found is shown.`,
		Example: `  simrun exhaust                                  the preset 2x2x1
  simrun exhaust --world all                      all presets
  simrun exhaust --world 1x1x2 --in-doubt hold    one policy of a preset
  simrun exhaust --messages 2 --crashes 2         a world of your own`,
		Args: noArgs,
	}
	f := exhaustFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		worlds, err := f.worlds()
		if err != nil {
			return err
		}
		searches := c.searchAll(cmd.Context(), worlds, f.states)
		show.Searches(c.out, c.colours(), searches)
		return end(show.WorstSearch(searches))
	}
	return cmd
}

func presetHelp() string {
	var b strings.Builder
	b.WriteString("The presets, each under all policies:\n")
	for _, p := range exhaust.Presets() {
		fmt.Fprintf(&b, "  %s  %s\n", p.Name, p.Text)
	}
	return b.String()
}

// A choice is which worlds were asked for.
type choice struct {
	cmd    *cobra.Command
	preset string
	policy string
	states int
	own    exhaust.World
}

// ownFlags are those that make a world.
var ownFlags = []string{
	"messages", "recipients", "hosts", "crashes", "lifetime", "retries", "orders", "pauses", "reroutes", "dead", "senders", "tight", "slow", "calm",
}

func exhaustFlags(cmd *cobra.Command) *choice {
	f := &choice{cmd: cmd}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.preset, "world", "2x2x1", "`NAME` of a preset, or all")
	flags.StringVar(&f.policy, "in-doubt", "", "only under the `POLICY` report, hold or retry")
	numberFlag(cmd, &f.own.Messages, "messages", 1, "how many messages are submitted, each at any moment")
	numberFlag(cmd, &f.own.Recipients, "recipients", 1, "how many recipients each has")
	numberFlag(cmd, &f.own.Destinations, "hosts", 1, "how many destinations the recipients are at, in turn")
	numberFlag(cmd, &f.own.Crashes, "crashes", 1, "how often the process may crash")
	numberFlag(cmd, &f.own.Lifetime, "lifetime", 1, "how many retry intervals a message lives")
	numberFlag(cmd, &f.own.Retries, "retries", 0, "under hold, how often the operator may say retry")
	numberFlag(cmd, &f.own.Orders, "orders", 0, "how often the operator may hold, retry, bounce or delete what waits")
	numberFlag(cmd, &f.own.Reroutes, "reroutes", 0, "how often the operator may send what waits elsewhere, or back")
	numberFlag(cmd, &f.own.Pauses, "pauses", 0, "how often the operator may pause the first host")
	flags.BoolVar(&f.own.Dead, "dead", false, "deliveries may find no server, and a destination is dead after one that does")
	flags.BoolVar(&f.own.Senders, "senders", false, "each message has a sender of its own, who has turns of his own")
	flags.BoolVar(&f.own.Tight, "tight", false, "one delivery at a time, and one message in memory")
	flags.BoolVar(&f.own.Slow, "slow", false, "time may pass while a delivery runs")
	flags.BoolVar(&f.own.Calm, "calm", false, "the servers of reports take them at once")
	numberFlag(cmd, &f.states, "states", 5_000_000, "give up a world after `N` states; each takes some 100 bytes")
	return f
}

// worlds returns what is to be searched.
func (f *choice) worlds() ([]exhaust.World, error) {
	worlds, err := f.chosen()
	if err != nil {
		return nil, err
	}
	if f.states < 1 {
		return nil, fmt.Errorf("--states %d searches nothing: write 1 or more", f.states)
	}
	if f.policy != "" {
		policy, err := spec.ParseInDoubtPolicy(f.policy)
		if err != nil {
			return nil, fmt.Errorf("--in-doubt: %w", err)
		}
		worlds = slices.DeleteFunc(worlds, func(w exhaust.World) bool { return w.InDoubt != policy })
	}
	return worlds, nil
}

func (f *choice) chosen() ([]exhaust.World, error) {
	var own string
	for _, name := range ownFlags {
		if f.cmd.Flags().Changed(name) {
			own = name
			break
		}
	}
	switch {
	case own != "" && f.cmd.Flags().Changed("world"):
		return nil, fmt.Errorf("--world names a preset and --%s makes a world: choose one of them", own)
	case own != "":
		if err := f.own.Validate(); err != nil {
			return nil, err
		}
		return f.own.UnderAllPolicies(), nil
	}
	var all []exhaust.World
	names := []string{"all"}
	for _, p := range exhaust.Presets() {
		names = append(names, p.Name)
		if f.preset == p.Name || f.preset == "all" {
			all = append(all, p.Worlds...)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no preset %q: choose %s", f.preset, strings.Join(names, ", "))
	}
	return all, nil
}

// searchAll searches worlds, as many at a time as there are cores. A search is
// one goroutine's: the engine is pure, and worlds are many.
func (c console) searchAll(ctx context.Context, worlds []exhaust.World, states int) []show.Search {
	searches := make([]show.Search, len(worlds))
	left := make(chan int, len(worlds))
	for i, w := range worlds {
		searches[i].World = w
		left <- i
	}
	close(left)
	p := c.newCounting(len(worlds))
	defer p.close()
	// Little of what a search allocates lives long: collecting less often is a
	// fifth of the time for some hundred megabytes.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(worlds)) {
		wait.Go(func() {
			for i := range left {
				if ctx.Err() != nil {
					return
				}
				began := c.now()
				r := exhaust.Run(worlds[i], exhaust.Honest, exhaust.Options{States: states, Watch: func(at exhaust.Progress) bool {
					p.at(i, at)
					return ctx.Err() == nil
				}})
				searches[i].Result, searches[i].Took = &r, c.now().Sub(began)
				p.finished(i, r.Progress)
			}
		})
	}
	wait.Wait()
	return searches
}

// A counting shows on a terminal how far searches are whose end nobody knows.
type counting struct {
	progress *progress
	mutex    sync.Mutex
	states   []int
	done     int
	shown    time.Time
	bar      *progressbar.ProgressBar
}

func (c console) newCounting(worlds int) *counting {
	return &counting{progress: c.newProgress(worlds), states: make([]int, worlds)}
}

// finished tells that world number i was searched.
func (n *counting) finished(i int, at exhaust.Progress) {
	n.mutex.Lock()
	n.done++
	n.mutex.Unlock()
	n.at(i, at)
}

// at tells how far world number i is.
func (n *counting) at(i int, at exhaust.Progress) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.states[i] = at.States
	p := n.progress
	if p.out == nil {
		return
	}
	now := p.now()
	if now.Sub(p.began) < patience || now.Sub(n.shown) < 100*time.Millisecond {
		return
	}
	n.shown = now
	if n.bar == nil {
		// It turns when something is told, not by a clock of its own.
		n.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.out), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionSetElapsedTime(false))
	}
	sum := 0
	for _, s := range n.states {
		sum += s
	}
	n.bar.Describe(show.Counting(n.done, p.total, sum, now.Sub(p.began)))
	// What a bar cannot show is no reason to stop.
	_ = n.bar.Add(1)
}

// close takes the bar away.
func (n *counting) close() {
	if n.bar != nil {
		_ = n.bar.Clear()
	}
}
