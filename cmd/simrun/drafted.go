package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
	"github.com/postonce/postonce/sim"
)

// writeDraft makes a scenario of what was seen, that holds, and writes it.
func (c console) writeDraft(ctx context.Context, d *draft.Draft, out string) error {
	sc, err := d.Build()
	if err != nil {
		return err
	}
	return c.writeScenario(ctx, sc, out)
}

// writeScenario has a scenario expect what comes of it, and writes it.
func (c console) writeScenario(ctx context.Context, sc *scenarios.Scenario, out string) error {
	sc, status, err := c.expecting(ctx, sc)
	if err != nil {
		return err
	}
	text := scenarios.Format(sc)
	if out == output {
		_, err = io.Copy(c.out, bytes.NewReader(text))
	} else {
		err = os.WriteFile(out, text, 0o666)
	}
	if err != nil {
		return fmt.Errorf("writing the scenario: %w", err)
	}
	if out != output {
		fmt.Fprintf(c.err, "simrun: wrote %s, %s; run it: %s run %s\n", out, show.Number(bytes.Count(text, []byte("\n")), "line"), c.called(), quoted(out))
	}
	if status != sim.OK {
		fmt.Fprintf(c.err, "simrun: as it is, it %s\n", show.Verdict(status))
	}
	return end(status)
}

// called is how a person starts this program.
func (c console) called() string {
	if c.program != "" {
		return c.program
	}
	return show.Command
}

// expecting runs a draft, and has it expect what came of that. What the servers do
// that the relay never met is left out, since a rule that never matches is a
// mistake; of that the prose tells.
func (c console) expecting(ctx context.Context, sc *scenarios.Scenario) (*scenarios.Scenario, sim.Status, error) {
	first, err := c.drafted(ctx, sc)
	if err != nil || first.Status() != sim.OK {
		return sc, first.Status(), err
	}
	more, err := draft.Checked(draft.Expecting(sc, first.Messages()))
	if err != nil {
		return sc, sim.OK, nil // it says little, and holds
	}
	second, err := c.drafted(ctx, more)
	if err != nil {
		return sc, sim.OK, err
	}
	if unmet := without(more, second.Result.Unused); len(unmet) > 0 {
		more.Prose += "\nThe relay never came to this, so it is left out: " + strings.Join(unmet, "; ") + "."
		if more, err = draft.Checked(more); err != nil {
			return sc, sim.OK, nil
		}
		if second, err = c.drafted(ctx, more); err != nil {
			return sc, sim.OK, err
		}
	}
	if second.Status() != sim.OK {
		return sc, sim.OK, nil
	}
	return more, sim.OK, nil
}

// drafted runs a draft.
func (c console) drafted(ctx context.Context, sc *scenarios.Scenario) (show.Run, error) {
	runs := []show.Run{{Scenario: sc, Relay: honest}}
	if err := c.fill(ctx, runs, false); err != nil {
		return runs[0], err
	}
	if runs[0].Result == nil {
		return runs[0], errors.New("there was no time to run the draft")
	}
	return runs[0], nil
}

// without takes the rules out of servers that were never met, and says which.
func without(sc *scenarios.Scenario, unused []string) []string {
	var unmet []string
	for i := range sc.Servers {
		s := &sc.Servers[i]
		if s.Script == nil {
			continue
		}
		script := *s.Script
		script.Rules = slices.DeleteFunc(slices.Clone(script.Rules), func(r fakesmtp.Rule) bool {
			at := fmt.Sprintf("%s:%d:", sc.Name, r.Line)
			never := slices.ContainsFunc(unused, func(u string) bool { return strings.HasPrefix(u, at) })
			if never {
				unmet = append(unmet, r.String())
			}
			return never
		})
		script.Rules = slices.DeleteFunc(slices.Clone(script.Rules), func(r fakesmtp.Rule) bool { return normal(r) && !followed(r, script.Rules) })
		s.Script = &script
	}
	return unmet
}

// normal reports whether a rule is there only to let others come later.
func normal(r fakesmtp.Rule) bool { return len(r.Actions) == 1 && r.Actions[0] == draft.Normal }

// followed reports whether another rule comes after one, at the same stage.
func followed(r fakesmtp.Rule, all []fakesmtp.Rule) bool {
	return slices.ContainsFunc(all, func(x fakesmtp.Rule) bool { return x.Stage == r.Stage && x.To == r.To && x.Line > r.Line && !normal(x) })
}
