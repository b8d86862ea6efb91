package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// flushingIndex is a collection with an index whose answers are functions of the time. It
// counts the requests.
type flushingIndex struct {
	progress func(at time.Duration) milvuswait.IndexBuildingProgress
	segments func(at time.Duration) ([]int64, error)
	flushed  func(at time.Duration) (bool, error)

	mu                       sync.Mutex
	start                    time.Time
	described, listed, asked []time.Duration
	marks                    []milvuswait.FlushMark
}

// poller returns the Poller of the collection. A request takes 1 ms.
func (x *flushingIndex) poller() milvuswait.PollerFuncs {
	x.start = time.Now()
	note := func(times *[]time.Duration) time.Duration {
		time.Sleep(time.Millisecond)
		x.mu.Lock()
		defer x.mu.Unlock()
		at := time.Since(x.start)
		*times = append(*times, at)
		return at
	}

	p := milvuswait.PollerFuncs{IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
		return x.progress(note(&x.described)), nil
	}}
	if x.segments != nil {
		p.Segments = func(context.Context, string) ([]int64, error) { return x.segments(note(&x.listed)) }
	}
	if x.flushed != nil {
		p.Flush = func(_ context.Context, _ string, mark milvuswait.FlushMark) (bool, error) {
			at := note(&x.asked)
			x.mu.Lock()
			x.marks = append(x.marks, mark)
			x.mu.Unlock()
			return x.flushed(at)
		}
	}
	return p
}

// secondBatch returns the progress of an index over 100 rows, to which 50 are added when
// they are flushed, and indexed when they are built.
func secondBatch(flushed, built time.Duration) func(at time.Duration) milvuswait.IndexBuildingProgress {
	return func(at time.Duration) milvuswait.IndexBuildingProgress {
		switch {
		case at < flushed:
			return rows(100, 100, finished)
		case at < built:
			return rows(150, 100, inProgress)
		}
		return rows(150, 150, finished)
	}
}

// unflushedUntil lists one segment until it is flushed.
func unflushedUntil(flushed time.Duration) func(at time.Duration) ([]int64, error) {
	return func(at time.Duration) ([]int64, error) {
		if at < flushed {
			return []int64{7}, nil
		}
		return nil, nil
	}
}

// waitForIndex waits for at most an hour, and returns the updates too.
func waitForIndex(t *testing.T, p milvuswait.Poller, opts ...milvuswait.Option) (milvuswait.IndexBuildingProgress, []milvuswait.Update, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	seen := &recorder{}
	last, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(opts, milvuswait.WithObserver(seen))...)
	return last, seen.updates, err
}

func TestIndex_RowsAreBeingFlushed_WaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &flushingIndex{progress: secondBatch(3*time.Second, 5*time.Second), segments: unflushedUntil(3 * time.Second)}

		last, updates, err := waitForIndex(t, x.poller())

		require.NoError(t, err)
		require.Equal(t, rows(150, 150, finished), last)
		require.InDelta(t, 5*time.Second, time.Since(x.start), float64(150*time.Millisecond))
		require.Less(t, x.described[0], 10*time.Millisecond)
		require.Greater(t, x.described[1], 3*time.Second, "while segments are unflushed, a poll only lists them")
		require.Less(t, x.listed[len(x.listed)-1], x.described[1], "the progress that counts follows the last list")
		require.Equal(t, int64(len(x.listed)+len(x.described)-1), int64(len(updates))+1, "one request per poll, but two more for the first and the last list")

		for _, u := range updates {
			require.False(t, u.Unconfirmed)
			if u.Progress == rows(100, 100, finished) {
				require.Equal(t, milvuswait.WaitingForFlush, u.WaitingFor)
				require.Less(t, u.Fraction, 1.0)
				require.Zero(t, u.ETA)
			} else {
				require.Empty(t, u.WaitingFor)
			}
		}
	})
}

func TestIndex_NothingIsBeingFlushed_CostsTwoRequests(t *testing.T) {
	for name, opts := range map[string][]milvuswait.Option{
		"all rows":      {},
		"rows at start": {milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)},
		"expected rows": {milvuswait.WithExpectedRows(150)},
		"settle":        {milvuswait.WithSettle(10 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &flushingIndex{progress: secondBatch(0, time.Second), segments: unflushedUntil(0)}
				without := &flushingIndex{progress: x.progress}

				opts = append(opts, every(100*time.Millisecond))
				_, updates, err := waitForIndex(t, x.poller(), opts...)
				require.NoError(t, err)
				_, before, err := waitForIndex(t, without.poller(), opts...)
				require.NoError(t, err)

				require.Len(t, x.listed, 1)
				require.Len(t, x.described, len(without.described)+1)
				require.Len(t, updates, len(before), "requests without a delay between them are one poll")
			})
		})
	}
}

func TestIndex_AnotherWriterFlushes_EndsWithItsOwnRows(t *testing.T) {
	for _, criterion := range []milvuswait.IndexCriterion{milvuswait.AllRows, milvuswait.RowsAtStart} {
		t.Run(fmt.Sprint(criterion), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// A segment is sealed every 2 s, and flushed 3 s later: there is always one.
				x := &flushingIndex{}
				x.progress = func(at time.Duration) milvuswait.IndexBuildingProgress {
					counted := int64(10 * max(0, (at-3*time.Second)/(2*time.Second)+1))
					indexed := counted
					if criterion == milvuswait.RowsAtStart {
						indexed = min(counted, int64(10*max(0, (at-6*time.Second)/(2*time.Second)+1)))
					}
					return rows(counted, indexed, finished)
				}
				x.segments = func(at time.Duration) (ids []int64, _ error) {
					for n := int64(0); time.Duration(n)*2*time.Second <= at; n++ {
						if at < time.Duration(n)*2*time.Second+3*time.Second {
							ids = append(ids, n+1)
						}
					}
					return ids, nil
				}

				last, _, err := waitForIndex(t, x.poller(), milvuswait.WithIndexCriterion(criterion))

				require.NoError(t, err)
				require.GreaterOrEqual(t, last.IndexedRows, int64(10), "the segment of the first list")
				require.Less(t, time.Since(x.start), 7*time.Second)
				after, _ := x.segments(x.listed[len(x.listed)-1])
				require.NotEmpty(t, after, "other segments were unflushed")
			})
		})
	}
}

// TestIndex_RowsAtStart_TakesItsBaselineAfterTheFlush has rows sealed before the wait, and
// endless new ones. The wait is for the sealed rows.
func TestIndex_RowsAtStart_TakesItsBaselineAfterTheFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &flushingIndex{segments: unflushedUntil(3 * time.Second)}
		x.progress = func(at time.Duration) milvuswait.IndexBuildingProgress {
			if at < 3*time.Second {
				return rows(100, 40, inProgress)
			}
			return rows(1000+int64(at/time.Second), min(200*int64(at/time.Second), 1000), inProgress)
		}

		last, updates, err := waitForIndex(t, x.poller(), milvuswait.WithIndexCriterion(milvuswait.RowsAtStart))

		require.ErrorIs(t, err, context.DeadlineExceeded, "1003 rows are never indexed, and 100 are not enough")
		require.Equal(t, int64(1000), last.IndexedRows)
		require.Equal(t, milvuswait.WaitingForFlush, updates[0].WaitingFor)
	})
}

func TestIndex_ServerCannotListSegments_IsUnconfirmed(t *testing.T) {
	unsupported := func(time.Duration) ([]int64, error) { return nil, fmt.Errorf("2.6: %w", errors.ErrUnsupported) }
	refused := func(time.Duration) ([]int64, error) { return nil, errRefused }
	mark := milvuswait.WithFlush(milvuswait.FlushMark{Timestamp: 9, Segments: []int64{7}})

	tests := []struct {
		name     string
		segments func(time.Duration) ([]int64, error)
		opts     []milvuswait.Option
		want     bool
		lists    int
	}{
		{"no SegmentLister", nil, nil, true, 0},
		{"unsupported", unsupported, nil, true, 1},
		{"unsupported, rows at start", unsupported, []milvuswait.Option{milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)}, true, 1},
		{"unsupported, with expected rows", unsupported, []milvuswait.Option{milvuswait.WithExpectedRows(100)}, false, 1},
		{"unsupported, with a mark", unsupported, []milvuswait.Option{mark}, false, 1},
		{"unsupported, with a mark without a timestamp", unsupported, []milvuswait.Option{milvuswait.WithFlush(milvuswait.FlushMark{Segments: []int64{7}})}, true, 1},
		{"unsupported, by the server's state", unsupported, []milvuswait.Option{milvuswait.WithIndexCriterion(milvuswait.ServerState)}, false, 0},
		{"refused for 30 s", refused, []milvuswait.Option{every(10 * time.Second)}, true, 4},
		{"refused for 30 s, with a mark", refused, []milvuswait.Option{every(10 * time.Second), mark}, false, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &flushingIndex{
					progress: func(time.Duration) milvuswait.IndexBuildingProgress { return rows(100, 100, finished) },
					segments: tt.segments,
					flushed:  func(time.Duration) (bool, error) { return true, nil },
				}

				_, updates, err := waitForIndex(t, x.poller(), tt.opts...)

				require.NoError(t, err)
				require.Equal(t, tt.want, updates[len(updates)-1].Unconfirmed)
				require.Len(t, x.listed, tt.lists)
				for _, u := range updates[:len(updates)-1] {
					require.ErrorIs(t, u.Err, errRefused, "a tolerated refusal is shown")
				}

				var targets []milvuswait.Target
				for _, index := range []string{"a", "b"} {
					targets = append(targets, milvuswait.IndexBuilding("docs", index))
				}
				if len(tt.opts) == 0 {
					outcomes, err := milvuswait.WaitAll(t.Context(), x.poller(), targets)
					require.NoError(t, err)
					require.Equal(t, []bool{tt.want, tt.want}, []bool{outcomes[0].Unconfirmed, outcomes[1].Unconfirmed})
				}
			})
		})
	}
}

// TestIndex_SegmentListFails_DecidesByItsClass has lists that fail in the ways that a poll
// does.
func TestIndex_SegmentListFails_DecidesByItsClass(t *testing.T) {
	const ms = time.Millisecond
	named := &methodError{"GetPersistentSegmentInfo"}
	failingUntil := func(end time.Duration, err error) func(time.Duration) ([]int64, error) {
		return func(at time.Duration) ([]int64, error) {
			if at < end {
				return nil, err
			}
			return nil, nil
		}
	}

	tests := []struct {
		name     string
		segments func(time.Duration) ([]int64, error)
		want     error
		text     string
		atLeast  time.Duration
		atMost   time.Duration
	}{
		{"transient for 20 s", failingUntil(20*time.Second, errBlip), nil, "", 20 * time.Second, 21 * time.Second},
		{"refused for 20 s", failingUntil(20*time.Second, errRefused), nil, "", 20 * time.Second, 21 * time.Second},
		{"transient for ever", failingUntil(time.Hour, named), milvuswait.ErrUnreachable,
			"GetPersistentSegmentInfo does not answer, other calls do", 5 * time.Minute, 5*time.Minute + 10*ms},
		{"absent once", failingUntil(50*ms, milvuswait.ErrCollectionNotFound), nil, "", 100 * ms, 110 * ms},
		{"absent twice", failingUntil(time.Hour, milvuswait.ErrCollectionNotFound), milvuswait.ErrCollectionNotFound, "", 100 * ms, 110 * ms},
		{"invalid", failingUntil(time.Hour, milvuswait.ErrInvalid), milvuswait.ErrInvalid, "", 0, 10 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &flushingIndex{progress: secondBatch(0, 0), segments: tt.segments}

				last, updates, err := waitForIndex(t, x.poller())

				require.ErrorIs(t, err, tt.want)
				if tt.text != "" {
					require.ErrorContains(t, err, tt.text)
				}
				require.GreaterOrEqual(t, time.Since(x.start), tt.atLeast)
				require.LessOrEqual(t, time.Since(x.start), tt.atMost)
				require.Equal(t, rows(150, 150, finished), last, "the progress of a poll whose later request failed is kept")
				require.Equal(t, last, updates[0].Progress)
			})
		})
	}
}

// TestIndex_LastRequestFails_IsNotFinished has a poll whose list shows no segment, and whose
// last request fails: more rows may follow.
func TestIndex_LastRequestFails_IsNotFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		answers := []milvuswait.IndexBuildingProgress{rows(100, 100, finished), {}, rows(150, 100, inProgress), rows(150, 150, finished)}
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				n++
				if n == 2 {
					return milvuswait.IndexBuildingProgress{}, errBlip
				}
				return answers[min(n, len(answers))-1], nil
			},
			Segments: func(context.Context, string) ([]int64, error) { return nil, nil },
		}

		_, updates, err := waitForIndex(t, p)

		require.NoError(t, err)
		require.ErrorIs(t, updates[0].Err, errBlip)
		require.Equal(t, milvuswait.WaitingForFlush, updates[0].WaitingFor)
		require.Less(t, updates[0].Fraction, 1.0)
	})
}

// TestIndex_PollerReusesItsSlice_KeepsTheFirstList has a Poller that returns the same slice
// with other segments later.
func TestIndex_PollerReusesItsSlice_KeepsTheFirstList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buffer := make([]int64, 1)
		x := &flushingIndex{progress: secondBatch(10*time.Second, 10*time.Second)}
		x.segments = func(at time.Duration) ([]int64, error) {
			buffer[0] = 7
			if at >= 10*time.Second {
				buffer[0] = 9 // sealed by another writer
			}
			return buffer, nil
		}

		_, _, err := waitForIndex(t, x.poller())

		require.NoError(t, err)
		require.Less(t, time.Since(x.start), 12*time.Second)
	})
}

// TestWaitAll_ListOfSegmentsNeverAnswers_NamesTheCall has a server that answers all calls but
// one.
func TestWaitAll_ListOfSegmentsNeverAnswers_NamesTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return rows(100, 100, finished), nil
			},
			Segments: func(context.Context, string) ([]int64, error) { return nil, &methodError{"GetPersistentSegmentInfo"} },
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{
			milvuswait.IndexBuilding("a", ""), milvuswait.IndexBuilding("b", ""),
		}, milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		for _, o := range outcomes {
			require.ErrorContains(t, o.Err, "GetPersistentSegmentInfo does not answer, other calls do")
		}
	})
}

type methodError struct{ method string }

func (e *methodError) Error() string  { return e.method + ": connection refused" }
func (e *methodError) Method() string { return e.method }

func TestIndex_Stall_CountsChangesOfTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One segment is flushed every 8 s, and the last one never.
		x := &flushingIndex{progress: secondBatch(time.Hour, time.Hour)}
		x.segments = func(at time.Duration) ([]int64, error) {
			return []int64{1, 2, 3, 4}[min(3, at/(8*time.Second)):], nil
		}

		_, _, err := waitForIndex(t, x.poller(), milvuswait.WithStallTimeout(10*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.ErrorContains(t, err, "last 100/100 rows, Finished, waiting for flush")
		require.InDelta(t, 34*time.Second, time.Since(x.start), float64(time.Second))
	})
}

// TestWaitAll_Stall_CountsChangesOfASharedList has indexes whose list of segments changes,
// and none of which stalls before the others, whether they share their requests or not.
func TestWaitAll_Stall_CountsChangesOfASharedList(t *testing.T) {
	for name, poller := range map[string]func(*segmentServer) milvuswait.Poller{
		"one list of indexes": func(s *segmentServer) milvuswait.Poller { return s },
		"single polls":        func(s *segmentServer) milvuswait.Poller { return s.PollerFuncs },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSegmentServer(0)
				s.segments = func(at time.Duration) ([]int64, error) {
					return []int64{1, 2, 3, 4}[min(3, at/(8*time.Second)):], nil
				}
				s.at = func(string) milvuswait.IndexBuildingProgress { return rows(100, 100, finished) }

				outcomes, err := milvuswait.WaitAll(t.Context(), poller(s), []milvuswait.Target{
					milvuswait.IndexBuilding("docs", "i0"), milvuswait.IndexBuilding("docs", "i1"), milvuswait.IndexBuilding("docs", "i2"),
				}, milvuswait.WithStallTimeout(10*time.Second), milvuswait.WithContinueOnError())

				require.ErrorIs(t, err, milvuswait.ErrStalled)
				for _, o := range outcomes {
					require.ErrorIs(t, o.Err, milvuswait.ErrStalled)
					require.InDelta(t, 34*time.Second, o.Elapsed, float64(time.Second))
				}
			})
		})
	}
}

// TestIndex_ListIsRefusedLater_IsUnconfirmed has a list of segments that is refused after the
// first one: the segments of the first list are given up after 30 s of refusals.
func TestIndex_ListIsRefusedLater_IsUnconfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &flushingIndex{progress: secondBatch(0, 0), segments: func(at time.Duration) ([]int64, error) {
			if at < 5*time.Second {
				return []int64{7}, nil
			}
			return nil, errRefused
		}}

		_, updates, err := waitForIndex(t, x.poller(), every(10*time.Second))

		require.NoError(t, err)
		require.True(t, updates[len(updates)-1].Unconfirmed)
		require.InDelta(t, 50*time.Second, time.Since(x.start), float64(100*time.Millisecond))
	})
}

// TestWaitAll_SiblingIsFlushed_DoesNotCompleteAnIndexWithAMark has an index that is built in
// the moment in which its sibling requests the progress again. Its own flush is not done.
func TestWaitAll_SiblingIsFlushed_DoesNotCompleteAnIndexWithAMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSegmentServer(0)
		s.at = func(index string) milvuswait.IndexBuildingProgress {
			if index == "i1" && s.lists == 1 {
				return rows(100, 10, inProgress)
			}
			return rows(100, 100, finished)
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), s, []milvuswait.Target{
			milvuswait.IndexBuilding("docs", "i0"), milvuswait.IndexBuilding("docs", "i1").AfterFlush(milvuswait.FlushMark{Timestamp: 9}),
		})

		require.NoError(t, err)
		require.Less(t, outcomes[0].Elapsed, 10*time.Millisecond)
		require.GreaterOrEqual(t, outcomes[1].Elapsed, 3*time.Second)
	})
}

func TestIndex_FlushMark_IsWaitedFor(t *testing.T) {
	mark := milvuswait.FlushMark{Timestamp: 9, Segments: []int64{7, 3, 7}}
	sorted := milvuswait.FlushMark{Timestamp: 9, Segments: []int64{3, 7}}
	unsupported := func(time.Duration) ([]int64, error) { return nil, errors.ErrUnsupported }

	synctest.Test(t, func(t *testing.T) {
		// As on 2.6: flushing segments are not listed.
		x := &flushingIndex{progress: secondBatch(3*time.Second, 5*time.Second), segments: unsupported}
		x.flushed = func(at time.Duration) (bool, error) { return at >= 3*time.Second, nil }

		last, updates, err := waitForIndex(t, x.poller(), milvuswait.WithFlush(mark))

		require.NoError(t, err)
		require.Equal(t, rows(150, 150, finished), last)
		require.Equal(t, sorted, x.marks[0])
		require.Greater(t, x.described[1], 3*time.Second)
		require.Len(t, x.listed, 1, "segments are asked for once the flush of the mark is done")
		require.False(t, updates[len(updates)-1].Unconfirmed)
		require.Equal(t, milvuswait.WaitingForFlush, updates[0].WaitingFor)
	})

	synctest.Test(t, func(t *testing.T) {
		x := &flushingIndex{progress: secondBatch(0, 0), segments: unsupported}
		x.flushed = func(time.Duration) (bool, error) {
			return false, fmt.Errorf("GetFlushState: %w", errors.ErrUnsupported)
		}

		_, _, err := waitForIndex(t, x.poller(), milvuswait.WithFlush(mark))

		require.ErrorIs(t, err, errors.ErrUnsupported, "a mark is never ignored")
		require.ErrorContains(t, err, "GetFlushState")
		require.Less(t, time.Since(x.start), time.Second)
	})
}

func TestIndex_FlushMarkFailsAtFirstPoll_DecidesByItsClass(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		polls int
	}{
		{"no permission: at once", milvuswait.Permanent(errors.New("permission denied")), 1},
		{"unsupported: at once", errors.ErrUnsupported, 1},
		{"absent, though just described: by a second answer", milvuswait.ErrCollectionNotFound, 2},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			x := &flushingIndex{progress: secondBatch(0, 0), segments: unflushedUntil(0)}
			x.flushed = func(time.Duration) (bool, error) { return false, tt.err }

			_, updates, err := waitForIndex(t, x.poller(), milvuswait.WithFlush(milvuswait.FlushMark{Timestamp: 9}))

			require.ErrorIs(t, err, tt.err, tt.name)
			require.Len(t, updates, tt.polls, tt.name)
		})
	}
}

// segmentServer is a server of one collection with several indexes. Index i0 is built first,
// and the others one second after each other.
type segmentServer struct {
	flushingIndex
	milvuswait.PollerFuncs
	at    func(index string) milvuswait.IndexBuildingProgress
	lists int
}

// newSegmentServer returns a server that lists one segment for a time. Its flushes are done
// after 3 s.
func newSegmentServer(unflushed time.Duration) *segmentServer {
	s := &segmentServer{flushingIndex: flushingIndex{segments: unflushedUntil(unflushed)}}
	s.flushed = func(at time.Duration) (bool, error) { return at >= 3*time.Second, nil }
	s.PollerFuncs, s.at = s.poller(), s.staggered
	s.IndexBuilding = func(_ context.Context, _, index string) (milvuswait.IndexBuildingProgress, error) {
		return s.at(index), nil
	}
	return s
}

func (s *segmentServer) ListIndexBuilding(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	s.mu.Lock()
	s.lists++
	s.mu.Unlock()
	all := make([]milvuswait.IndexBuildingProgress, len(indexes))
	for i, index := range indexes {
		all[i] = s.at(index)
	}
	return all, make([]error, len(indexes))
}

func (s *segmentServer) staggered(index string) milvuswait.IndexBuildingProgress {
	at := time.Since(s.start)
	built := time.Duration(index[1]-'0') * time.Second
	switch {
	case at < built:
		return rows(100, 10, inProgress)
	case at < 3*time.Second:
		return rows(100, 100, finished)
	case at < 5*time.Second+built:
		return rows(150, 100, inProgress)
	}
	return rows(150, 150, finished)
}

func TestWaitAll_IndexesOfACollection_ShareItsSegments(t *testing.T) {
	for name, opts := range map[string][]milvuswait.Option{"default pace": nil, "custom pace": {constant(100 * time.Millisecond)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSegmentServer(3 * time.Second)
				targets := []milvuswait.Target{
					milvuswait.IndexBuilding("docs", "i0"), milvuswait.IndexBuilding("docs", "i1"),
					milvuswait.IndexBuilding("docs", "i4"), milvuswait.IndexBuilding("docs", "i9"),
				}

				outcomes, err := milvuswait.WaitAll(t.Context(), s, targets, opts...)

				require.NoError(t, err)
				for _, o := range outcomes {
					require.Equal(t, rows(150, 150, finished), o.Progress, o.Target.String())
					require.False(t, o.Unconfirmed)
				}
				require.Less(t, s.listed[len(s.listed)-1], 5500*time.Millisecond, "i4 and i9 are built later, and use the segments of i0")
				for i, at := range s.listed[1:] {
					require.Greater(t, at-s.listed[i], 30*time.Millisecond, "one list of segments per poll of the collection")
				}
			})
		})
	}
}

func TestWaitAll_TwoMarks_HaveOneRequestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSegmentServer(0)
		a, b := milvuswait.FlushMark{Timestamp: 1}, milvuswait.FlushMark{Timestamp: 2, Segments: []int64{5}}

		outcomes, err := milvuswait.WaitAll(t.Context(), s, []milvuswait.Target{
			milvuswait.IndexBuilding("docs", "i0").AfterFlush(a), milvuswait.IndexBuilding("docs", "i0").AfterFlush(b),
			milvuswait.IndexBuilding("docs", "i1").AfterFlush(b), milvuswait.IndexBuilding("docs", "i1").AfterFlush(a).AfterFlush(b),
		})

		require.NoError(t, err)
		require.Equal(t, outcomes[2].Elapsed, outcomes[3].Elapsed, "equal marks are equal targets")
		for _, o := range outcomes {
			require.Equal(t, rows(150, 150, finished), o.Progress)
		}
		of := func(m milvuswait.FlushMark) int {
			n := 0
			for _, mark := range s.marks {
				if slices.Equal(mark.Segments, m.Segments) {
					n++
				}
			}
			return n
		}
		require.InDelta(t, of(a), of(b), 2, "the two indexes with the mark b share its requests")
	})
}
