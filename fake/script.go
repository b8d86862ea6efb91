package fake

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Step is what one poll meets.
type Step struct {
	// Progress is the answer: a milvuswait.LoadingProgress or a
	// milvuswait.IndexBuildingProgress, with any values, rubbish too. It is not
	// looked at if Err is set.
	Progress milvuswait.Progress

	// Err is the failure of the poll, such as milvuswait.ErrNotLoaded or any
	// error that a wait should get over.
	Err error

	// Delay is how long the poll takes; it ends early with the context's error
	// if the context does. Forever is a poll that hangs. Less than 0 is 0.
	Delay time.Duration
}

// A Script says what the polls of one target meet. It is a value without state
// of its own, so that one script can serve several targets.
type Script interface {
	// Step returns what the poll with that number meets, 1 being the first. The
	// poll begins elapsed after the script began: a [Poller] begins it with its
	// first poll, a fake server when the load or the index was asked for.
	//
	// It may be called by several goroutines at once.
	Step(poll int, elapsed time.Duration) Step
}

// ScriptFunc is a function as a Script, for what nothing else here can say.
type ScriptFunc func(poll int, elapsed time.Duration) Step

// Step calls f.
func (f ScriptFunc) Step(poll int, elapsed time.Duration) Step { return f(poll, elapsed) }

// Forever is the duration of a stall that never ends or of a poll that hangs.
const Forever = time.Duration(1<<63 - 1)

// Steps returns the script of one step a poll. After the last step it repeats
// that: a server that is done, or stuck.
//
// It panics if there are no steps, or if one has a negative delay or neither an
// answer nor an error.
func Steps(steps ...Step) Script {
	if len(steps) == 0 {
		panic("fake: Steps: there are none")
	}
	for i, s := range steps {
		switch {
		case s.Progress == nil && s.Err == nil:
			panic(fmt.Sprintf("fake: Steps: step %d has neither Progress nor Err", i+1))
		case s.Delay < 0:
			panic(fmt.Sprintf("fake: Steps: the delay of step %d, %v, is negative", i+1, s.Delay))
		}
	}
	return sequence(append([]Step(nil), steps...))
}

type sequence []Step

func (s sequence) Step(poll int, _ time.Duration) Step {
	return s[min(max(poll, 1), len(s))-1]
}

// Percents returns the script of a load that is at these percentages, one a
// poll, and then stays at the last. No refresh was asked for: RefreshPercent is
// 100. Any number is allowed.
//
// It panics if there are no percentages.
func Percents(percents ...int64) Script {
	steps := make([]Step, len(percents))
	for i, percent := range percents {
		steps[i].Progress = loading(percent)
	}
	return Steps(steps...)
}

// loading returns the progress of a load without a refresh.
func loading(percent int64) milvuswait.LoadingProgress {
	return milvuswait.LoadingProgress{Percent: percent, RefreshPercent: 100}
}

// RefreshOver returns the script of a loaded collection that is refreshed for d:
// Percent is 100 throughout, RefreshPercent 0 and then 100.
//
// It panics if d is negative.
func RefreshOver(d time.Duration) Script {
	mustNotBeNegative("RefreshOver", d)
	return ScriptFunc(func(_ int, elapsed time.Duration) Step {
		p := loading(100)
		if elapsed < d {
			p.RefreshPercent = 0
		}
		return Step{Progress: p}
	})
}

// SilentlyReleased returns the script of a collection that was released from a
// milvus-lite server: 0 % without an error, for ever. Only CheckLoadState, which
// returns milvuswait.ErrNotLoaded for it, tells it from a load that has not got
// anywhere yet; within another script it cannot be told.
func SilentlyReleased() Script { return silentlyReleased{} }

type silentlyReleased struct{}

func (silentlyReleased) Step(int, time.Duration) Step {
	return Step{Progress: milvuswait.LoadingProgress{}}
}

// Rows returns the script of an index over total rows of which so many are
// indexed, one number a poll, and then stays at the last. The rest is pending,
// and the state is InProgress until nothing is. Any numbers are allowed.
//
// It panics if no number of indexed rows is given.
func Rows(total int64, indexed ...int64) Script {
	steps := make([]Step, len(indexed))
	for i, n := range indexed {
		steps[i].Progress = building(total, n)
	}
	return Steps(steps...)
}

// building returns the progress of an index whose state tells the truth.
func building(total, indexed int64) milvuswait.IndexBuildingProgress {
	p := milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: max(0, total-indexed), State: milvuswait.IndexStateFinished,
	}
	if indexed < total {
		p.State = milvuswait.IndexStateInProgress
	}
	return p
}

func mustNotBeNegative(what string, d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("fake: %s: %v is negative", what, d))
	}
}
