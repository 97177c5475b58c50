package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/net/idna"

	"github.com/postonce/postonce/impl/route"
)

// routeName returns a key of routes as spec.Policy.Routes has it: in lower
// case, without a dot at its end, and as the DNS writes letters of other
// scripts.
func routeName(key string) (string, error) {
	name := destination(key)
	if isLiteral(name) {
		if _, err := netip.ParseAddr(strings.TrimPrefix(name[1:len(name)-1], "ipv6:")); err != nil {
			return "", fmt.Errorf("%.100q is no address literal: write it like [192.0.2.1] or [IPv6:2001:db8::1]", key)
		}
		return name, nil
	}
	domain := strings.TrimPrefix(name, ".")
	dot := name[:len(name)-len(domain)]
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	full := domain
	if dot != "" && !strings.Contains(domain, ".") {
		full = "any." + domain // .internal is a name for all below it
	}
	if err := fullName(full); err != nil {
		return "", fmt.Errorf("%w: write a domain, or .DOMAIN for all domains below it", err)
	}
	return dot + domain, nil
}

// routes returns the routes as a policy has them. They have been checked.
func (c *config) routes() map[string][]string {
	var all map[string][]string
	for key, hosts := range c.Routes {
		name, err := routeName(key)
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

// routes finds what is wrong with the routes.
func (k *checker) routes() {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.config.Routes)) {
		dest, err := routeName(name)
		before := seen[dest]
		switch {
		case err != nil:
			k.at(key("routes", name), err)
			continue
		case before != "":
			k.at(key("routes", name), fmt.Errorf("%q and %q are the same domain: keep one", before, name))
		case len(k.config.Routes[name]) == 0:
			k.at(key("routes", name), errors.New("the route has no host: write at least one, HOST or HOST:PORT, or remove it"))
		}
		seen[dest] = name
		k.routeHosts("routes", name, k.config.Routes[name])
	}
	for i, own := range k.config.Own {
		if _, err := netip.ParseAddr(string(own)); err != nil && fullName(string(own)) != nil {
			k.at(new(yaml.PathBuilder).Root().Child("own").Index(uint(i)).Build(),
				fmt.Errorf("%.100q is neither a host name nor an address: write it like mail.example.org or 192.0.2.1, without a port", own))
		}
	}
}

// routeHosts finds what is wrong with the hosts of one route of a mapping.
func (k *checker) routeHosts(mapping, name string, list []text) {
	var before []route.Host
	for i, host := range list {
		at := new(yaml.PathBuilder).Root().Child(mapping).Child(name).Index(uint(i)).Build()
		hosts, err := route.RelayHosts([]string{string(host)}, uint16(k.config.Port))
		if err != nil {
			k.at(at, fmt.Errorf("%w; write HOST or HOST:PORT", err))
			continue
		}
		h := hosts[0]
		p := k.config.policy()
		switch {
		case slices.Contains(before, h):
			k.at(at, fmt.Errorf("%.100q stands here twice: a host is tried once", host))
		case h.Port == p.Port && (p.OwnName(h.Name) || h.Addr.IsValid() && p.OwnAddress(h.Addr)):
			k.at(at, fmt.Errorf("%.100q is this relay itself: the mail would go in circles", host))
		}
		before = append(before, h)
	}
}
