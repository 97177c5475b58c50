package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/spf13/cobra"

	"github.com/postonce/postonce/impl/route"
	"github.com/postonce/postonce/spec"
)

func checkCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration",
		Long:  "check reads a configuration as serve would, and says everything that is wrong with it.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && cmd.Flags().Changed("config") {
				return errors.New("name one configuration: check FILE, or check -c FILE")
			}
			return nil
		},
	}
	path := configFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			*path = args[0]
		}
		cfg, err := c.load(*path)
		if err != nil {
			return err
		}
		if err := cfg.secrets(); err != nil {
			return fmt.Errorf("%s: %w", *path, err)
		}
		if here, err := net.InterfaceAddrs(); err == nil {
			for _, a := range cfg.elsewhere(here) {
				fmt.Fprintf(c.err, "note: this machine does not have the address %s of source now; mail that is to leave from it waits until it does\n", a)
			}
		}
		fmt.Fprintf(c.out, "%s is good: %s would take mail on %s and keep it in %s\n", *path, cfg.Hostname, cfg.Listen, cfg.Spool)
		return nil
	}
	return cmd
}

// A checker finds what is wrong with a configuration whose values are lawful
// one by one.
type checker struct {
	config *config
	file   *ast.File
	errs   []error
}

func (k *checker) check() error {
	k.names()
	k.hosts()
	k.routes()
	k.senders()
	k.doubts()
	k.levels()
	k.logins()
	k.schedules()
	k.numbers()
	k.connections()
	return errors.Join(k.errs...)
}

// at adds an error about the value at path, and shows the place.
func (k *checker) at(path *yaml.Path, err error) {
	key := strings.TrimPrefix(path.String(), "$.")
	node, missing := path.FilterFile(k.file)
	if missing != nil || node == nil {
		k.errs = append(k.errs, fmt.Errorf("%s: %w", key, err))
		return
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		node = m.Values[0].Key
	}
	k.errs = append(k.errs, pointed(&yaml.SyntaxError{Message: key + ": " + err.Error(), Token: node.GetToken()}))
}

// key returns the path of nested keys.
func key(names ...string) *yaml.Path {
	b := new(yaml.PathBuilder).Root()
	for _, name := range names {
		b = b.Child(name)
	}
	return b.Build()
}

func (k *checker) names() {
	c := k.config
	if c.Hostname != "" {
		if err := fullName(string(c.Hostname)); err != nil {
			k.at(key("hostname"), err)
		}
	}
	if !filepath.IsAbs(string(c.Spool)) {
		k.at(key("spool"), fmt.Errorf("%.100q is relative to wherever the relay is started: write the whole path, such as /var/spool/postonce", c.Spool))
	}
	if err := address(string(c.Listen), true); err != nil {
		k.at(key("listen"), err)
	}
	if err := (spec.Policy{Postmaster: string(c.Master)}).PostmasterTrouble(); err != nil {
		k.at(key("postmaster"), err)
	}
	for i, server := range c.Resolvers {
		if err := address(string(server), false); err != nil {
			k.at(new(yaml.PathBuilder).Root().Child("resolvers").Index(uint(i)).Build(), err)
		}
	}
	if c.Port < 1 || c.Port > 65535 {
		k.at(key("port"), fmt.Errorf("%d is not a port: write a number from 1 to 65535", c.Port))
	}
}

// address returns an error when s is not an IP address and a port; the port
// may be missing when it is not needed. Port 0 asks the system for a free one.
func address(s string, needPort bool) error {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return nil
	}
	if needPort {
		return fmt.Errorf("%.100q is not an IP address and a port: write it like 127.0.0.1:2525, [::1]:2525, or 0.0.0.0:25 for all", s)
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	return fmt.Errorf("%.100q is not an IP address: write it like 192.0.2.53 or [2001:db8::53]:53; a name would need a DNS server to be found", s)
}

func (k *checker) hosts() {
	check := func(name string, list []text) {
		for i, host := range list {
			if _, err := route.RelayHosts([]string{string(host)}, uint16(k.config.Port)); err != nil {
				k.at(new(yaml.PathBuilder).Root().Child(name).Index(uint(i)).Build(), fmt.Errorf("%w; write HOST or HOST:PORT", err))
			}
		}
	}
	check("relays", k.config.Relays)
	check("fallback", k.config.Fallback)
}

// defaultKey is the key of in_doubt, tls and chunking that is no destination.
const defaultKey = "default"

// destination returns a key of in_doubt, tls, chunking or schedules as spec.Policy.Destination names it.
func destination(key string) string { return strings.TrimSuffix(strings.ToLower(key), ".") }

func (k *checker) doubts() {
	k.destinations("in_doubt", slices.Sorted(maps.Keys(k.config.InDoubt)), nil)
}

// levels checks those for whom a TLS level, chunking or a source is set: destinations, and
// the hosts of relays, routes, sender_routes and fallback.
func (k *checker) levels() {
	var hosts []string
	entries := k.config.Relays
	for _, name := range slices.Sorted(maps.Keys(k.config.Routes)) {
		entries = append(slices.Clip(entries), k.config.Routes[name]...)
	}
	for _, name := range slices.Sorted(maps.Keys(k.config.Senders)) {
		entries = append(slices.Clip(entries), k.config.Senders[name]...)
	}
	for _, entry := range append(slices.Clip(entries), k.config.Fallback...) {
		if found, err := route.RelayHosts([]string{string(entry)}, uint16(k.config.Port)); err == nil {
			hosts = append(hosts, destination(found[0].Name))
		}
	}
	k.destinations("tls", slices.Sorted(maps.Keys(k.config.TLS)), hosts)
	k.destinations("chunking", slices.Sorted(maps.Keys(k.config.Chunking)), hosts)
	k.sources(hosts)
}

// destinations checks that the keys of a mapping are destinations, or one of
// others, and different.
func (k *checker) destinations(mapping string, names, others []string) {
	seen := map[string]string{}
	for _, name := range names {
		dest := destination(name)
		switch before := seen[dest]; {
		case before != "":
			k.at(key(mapping, name), fmt.Errorf("%q and %q are the same destination: keep one", before, name))
		case name == defaultKey || slices.Contains(others, dest):
		case len(k.config.Relays) > 0 && dest != spec.RelayDestination && !k.routed(dest):
			why := fmt.Errorf("all mail without a route leaves through relays, so the one destination is called %q", spec.RelayDestination)
			if len(others) > 0 {
				why = fmt.Errorf("%w; those with an entry of their own are %s", why, strings.Join(others, ", "))
			}
			k.at(key(mapping, name), why)
		case len(k.config.Relays) == 0 && !isLiteral(dest) && fullName(dest) != nil:
			k.at(key(mapping, name), fmt.Errorf("%.100q is no destination: write a domain, such as example.com, or default", name))
		}
		seen[dest] = name
	}
}

// routed reports whether a destination has a route.
func (k *checker) routed(dest string) bool {
	_, hosts := k.config.policy().Route(dest)
	return len(hosts) > 0
}

// isLiteral reports whether a destination is an address literal (RFC 5321
// section 4.1.3).
func isLiteral(dest string) bool {
	return strings.HasPrefix(dest, "[") && strings.HasSuffix(dest, "]")
}

// numbers has spec judge the limits and time-outs one by one.
func (k *checker) numbers() {
	policy := k.config.policy()
	base := spec.DefaultPolicy("check.invalid")
	l, t := base.Limits, base.Timeouts
	given, wait := policy.Limits, policy.Timeouts
	for _, one := range []struct {
		name string
		set  func(*spec.Limits)
	}{
		{"deliveries", func(l *spec.Limits) { l.Deliveries = given.Deliveries }},
		{"deliveries_per_destination", func(l *spec.Limits) { l.DeliveriesPerDestination = given.DeliveriesPerDestination }},
		{"first_per_destination", func(l *spec.Limits) { l.FirstPerDestination = given.FirstPerDestination }},
		{"dead_after", func(l *spec.Limits) { l.DeadAfter = given.DeadAfter }},
		{"per_minute", func(l *spec.Limits) { l.PerMinute = given.PerMinute }},
		{"recipients_per_transaction", func(l *spec.Limits) { l.RecipientsPerTransaction = given.RecipientsPerTransaction }},
		{"recipients_per_message", func(l *spec.Limits) { l.RecipientsPerMessage = given.RecipientsPerMessage }},
		{"message_bytes", func(l *spec.Limits) { l.MessageBytes = given.MessageBytes }},
		{"window_groups", func(l *spec.Limits) { l.WindowGroups = given.WindowGroups }},
		{"next_hops", func(l *spec.Limits) { l.NextHops = given.NextHops }},
		{"reply_bytes", func(l *spec.Limits) { l.ReplyBytes = given.ReplyBytes }},
		{"chunk_bytes", func(l *spec.Limits) { l.ChunkBytes = given.ChunkBytes }},
	} {
		changed := l
		one.set(&changed)
		if err := changed.Validate(); err != nil {
			k.at(key("limits", one.name), err)
		}
	}
	if n := k.config.Limits.SubmissionConnections; n < 1 {
		k.at(key("limits", "submission_connections"), fmt.Errorf("%d is less than 1", n))
	}
	waits := reflect.ValueOf(k.config.Timeouts)
	for i, name := range keysOf(waits.Type()) {
		if wait := time.Duration(waits.Field(i).Int()); wait < time.Second {
			k.at(key("timeouts", name), fmt.Errorf("%v is less than a second, which no server can be sure to keep", wait))
		}
	}
	// Any other time but that of the final dot is the operator's business.
	t.Dot = wait.Dot
	if err := t.Validate(); err != nil {
		k.at(key("timeouts", "dot"), err)
	}
}

// ownName takes the machine's own name for the hostname.
func (c *config) ownName(own func() (string, error)) error {
	name, err := own()
	if err != nil {
		return fmt.Errorf("hostname: the machine's name is not known (%w): write hostname: and the relay's name, such as mail.example.org", err)
	}
	if err := fullName(name); err != nil {
		return fmt.Errorf("hostname: it is not given, and the machine's own name %w: write hostname: and the relay's name", err)
	}
	c.Hostname = text(name)
	return nil
}

// fullName returns an error when name is not a fully qualified domain name
// (RFC 5321 section 2.3.5). Other servers refuse a relay that has none.
func fullName(name string) error {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(name) > 253 {
		return errors.New("is longer than 253 octets, which no name is")
	}
	for _, label := range labels {
		switch {
		case label == "":
			return fmt.Errorf("%.100q is malformed: there is nothing between two dots, or before the first", name)
		case len(label) > 63:
			return fmt.Errorf("%.100q is malformed: %.63s… is longer than 63 octets", name, label)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Errorf("%.100q is malformed: a part of a name has no hyphen at its ends", name)
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return fmt.Errorf("%.100q is malformed: %q is not in any name", name, rune(c))
			}
		}
	}
	last := labels[len(labels)-1]
	if _, err := strconv.Atoi(last); err == nil {
		return fmt.Errorf("%.100q is not a name: no top-level domain is a number", name)
	}
	if len(labels) < 2 || strings.HasSuffix(name, ".") {
		return fmt.Errorf("%.100q is not fully qualified, as mail.example.org is", name)
	}
	return nil
}
