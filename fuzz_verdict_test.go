package milvuswait_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
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

	// The flushes before an index, the other kinds, and WithVerify. See work for the modes.
	const complete, failed = 2, 3
	add([]byte{0, complete, 0, 0, 0, complete}, true, 16, 60, 0, 0, 0, 0)                                             // no segment
	add([]byte{0, complete, 0, 3, 0, 6, 0, 4, 0, 1}, true, 16, 60, 0, 0, 0, 0)                                        // another segment is sealed
	add([]byte{0, complete, 5, 0, 0, complete, 0, 3, 0, 0}, true, 16, 60, 0, 0, 0, 0)                                 // a list fails
	add([]byte{0, complete, 0, 7, 5, 1}, true, 16, 60, 0, 0, 0, 0)                                                    // lists end
	add([]byte{0, complete, 0, 7, 0, 3, 0, 3, 0, 3}, true, 16, 60, 0, 2, 0, 0)                                        // stalls with segments
	add([]byte{0, complete, 0, 3, 0, 0, 5, 0}, true, 16, 60, 0, 0, 0, 0)                                              // the progress after it fails
	add([]byte{0, 0, 0, 3, 0, 0, 0, complete}, true, 16+1, 60, 0, 0, 0, 0)                                            // before the baseline
	add([]byte{0, complete, 0, 1}, true, 32+2, 60, 0, 0, 0, 0)                                                        // a mark, and the state alone
	add([]byte{0, complete, 0, 0, 0, 1, 0, 1, 0, 0, 0, complete}, true, 32, 60, 0, 0, 0, 0)                           // a mark, then segments
	add([]byte{0, complete, 0, 0, 5, 5, 0, complete, 5, 5}, true, 32, 60, 0, 0, 0, 0)                                 // the collection of the mark is dropped
	add([]byte{0, complete, 0, 1, 0, complete}, true, 112, 60, 0, 0, 0, 0)                                            // a mark, without segments
	add([]byte{0, 0, 0, 1}, false, 48, 60, 0, 0, 0, 0)                                                                // a flush
	add([]byte{0, 0x13, 0, 0x1a, 0, 0x14}, false, 64, 60, 0, 0, 0, 0)                                                 // an import
	add([]byte{0, 0x13, 0, 1}, false, 64, 60, 0, 0, 0, 0)                                                             // a failed import
	add([]byte{0, 0x13, 5, 17, 5, 17}, false, 64, 60, 0, 0, 0, 0)                                                     // an unknown job
	add([]byte{0, 0x11, 0, 2}, false, 80, 60, 0, 0, 0, 0)                                                             // a compaction that hides its failed plan
	add([]byte{0, 1, 0, 2}, false, 80, 60, 0, 0, 0, 0)                                                                // a compaction
	add([]byte{5, 0, 0, 0}, false, 96, 60, 0, 0, 0, 0)                                                                // a server
	add([]byte{0, 4, 5, 0, 0, 4, 0, 0}, false, 128, 60, 0, 0, 0, 0)                                                   // verified
	add([]byte{0, 4, 5, 3}, false, 128, 60, 0, 0, 0, 0)                                                               // verify fails for good
	add([]byte{0, 4, 5, 0, 0, 4, 5, 0}, false, 128, 60, 3, 9, 0, 0)                                                   // verify fails, and the load stalls
	add([]byte{0, 4, 7, 0}, false, 128, 15, 0, 0, 0, 0)                                                               // verify hangs until the deadline
	add(append([]byte{0, complete, 0, 1}, bytes.Repeat([]byte{5, 4, 0, complete}, 20)...), true, 16, 890, 0, 0, 0, 0) // the list is refused
	add([]byte{0, failed, 0, 0}, true, 16, 60, 0, 0, 0, 0)                                                            // a failed build has no lists
	f.Fuzz(func(t *testing.T, script []byte, index bool, mode, rows uint8, deadline, settle, stall, unreachable, grace uint16) {
		if len(script) < 2 || len(script) > 100 {
			return
		}
		h := history{
			script: script, work: workOf(mode, index), verify: mode&128 != 0, rows: int64(rows), criterion: milvuswait.IndexCriterion(mode % 3),
			custom: mode&8 != 0, deadline: seconds(deadline%900) + time.Second, settle: seconds(settle % 120), stall: seconds(stall % 700),
			unreachable: seconds(unreachable % 300), grace: seconds(grace % 900),
		}
		h.refresh = mode&4 != 0 && h.work.target.Kind() == milvuswait.KindLoading
		if h.work.target.Kind() == milvuswait.KindIndexBuilding {
			h.work.target = h.work.target.ExpectRows(h.rows)
		}
		var alone, among outcome
		synctest.Test(t, func(*testing.T) { alone = h.wait() })
		synctest.Test(t, func(*testing.T) { among = h.waitAll() })

		h.check(t, alone)
		if h.verify {
			h.check(t, among) // WaitAll calls verify within its rate of requests, which may be later
			return
		}
		require.Equal(t, alone.polls, among.polls, "WaitAll and a single wait differ")
		require.Equal(t, alone.String(), among.String(), "WaitAll and a single wait differ")
	})
}

// check asserts that the oracle agrees with every poll of a wait, and with its end.
func (h history) check(t *testing.T, o outcome) {
	t.Helper()
	for i, facts := range oracle.Judge(h.rules(), o.polls) {
		if i < len(o.updates) && o.polls[i].Err == nil {
			u := o.updates[i]
			require.Equal(t, facts.Awaits && !u.Final, u.WaitingFor == milvuswait.WaitingForFlush, "update %d of %d: %v\n%v", i+1, len(o.polls), u.WaitingFor, o)
			require.Equal(t, facts.Unconfirmed, u.Unconfirmed, "update %d of %d\n%v", i+1, len(o.polls), o)
		}
		require.Equal(t, facts.Verifies, o.polls[i].Verified != nil, "poll %d of %d\n%v", i+1, len(o.polls), o)
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
	polls       []oracle.Answer
	updates     []milvuswait.Update
	progress    milvuswait.Progress
	err         error
	elapsed     time.Duration
	unconfirmed bool
}

func (o outcome) String() string {
	var b strings.Builder
	for _, p := range o.polls {
		fmt.Fprintf(&b, "%+v\n", p)
		if p.Verified != nil {
			fmt.Fprintf(&b, "  verify %+v\n", *p.Verified)
		}
	}
	return fmt.Sprintf("%s%v after %v: %v, unconfirmed %t", b.String(), o.progress, o.elapsed, o.err, o.unconfirmed)
}

// history is a Poller that answers by a script, and the options of the wait for
// it.
type history struct {
	script                                      []byte
	work                                        work
	refresh, custom, verify                     bool
	criterion                                   milvuswait.IndexCriterion
	rows                                        int64
	deadline, settle, stall, unreachable, grace time.Duration
	start                                       time.Time
	polls                                       []oracle.Answer
	requests                                    int             // number of requests so far, calls of verify included
	poll                                        context.Context // context of the newest poll, shared by its requests
}

// work is the target of a history and the optional interfaces of its Poller that are about
// flushes.
type work struct {
	target            milvuswait.Target
	segments, flushes bool
}

// workOf returns the work for bits 4 to 6 of a mode.
func workOf(mode uint8, index bool) work {
	vidx := milvuswait.IndexBuilding("docs", "vidx")
	mark := milvuswait.FlushMark{Timestamp: 9, Segments: []int64{1, 2}}
	switch mode >> 4 & 7 {
	case 1:
		return work{vidx, true, false}
	case 2:
		return work{vidx.AfterFlush(mark), true, true}
	case 3:
		return work{milvuswait.Flushing("docs", mark), true, true}
	case 4:
		return work{milvuswait.Importing(7), true, true}
	case 5:
		return work{milvuswait.Compacting(7), true, true}
	case 6:
		return work{milvuswait.Serving(), true, true}
	case 7:
		return work{vidx.AfterFlush(mark), false, true}
	}
	if index {
		return work{vidx, false, false}
	}
	return work{milvuswait.Loading("docs"), false, false}
}

// poller returns h with the optional interfaces of its work.
func (h *history) poller() milvuswait.Poller {
	switch {
	case h.work.segments:
		return h
	case h.work.flushes:
		return struct {
			milvuswait.Poller
			milvuswait.FlushPoller
		}{h, h}
	}
	return struct{ milvuswait.Poller }{h}
}

// rules returns the options as the oracle knows them.
func (h history) rules() oracle.Options {
	o := oracle.Options{
		Target: h.work.target, Deadline: h.deadline, Settle: h.settle, Stall: h.stall, Unreachable: h.unreachable, Grace: h.grace,
		Refresh: h.refresh, Criterion: h.criterion, Segments: h.work.segments, Verify: h.verify,
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

func (h *history) options() []milvuswait.Option {
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
	if h.work.target.Kind() == milvuswait.KindIndexBuilding {
		opts = append(opts, milvuswait.WithIndexCriterion(h.criterion))
	}
	if h.verify {
		opts = append(opts, milvuswait.WithVerify(h.verified))
	}
	return opts
}

func (h history) wait() outcome {
	h.start = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), h.deadline)
	defer cancel()
	var updates []milvuswait.Update
	for u := range milvuswait.Watch(ctx, h.poller(), h.work.target, h.options()...) {
		updates = append(updates, u)
	}
	last := updates[len(updates)-1]
	return outcome{h.polls, updates, last.Progress, last.Err, time.Since(h.start), last.Unconfirmed}
}

func (h history) waitAll() outcome {
	h.start = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), h.deadline)
	defer cancel()
	outcomes, err := milvuswait.WaitAll(ctx, h.poller(), []milvuswait.Target{h.work.target}, h.options()...)
	o := outcomes[0]
	return outcome{h.polls, nil, o.Progress, err, time.Since(h.start), o.Unconfirmed}
}

var answersOfErrors = []error{
	errBlip, context.DeadlineExceeded, context.Canceled, milvuswait.Permanent(errBlip),
	milvuswait.ErrNotLoaded, milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrLoadFailed, milvuswait.ErrAmbiguousIndex, fmt.Errorf("gone: %w", milvuswait.ErrNotLoaded),
	milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
	milvuswait.ErrJobNotFound, milvuswait.ErrJobFailed,
}

// moreErrors are the errors with several sentinels: the first of the table counts.
var moreErrors = []error{
	errors.Join(milvuswait.ErrNotLoaded, milvuswait.ErrReleased), errors.Join(milvuswait.ErrIndexFailed, milvuswait.ErrNotLoaded),
	errors.Join(milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed), errors.Join(milvuswait.ErrInvalid, milvuswait.ErrIndexNotFound),
	milvuswait.Permanent(milvuswait.ErrCollectionNotFound), milvuswait.ErrInvalid,
}

// errorsOfLists are the errors of lists of segments.
var errorsOfLists = []error{errBlip, errors.ErrUnsupported, milvuswait.ErrInvalid, milvuswait.ErrCollectionNotFound, milvuswait.Permanent(errBlip)}

// errorsOfVerify are the errors of the function of WithVerify.
var errorsOfVerify = []error{errBlip, context.DeadlineExceeded, milvuswait.ErrCollectionNotFound, milvuswait.Permanent(errBlip), milvuswait.ErrInvalid}

// next makes the next request of the script, over and over.
func (h *history) next(ctx context.Context, of []error) (what byte, err error) {
	i := h.requests * 2 % (len(h.script) &^ 1)
	h.requests++
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
		return what, of[int(what)%len(of)]
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

// nextPoll is next with the errors of polls.
func (h *history) nextPoll(ctx context.Context) (what byte, err error) {
	of := answersOfErrors
	if h.script[h.requests*2%(len(h.script)&^1)]>>3&1 != 0 {
		of = moreErrors
	}
	return h.next(ctx, of)
}

func isTransient(err error) bool {
	return err == errBlip || err == context.DeadlineExceeded || err == context.Canceled
}

// note keeps a request that began then. Requests with the same context are one poll.
func (h *history) note(ctx context.Context, begin time.Time, r oracle.Request, p milvuswait.Progress) {
	if ctx != h.poll {
		h.poll = ctx
		seen := oracle.Answer{Begin: begin.Sub(h.start)}
		if limit, limited := ctx.Deadline(); limited {
			seen.Limit = limit.Sub(h.start)
		}
		h.polls = append(h.polls, seen)
	}

	seen := &h.polls[len(h.polls)-1]
	seen.End = time.Since(h.start)
	if r.Err == nil && p != nil {
		seen.Progress = p
	}
	if seen.Err = r.Err; errors.Is(r.Err, errors.ErrUnsupported) && r.Of == oracle.ListSegments {
		seen.Err = nil
	}
	seen.Transient = isTransient(r.Err)
	if h.work.target.Kind() == milvuswait.KindIndexBuilding {
		r.Begin, r.End, r.Transient = begin.Sub(h.start), seen.End, seen.Transient
		if r.Of == oracle.Describe && r.Err == nil {
			r.Progress = p
		}
		seen.Requests = append(seen.Requests, r)
	}
}

// verified is the function of WithVerify.
func (h *history) verified(ctx context.Context, _ milvuswait.Target) error {
	begin := time.Since(h.start)
	_, err := h.next(ctx, errorsOfVerify)
	final := errors.Is(err, milvuswait.ErrInvalid) || err == errorsOfVerify[3]
	h.polls[len(h.polls)-1].Verified = &oracle.Verified{Begin: begin, End: time.Since(h.start), Err: err, Transient: !final}
	return err
}

func (h *history) LoadingProgress(ctx context.Context, _ string, _ ...string) (p milvuswait.LoadingProgress, err error) {
	begin := time.Now()
	what, err := h.nextPoll(ctx)
	if err == nil {
		percents := []int64{0, 1, 40, 99, 100, 101, -5, math.MaxInt64, math.MinInt64}
		p.Percent = percents[int(what)%len(percents)]
		p.RefreshPercent = []int64{100, 0, 50}[int(what)/len(percents)%3]
	}
	h.note(ctx, begin, oracle.Request{Err: err}, p)
	return p, err
}

func (h *history) IndexBuildingProgress(ctx context.Context, _, _ string) (p milvuswait.IndexBuildingProgress, err error) {
	begin := time.Now()
	what, err := h.nextPoll(ctx)
	if err == nil {
		p.State = []milvuswait.IndexState{inProgress, finished, finished, milvuswait.IndexStateFailed}[what&3]
		p.TotalRows = []int64{100, 0, 200, -1}[what>>2&3]
		p.IndexedRows = []int64{100, 0, 150, math.MaxInt64}[what>>4&3]
		p.PendingIndexRows = []int64{0, 1, 100, -1}[what>>6&3]
	}
	h.note(ctx, begin, oracle.Request{Err: err}, p)
	return p, err
}

func (h *history) UnflushedSegments(ctx context.Context, _ string) (all []int64, err error) {
	begin := time.Now()
	what, err := h.next(ctx, errorsOfLists)
	for id := range int64(3) {
		if err == nil && what>>id&1 != 0 {
			all = append(all, id+1)
		}
	}
	h.note(ctx, begin, oracle.Request{Of: oracle.ListSegments, Unflushed: all, Err: err}, nil)
	return all, err
}

func (h *history) FlushDone(ctx context.Context, _ string, _ milvuswait.FlushMark) (done bool, err error) {
	begin := time.Now()
	what, err := h.nextPoll(ctx)
	done = err == nil && what&1 != 0
	h.note(ctx, begin, oracle.Request{Of: oracle.FlushState, Done: done, Err: err}, h.flushProgress(done))
	return done, err
}

// flushProgress returns the progress of a flush. The flush before an index has none.
func (h *history) flushProgress(done bool) milvuswait.Progress {
	if h.work.target.Kind() == milvuswait.KindFlushing {
		return milvuswait.FlushProgress{Flushed: done}
	}
	return nil
}

func (h *history) ImportProgress(ctx context.Context, _ int64) (p milvuswait.ImportProgress, err error) {
	begin := time.Now()
	what, err := h.nextPoll(ctx)
	if err == nil {
		p.State = milvuswait.ImportState([]int32{0, 1, 2, 5, 6, 7, 8, 9}[what&7])
		p.Percent = []int64{0, 40, 99, 100, -5, math.MaxInt64}[int(what>>3)%6]
	}
	h.note(ctx, begin, oracle.Request{Err: err}, p)
	return p, err
}

func (h *history) CompactionProgress(ctx context.Context, _ int64) (p milvuswait.CompactionProgress, err error) {
	begin := time.Now()
	what, err := h.nextPoll(ctx)
	if err == nil {
		p.State = milvuswait.CompactionState(what & 3)
		p.Executing = []int64{0, 3, -1, math.MaxInt64}[what>>2&3]
		p.Failed, p.TimedOut = []int64{0, 1}[what>>4&1], []int64{0, 2}[what>>5&1]
		p.Completed = []int64{0, 5, -7, math.MaxInt64}[what>>6&3]
	}
	h.note(ctx, begin, oracle.Request{Err: err}, p)
	return p, err
}

func (h *history) CheckServer(ctx context.Context) error {
	begin := time.Now()
	_, err := h.nextPoll(ctx)
	h.note(ctx, begin, oracle.Request{Err: err}, milvuswait.ServingProgress{})
	return err
}
