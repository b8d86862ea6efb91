// Package patient writes to slow readers, but gives up on readers that do not read at all.
package patient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// Grace is the timeout of a write once the context has ended. It applies to each write
// alone, so that a slow reader gets everything.
const Grace = 2 * time.Second

// A Writer writes without a timeout until its context ends. From then on, it gives up if a
// write takes longer than Grace, and all later writes fail at once. It is not safe for
// concurrent use.
//
// A blocked write can neither be interrupted nor given a deadline, because stdout and stderr
// may be blocking files. An exit of the whole process would lose the other outputs: errors
// on stderr, and the summary of a CI.
type Writer struct {
	w      io.Writer
	ctx    context.Context
	err    error
	gaveUp bool
}

// NewWriter returns a Writer to w with the context ctx.
func NewWriter(ctx context.Context, w io.Writer) *Writer { return &Writer{w: w, ctx: ctx} }

// Until replaces the context for all later writes.
func (w *Writer) Until(ctx context.Context) { w.ctx = ctx }

// Unwrap returns the underlying writer.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Err returns the first error of a write. If w gave up, it returns an error with the
// context's cause.
func (w *Writer) Err() error { return w.err }

// Write implements io.Writer.
func (w *Writer) Write(b []byte) (int, error) {
	if w.gaveUp {
		return 0, w.err
	}
	n, err := w.write(bytes.Clone(b)) // a write may outlive the call
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

// Do calls f, and gives up on it after Grace: a file may be a FIFO without a reader, or on a
// file system that hangs. It is for files of less importance than the outputs.
func Do(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()

	select {
	case err := <-done:
		return err
	case <-time.After(Grace):
		return fmt.Errorf("it takes longer than %v", Grace)
	}
}

// unreadError is the error of a Writer that gave up.
type unreadError struct{ cause error }

func (e *unreadError) Error() string {
	return "it has no reader: " + exit.Text(e.cause)
}

func (e *unreadError) Unwrap() error { return e.cause }
