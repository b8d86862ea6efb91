package pollertest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const (
	patience = 10 * time.Second      // that a call is given
	grace    = time.Second           // after its context has ended
	pause    = 50 * time.Millisecond // before the context of a call that hangs ends

	missing = "pollertest_missing" // the name of nothing
)

// question is one call of a Poller.
type question struct {
	text string // such as LoadingProgress("docs", "eu")
	ask  func(ctx context.Context) (any, error)

	lenient bool // no wait relies on its failing when the server does
}

func (q question) String() string { return q.text }

// maySucceed reports whether a may be said without a server.
func (q question) maySucceed(a answer) bool { return q.lenient || isEmptyMap(a.value) }

// newQuestion names a call by its method and arguments.
func newQuestion[P any](method string, args []string, ask func(ctx context.Context) (P, error)) question {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = strconv.Quote(arg)
	}
	return question{
		text: method + "(" + strings.Join(quoted, ", ") + ")",
		ask:  func(ctx context.Context) (any, error) { return ask(ctx) },
	}
}

func (c *checker) loading(collection string, partitions ...string) question {
	return newQuestion("LoadingProgress", append([]string{collection}, partitions...),
		func(ctx context.Context) (milvuswait.LoadingProgress, error) {
			return c.poller.LoadingProgress(ctx, collection, partitions...)
		})
}

func (c *checker) building(collection, index string) question {
	return newQuestion("IndexBuildingProgress", []string{collection, index},
		func(ctx context.Context) (milvuswait.IndexBuildingProgress, error) {
			return c.poller.IndexBuildingProgress(ctx, collection, index)
		})
}

// answer is what a call returned, or that it did not.
type answer struct {
	value    any
	err      error
	panicked any
	late     bool // not back in time after its context had ended
}

// String returns the value, or the error as messages quote it.
func (a answer) String() string {
	if a.err != nil {
		return "the error " + quoted(a.err)
	}
	return fmt.Sprint(a.value)
}

func quoted(err error) string { return strconv.Quote(untrusted.Text(err.Error())) }

// call makes the call on a goroutine of its own, which is left behind if it is
// late.
func (q question) call(ctx context.Context) answer {
	done := make(chan answer, 1)
	go func() {
		a := answer{panicked: "runtime.Goexit was called, as t.FailNow does"}
		defer func() {
			if value := recover(); value != nil {
				a.panicked = value
			}
			done <- a
		}()
		value, err := q.ask(ctx)
		a = answer{value: value, err: err}
	}()
	select {
	case a := <-done:
		return a
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case a := <-done:
		return a
	case <-timer.C:
		return answer{late: true}
	}
}

// inTime makes the call with time enough.
func (q question) inTime() answer {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return q.call(ctx)
}

var sentinels = []struct {
	name string
	err  error
}{
	{"ErrCollectionNotFound", milvuswait.ErrCollectionNotFound},
	{"ErrPartitionNotFound", milvuswait.ErrPartitionNotFound},
	{"ErrIndexNotFound", milvuswait.ErrIndexNotFound},
	{"ErrDatabaseNotFound", milvuswait.ErrDatabaseNotFound},
	{"ErrAmbiguousIndex", milvuswait.ErrAmbiguousIndex},
	{"ErrNotLoaded", milvuswait.ErrNotLoaded},
	{"ErrLoadFailed", milvuswait.ErrLoadFailed},
}

// nameOf returns the name of the sentinel that err wraps, "" if there is none in
// it.
func nameOf(err error) string {
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.name
		}
	}
	return ""
}
