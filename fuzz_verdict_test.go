package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// FuzzVerdict runs a wait against any sequence of answers, two bytes each, and
// asks history, which looks at all of them after every poll, whether the wait was
// to end there, and how, and when to poll again. WaitAll has to come to the same,
// poll by poll.
func FuzzVerdict(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 0, 5}, false, uint8(0), uint8(0), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0))
	f.Add([]byte{0, 3, 5, 0, 6, 3, 0, 0, 5, 11}, false, uint8(0), uint8(0), uint16(900), uint16(5), uint16(30), uint16(0), uint16(3))
	f.Add([]byte{0, 0x3b, 0, 0x15, 7, 0, 5, 0}, true, uint8(1), uint8(100), uint16(600), uint16(1), uint16(0), uint16(90), uint16(0))
	f.Add([]byte{0, 4, 5, 11}, false, uint8(3), uint8(0), uint16(899), uint16(0), uint16(0), uint16(0), uint16(700))
	f.Add([]byte{0, 4}, false, uint8(0), uint8(0), uint16(9), uint16(10), uint16(0), uint16(0), uint16(0))
	f.Add([]byte{5, 0}, false, uint8(0), uint8(0), uint16(60), uint16(0), uint16(0), uint16(7), uint16(0))
	f.Add([]byte{0x26, 2, 0x26, 3}, false, uint8(0), uint8(0), uint16(99), uint16(0), uint16(0), uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, script []byte, index bool, mode, rows uint8, deadline, settle, stall, unreachable, grace uint16) {
		if len(script) < 2 || len(script) > 100 {
			return
		}
		h := history{
			script: script, index: index, rows: int64(rows), criterion: milvuswait.IndexCriterion(mode % 3), refresh: mode&4 != 0 && !index,
			deadline: seconds(deadline%900) + time.Second, settle: seconds(settle % 120), stall: seconds(stall % 700),
			unreachable: seconds(unreachable % 300), grace: seconds(grace % 900),
		}
		var alone, among outcome
		synctest.Test(t, func(*testing.T) { alone = h.wait() })
		synctest.Test(t, func(*testing.T) { among = h.waitAll() })

		require.Equal(t, alone.String(), among.String(), "WaitAll and a single wait differ")
		for i := range alone.polls {
			over, want := h.judge(alone.polls[:i+1])
			last := i == len(alone.polls)-1
			require.False(t, over && !last, "poll %d of %d was to end the wait: %v\n%v", i+1, len(alone.polls), want, alone)
			if !over {
				next := h.deadline
				if !last {
					next = alone.polls[i+1].begin
				}
				// Floats may be rounded in another order.
				h.requirePace(t, alone.polls[:i+1], next)
				require.InDelta(t, h.next(alone.polls[:i+1]), next, float64(time.Microsecond), "the poll after the %d. of %d\n%v", i+1, len(alone.polls), alone)
			}
			if !over && last {
				over, want = true, context.DeadlineExceeded
				require.Equal(t, h.deadline, alone.elapsed, "%v", alone)
			}
			if over && want == nil {
				require.NoError(t, alone.err)
			} else if over {
				require.ErrorIs(t, alone.err, want, "%v", alone)
				why := alone.err
				if want == context.DeadlineExceeded {
					why = h.requireFound(t, alone)
				}
				for _, other := range verdicts {
					require.Equal(t, errors.Is(want, other), errors.Is(why, other), "%v: %v", other, alone)
				}
			}
		}
	})
}

// requireFound asserts that the error of a wait whose time is up has what the last
// poll would have ended it with besides. It returns the cause alone.
func (h history) requireFound(t *testing.T, o outcome) error {
	t.Helper()
	var ended *milvuswait.Error
	require.ErrorAs(t, o.err, &ended)
	if _, found := h.judgeAnswer(o.polls); found != nil && o.polls[len(o.polls)-1].err == nil {
		require.ErrorIs(t, ended.LastErr, found, "%v", o)
	}
	return ended.Cause
}

// verdicts are what no other verdict is.
var verdicts = []error{
	context.DeadlineExceeded, milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
}

type outcome struct {
	polls    []polled
	progress milvuswait.Progress
	err      error
	elapsed  time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%v\n%v after %v: %v", o.polls, o.progress, o.elapsed, o.err)
}

// polled is one poll as the Poller saw it.
type polled struct {
	begin, end time.Duration
	progress   milvuswait.Progress
	err        error
}

// history is a Poller that answers by a script, and the options of the wait for
// it.
type history struct {
	script                                      []byte
	index, refresh                              bool
	criterion                                   milvuswait.IndexCriterion
	rows                                        int64
	deadline, settle, stall, unreachable, grace time.Duration
	start                                       time.Time
	polls                                       []polled
}

func (h history) target() milvuswait.Target {
	if h.index {
		return milvuswait.IndexBuilding("docs", "vidx").ExpectRows(h.rows)
	}
	return milvuswait.Loading("docs")
}

func (h history) options() []milvuswait.Option {
	opts := []milvuswait.Option{
		milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}), milvuswait.WithSettle(h.settle),
		milvuswait.WithStallTimeout(h.stall), milvuswait.WithUnreachableAfter(h.unreachable), milvuswait.WithStartGrace(h.grace),
	}
	if h.refresh {
		opts = append(opts, milvuswait.WithRefresh())
	}
	if h.index {
		opts = append(opts, milvuswait.WithIndexCriterion(h.criterion))
	}
	return opts
}

func (h history) wait() outcome {
	h.start = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), h.deadline)
	defer cancel()
	var last milvuswait.Update
	for u := range milvuswait.Watch(ctx, &h, h.target(), h.options()...) {
		last = u
	}
	return outcome{h.polls, last.Progress, last.Err, time.Since(h.start)}
}

func (h history) waitAll() outcome {
	h.start = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), h.deadline)
	defer cancel()
	outcomes, err := milvuswait.WaitAll(ctx, &h, []milvuswait.Target{h.target()}, h.options()...)
	return outcome{h.polls, outcomes[0].Progress, err, time.Since(h.start)}
}

var answersOfErrors = append([]error{
	errBlip, context.DeadlineExceeded, context.Canceled, milvuswait.Permanent(errBlip),
	milvuswait.ErrNotLoaded, milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrLoadFailed, milvuswait.ErrAmbiguousIndex, fmt.Errorf("gone: %w", milvuswait.ErrNotLoaded),
}, verdicts[1:]...)

// poll makes the next poll of the script, over and over.
func (h *history) poll(ctx context.Context) (what byte, err error) {
	i := len(h.polls) * 2 % (len(h.script) &^ 1)
	how, what := h.script[i], h.script[i+1]
	switch how % 8 {
	case 5:
		return what, answersOfErrors[int(what)%len(answersOfErrors)]
	case 6: // slow
		select {
		case <-time.After(time.Duration(how>>3) * 250 * time.Millisecond):
		case <-ctx.Done():
			return what, ctx.Err()
		}
	case 7: // hangs
		<-ctx.Done()
		return what, ctx.Err()
	}
	return what, nil
}

// note keeps a poll that began then.
func (h *history) note(begin time.Time, p milvuswait.Progress, err error) {
	seen := polled{begin: begin.Sub(h.start), end: time.Since(h.start), err: err}
	if err == nil {
		seen.progress = p
	}
	h.polls = append(h.polls, seen)
}

func (h *history) LoadingProgress(ctx context.Context, _ string, _ ...string) (p milvuswait.LoadingProgress, err error) {
	begin := time.Now()
	what, err := h.poll(ctx)
	if err == nil {
		percents := []int64{0, 1, 40, 99, 100, 101, -5, math.MaxInt64, math.MinInt64}
		p.Percent = percents[int(what)%len(percents)]
		p.RefreshPercent = []int64{100, 0, 50}[int(what)/len(percents)%3]
	}
	h.note(begin, p, err)
	return p, err
}

func (h *history) IndexBuildingProgress(ctx context.Context, _, _ string) (p milvuswait.IndexBuildingProgress, err error) {
	begin := time.Now()
	what, err := h.poll(ctx)
	if err == nil {
		p.State = []milvuswait.IndexState{inProgress, finished, finished, milvuswait.IndexStateFailed}[what&3]
		p.TotalRows = []int64{100, 0, 200, -1}[what>>2&3]
		p.IndexedRows = []int64{100, 0, 150, math.MaxInt64}[what>>4&3]
		p.PendingIndexRows = []int64{0, 1, 100, -1}[what>>6&3]
	}
	h.note(begin, p, err)
	return p, err
}
