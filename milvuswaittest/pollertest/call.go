package pollertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const (
	patience = 10 * time.Second      // timeout of a call to a server that answers
	grace    = time.Second           // time for a call to return after its context has ended
	pause    = 50 * time.Millisecond // time until the context of a hanging call ends

	missing = "pollertest_missing" // name of objects that do not exist

	missingJob int64 = math.MaxInt64 - 1 // number of a job that does not exist
)

// question is one call to a Poller.
type question struct {
	text string // such as LoadingProgress("docs", "eu")
	ask  func(ctx context.Context) (any, error)

	lenient bool // may succeed without a server: no wait depends on its error
}

func (q question) String() string { return q.text }

// maySucceed reports whether q may be answered by a without a server.
func (q question) maySucceed(a answer) bool { return q.lenient || isEmptyMap(a.value) }

// newQuestion returns a question with the method and arguments as its text.
func newQuestion[P any](method string, args []string, ask func(ctx context.Context) (P, error)) question {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = strconv.Quote(arg)
	}
	return newCall(method+"("+strings.Join(quoted, ", ")+")", ask)
}

// newCall returns a question with the given text.
func newCall[P any](text string, ask func(ctx context.Context) (P, error)) question {
	return question{text: text, ask: func(ctx context.Context) (any, error) { return ask(ctx) }}
}

// answer is the outcome of a call: a value, an error, a panic, or none in time.
type answer struct {
	value    any
	err      error
	panicked any
	late     bool // the call did not return within grace after its context had ended
}

// String returns the value or the quoted error, for messages.
func (a answer) String() string {
	if a.err != nil {
		return "the error " + quoted(a.err)
	}
	return fmt.Sprint(a.value)
}

func quoted(err error) string { return strconv.Quote(untrusted.Text(err.Error())) }

// call makes the call on a separate goroutine. A call that is late leaves its goroutine
// behind.
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

	// Wait for the result. After the end of the context, wait for no longer than grace.
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

// inTime makes the call with a timeout of patience.
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
	{"ErrJobNotFound", milvuswait.ErrJobNotFound},
}

// nameOf returns the name of the sentinel that err wraps, or "" if it wraps none.
func nameOf(err error) string {
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.name
		}
	}
	return ""
}
