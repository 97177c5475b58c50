package main

import (
	"fmt"
	"strings"

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
	root.SetHelpCommand(helpCommand())
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(seeHelp)
}

// seeHelp adds to an error about a command line where help is.
func seeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w\n\tsee %s --help", err, cmd.CommandPath())
}

// helpCommand is help, which knows what there is.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Explain a command or a topic",
		Example: `  simrun help run         as simrun run --help
  simrun help scenario    the language of scenario files`,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				var names []string
				for _, c := range root.Commands() {
					names = append(names, c.Name())
				}
				asked := strings.Join(args, " ")
				return fmt.Errorf("there is no command or topic %q%s\n\tsimrun --help lists them", asked, meant(asked, names))
			}
			return found.Help()
		},
	}
}
