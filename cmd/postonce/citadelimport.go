package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl"
	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/impl/spool"
	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
	"github.com/postonce/postonce/spec/seam"
)

const citadelImportHelp = `import-citadel takes outbound mail of a Citadel server over into the spool, each
message once. The relay must not be running.

DIR holds an export of Citadel's room __CitadelSMTPspoolout__: a file for each
message as MSG2 or IMAP shows it, named by its number, with or without an
extension (65, 66.eml). Control messages are known by their Content-Type,
application/x-citadel-delivery-list; msgid in them is the number of the mail.
Or name one pair of files with --control and --message.

Stop Citadel's queue before you export it, and do not start it again with this
mail in it: what two relays have in their queues is delivered twice. Whom
Citadel was just sending to when it stopped may get the mail twice; nothing in
its queue tells who that is.

  - Recipients with status 2 and 5 are done: they are not sent to again, and
    Citadel has told the sender who failed.
  - Those with status 0 and 3 are due now, and those with 4 when their interval
    is over. The lifetime counts from submitted.
  - When one with status 3 or 4 fails in the end, the sender is told that nobody
    knows: Citadel does not record whether a server may have accepted the mail.
  - Reports go to envelope_from, or to the address in From when it is missing.
    source_room is dropped. What else is not taken over is said, file by file:
    bounceto, recipients of Citadel's own, lines that are not known.
  - The header is sent as it stands: remove what Citadel would not have sent,
    such as Envelope-To.

Importing the same pair again does nothing, also after it was delivered, and
whatever its control message says by then. What import-citadel prints is on the
disk. A message that cannot be imported is said, with file and line, and the
others are imported; the exit status is then 2.`

// A citadelSource is where the pairs are.
type citadelSource struct{ dir, control, message string }

func queueImportCommand(c console) *cobra.Command {
	var from citadelSource
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import-citadel DIR | --control FILE --message FILE",
		Short: "Take the outbound mail of a Citadel server over",
		Long:  citadelImportHelp,
		Args: func(_ *cobra.Command, args []string) error {
			pair := from.control != "" && from.message != ""
			if len(args) > 1 || (len(args) == 1) == pair || !pair && from.control+from.message != "" {
				return errors.New("name one directory, or one pair of files with --control and --message")
			}
			from.dir = strings.Join(args, "")
			return nil
		},
	}
	path := configFlag(cmd)
	cmd.Flags().StringVar(&from.control, "control", "", "the `file` with a control message")
	cmd.Flags().StringVar(&from.message, "message", "", "the `file` with the mail that it is about")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	cmd.RunE = func(*cobra.Command, []string) error {
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := c.importCitadel(cfg, from, dryRun); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// read returns the pairs.
func (s citadelSource) read() (*citadelSpool, error) {
	if s.dir != "" {
		return readCitadelSpool(s.dir)
	}
	list, err := readControl(s.control)
	if err != nil {
		return nil, err
	}
	return &citadelSpool{pairs: []citadelPair{{control: s.control, mail: s.message, list: list}}}, nil
}

// importCitadel takes all pairs over, or says what that would do.
func (c console) importCitadel(cfg *config, from citadelSource, dryRun bool) (err error) {
	found, err := from.read()
	if err != nil {
		return err
	}
	options := spool.Options{Log: cfg.logger(c.err), ReadOnly: dryRun, MustExist: len(found.pairs) == 0}
	store, err := importStore(string(cfg.Spool), options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	relay, err := atRest(cfg, store, nil)
	if err != nil {
		return err
	}
	i := citadelImport{console: c, relay: relay, policy: cfg.policy(), dryRun: dryRun}
	for _, err := range found.wrong {
		i.refuse(err)
	}
	for _, pair := range found.pairs {
		i.pair(pair)
	}
	for _, path := range found.idle {
		fmt.Fprintf(c.err, "%s: note: no control message names it: left alone\n", clean(path))
	}
	return i.end()
}

// importStore opens the spool. Where there is none and none may be made, it is
// an empty one: for a dry run, and when there is nothing to import.
func importStore(dir string, options spool.Options) (seam.Store, error) {
	store, err := openStopped(dir, options)
	if errors.Is(err, errNoSpool) {
		return noSpool{}, nil
	}
	if err != nil {
		return nil, err
	}
	return store, nil
}

// noSpool is an empty spool, which is only asked what it has.
type noSpool struct{ seam.Store }

// Get implements seam.Store.
func (noSpool) Get(seam.Key) ([]byte, error) { return nil, seam.ErrNotFound }

// Close implements seam.Store.
func (noSpool) Close() error { return nil }

// A citadelImport imports pair by pair, and counts.
type citadelImport struct {
	console
	relay  *impl.Relay
	policy spec.Policy
	dryRun bool

	queued, before, nothing, refused int
}

// pair imports one pair.
func (i *citadelImport) pair(p citadelPair) {
	e, err := i.entry(&p)
	if err != nil {
		i.refuse(err)
		return
	}
	if e.Done() {
		i.nothing++
		fmt.Fprintf(i.out, "%s: nothing to do: nobody is left to deliver it to\n", clean(p.control))
		return
	}
	content, err := openMail(p.mail)
	if err != nil {
		i.refuse(err)
		return
	}
	defer content.Close()
	done, adopt := "queued", i.relay.AdoptStopped
	if i.dryRun {
		done, adopt = "would be queued", i.relay.CheckAdoption
	}
	switch err := adopt(e, content); {
	case errors.Is(err, impl.ErrAdopted):
		i.before++
		fmt.Fprintf(i.out, "%s: imported before, as %s\n", clean(p.control), e.ID)
	case err != nil:
		i.refuse(fmt.Errorf("%s, %s: %w", p.control, p.mail, err))
	default:
		i.queued++
		fmt.Fprintf(i.out, "%s: %s as %s, from <%s>, %s\n", clean(p.control), done, e.ID, clean(e.Sender), standings(&e))
	}
}

// entry returns the entry for a pair, and says what it lacks.
func (i *citadelImport) entry(p *citadelPair) (queue.Entry, error) {
	var from string
	var err error
	if p.list.EnvelopeFrom == nil {
		if from, err = p.from(); err != nil {
			return queue.Entry{}, fmt.Errorf("%s: envelope_from is missing, and in its place: %w", p.control, err)
		}
	}
	var wrong []error
	e, notes := p.list.Entry(from, spec.WallOf(i.now()), i.policy.Schedule)
	for _, r := range p.list.Remotes {
		if _, err := submission.ParseMailbox(r.Mailbox()); err != nil && !r.Status.Final() {
			wrong = append(wrong, fmt.Errorf("%s:%d: recipient %q: %w: correct it, or give it status 5", p.control, r.Line, r.Address, err))
		}
	}
	if e.ID, err = p.id(); err != nil {
		wrong = append(wrong, err)
	}
	for _, n := range notes {
		place := p.control
		if n.Line > 0 {
			place += fmt.Sprintf(":%d", n.Line)
		}
		fmt.Fprintf(i.err, "%s: note: %s\n", clean(place), clean(n.Text))
	}
	return e, errors.Join(wrong...)
}

// standings counts the recipients by how far they have come.
func standings(e *queue.Entry) string {
	var waiting, delivered, failed int
	for _, r := range e.Recipients {
		switch r.State {
		case spec.Delivered:
			delivered++
		case spec.Failed:
			failed++
		default:
			waiting++
		}
	}
	s := plural(waiting, "recipient") + " to go"
	if delivered > 0 {
		s += fmt.Sprintf(", %d delivered before", delivered)
	}
	if failed > 0 {
		s += fmt.Sprintf(", %d failed before", failed)
	}
	return s
}

// refuse says what is not imported, a line for each reason.
func (i *citadelImport) refuse(err error) {
	i.refused++
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(i.err, clean(line))
	}
}

// end says what was done; an error when not all was.
func (i *citadelImport) end() error {
	done := "queued"
	if i.dryRun {
		done = "would be queued"
	}
	s := fmt.Sprintf("%s %s", plural(i.queued, "message"), done)
	if i.before > 0 {
		s += fmt.Sprintf(", %d imported before", i.before)
	}
	if i.nothing > 0 {
		s += fmt.Sprintf(", %d with nothing to do", i.nothing)
	}
	fmt.Fprintln(i.out, s+".")
	if i.refused > 0 {
		return fmt.Errorf("%s cannot be imported: correct what is said above, and import again", plural(i.refused, "file"))
	}
	return nil
}
