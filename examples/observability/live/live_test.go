package live_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
	"github.com/milvuswait/milvuswait/fake"
)

var docs = milvuswait.Loading("docs")

func TestResult(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"success", nil, live.Done},
		{"deadline", &milvuswait.Error{Cause: context.DeadlineExceeded}, "timed_out"},
		{"deadline after a poll that found no collection",
			&milvuswait.Error{Cause: context.DeadlineExceeded, LastErr: milvuswait.ErrCollectionNotFound}, "timed_out"},
		{"cancelled", &milvuswait.Error{Cause: context.Canceled}, "canceled"},
		{"stalled", &milvuswait.Error{Cause: fmt.Errorf("%w: no change", milvuswait.ErrStalled)}, "stalled"},
		{"unreachable", &milvuswait.Error{Cause: milvuswait.ErrUnreachable, LastErr: errors.New("refused")}, "unreachable"},
		{"sibling", &milvuswait.Error{Cause: milvuswait.ErrAborted}, "aborted"},
		{"released", &milvuswait.Error{Cause: milvuswait.ErrReleased}, "released"},
		{"not loaded", &milvuswait.Error{Cause: milvuswait.ErrNotLoaded}, "not_loaded"},
		{"no collection", &milvuswait.Error{Cause: milvuswait.ErrCollectionNotFound}, "collection_not_found"},
		{"no partition", &milvuswait.Error{Cause: milvuswait.ErrPartitionNotFound}, "partition_not_found"},
		{"no index", &milvuswait.Error{Cause: milvuswait.ErrIndexNotFound}, "index_not_found"},
		{"no database", &milvuswait.Error{Cause: milvuswait.ErrDatabaseNotFound}, "database_not_found"},
		{"failed load", &milvuswait.Error{Cause: milvuswait.ErrLoadFailed}, "load_failed"},
		{"failed index", &milvuswait.Error{Cause: milvuswait.ErrIndexFailed}, "index_failed"},
		{"unknown job", &milvuswait.Error{Cause: milvuswait.ErrJobNotFound}, "job_not_found"},
		{"failed job", &milvuswait.Error{Cause: milvuswait.ErrJobFailed}, "job_failed"},
		{"permanent error", &milvuswait.Error{Cause: errors.New("no permission")}, "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, live.Result(tt.err))
			require.Contains(t, live.Results(), tt.want)
		})
	}
}

// TestPolls_RealWaits compares the poll results of all steps with the calls recorded by
// the Poller.
func TestPolls_RealWaits(t *testing.T) {
	blip := errors.New("blip")
	grace := []milvuswait.Option{milvuswait.WithStartGrace(10 * time.Minute)}
	tests := []struct {
		name               string
		script             fake.Script
		opts               []milvuswait.Option
		want               string
		ok, absent, failed int
	}{
		{"success", fake.Percents(0, 40, 100), nil, live.Done, 3, 0, 0},
		{"failures on the way", fake.WithError(fake.Percents(0, 40, 50, 100), blip, 2, 3), nil, live.Done, 2, 0, 2},
		{"dropped, seen by two polls", fake.WithError(fake.Percents(0, 40), milvuswait.ErrCollectionNotFound, 3, 4), nil, "collection_not_found", 2, 2, 0},
		{"released, seen by two polls", fake.WithError(fake.Percents(0, 40), milvuswait.ErrNotLoaded, 3, 4), nil, "released", 2, 2, 0},
		{"load given up at the third poll", fake.WithError(fake.Percents(0, 40), milvuswait.ErrLoadFailed, 3), nil, "load_failed", 2, 1, 0},
		{"no permission", fake.WithError(fake.Percents(0, 40), milvuswait.Permanent(blip), 1), nil, "failed", 0, 0, 1},
		{"not loaded yet", fake.WithError(fake.Percents(100), milvuswait.ErrNotLoaded, 1, 2, 3), grace, live.Done, 1, 3, 0},
		{"not there yet", fake.WithError(fake.Percents(100), milvuswait.ErrCollectionNotFound, 1, 2, 3), grace, live.Done, 1, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var waits live.Waits
				p := new(fake.Poller).Set(docs, tt.script)

				polls, err := follow(t.Context(), &waits, p, tt.opts...)

				require.Equal(t, tt.want, live.Result(err))
				require.Equal(t, []int{tt.ok, tt.absent, tt.failed}, []int{polls[live.PollOK], polls[live.PollAbsent], polls[live.PollFailed]})
				require.Empty(t, waits.Read(10))
			})
		})
	}
}

func TestPolls_TimedOutWaits(t *testing.T) {
	tests := []struct {
		name   string
		script fake.Script
		opts   []milvuswait.Option
		want   string
		polls  live.Poll
	}{
		{"deadline between successful polls", fake.Percents(40), nil, "timed_out", live.PollOK},
		{"deadline cuts a poll off", fake.WithDelay(fake.Percents(40), fake.Forever, 3), nil, "timed_out", live.PollOK},
		{"deadline in a start grace", fake.WithError(fake.Percents(40), milvuswait.ErrNotLoaded),
			[]milvuswait.Option{milvuswait.WithStartGrace(time.Hour)}, "timed_out", live.PollAbsent},
		{"stall", fake.Percents(40), []milvuswait.Option{milvuswait.WithStallTimeout(time.Second)}, "stalled", live.PollOK},
		{"unreachable", fake.WithError(fake.Percents(40), errors.New("refused")),
			[]milvuswait.Option{milvuswait.WithUnreachableAfter(time.Second)}, "unreachable", live.PollFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var waits live.Waits
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				p := new(fake.Poller).Set(docs, tt.script)

				polls, err := follow(ctx, &waits, p, tt.opts...)

				require.Equal(t, tt.want, live.Result(err))
				require.Equal(t, map[live.Poll]int{tt.polls: fakePolls(p)}, polls)
			})
		})
	}
}

func TestPolls_FailedIndex_IsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits live.Waits
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Second).FailAt(0, "out of disk"))

		call, bad := waits.Call(), 0

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithObserver(
			milvuswait.ObserverFunc(func(u milvuswait.Update) {
				if s := call.Take(u); s.Poll != live.PollOK {
					bad += s.Polls
				}
			})))

		require.ErrorIs(t, err, milvuswait.ErrIndexFailed)
		require.Zero(t, bad)
	})
}

// TestPollsOfJobs_FailuresAndAbsences_AreAnswers waits for a job that fails, and for one that
// the server does not know.
func TestPollsOfJobs_FailuresAndAbsences_AreAnswers(t *testing.T) {
	p := milvuswait.PollerFuncs{Import: func(_ context.Context, job int64) (milvuswait.ImportProgress, error) {
		if job == 404 {
			return milvuswait.ImportProgress{}, milvuswait.ErrJobNotFound
		}
		return milvuswait.ImportProgress{State: milvuswait.ImportStateFailed}, nil
	}}

	for job, want := range map[int64]live.Poll{7: live.PollOK, 404: live.PollAbsent} {
		var waits live.Waits
		call, seen := waits.Call(), []live.Poll{}
		_, err := milvuswait.WaitForImportComplete(t.Context(), p, job, milvuswait.WithObserver(
			milvuswait.ObserverFunc(func(u milvuswait.Update) { seen = append(seen, call.Take(u).Poll) })))
		require.Error(t, err)
		require.Equal(t, []live.Poll{want}, seen)
	}
}

// follow returns the number of polls of a load by result.
func follow(ctx context.Context, waits *live.Waits, p milvuswait.Poller, opts ...milvuswait.Option) (map[live.Poll]int, error) {
	call, polls := waits.Call(), make(map[live.Poll]int)
	opts = append(opts, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if s := call.Take(u); s.Polls > 0 {
			polls[s.Poll] += s.Polls
		}
	})))

	_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
	return polls, err
}

func TestPolls_DroppedUpdates_Count(t *testing.T) {
	var waits live.Waits
	call := waits.Call()
	require.Equal(t, 3, call.Take(milvuswait.Update{Target: docs, Polls: 3}).Polls)
	require.Equal(t, 4, call.Take(milvuswait.Update{Target: docs, Polls: 7, Final: true}).Polls)
}

func TestRead_SeveralWaits_TakesTheFurthestBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits live.Waits
		first, second := waits.Call(), waits.Call()
		first.Take(milvuswait.Update{Target: docs, Polls: 1, Fraction: 0.8, ETA: time.Second, Elapsed: time.Minute})
		second.Take(milvuswait.Update{Target: docs, Polls: 1, Fraction: 0.2, ETA: time.Hour})
		time.Sleep(time.Second)

		require.Equal(t, []live.Reading{{Kind: milvuswait.KindLoading, Collection: "docs", Fraction: 0.2, ETA: time.Hour, Elapsed: 61 * time.Second}}, waits.Read(10))
		require.Equal(t, 2, waits.Count()[milvuswait.KindLoading])

		first.Take(milvuswait.Update{Target: docs, Polls: 2, Final: true})
		require.Equal(t, []live.Reading{{Kind: milvuswait.KindLoading, Collection: "docs", Fraction: 0.2, ETA: time.Hour, Elapsed: time.Second}}, waits.Read(10))

		second.Take(milvuswait.Update{Target: docs, Polls: 2})
		require.Zero(t, waits.Read(10)[0].ETA, "unknown")
		second.Take(milvuswait.Update{Target: docs, Polls: 2, Final: true})
		require.Empty(t, waits.Read(10))
		require.Zero(t, waits.Count()[milvuswait.KindLoading])
	})
}

func TestRead_Limit_KeepsTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits live.Waits
		call := waits.Call()
		for i := range 1000 {
			call.Take(milvuswait.Update{Target: milvuswait.Loading(fmt.Sprintf("c%03d", i)), Polls: 1})
			time.Sleep(time.Second)
		}

		readings := waits.Read(3)
		require.Len(t, readings, 3)
		require.Equal(t, "c000", readings[0].Collection)
		require.Equal(t, "c002", readings[2].Collection)
		require.Empty(t, waits.Read(-1))
	})
}

// TestObserver_SharedByMistake shares one Call between concurrent waits for one target.
func TestObserver_SharedByMistake(t *testing.T) {
	var waits live.Waits
	call := waits.Call()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				for polls := 1; polls <= 5; polls++ {
					s := call.Take(milvuswait.Update{Target: docs, Polls: polls, Final: polls == 5})
					if s.Polls < 0 {
						t.Error("a count fell")
					}
				}
				waits.Read(1)
			}
		})
	}
	group.Wait()
	require.LessOrEqual(t, waits.Count()[milvuswait.KindLoading], 1)
}

// fakePolls returns the number of polls recorded by p, without load state checks.
func fakePolls(p *fake.Poller) int {
	n := 0
	for _, call := range p.Calls() {
		if call.Poll > 0 {
			n++
		}
	}
	return n
}

func TestCount_NoWaits_HasEveryKind(t *testing.T) {
	count := new(live.Waits).Count()

	require.ElementsMatch(t, milvuswait.Kinds(), slices.Collect(maps.Keys(count)))
	for kind, n := range count {
		require.Zero(t, n, kind)
	}
}
