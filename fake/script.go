package fake

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Step is the result of one poll.
type Step struct {
	// Progress is the progress of the target's kind, such as milvuswait.LoadingProgress,
	// out-of-range values included. It is ignored if Err is set.
	Progress milvuswait.Progress

	// Err is the error of the poll, such as milvuswait.ErrNotLoaded, or a transient error
	// for the wait to tolerate.
	Err error

	// Delay is the duration of the poll. If the context ends first, the poll returns the
	// context's error then. Forever makes the poll hang. Negative values mean 0.
	Delay time.Duration
}

// A Script defines the results of the polls of one target. It is a value without state, so
// several targets can share it.
type Script interface {
	// Step returns the result of the poll with the given number, from 1. The poll starts
	// elapsed after the script. A [Poller] starts the script with its first poll, a fake
	// server with the request for the load or the index.
	//
	// Several goroutines may call Step at once.
	Step(poll int, elapsed time.Duration) Step
}

// ScriptFunc makes a function a Script, for results beyond the other scripts here.
type ScriptFunc func(poll int, elapsed time.Duration) Step

// Step calls f.
func (f ScriptFunc) Step(poll int, elapsed time.Duration) Step { return f(poll, elapsed) }

// Forever is the duration of a stall that never ends, or the delay of a poll that hangs.
const Forever = time.Duration(1<<63 - 1)

// Steps returns a script with one step per poll. The last step repeats, as on a server that
// has finished or is stuck.
//
// It panics if there are no steps, or if a step has a negative delay or has neither
// Progress nor Err.
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

// Percents returns the script of a load with one percentage per poll. The last one repeats.
// RefreshPercent is 100: no refresh was requested. Any number is allowed.
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

// RefreshOver returns the script of a refresh of a loaded collection within d. Percent is
// always 100. RefreshPercent is 0 before d has passed, and 100 afterwards.
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

// SilentlyReleased returns the script of a released collection on milvus-lite: 0 % without
// an error, forever. Only CheckLoadState distinguishes it from a load still at 0 %, and
// returns milvuswait.ErrNotLoaded. Inside another script, such as WithDelay, it is not
// recognized, and CheckLoadState returns nil.
func SilentlyReleased() Script { return silentlyReleased{} }

type silentlyReleased struct{}

func (silentlyReleased) Step(int, time.Duration) Step {
	return Step{Progress: milvuswait.LoadingProgress{}}
}

// Rows returns the script of an index over total rows, with one number of indexed rows per
// poll. The last one repeats. The remaining rows are pending, and the state is InProgress
// while there are any. Any numbers are allowed.
//
// It panics if there are no numbers of indexed rows.
func Rows(total int64, indexed ...int64) Script {
	steps := make([]Step, len(indexed))
	for i, n := range indexed {
		steps[i].Progress = building(total, n)
	}
	return Steps(steps...)
}

// building returns the progress of an index whose state agrees with its rows.
func building(total, indexed int64) milvuswait.IndexBuildingProgress {
	p := milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: max(0, total-indexed), State: milvuswait.IndexStateFinished,
	}
	if indexed < total {
		p.State = milvuswait.IndexStateInProgress
	}
	return p
}

// mustNotBeNegative panics, in the name of the function what, if d is negative.
func mustNotBeNegative(what string, d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("fake: %s: %v is negative", what, d))
	}
}
