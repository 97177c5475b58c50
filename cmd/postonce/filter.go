package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/queue"
	"github.com/postonce/postonce/spec"
)

// A filter says which recipients in the spool are meant: those whom all of it
// matches that is not empty.
type filter struct {
	to, from, state []string
	older           time.Duration
	reason          string
}

// filterFlags gives a command the flags of a filter.
func filterFlags(cmd *cobra.Command) *filter {
	f := &filter{}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.to, "to", nil, "only recipients at this `DOMAIN|ADDRESS`; .DOMAIN means all domains below it; may be repeated")
	flags.StringArrayVar(&f.from, "from", nil, "only mail from this `DOMAIN|ADDRESS`, or from <>; may be repeated")
	flags.DurationVar(&f.older, "older", 0, "only mail that was submitted at least this `TIME` ago, such as 30m or 48h")
	flags.StringArrayVar(&f.state, "state", nil, "only recipients in this `STATE`: queued, parked, held, ...; may be repeated")
	flags.StringVar(&f.reason, "reason", "", "only recipients whose last attempt met this `TEXT`, in capital or small letters")
	states := []string{spec.Queued.String(), spec.Parked.String(), spec.Intent.String(), spec.Held.String()}
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// given reports whether the filter leaves anything out.
func (f *filter) given() bool {
	return len(f.to) > 0 || len(f.from) > 0 || len(f.state) > 0 || f.older != 0 || f.reason != ""
}

// check returns the first error of the filter.
func (f *filter) check() error {
	if f.older < 0 {
		return fmt.Errorf("--older %s: mail cannot be younger than now", f.older)
	}
	for _, name := range f.state {
		if _, err := spec.ParseRecipientState(name); err != nil {
			return fmt.Errorf("--state: %w: choose queued, parked, intent or held, or a final one: delivered, failed, unknown or deleted", err)
		}
	}
	for i, flag := range []string{"--to", "--from"} {
		for _, value := range [][]string{f.to, f.from}[i] {
			if domain := value[strings.LastIndexByte(value, '@')+1:]; domain == "" || domain == "." {
				return fmt.Errorf("%s %q: write DOMAIN, .DOMAIN, or an address", flag, value)
			}
		}
	}
	return nil
}

// message reports whether the filter can match a recipient of a message.
func (f *filter) message(e *queue.Entry, now spec.Wall) bool {
	return now.Sub(e.Submitted) >= f.older && anyOf(f.from, func(want string) bool { return mailbox(want, e.Sender) })
}

// recipient reports whether the filter matches a recipient of such a message.
func (f *filter) recipient(r *queue.Recipient) bool {
	return anyOf(f.to, func(want string) bool { return mailbox(want, r.Address) }) &&
		anyOf(f.state, func(want string) bool { return want == r.Standing().String() }) &&
		strings.Contains(strings.ToLower(r.Last.String()), strings.ToLower(f.reason))
}

// matched returns a message with those of its recipients whom the filter
// matches; nil when there are none.
func (f *filter) matched(e *queue.Entry, now spec.Wall) *queue.Entry {
	if !f.message(e, now) {
		return nil
	}
	some := *e
	some.Recipients = nil
	for i := range e.Recipients {
		if f.recipient(&e.Recipients[i]) {
			some.Recipients = append(some.Recipients, e.Recipients[i])
		}
	}
	if len(some.Recipients) == 0 {
		return nil
	}
	return &some
}

// anyOf reports whether ok is true of one of a list, or the list is empty.
func anyOf(list []string, ok func(string) bool) bool {
	for _, s := range list {
		if ok(s) {
			return true
		}
	}
	return len(list) == 0
}

// mailbox reports whether an address is the one that is wanted, or at the domain
// that is wanted. Domains do not depend on case (RFC 5321 section 2.4).
func mailbox(want, address string) bool {
	if want == "<>" || address == "" {
		return want == "<>" && address == ""
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:max(at, 0)], strings.ToLower(strings.TrimSuffix(address[at+1:], "."))
	wantAt := strings.LastIndexByte(want, '@')
	wanted := strings.ToLower(strings.TrimSuffix(want[wantAt+1:], "."))
	switch {
	case wantAt > 0:
		return want[:wantAt] == local && wanted == domain
	case strings.HasPrefix(wanted, "."):
		return strings.HasSuffix(domain, wanted)
	}
	return wanted == domain
}
