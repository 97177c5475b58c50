package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/mutants"
	"github.com/postonce/postonce/cmd/simrun/internal/show"
)

// honest is the name of the relay that this repository is about.
const honest = show.Honest

// racy is the name of a relay that breaks no rule and replays no seed.
const racy = "races"

// relayNames lists the relays that can be run.
func relayNames() []string {
	names := []string{honest, racy}
	for _, m := range mutants.All() {
		names = append(names, m.Name)
	}
	return names
}

// relayFlag gives a command the flag --relay.
func relayFlag(cmd *cobra.Command) *string {
	name := cmd.Flags().String("relay", honest, "the relay to run, by `NAME`: postonce, a mutant (simrun mutants lists them), or races, which replays no seed")
	_ = cmd.RegisterFlagCompletionFunc("relay", cobra.FixedCompletions(relayNames(), cobra.ShellCompDirectiveNoFileComp))
	return name
}

// knownRelay returns an error when no relay has this name.
func knownRelay(name string) error {
	names := relayNames()
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	return fmt.Errorf("there is no relay %q%s\n\tsimrun mutants lists all but %s", name, meant(name, names), honest)
}
