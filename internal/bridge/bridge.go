// Package bridge provides a TCP proxy between clients and a server. It breaks their
// connections as networks do.
//
// It works over the loopback interface, or over connections in memory. The latter also work
// in a bubble of testing/synctest, where delays take no real time.
package bridge

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Way is a direction of data, or both.
type Way uint8

// The ways.
const (
	Up   Way = 1 << iota // from the clients to the server
	Down                 // from the server to the clients
	Both = Up | Down
)

// Bridge is a proxy in front of a server. The caller must close it. It is safe for
// concurrent use.
type Bridge struct {
	listener net.Listener
	dial     func(context.Context) (net.Conn, error)
	ctx      context.Context // ends with the bridge
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex // guards the fields below; never held during I/O
	state    state
	changed  chan struct{} // closed when the state changes
	links    map[*link]bool
	accepted int
}

// state is the set of active faults. The zero state passes everything.
type state struct {
	refuse          bool
	paused, swallow Way
	delay           [Both]time.Duration // index: Up or Down
}

// Listen returns a bridge from a free port of the loopback interface to the server at
// address, for example "127.0.0.1:19530". The server must be on the loopback interface too.
func Listen(address string) (*Bridge, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	if !target.Addr().IsLoopback() {
		return nil, fmt.Errorf("bridge: %s is not on the loopback interface", address)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}

	return New(listener, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}), nil
}

// New returns a bridge from the connections of listener to the connections of dial. The
// bridge closes listener.
func New(listener net.Listener, dial func(context.Context) (net.Conn, error)) *Bridge {
	b := &Bridge{listener: listener, dial: dial, changed: make(chan struct{}), links: map[*link]bool{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())

	b.running.Go(b.accept)
	return b
}

// Address returns the address for clients.
func (b *Bridge) Address() string { return b.listener.Addr().String() }

// Pass ends Refuse, Pause, Swallow and Slow. Paused data passes too. Connections with lost
// data stay dead.
func (b *Bridge) Pass() { b.change(func(s *state) { *s = state{} }) }

// Refuse resets new connections at once.
func (b *Bridge) Refuse() { b.change(func(s *state) { s.refuse = true }) }

// Pause holds the data sent in direction way, like a cable pulled out for a while. No data
// is lost.
func (b *Bridge) Pause(way Way) { b.change(func(s *state) { s.paused |= way }) }

// Swallow drops the data sent in direction way. A connection with lost data is dead: it
// drops all further data in both directions, and its client does not see it closed when
// the server closes it.
func (b *Bridge) Swallow(way Way) { b.change(func(s *state) { s.swallow |= way }) }

// Slow delays each piece of data in direction way by d. A piece has at most 4 KiB.
func (b *Bridge) Slow(way Way, d time.Duration) {
	b.change(func(s *state) {
		for _, one := range []Way{Up, Down} {
			if way&one != 0 {
				s.delay[one] = d
			}
		}
	})
}

// Drop resets all open connections.
func (b *Bridge) Drop() {
	for _, l := range b.open() {
		l.close()
	}
}

// Sever closes all open connections on the side of the server only. Their clients do not
// see it, and lose all data they send.
func (b *Bridge) Sever() {
	for _, l := range b.open() {
		l.sever()
	}
}

// Accepted returns the number of connections so far, refused ones included.
func (b *Bridge) Accepted() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.accepted
}

// Open returns the number of open connections.
func (b *Bridge) Open() int { return len(b.open()) }

// Close resets all connections and stops listening. It returns when all goroutines of the
// bridge have ended.
func (b *Bridge) Close() {
	b.cancel()
	_ = b.listener.Close() // an error has no remedy
	b.Drop()
	b.running.Wait()
}

// change applies f to the state and wakes all links in forward.
func (b *Bridge) change(f func(*state)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.state)
	close(b.changed)
	b.changed = make(chan struct{})
}

// now returns the active faults, and a channel closed at their next change.
func (b *Bridge) now() (state, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.changed
}

func (b *Bridge) open() []*link {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := make([]*link, 0, len(b.links))
	for l := range b.links {
		open = append(open, l)
	}

	return open
}

// accept starts a link for each new connection, until the listener is closed.
func (b *Bridge) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return
		}

		l := &link{bridge: b, client: client}
		l.ctx, l.cancel = context.WithCancel(b.ctx)

		b.mu.Lock()
		b.accepted++
		refused := b.state.refuse
		if !refused {
			b.links[l] = true
		}
		b.mu.Unlock()

		if refused {
			l.close()
			continue
		}
		b.running.Go(l.run)
	}
}

func (b *Bridge) forget(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.links, l)
}
