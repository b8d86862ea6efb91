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
	lost   bool     // something that was sent
}

// run connects the client with the server, until either goes.
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
		l.close() // who did so before has not closed the server's side
	}
	if lost {
		_ = server.Close()
	}
	var both sync.WaitGroup
	both.Go(func() { l.pass(Up, l.client, server) })
	both.Go(func() { l.pass(Down, server, l.client) })
	both.Wait()
}

// pass passes on what comes from one side, until that has ended.
func (l *link) pass(way Way, from, to net.Conn) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.forward(way, to, buffer[:n]) || err != nil {
			break
		}
	}
	if way == Down && l.dead() {
		return // and the client is not told
	}
	l.close()
}

// forward passes data on when its time has come. It returns false if there is
// nobody left to get it.
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

// linger returns after the delay of that way, false if the link has ended.
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

// dead reports whether something was lost.
func (l *link) dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// die has everything be lost from now on, and returns the server's side.
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

// reset ends a connection without the courtesies of TCP, where it is one.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close() // broken is what it is to be
}
