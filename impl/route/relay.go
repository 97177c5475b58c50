package route

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// RelayHosts parses configured hosts, keeping their order. An entry is a host
// name or an address, with or without a port: "relay.example.net",
// "relay.example.net:587", "192.0.2.1:2525", "[192.0.2.1]:2525",
// "[2001:db8::1]:2525". An IPv6 address needs its brackets. A host given
// twice is kept once. The error names the entry that is wrong.
func RelayHosts(list []string, defaultPort uint16) ([]Host, error) {
	hosts := make([]Host, 0, len(list))
	for i, entry := range list {
		h, err := relayHost(entry, defaultPort)
		if err != nil {
			return nil, fmt.Errorf("host %.100q: %w", entry, err)
		}
		h.Preference = i
		hosts = append(hosts, h)
	}
	return once(hosts), nil
}

// relayHost parses one entry.
func relayHost(entry string, defaultPort uint16) (Host, error) {
	name, port, err := splitPort(strings.ToLower(entry), defaultPort)
	if err != nil {
		return Host{}, err
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner = strings.TrimSuffix(inner, "]")
		addr, err := netip.ParseAddr(strings.TrimPrefix(inner, "ipv6:"))
		if err != nil || addr.Zone() != "" {
			return Host{}, fmt.Errorf("%.100q between the brackets is not an address", inner)
		}
		return addressHost(addr, port)
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addressHost(addr, port)
	}
	name = canonical(name)
	if why := notAHost(name); why != "" {
		return Host{}, fmt.Errorf("the name %s", why)
	}
	return Host{Name: name, Port: port}, nil
}

// addressHost is a host given by its address.
func addressHost(addr netip.Addr, port uint16) (Host, error) {
	addr = addr.Unmap()
	if addr.IsUnspecified() || addr.IsMulticast() {
		return Host{}, fmt.Errorf("%s is not the address of a host", addr)
	}
	return Host{Name: literalName(addr), Port: port, Addr: addr}, nil
}

// splitPort separates the port from an entry; brackets stay with the name.
func splitPort(entry string, defaultPort uint16) (name string, port uint16, err error) {
	colon := strings.LastIndexByte(entry, ':')
	switch bracket := strings.LastIndexByte(entry, ']'); {
	case strings.HasPrefix(entry, "["):
		if bracket < 0 {
			return "", 0, errors.New("the closing bracket is missing")
		}
		if bracket == len(entry)-1 {
			return entry, defaultPort, nil
		}
		if colon != bracket+1 {
			return "", 0, errors.New("only a colon and a port may follow the bracket")
		}
	case colon < 0:
		return entry, defaultPort, nil
	case strings.IndexByte(entry, ':') != colon:
		return "", 0, errors.New("an IPv6 address needs brackets, as in [2001:db8::1]:25")
	}
	n, err := strconv.ParseUint(entry[colon+1:], 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("the port %.20q is not a number from 1 to 65535", entry[colon+1:])
	}
	return entry[:colon], uint16(n), nil
}
