package milvuswait_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// FuzzVerdict runs a wait against any sequence of answers, two bytes each. The oracle
// judges each of them: whether the wait must end there, and how, and when it must poll
// again. WaitAll must do the same, poll by poll.
func FuzzVerdict(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 0, 5}, false, uint8(0), uint8(0), uint16(60), uint16(0), uint16(0), uint16(0), uint16(0))
	f.Add([]byte{0, 3, 5, 0, 6, 3, 0, 0, 5, 11}, false, uint8(0), uint8(0), uint16(900), uint16(5), uint16(30), uint16(0), uint16(3))
	f.Add([]byte{0, 0x3b, 0, 0x15, 7, 0, 5, 0}, true, uint8(1), uint8(100), uint16(600), uint16(1), uint16(0), uint16(90), uint16(0))
	f.Add([]byte{0, 4, 5, 11}, false, uint8(3), uint8(0), uint16(899), uint16(0), uint16(0), uint16(0), uint16(700))
	f.Add([]byte{0, 4}, false, uint8(0), uint8(0), uint16(9), uint16(10), uint16(0), uint16(0), uint16(0))
	f.Add([]byte{5, 0}, false, uint8(0), uint8(0), uint16(60), uint16(0), uint16(0), uint16(7), uint16(0))
	f.Add([]byte{0x26, 2, 0x26, 3}, false, uint8(0), uint8(0), uint16(99), uint16(0), uint16(0), uint16(0), uint16(0))

	// Each rule decides one of these.
	slowly := func(n int, what byte, then ...byte) []byte {
		return append(bytes.Repeat([]byte{0xfe, what}, n), then...)
	}
	add := func(script []byte, index bool, mode uint8, deadline, settle, stall, unreachable, grace uint16) {
		f.Add(script, index, mode, uint8(0), deadline, settle, stall, unreachable, grace)
	}
	add(slowly(48, 1, 5, 4, 5, 4), false, 0, 890, 0, 0, 0, 0)                               // given up by the server
	add(slowly(47, 1, 7, 0, 5, 4, 5, 4), false, 0, 890, 0, 0, 0, 0)                         // released: the time of failures does not count
	add(slowly(47, 1, 0x56, 1, 0xf5, 4, 5, 4), false, 0, 890, 0, 0, 0, 0)                   // given up: the time until an absent answer counts
	add(slowly(48, 22, 5, 4, 5, 4), false, 4, 890, 0, 0, 0, 0)                              // released: loaded, not refreshed
	add([]byte{0, 4}, false, 4, 60, 0, 0, 0, 0)                                             // refresh pending for 1 s
	add([]byte{0, 4}, false, 4, 60, 0, 0, 0, 10)                                            // refresh pending for the grace
	add([]byte{0, 1}, false, 4, 60, 0, 2, 0, 10)                                            // no stall while a refresh is pending
	add([]byte{0, 22, 0, 4}, false, 4, 60, 0, 0, 0, 10)                                     // refresh seen
	add([]byte{5, 0, 5, 4}, false, 0, 60, 0, 0, 5, 20)                                      // answers within the grace: not unreachable
	add([]byte{5, 5}, false, 0, 60, 0, 0, 0, 7)                                             // not found at the end of the grace
	add([]byte{0, 4, 0, 4, 5, 0, 0, 4}, false, 0, 60, 9, 0, 0, 0)                           // settles, with failures
	add([]byte{0, 1, 5, 0}, false, 0, 60, 0, 9, 0, 0)                                       // stalls, with failures
	add([]byte{0, 65, 0, 1}, true, 0, 60, 0, 0, 0, 0)                                       // a row pending
	add([]byte{0, 0, 0, 3}, true, 0, 60, 0, 0, 0, 0)                                        // a failed build
	add([]byte{0, 1, 5, 5, 5, 6}, false, 0, 60, 0, 0, 0, 0)                                 // not found, confirmed by another error
	add([]byte{0, 1, 5, 5, 0, 2}, true, 0, 60, 0, 0, 0, 0)                                  // not found once, then found
	add([]byte{5, 0, 5, 5, 0, 2}, true, 0, 60, 0, 0, 0, 0)                                  // not found once, after a transient failure
	add([]byte{0, 1, 5, 4, 5, 0, 5, 3, 5, 4}, false, 0, 60, 0, 0, 0, 0)                     // confirmed in spite of other failures
	add([]byte{0, 1, 5, 4, 5, 4}, false, 8, 60, 0, 0, 0, 0)                                 // confirmed without the generator
	add([]byte{0, 1, 0, 1, 0, 1, 0x15, 4, 5, 4}, false, 0, 0, 0, 0, 0, 0)                   // confirmed by the last poll
	add([]byte{5, 3}, false, 0, 60, 0, 0, 0, 20)                                            // refused at once, also in the grace
	add(append([]byte{0, 1}, bytes.Repeat([]byte{5, 3}, 40)...), false, 8, 120, 0, 0, 0, 0) // refused for 30 s
	add([]byte{0, 1, 5, 3, 5, 3, 0, 1, 5, 3}, false, 8, 120, 0, 0, 0, 0)                    // refused, with successes in between
	add([]byte{0, 1, 5, 4, 0x15, 4}, false, 0, 60, 0, 0, 0, 20)                             // not loaded in the grace, after progress
	add([]byte{0, 1, 5, 9}, false, 0, 60, 0, 0, 0, 20)                                      // this load failed, in the grace
	add([]byte{0, 0, 5, 9}, false, 0, 60, 0, 0, 0, 20)                                      // an earlier load failed, in the grace
	add([]byte{0, 1, 5, 4, 7, 0, 5, 3, 7, 0}, false, 8, 120, 0, 0, 9, 0)                    // unconfirmed failures are answers
	add([]byte{0, 1, 7, 0}, false, 0, 120, 0, 0, 7, 0)                                      // a poll ends with the budget
	add([]byte{0, 1, 0xf5, 0}, false, 8, 120, 0, 0, 7, 0)                                   // no poll fits into the budget
	add([]byte{5, 0}, false, 0, 6, 0, 0, 7, 0)                                              // the deadline before the budget
	add([]byte{0, 1, 5, 4, 0x15, 0, 0, 1}, false, 0, 60, 0, 5, 0, 20)                       // stalls, without the time since the first failure
	add([]byte{0, 4, 5, 4, 0x15, 4, 0, 4}, false, 0, 60, 5, 0, 0, 20)                       // settles, without it
	add([]byte{0, 1, 0x0d, 0, 0x0d, 1, 0x0d, 3}, false, 0, 60, 0, 0, 0, 20)                 // the first of two sentinels counts
	add([]byte{0, 1}, false, 8, 899, 0, 0, 0, 0)                                            // a generator without an end
	f.Fuzz(func(t *testing.T, script []byte, index bool, mode, rows uint8, deadline, settle, stall, unreachable, grace uint16) {
		if len(script) < 2 || len(script) > 100 {
			return
		}
		h := history{
			script: script, index: index, rows: int64(rows), criterion: milvuswait.IndexCriterion(mode % 3), refresh: mode&4 != 0 && !index,
			custom: mode&8 != 0, deadline: seconds(deadline%900) + time.Second, settle: seconds(settle % 120), stall: seconds(stall % 700),
			unreachable: seconds(unreachable % 300), grace: seconds(grace % 900),
		}
		var alone, among outcome
		synctest.Test(t, func(*testing.T) { alone = h.wait() })
		synctest.Test(t, func(*testing.T) { among = h.waitAll() })

		require.Equal(t, alone.polls, among.polls, "WaitAll and a single wait differ")
		require.Equal(t, alone.String(), among.String(), "WaitAll and a single wait differ")
		h.check(t, alone)
	})
}

// check asserts that the oracle agrees with every poll of a wait, and with its end.
func (h history) check(t *testing.T, o outcome) {
	t.Helper()
	for i, facts := range oracle.Judge(h.rules(), o.polls) {
		require.NoError(t, facts.CheckTimeout(o.polls[i].Limit), "poll %d of %d\n%v", i+1, len(o.polls), o)
		next := facts.End
		if i < len(o.polls)-1 {
			next = o.polls[i+1].Begin
		} else {
			require.NoError(t, facts.CheckEnd(o.elapsed, o.err), "%v", o)
			if facts.Over {
				return
			}
		}
		require.NoError(t, facts.CheckNext(next), "poll %d of %d\n%v", i+1, len(o.polls), o)
	}
}

type outcome struct {
	polls    []oracle.Answer
	progress milvuswait.Progress
	err      error
	elapsed  time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%v\n%v after %v: %v", o.polls, o.progress, o.elapsed, o.err)
}

// history is a Poller that answers by a script, and the options of the wait for
// it.
type history struct {
	script                                      []byte
	index, refresh, custom                      bool
	criterion                                   milvuswait.IndexCriterion
	rows                                        int64
	deadline, settle, stall, unreachable, grace time.Duration
	start                                       time.Time
	polls                                       []oracle.Answer
}

func (h history) target() milvuswait.Target {
	if h.index {
		return milvuswait.IndexBuilding("docs", "vidx").ExpectRows(h.rows)
	}
	return milvuswait.Loading("docs")
}

// rules returns the options as the oracle knows them.
func (h history) rules() oracle.Options {
	o := oracle.Options{
		Target: h.target(), Deadline: h.deadline, Settle: h.settle, Stall: h.stall, Unreachable: h.unreachable, Grace: h.grace,
		Refresh: h.refresh, Criterion: h.criterion,
	}
	if h.custom {
		o.Delay = customDelay
	}
	return o
}

// customDelay returns the n-th delay of a custom generator, from 0.
func customDelay(n int) time.Duration {
	delays := []time.Duration{10 * time.Millisecond, 3 * time.Second, 0, time.Minute, 200 * time.Millisecond, math.MaxInt64}
	return delays[n%len(delays)]
}

func customBackoff() func() time.Duration {
	n := -1
	return func() time.Duration {
		n++
		return customDelay(n)
	}
}

func (h history) options() []milvuswait.Option {
	pace := milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter})
	if h.custom {
		pace = milvuswait.WithBackoffFunc(customBackoff)
	}
	opts := []milvuswait.Option{
		pace, milvuswait.WithSettle(h.settle),
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

var answersOfErrors = []error{
	errBlip, context.DeadlineExceeded, context.Canceled, milvuswait.Permanent(errBlip),
	milvuswait.ErrNotLoaded, milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrLoadFailed, milvuswait.ErrAmbiguousIndex, fmt.Errorf("gone: %w", milvuswait.ErrNotLoaded),
	milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
}

// moreErrors are the errors with several sentinels: the first of the table counts.
var moreErrors = []error{
	errors.Join(milvuswait.ErrNotLoaded, milvuswait.ErrReleased), errors.Join(milvuswait.ErrIndexFailed, milvuswait.ErrNotLoaded),
	errors.Join(milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed), errors.Join(milvuswait.ErrInvalid, milvuswait.ErrIndexNotFound),
	milvuswait.Permanent(milvuswait.ErrCollectionNotFound), milvuswait.ErrInvalid,
}

// poll makes the next poll of the script, over and over.
func (h *history) poll(ctx context.Context) (what byte, err error) {
	i := len(h.polls) * 2 % (len(h.script) &^ 1)
	how, what := h.script[i], h.script[i+1]
	switch how % 8 {
	case 5: // fails, after a while
		if wait := time.Duration(how>>4) * 250 * time.Millisecond; wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return what, ctx.Err()
			}
		}
		if how>>3&1 != 0 {
			return what, moreErrors[int(what)%len(moreErrors)]
		}
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
func (h *history) note(ctx context.Context, begin time.Time, p milvuswait.Progress, err error) {
	transient := err == errBlip || err == context.DeadlineExceeded || err == context.Canceled
	seen := oracle.Answer{Begin: begin.Sub(h.start), End: time.Since(h.start), Err: err, Transient: transient}
	if limit, limited := ctx.Deadline(); limited {
		seen.Limit = limit.Sub(h.start)
	}
	if err == nil {
		seen.Progress = p
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
	h.note(ctx, begin, p, err)
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
	h.note(ctx, begin, p, err)
	return p, err
}
