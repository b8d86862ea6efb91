package bridge

import (
	"context"
	"net"
	"sync"
	"time"
)

// link is a connection over a bridge.
type link struct {
	bridge *Bridge
	client net.Conn
	ctx    context.Context // ends with the link
	cancel context.CancelFunc

	mu     sync.Mutex
	server net.Conn // nil before it is connected
	lost   bool     // whether data was lost: the link is dead
}

// run connects the client with the server, until either side ends. The link may have been
// closed or severed during dial, so run closes the new connection of the server then.
func (l *link) run() {
	defer l.bridge.forget(l)
	defer l.close()

	server, err := l.bridge.dial(l.ctx)
	if err != nil {
		return
	}

	l.mu.Lock()
	l.server = server
	lost := l.lost
	l.mu.Unlock()

	if l.ctx.Err() != nil {
		l.close() // the earlier close did not have the server's side
	}
	if lost {
		_ = server.Close()
	}

	var both sync.WaitGroup
	both.Go(func() { l.pass(Up, l.client, server) })
	both.Go(func() { l.pass(Down, server, l.client) })
	both.Wait()
}

// pass forwards the data of one side until that side ends. Then it closes the link, unless
// the link is dead and the server closed: the client of a dead link must not see it.
func (l *link) pass(way Way, from, to net.Conn) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.forward(way, to, buffer[:n]) || err != nil {
			break
		}
	}

	if way == Down && l.dead() {
		return // leave the client open
	}
	l.close()
}

// forward writes data after the delay and the pauses of its direction, or drops it if the
// link is dead. It returns false if the link has ended.
func (l *link) forward(way Way, to net.Conn, data []byte) bool {
	if !l.linger(way) {
		return false
	}

	for {
		s, changed := l.bridge.now()
		if s.swallow&way != 0 {
			l.die()
		}
		if l.dead() {
			return true
		}
		if s.paused&way == 0 {
			_, err := to.Write(data)
			return err == nil || l.dead()
		}
		select {
		case <-changed:
		case <-l.ctx.Done():
			return false
		}
	}
}

// linger waits for the delay of direction way. It returns false if the link has ended.
func (l *link) linger(way Way) bool {
	s, _ := l.bridge.now()
	if s.delay[way] <= 0 {
		return true
	}

	timer := time.NewTimer(s.delay[way])
	defer timer.Stop()

	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// dead reports whether the link has lost data.
func (l *link) dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// die makes the link drop all data from now on. It returns the server's side, or nil if it
// is not connected yet.
func (l *link) die() net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
	return l.server
}

func (l *link) sever() {
	if server := l.die(); server != nil {
		_ = server.Close()
	}
}

func (l *link) close() {
	l.cancel()
	reset(l.client)

	l.mu.Lock()
	server := l.server
	l.mu.Unlock()

	if server != nil {
		reset(server)
	}
}

// reset closes a connection. If it is TCP, it sends RST instead of FIN.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close() // the connection is meant to be broken
}
