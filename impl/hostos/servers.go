package hostos

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	// systemResolvConf is where resolv.conf(5) says it is.
	systemResolvConf = "/etc/resolv.conf"
	// maxNameServers is how many servers of a file are used, as resolv.conf(5)
	// has it (MAXNS).
	maxNameServers = 3
	dnsPort        = 53
)

// nameServers returns the addresses and ports of the DNS servers to ask: those
// configured, else those of the file at path.
func nameServers(configured []string, path string) ([]string, error) {
	if len(configured) == 0 {
		return fromFile(path)
	}
	servers := make([]string, 0, len(configured))
	for _, s := range configured {
		server, err := addressAndPort(s)
		if err != nil {
			return nil, fmt.Errorf("DNS resolver %q: not an IP address, with or without a port", s)
		}
		servers = append(servers, server)
	}
	return servers, nil
}

// fromFile reads a resolv.conf(5). A file that is missing or names no server
// means the server on the same machine.
func fromFile(path string) ([]string, error) {
	if path == "" {
		path = systemResolvConf
	}
	config, err := dns.ClientConfigFromFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("DNS resolvers: %w", err)
	}
	var servers []string
	if config != nil {
		for _, s := range config.Servers[:min(len(config.Servers), maxNameServers)] {
			server, err := addressAndPort(s)
			if err != nil {
				return nil, fmt.Errorf("DNS resolvers: %s: nameserver %q is not an IP address", path, s)
			}
			servers = append(servers, server)
		}
	}
	if len(servers) == 0 {
		servers = []string{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort).String()}
	}
	return servers, nil
}

// addressAndPort adds the port to an address that has none.
func addressAndPort(s string) (string, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(addr, dnsPort).String(), nil
	}
	both, err := netip.ParseAddrPort(s)
	return both.String(), err
}
