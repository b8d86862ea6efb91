package fakeserver

import (
	"fmt"
	"net"
	"net/netip"
)

// loopback returns the address to listen on, or the reason to refuse addr. It resolves no
// names, and accepts only the loopback interface: a fake reachable by others would be taken
// for a real server one day.
func loopback(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		if host, port, err = net.SplitHostPort(addr + ":0"); err != nil {
			return "", fmt.Errorf("fakeserver: address %q: %w", addr, err)
		}
	}

	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() || ip.Zone() != "" {
		return "", fmt.Errorf("fakeserver: address %q is not on the loopback interface: use 127.0.0.1, [::1] or localhost", addr)
	}
	return net.JoinHostPort(ip.String(), port), nil
}
