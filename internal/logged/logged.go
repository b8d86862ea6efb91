// Package logged finds the updates of a wait that are worth a line.
package logged

import (
	"context"
	"log/slog"
	"sync"

	"github.com/milvuswait/milvuswait"
)

// Updates returns an observer that calls write for the updates that milvuswait.Log chooses,
// one at a time.
func Updates(write func(milvuswait.Update)) milvuswait.Observer {
	c := &chooser{write: write}
	c.log = milvuswait.Log(slog.New(c))
	return c
}

// chooser is the handler of its log. It passes the current update on in place of the record.
type chooser struct {
	write func(milvuswait.Update)
	log   milvuswait.Observer

	mu      sync.Mutex // one observer may serve several waits
	current milvuswait.Update
}

// Observe implements milvuswait.Observer.
func (c *chooser) Observe(u milvuswait.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.current = u
	c.log.Observe(u)
}

// Handle implements slog.Handler.
func (c *chooser) Handle(context.Context, slog.Record) error {
	c.write(c.current)
	return nil
}

// Enabled, WithAttrs and WithGroup implement slog.Handler.
func (c *chooser) Enabled(context.Context, slog.Level) bool { return true }
func (c *chooser) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *chooser) WithGroup(string) slog.Handler            { return c }
