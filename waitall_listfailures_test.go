package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestWaitAll_ListIsUnsupported_ListsOnce shows that errors.ErrUnsupported from a list ends
// all lists of the wait.
func TestWaitAll_ListIsUnsupported_ListsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(time.Minute))
		l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error {
			return fmt.Errorf("ShowCollections: %w", errors.ErrUnsupported)
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

		require.NoError(t, err)
		require.Len(t, l.lists, 1)
		require.Len(t, l.of, 20)
	})
}

// TestWaitAll_ListIsUnsupportedLater_ListsNoMore has loads waiting for a list when the server
// stops supporting lists. They are polled individually.
func TestWaitAll_ListIsUnsupportedLater_ListsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, target := newListing(20, evenly(time.Minute)), 0
		l.list = func(n int, _ time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if n > 1 {
				return errors.ErrUnsupported
			}
			return nil
		}

		// Two delays, 1.5 and 3 s, so that the second list covers only half of the loads.
		paces := milvuswait.WithBackoffFunc(func() func() time.Duration {
			target++
			delay := time.Duration(1+target%2) * 1500 * time.Millisecond
			return func() time.Duration { return delay }
		})

		_, err := milvuswait.WaitAll(t.Context(), l, collections(20), paces)

		require.NoError(t, err)
		require.Len(t, l.lists, 2)
		require.Len(t, l.of, 20)
	})
}

// TestWaitAll_UselessLists_AreSuspended covers lists that fail or are empty. They are
// tried less and less often, and single polls serve the loads.
func TestWaitAll_UselessLists_AreSuspended(t *testing.T) {
	tests := []struct {
		name string
		list func(n int, at time.Duration, all map[string]milvuswait.LoadingProgress) error
	}{
		{"errors", func(int, time.Duration, map[string]milvuswait.LoadingProgress) error {
			return errors.New("not allowed")
		}},
		{"names without percentages", func(_ int, _ time.Duration, all map[string]milvuswait.LoadingProgress) error {
			clear(all)
			return nil
		}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(20, evenly(time.Minute))
				l.list = tt.list

				_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

				require.NoError(t, err)
				require.LessOrEqual(t, len(l.lists), 7, "at 0, 1, 3, 7, 15, 31 s")
				require.Equal(t, 20, len(l.of))
			})
		})
	}
}

func TestListsComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(time.Minute))
		l.list = func(_ int, at time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if at < 5*time.Second {
				return errBlip
			}
			return nil
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

		require.NoError(t, err)
		require.Greater(t, len(l.lists), 30)
	})
}

func TestListsThatFailAreTriedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(5, evenly(20*time.Minute))
		l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error { return errBlip }

		_, err := milvuswait.WaitAll(t.Context(), l, collections(5))

		require.NoError(t, err)
		require.Greater(t, len(l.lists), 15)
		for i := 8; i < len(l.lists); i++ { // the first ones are more frequent
			require.InDelta(t, time.Minute, l.lists[i]-l.lists[i-1], float64(6*time.Second))
		}
	})
}

// TestWaitAll_ListFails_CountsAsPollOfItsTargets shows that a failed list counts as a poll
// of each of its targets. Its error is their last one if it is transient. A permanent one
// concerns the list only, since single polls may be permitted.
func TestWaitAll_ListFails_CountsAsPollOfItsTargets(t *testing.T) {
	unavailable := errors.New("ShowCollections: connection refused")
	for _, tt := range []struct {
		name string
		err  error
		last error
	}{
		{"for a while", unavailable, unavailable},
		{"for good, which single polls need not", milvuswait.Permanent(errors.New("ShowCollections: permission denied")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(2, evenly(time.Minute))
				l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error { return tt.err }
				l.answer = func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
					<-ctx.Done()
					return milvuswait.LoadingProgress{}, ctx.Err()
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()

				outcomes, err := milvuswait.WaitAll(ctx, l, collections(2))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 2, outcomes[0].Polls)
				var failure *milvuswait.Error
				require.ErrorAs(t, outcomes[0].Err, &failure)
				require.Equal(t, tt.last == nil, failure.LastErr == nil)
				if tt.last != nil {
					require.EqualError(t, failure.LastErr, tt.last.Error())
				}
			})
		})
	}
}

// hungList is a Lister whose lists hang.
type hungList struct{ *listing }

func (h hungList) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestListsThatHangHoldNothingUp bounds the delay of loads by hung lists: single polls take
// over when the list times out.
func TestListsThatHangHoldNothingUp(t *testing.T) {
	for _, done := range []time.Duration{500 * time.Millisecond, 12 * time.Second, time.Minute} {
		t.Run(done.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(5, evenly(done))

				_, err := milvuswait.WaitAll(t.Context(), hungList{l}, collections(5))

				require.NoError(t, err)
				require.LessOrEqual(t, time.Since(l.start)-done, done/5+1500*time.Millisecond)
			})
		})
	}
}

// listAndNoIndex is a Lister whose lists hang and whose index does not exist.
type listAndNoIndex struct{ hungList }

func (listAndNoIndex) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	time.Sleep(100 * time.Millisecond)
	return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
}

// TestAListUnderWayWhenASiblingFails aborts a list because an index is missing. The loads of
// the list are aborted, without a last error.
func TestAListUnderWayWhenASiblingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(2, evenly(time.Minute))
		targets := append(collections(2), milvuswait.IndexBuilding("docs", "vidx"))

		outcomes, err := milvuswait.WaitAll(t.Context(), listAndNoIndex{hungList{l}}, targets)

		require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
		require.Equal(t, 100*time.Millisecond, time.Since(l.start))
		for _, o := range outcomes[:2] {
			var failure *milvuswait.Error
			require.ErrorAs(t, o.Err, &failure)
			require.ErrorIs(t, failure.Cause, milvuswait.ErrAborted)
			require.Equal(t, 1, failure.Polls)
			require.NoError(t, failure.LastErr, "that the list was broken off says nothing")
		}
	})
}

// faltering is a Lister whose list n hangs until its timeout if hangs(n) is true.
type faltering struct {
	*listing
	hangs func(n int) bool
	until []time.Duration // timeout of each list
}

func (f *faltering) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	deadline, _ := ctx.Deadline()
	f.until = append(f.until, time.Until(deadline))
	if f.hangs(len(f.until)) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.listing.ListLoading(ctx)
}

// TestWaitAll_ListTimesOut_DoublesItsTimeout shows the timeouts of lists: they double from
// 1 s after each timeout, and start at 1 s again after a success.
func TestWaitAll_ListTimesOut_DoublesItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const s = time.Second
		f := &faltering{listing: newListing(5, evenly(time.Minute)), hangs: func(n int) bool { return n != 4 && n < 7 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(5))

		require.NoError(t, err)
		require.Equal(t, s, f.at[0].Sub(f.start), "single polls begin when the first list is given up")
		require.Greater(t, len(f.until), 8)
		require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 8 * s, s, 2 * s, 4 * s, s}, f.until[:8])
	})
}

func TestWaitAll_ListTimeout_IsATenthOfTheSavedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000 // 20 s of single polls
		f := &faltering{listing: newListing(n, evenly(time.Second)), hangs: func(n int) bool { return n == 1 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(n))

		require.NoError(t, err)
		require.Equal(t, 2*time.Second, f.until[0])
	})
}

func TestWaitAll_ListTimeout_IsAtMostThatOfAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const s = time.Second
		f := &faltering{listing: newListing(5, evenly(time.Minute)), hangs: func(n int) bool { return n < 6 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(5), milvuswait.WithPollTimeout(2*s, 3*s))

		require.NoError(t, err)
		require.Greater(t, len(f.until), 5)
		require.Equal(t, []time.Duration{s, 2 * s, 3 * s, 3 * s, 3 * s}, f.until[:5])
	})
}

// longList is a Lister whose lists take the given time, or end at their timeout. It counts
// the lists in flight.
type longList struct {
	*listing
	takes                 time.Duration
	begun, underWay, most int
}

func (l *longList) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	l.count(1)
	defer l.count(-1)
	select {
	case <-time.After(l.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists = append(l.lists, time.Since(l.start))
	return l.listed(), nil
}

func (l *longList) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun += max(0, n)
	l.underWay += n
	l.most = max(l.most, l.underWay)
}

func TestWaitAll_ListOfMany_HasLongerTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		l := &longList{listing: newListing(n, evenly(20*time.Second)), takes: 1900 * time.Millisecond}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(n))

		require.NoError(t, err)
		require.Empty(t, l.at, "the lists are worth their time")
		require.Greater(t, len(l.lists), 5)
		require.Equal(t, 1, l.most, "lists under way at a time")
	})
}

// TestOneListIsUnderWayAtATime polls two of five loads slowly, so that they are not due with
// the others. They become due together while a list of the others hangs, and must not cause
// a second one.
func TestOneListIsUnderWayAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &longList{listing: newListing(5, evenly(10*time.Second)), takes: time.Minute}
		answer := l.answer
		l.answer = func(ctx context.Context, collection string, n int) (milvuswait.LoadingProgress, error) {
			if n == 1 && collection >= "c3" {
				time.Sleep(1100 * time.Millisecond)
			}
			return answer(ctx, collection, n)
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(5), milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.NoError(t, err)
		require.Empty(t, l.lists, "none was answered")
		require.Greater(t, l.begun, 2)
		require.Equal(t, 1, l.most, "lists under way at a time")
	})
}
