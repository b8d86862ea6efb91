package milvuswaittest_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

var (
	_ milvuswaittest.TB = (*testing.T)(nil)
	_ milvuswaittest.TB = (*testing.B)(nil)
	_ milvuswaittest.TB = (*testing.F)(nil)
	_ milvuswaittest.TB = testing.TB(nil)
)

// recorder is a TB with a record of its calls.
type recorder struct {
	ctx   context.Context
	logs  []string
	fatal string
}

var _ milvuswaittest.TB = (*recorder)(nil)

func (r *recorder) Helper()                  {}
func (r *recorder) Log(args ...any)          { r.logs = append(r.logs, fmt.Sprint(args...)) }
func (r *recorder) Context() context.Context { return r.ctx }

// Fatal ends the goroutine, like Fatal of *testing.T.
func (r *recorder) Fatal(args ...any) {
	r.fatal = fmt.Sprint(args...)
	runtime.Goexit()
}

// record runs f as a test, and reports how it ended.
func record(t *testing.T, f func(tb milvuswaittest.TB)) *recorder {
	t.Helper()
	r := &recorder{ctx: t.Context()}
	var wg sync.WaitGroup
	wg.Go(func() { f(r) })
	wg.Wait()
	return r
}

// timed is a recorder with a deadline.
type timed struct {
	*recorder
	deadline time.Time
}

func (t timed) Deadline() (time.Time, bool) { return t.deadline, !t.deadline.IsZero() }

// every is a constant pace without jitter.
func every(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{Initial: d, Max: d, Jitter: milvuswait.NoJitter, Lateness: 1, IgnoreProgress: true})
}
