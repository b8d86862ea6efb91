// Package bridge has a bridge that connections to a server go over, and that
// breaks them as networks do.
//
// It goes over the loopback interface, or over connections in memory: these work
// in a bubble of testing/synctest, where all that is slow takes no time.
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

// Bridge is a bridge to a server. It must be closed. It is safe for concurrent
// use.
type Bridge struct {
	listener net.Listener
	dial     func(context.Context) (net.Conn, error)
	ctx      context.Context // ends with the bridge
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu       sync.Mutex // around everything below, never held while anything waits
	state    state
	changed  chan struct{} // closed when the state changes
	links    map[*link]bool
	accepted int
}

// state is what is wrong; the zero state is nothing.
type state struct {
	refuse          bool
	paused, swallow Way
	delay           [Both]time.Duration // of Up and of Down
}

// Listen returns a bridge from a free port of the loopback interface to the
// server at that address, such as "127.0.0.1:19530", which has to be on the
// loopback interface too.
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

// New returns a bridge from what comes to listener, which is the bridge's from
// then on, to what dial connects to.
func New(listener net.Listener, dial func(context.Context) (net.Conn, error)) *Bridge {
	b := &Bridge{listener: listener, dial: dial, changed: make(chan struct{}), links: map[*link]bool{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.running.Go(b.accept)
	return b
}

// Address returns where clients connect to.
func (b *Bridge) Address() string { return b.listener.Addr().String() }

// Pass ends Refuse, Pause, Swallow and Slow: from now on everything passes, and
// what was held too. Connections that have lost something stay dead.
func (b *Bridge) Pass() { b.change(func(s *state) { *s = state{} }) }

// Refuse resets connections as soon as they come.
func (b *Bridge) Refuse() { b.change(func(s *state) { s.refuse = true }) }

// Pause holds what is sent that way, as a cable does that is pulled out for a
// while: nothing is lost.
func (b *Bridge) Pause(way Way) { b.change(func(s *state) { s.paused |= way }) }

// Swallow loses what is sent that way. A connection that has lost something is
// dead: the rest of what is sent over it, both ways, is lost too, and its client
// is not told if the server closes it.
func (b *Bridge) Swallow(way Way) { b.change(func(s *state) { s.swallow |= way }) }

// Slow has every 4 KiB or less that are sent that way arrive later by d.
func (b *Bridge) Slow(way Way, d time.Duration) {
	b.change(func(s *state) {
		for _, one := range []Way{Up, Down} {
			if way&one != 0 {
				s.delay[one] = d
			}
		}
	})
}

// Drop resets the connections that there are.
func (b *Bridge) Drop() {
	for _, l := range b.open() {
		l.close()
	}
}

// Sever ends the connections that there are for the server alone: their clients
// are not told, and what they send is lost.
func (b *Bridge) Sever() {
	for _, l := range b.open() {
		l.sever()
	}
}

// Accepted returns how many connections have come so far, the refused ones too.
func (b *Bridge) Accepted() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.accepted
}

// Open returns how many connections there are.
func (b *Bridge) Open() int { return len(b.open()) }

// Close resets all connections and refuses new ones for good. It returns when
// no goroutine of the bridge is left.
func (b *Bridge) Close() {
	b.cancel()
	_ = b.listener.Close() // there is nothing to be done about it
	b.Drop()
	b.running.Wait()
}

func (b *Bridge) change(f func(*state)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.state)
	close(b.changed)
	b.changed = make(chan struct{})
}

// now returns what is wrong, and a channel that is closed when that changes.
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
