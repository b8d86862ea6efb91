// Package patient writes to whoever reads slowly, but not for ever to whoever does
// not read.
package patient

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// Grace is how long a write may take when the time is up. Each write has all of it,
// so that a reader who is slow gets everything.
const Grace = 2 * time.Second

// A Writer writes for as long as that takes, until its context ends. From then on
// it gives up when a write has not ended within Grace, and every later one at once.
// It is not for concurrent use.
type Writer struct {
	w      io.Writer
	ctx    context.Context
	err    error
	gaveUp bool
}

// NewWriter returns a Writer to w that has time until ctx ends.
func NewWriter(ctx context.Context, w io.Writer) *Writer { return &Writer{w: w, ctx: ctx} }

// Until gives the writes from now on time until ctx ends.
func (w *Writer) Until(ctx context.Context) { w.ctx = ctx }

// Unwrap returns what w writes to.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Err returns the first error of a write or, if w gave up, why, with the context's
// cause in it.
func (w *Writer) Err() error { return w.err }

// Write implements io.Writer.
func (w *Writer) Write(b []byte) (int, error) {
	if w.gaveUp {
		return 0, w.err
	}
	n, err := w.write(bytes.Clone(b)) // which may still be under way when this returns
	if w.err == nil || w.gaveUp {
		w.err = err
	}
	return n, err
}

func (w *Writer) write(b []byte) (int, error) {
	written := make(chan struct{})
	var (
		count  int
		failed error
	)
	go func() {
		defer close(written)
		count, failed = w.w.Write(b)
	}()
	select {
	case <-written:
		return count, failed
	case <-w.ctx.Done():
	}
	select {
	case <-written:
		return count, failed
	case <-time.After(Grace):
		w.gaveUp = true
		return 0, &unreadError{context.Cause(w.ctx)}
	}
}

// unreadError is why a Writer gave up.
type unreadError struct{ cause error }

func (e *unreadError) Error() string {
	return "nobody reads it: " + exit.Text(e.cause)
}

func (e *unreadError) Unwrap() error { return e.cause }
