package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// reroute is the operation that says where recipients go.
func reroute() operation {
	return operation{
		word: "reroute", decision: queue.Reroute(), short: "Send recipients to other hosts than those that they would go to, or back",
		does: `sends what waits to the host named by --to-host, at its next due time and
until somebody says otherwise, or with --as-routed to where the configuration and
the DNS send it. Mail that comes later is not meant: for that there are routes. TLS
and logins are as for a host of sender_routes. To have it attempted at once, say
postonce queue retry as well.

What was ever in doubt is left where it is: only the host that may have it can
know it again.`,
		examples: `  postonce queue reroute --to-host smart.example.org:587 --to example.net
  postonce queue reroute --to-host mx9.example.com 0tp0fiu0ykss6f-000001 bob@example.net
  postonce queue reroute --as-routed --state queued --dry-run`,
		flags: rerouteFlags,
	}
}

// rerouteFlags gives the command its flags, and returns what completes the
// operation by them.
func rerouteFlags(cmd *cobra.Command) func(*operation) error {
	hosts := cmd.Flags().StringArray("to-host", nil, "send them to this `HOST[:PORT]`; repeated, to the next one when one fails")
	back := cmd.Flags().Bool("as-routed", false, "send them where the configuration and the DNS do")
	return func(o *operation) error {
		switch dest := spec.Via(*hosts); {
		case (len(*hosts) > 0) == *back:
			return errors.New("say where to: --to-host HOST[:PORT], or --as-routed")
		case *back:
			o.done = "sent as routed"
			return nil
		default:
			o.decision, o.done = queue.Reroute(*hosts...), "rerouted to "+clean(strings.Join(*hosts, ", "))
			if err := spec.ViaTrouble(dest); err != nil {
				return fmt.Errorf("--to-host: %w", err)
			}
			return nil
		}
	}
}

// rerouted says where a recipient goes.
func rerouted(f spec.Fact) string {
	if spec.ViaTrouble(f.Dest) == nil {
		return "goes to " + viaText(f.Dest)
	}
	return "goes where mail for " + f.Dest + " does"
}

// viaText lists the hosts of a destination that is a list of hosts.
func viaText(dest string) string {
	return strings.ReplaceAll(strings.TrimPrefix(dest, spec.Via(nil)), "+", ", ")
}
