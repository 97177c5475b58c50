package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/postonce/postonce/impl/submission"
	"github.com/postonce/postonce/spec"
)

// senderName returns a key of sender_routes as spec.Policy.SenderRoutes has it:
// the address in its shortest form, and its domain as the DNS writes it.
func senderName(key string) (string, error) {
	if key == "" || key == spec.NullSender {
		return spec.NullSender, nil
	}
	at := strings.LastIndexByte(key, '@')
	domain := destination(key[at+1:])
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	switch err := fullName(domain); {
	case at < 0:
		return "", fmt.Errorf("%.100q is no sender: write an address, @DOMAIN for all of a domain, or <> for the null sender", key)
	case err != nil:
		return "", fmt.Errorf("%w: write an address, @DOMAIN for all of a domain, or <> for the null sender", err)
	case at == 0:
		return "@" + domain, nil
	}
	m, err := submission.ParseMailbox(key[:at+1] + domain)
	if err != nil {
		return "", fmt.Errorf("%.100q is no address: %w", key, err)
	}
	return m.String(), nil
}

// senderRoutes returns the routes of senders as a policy has them. They have been
// checked.
func (c *config) senderRoutes() map[string][]string {
	var all map[string][]string
	for key, hosts := range c.Senders {
		name, err := senderName(key)
		if err != nil {
			continue
		}
		if all == nil {
			all = make(map[string][]string)
		}
		all[name] = texts(hosts)
	}
	return all
}

// senders finds what is wrong with the routes of senders.
func (k *checker) senders() {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.config.Senders)) {
		sender, err := senderName(name)
		before, twice := seen[sender]
		switch {
		case err != nil:
			k.at(key("sender_routes", name), err)
			continue
		case twice:
			k.at(key("sender_routes", name), fmt.Errorf("%q and %q are the same sender: keep one", before, name))
		case len(k.config.Senders[name]) == 0:
			k.at(key("sender_routes", name), errors.New("the route has no host: write at least one, HOST or HOST:PORT, or remove it"))
		}
		seen[sender] = name
		k.routeHosts("sender_routes", name, k.config.Senders[name])
	}
}
