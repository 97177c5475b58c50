package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	exitOK = iota
	exitUsage
	exitFailure
)

// A failure is an error met while running, as opposed to a wrong command line
// or configuration.
type failure struct{ error }

// Unwrap returns the error itself.
func (f failure) Unwrap() error { return f.error }

// A console is what a command has of the process it runs in.
type console struct {
	out, err io.Writer
	// signals takes over the signals that serve acts on, and delivers them.
	signals func() <-chan os.Signal
	now     func() time.Time
	// hostname returns the machine's own name.
	hostname func() (string, error)
}

func main() {
	os.Exit(run(console{os.Stdout, os.Stderr, serveSignals, time.Now, os.Hostname}, os.Args[1:]))
}

// run runs a command line and returns the exit status.
func run(c console, args []string) int {
	root := rootCommand(c)
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(c.err, "postonce: %v\n", err)
	if errors.As(err, new(failure)) {
		return exitFailure
	}
	return exitUsage
}

func rootCommand(c console) *cobra.Command {
	root := &cobra.Command{
		Use:   "postonce",
		Short: "An outbound SMTP relay that never delivers twice",
		Long: `postonce takes mail by SMTP, keeps it in a spool that survives power loss,
delivers it, tries again what a server deferred, and reports to the sender what
it could not deliver. No server gets a message twice: when the answer to the
final dot is lost, nobody can know whether the mail arrived, and the policy
in_doubt decides what becomes of it.

Write a configuration (postonce serve --help shows one), check it with
postonce check, and start the relay with postonce serve.

The exit status is 0 when all went well, 1 for a wrong command line or
configuration, and 2 when something failed while running.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Version = version(debug.ReadBuildInfo())
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(helpCommand())
	root.SetFlagErrorFunc(seeHelp)
	root.AddCommand(serveCommand(c), checkCommand(c), queueCommand(c), versionCommand(c))
	return root
}

// noArgs refuses arguments. What stands where a command is wanted names none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return seeHelp(cmd, fmt.Errorf("%s takes no arguments: %q was given", cmd.Name(), args[0]))
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return seeHelp(cmd, fmt.Errorf("there is no command %q%s", args[0], meant(args[0], names)))
}

// seeHelp adds to an error about a command line where help is.
func seeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w\n\tsee %s --help", err, cmd.CommandPath())
}

// helpCommand is cobra's, but for what it does about a command that there is
// not: that is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command %q: postonce --help lists them", strings.Join(args, " "))
			}
			return about.Help()
		},
	}
}

// configFlag gives a command the flag --config.
func configFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config", "c", "/etc/postonce.yaml", "the configuration `file`")
}
