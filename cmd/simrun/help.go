package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// helpTemplate puts examples first: they teach more than a list of flags. A
// topic, which cannot be run, is its text alone.
const helpTemplate = `{{if not .Runnable}}{{.Long}}{{else}}{{.Short}}.
{{with .Example}}
{{.}}
{{end}}
{{with .Long}}{{.}}

{{end}}{{.UsageString}}{{end}}`

const usageTemplate = `Usage: {{.UseLine}}
{{if .HasAvailableSubCommands}}       {{.CommandPath}} COMMAND

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages}}{{end}}{{if .HasHelpSubCommands}}
Topics:{{range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
  {{rpad (printf "help %s" .Name) .NamePadding}}  {{.Short}}{{end}}{{end}}
{{end}}`

// teach has all commands help in one way.
func teach(root *cobra.Command) {
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\n\tsee %s --help", err, cmd.CommandPath())
	})
}
