package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/cmd/simrun/internal/draft"
	"github.com/postonce/postonce/cmd/simrun/internal/maillog"
	"github.com/postonce/postonce/fakesmtp"
	"github.com/postonce/postonce/scenarios"
)

// A beginning is what a new scenario is begun with.
type beginning struct {
	title, from string
	to, rules   []string
}

func newCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new [NAME]",
		Short: "Begin a scenario, from answers, flags or a log",
		Long: `new writes a scenario that runs, to begin with: NAME.txtar, or on standard output
without a NAME. On a terminal it asks for what no flag says. The server is
mx1.example.net; --rule says what it does, in the language of simrun help scenario;
what is expected is what the relay here makes of it, so read that before you
believe it.

With --from-log it drafts DNS, servers and messages from lines of a log of Postfix,
Exim or postonce, with other names and addresses; give it the lines about one
message, or a few. What it guessed stands in the prose.`,
		Example: `  simrun new greylisted   writes greylisted.txtar
  simrun new --rule persona\ greylister --to bob@example.net
  simrun new --from-log mail.log
  grep 4XsBn12W6fz9rxx mail.log | simrun new --from-log - 4xsbn`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one at a time: %q and %q were given", args[0], args[1])
			}
			return nil
		},
	}
	log := cmd.Flags().String("from-log", "", "draft it from lines of a log in `FILE`; - is standard input")
	var b beginning
	cmd.Flags().StringVar(&b.title, "title", "", "what holds, in one `SENTENCE`")
	cmd.Flags().StringVar(&b.from, "from", "alice@example.org", "who sends, an `ADDRESS`")
	cmd.Flags().StringArrayVar(&b.to, "to", nil, "who is written to, an `ADDRESS` (bob@example.net); may stand there more than once")
	cmd.Flags().StringArrayVar(&b.rules, "rule", nil, "what the server does, a `RULE`; may stand there more than once")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		out, err := newFile(args)
		if err != nil {
			return err
		}
		if *log != "" {
			return c.fromLog(cmd.Context(), *log, b.title, out)
		}
		if c.asks {
			if err := c.question(&b); err != nil {
				return err
			}
		}
		return c.begin(cmd.Context(), b, out)
	}
	return cmd
}

// newFile is the file of a new scenario, which must not be there yet.
func newFile(args []string) (string, error) {
	if len(args) == 0 {
		return output, nil
	}
	file := strings.TrimSuffix(args[0], scenarios.Ending) + scenarios.Ending
	switch _, err := os.Stat(file); {
	case err == nil:
		return "", fmt.Errorf("%s is there already: give the scenario another name", file)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	return file, tryFile(file)
}

// fromLog drafts a scenario from a log.
func (c console) fromLog(ctx context.Context, log, title, out string) error {
	text, err := c.textOf(log)
	if err != nil {
		return err
	}
	d, err := maillog.Read(strings.NewReader(string(text)))
	if err != nil {
		return fmt.Errorf("%s: %w", log, err)
	}
	if title != "" {
		d.Title = title
	}
	return c.writeDraft(ctx, d, out)
}

// begin writes a scenario of one server.
func (c console) begin(ctx context.Context, b beginning, out string) error {
	if len(b.to) == 0 {
		b.to = []string{"bob@example.net"}
	}
	if b.title == "" {
		b.title = "Mail to a server that takes it is delivered once"
		if len(b.rules) > 0 {
			b.title = "Mail to a server that does this comes to a good end"
		}
	}
	sc, err := b.scenario()
	if err != nil {
		return err
	}
	return c.writeScenario(ctx, sc, out)
}

// scenario is what is begun with, as a file that is read back, so that what is
// wrong in it is refused like anywhere else.
func (b beginning) scenario() (*scenarios.Scenario, error) {
	var text, mx strings.Builder
	known := map[string]bool{}
	for _, to := range b.to {
		if _, domain, ok := strings.Cut(to, "@"); ok && !known[domain] {
			known[domain] = true
			fmt.Fprintf(&mx, "%s. MX 10 mx1.example.net.\n", domain)
		}
	}
	fmt.Fprintf(&text, "# %s.\nrules: NEVER-TWICE NOTHING-LOST\n-- dns --\n%smx1.example.net. A 192.0.2.10\n-- server mx1.example.net --\n%s\n",
		strings.TrimSuffix(b.title, "."), mx.String(), strings.Join(b.rules, "\n"))
	fmt.Fprintf(&text, "-- plan --\nt+0 submit m1 from %s to %s\n-- expect --\nrules hold\n", b.from, strings.Join(b.to, ", "))
	sc, err := scenarios.Parse("new"+scenarios.Ending, []byte(text.String()))
	if err != nil {
		return nil, err
	}
	sc.Needs = draft.Needs(sc)
	return draft.Checked(sc)
}

// question asks for what no flag has said. What is wrong is asked for again.
func (c console) question(b *beginning) error {
	in := bufio.NewScanner(c.in)
	ask := func(text string) (string, bool) {
		fmt.Fprintf(c.err, "%s ", text)
		if !in.Scan() {
			return "", false
		}
		return strings.TrimSpace(in.Text()), true
	}
	if b.title == "" {
		b.title, _ = ask("What holds? One sentence:")
	}
	for len(b.to) == 0 {
		to, more := ask("Who is written to? [bob@example.net]")
		if to == "" || !more {
			break
		}
		b.to = strings.Fields(strings.ReplaceAll(to, ",", " "))
		if _, err := (beginning{title: "x", from: b.from, to: b.to}).scenario(); err != nil {
			fmt.Fprintln(c.err, err)
			b.to = nil
		}
	}
	for {
		rule, more := ask("What does the server do, such as at rcpt, first 1: 451 4.7.1 Greylisted? [nothing more]")
		if rule == "" || !more {
			break
		}
		if _, err := fakesmtp.ParseScript("rule", 1, rule); err != nil {
			fmt.Fprintln(c.err, err)
			continue
		}
		b.rules = append(b.rules, rule)
	}
	return in.Err()
}
