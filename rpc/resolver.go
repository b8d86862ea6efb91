package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"time"

	"google.golang.org/grpc/resolver"
)

const (
	// dnsPause is the minimum time between two lookups. It bounds the load on the
	// DNS server while connections fail every 100 ms. After a failed lookup the
	// pause is up to twice as long, at random, to spread clients which lost the same
	// server at the same time.
	dnsPause = time.Second

	// dnsTimeout bounds a lookup. It is gRPC's own value. The system's resolver waits
	// 5 s for a name server before it asks the next one, for each suffix in the search
	// list, so a much shorter timeout would cut lookups short of their answer.
	dnsTimeout = 30 * time.Second

	// dnsRetries is the number of lookups after a failed connection, if all of them
	// fail. Pauses of 1 s make 8 s, more than the 4.5 s between two connection
	// attempts at an address which drops packets: 3 s for the attempt and 1.5 s for the
	// backoff. So lookups go on while the connection fails, and end when it is healthy.
	dnsRetries = 8
)

// lookupFunc returns the IP addresses of a host.
type lookupFunc func(ctx context.Context, host string) ([]string, error)

// dnsBuilder builds the resolvers of [DialOptions], which find a change of a name
// within seconds.
//
// gRPC's resolver has longer pauses, and its settings are those of the process. It
// could be built again for each lookup, without the first pause. But it would retry
// by itself in between, report a missing name as an empty list, which makes gRPC
// forget the addresses it has, and take no lookup function from tests. The loop
// here replaces only the pauses: names are looked up by the same function of package
// net, and all targets without a name go to gRPC's resolver.
type dnsBuilder struct {
	lookup lookupFunc // for tests; nil: the system's resolver, or the DNS server in the target
}

// Scheme returns the scheme which gRPC also uses for targets without one.
func (dnsBuilder) Scheme() string { return "dns" }

// Build starts a resolver for the name in target.
func (b dnsBuilder) Build(target resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions) (resolver.Resolver, error) {
	host, port, ok := splitName(target.Endpoint())
	if !ok {
		return resolver.Get("dns").Build(target, cc, opts)
	}

	lookup := b.lookup
	if lookup == nil {
		lookup = lookupBy(target.URL)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &dnsResolver{
		cc: cc, lookup: lookup, host: host, port: port,
		requests: make(chan struct{}, 1), cancel: cancel, stopped: make(chan struct{}),
	}
	go r.run(ctx)
	return r, nil
}

// splitName returns the host and the port of an endpoint, and false if there is no
// name to look up: the endpoint is an IP address or malformed.
func splitName(endpoint string) (host, port string, ok bool) {
	if endpoint == "" {
		return "", "", false
	}
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		host, port, err = net.SplitHostPort(endpoint + ":443") // gRPC's default
	}
	if err != nil || port == "" {
		return "", "", false
	}

	if host == "" { // ":19530", as in net.Dial
		host = "localhost"
	}
	_, err = netip.ParseAddr(host)
	return host, port, err != nil
}

// lookupBy returns the lookup function for a target: the system's, or for
// dns://server/name a function for this DNS server.
func lookupBy(target url.URL) lookupFunc {
	if target.Host == "" {
		return net.DefaultResolver.LookupHost
	}

	server := net.JoinHostPort(target.Hostname(), cmp.Or(target.Port(), "53"))
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	return r.LookupHost
}

// dnsResolver looks a name up for one connection. Only its goroutine calls lookup and
// cc.
type dnsResolver struct {
	cc         resolver.ClientConn
	lookup     lookupFunc
	host, port string

	requests chan struct{} // holds one request, for all since the last lookup
	cancel   context.CancelFunc
	stopped  chan struct{} // closed by the goroutine when it ends
}

// ResolveNow requests a lookup. gRPC calls it when a connection fails or is lost.
func (r *dnsResolver) ResolveNow(resolver.ResolveNowOptions) {
	select {
	case r.requests <- struct{}{}:
	default:
	}
}

// Close ends a lookup in flight and waits for the goroutine. No call of cc is made
// after it.
func (r *dnsResolver) Close() {
	r.cancel()
	<-r.stopped
}

// run looks the name up until the first lookup succeeds, and then upon requests
// only. A resolver is not informed about healthy connections, just about failed
// ones, so repeated lookups after a request are limited in number.
func (r *dnsResolver) run(ctx context.Context) {
	defer close(r.stopped)

	known, retries := false, 0
	for {
		// This lookup serves a request from the pause.
		select {
		case <-r.requests:
			retries = dnsRetries
		default:
		}

		pause := dnsPause
		if r.resolve(ctx) {
			known, retries = true, 0
		} else {
			retries--
			pause += rand.N(dnsPause)
		}

		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}

		if known && retries <= 0 {
			select {
			case <-ctx.Done():
				return
			case <-r.requests:
				retries = dnsRetries
			}
		}
	}
}

// resolve looks the name up once, passes the result to gRPC, and reports whether
// gRPC has accepted addresses. After a failed lookup gRPC keeps the addresses it has.
func (r *dnsResolver) resolve(ctx context.Context) bool {
	timed, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()

	hosts, err := r.lookup(timed, r.host)
	if err == nil && len(hosts) == 0 {
		err = errors.New("produced zero addresses")
	}
	if err != nil {
		if ctx.Err() == nil {
			r.cc.ReportError(fmt.Errorf("dns: A record lookup error: %w", err)) // gRPC's words
		}
		return false
	}

	// The name of the server, which TLS verifies, remains the host in the target.
	var state resolver.State
	for _, host := range hosts {
		address := resolver.Address{Addr: net.JoinHostPort(host, r.port)}
		state.Addresses = append(state.Addresses, address)
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
	}
	return r.cc.UpdateState(state) == nil
}
