package live_test

import (
	"context"
	"errors"
	"fmt"
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
		{"deadline", &milvuswait.Error{Cause: context.DeadlineExceeded}, live.Timeout},
		{"deadline after a poll that found no collection",
			&milvuswait.Error{Cause: context.DeadlineExceeded, LastErr: milvuswait.ErrCollectionNotFound}, live.Timeout},
		{"cancelled", &milvuswait.Error{Cause: context.Canceled}, live.Canceled},
		{"stalled", &milvuswait.Error{Cause: fmt.Errorf("%w: no change", milvuswait.ErrStalled)}, live.Stalled},
		{"unreachable", &milvuswait.Error{Cause: milvuswait.ErrUnreachable, LastErr: errors.New("refused")}, live.Unreachable},
		{"sibling", &milvuswait.Error{Cause: milvuswait.ErrAborted}, live.Aborted},
		{"released", &milvuswait.Error{Cause: milvuswait.ErrReleased}, live.Released},
		{"not loaded", &milvuswait.Error{Cause: milvuswait.ErrNotLoaded}, live.NotLoaded},
		{"no collection", &milvuswait.Error{Cause: milvuswait.ErrCollectionNotFound}, live.NotFound},
		{"no partition", &milvuswait.Error{Cause: milvuswait.ErrPartitionNotFound}, live.NotFound},
		{"no index", &milvuswait.Error{Cause: milvuswait.ErrIndexNotFound}, live.NotFound},
		{"no database", &milvuswait.Error{Cause: milvuswait.ErrDatabaseNotFound}, live.NotFound},
		{"failed load", &milvuswait.Error{Cause: milvuswait.ErrLoadFailed}, live.Failed},
		{"failed index", &milvuswait.Error{Cause: milvuswait.ErrIndexFailed}, live.Failed},
		{"permanent error", &milvuswait.Error{Cause: errors.New("no permission")}, live.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, live.Result(tt.err))
			require.Contains(t, live.Results(), tt.want)
		})
	}
}

// TestPollsOfRealWaits compares the polls of all steps with those that the Poller
// got, by whether it had an answer.
func TestPollsOfRealWaits(t *testing.T) {
	blip := errors.New("blip")
	tests := []struct {
		name             string
		script           fake.Script
		opts             []milvuswait.Option
		want             string
		answered, failed int
	}{
		{"success", fake.Percents(0, 40, 100), nil, live.Done, 3, 0},
		{"failures on the way", fake.WithError(fake.Percents(0, 40, 50, 100), blip, 2, 3), nil, live.Done, 2, 2},
		{"dropped at the third poll", fake.WithError(fake.Percents(0, 40), milvuswait.ErrCollectionNotFound, 3), nil, live.NotFound, 2, 1},
		{"released at the third poll", fake.WithError(fake.Percents(0, 40), milvuswait.ErrNotLoaded, 3), nil, live.Released, 2, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var waits live.Waits
				p := new(fake.Poller).Set(docs, tt.script)

				answered, failed, err := follow(t.Context(), &waits, p, tt.opts...)

				require.Equal(t, tt.want, live.Result(err))
				require.Equal(t, []int{tt.answered, tt.failed}, []int{answered, failed})
				require.Empty(t, waits.Read(10))
			})
		})
	}
}

func TestPollsOfWaitsWhoseTimeIsUp(t *testing.T) {
	tests := []struct {
		name   string
		script fake.Script
		opts   []milvuswait.Option
		want   string
		failed func(polls int) int
	}{
		{"deadline between good polls", fake.Percents(40), nil, live.Timeout, func(int) int { return 0 }},
		{"deadline cuts a poll off", fake.WithDelay(fake.Percents(40), fake.Forever, 3), nil, live.Timeout, func(int) int { return 0 }},
		{"stall", fake.Percents(40), []milvuswait.Option{milvuswait.WithStallTimeout(time.Second)}, live.Stalled, func(int) int { return 0 }},
		{"unreachable", fake.WithError(fake.Percents(40), errors.New("refused")),
			[]milvuswait.Option{milvuswait.WithUnreachableAfter(time.Second)}, live.Unreachable, func(polls int) int { return polls }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var waits live.Waits
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				p := new(fake.Poller).Set(docs, tt.script)

				answered, failed, err := follow(ctx, &waits, p, tt.opts...)

				polls := fakePolls(p)
				require.Equal(t, tt.want, live.Result(err))
				require.Equal(t, polls, answered+failed)
				require.Equal(t, tt.failed(polls), failed)
			})
		})
	}
}

func TestAnIndexThatFailedIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits live.Waits
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Second).FailAt(0, "out of disk"))
		call, failed := waits.Call(), 0

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithObserver(
			milvuswait.ObserverFunc(func(u milvuswait.Update) { failed += call.Take(u).Failed })))

		require.ErrorIs(t, err, milvuswait.ErrIndexFailed)
		require.Zero(t, failed)
	})
}

func follow(ctx context.Context, waits *live.Waits, p milvuswait.Poller, opts ...milvuswait.Option) (answered, failed int, err error) {
	call := waits.Call()
	opts = append(opts, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		s := call.Take(u)
		answered += s.Good
		failed += s.Failed
	})))
	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
	return answered, failed, err
}

func TestPollsOfDroppedUpdatesCount(t *testing.T) {
	var waits live.Waits
	call := waits.Call()
	require.Equal(t, 3, call.Take(milvuswait.Update{Target: docs, Polls: 3}).Good)
	require.Equal(t, 4, call.Take(milvuswait.Update{Target: docs, Polls: 7, Final: true}).Good)
}

func TestReadTakesTheFurthestBehind(t *testing.T) {
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

func TestReadHasALimitAndBeginsWithTheLongest(t *testing.T) {
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

// TestSharedByMistake gives one Call to waits that run at once for one target.
func TestSharedByMistake(t *testing.T) {
	var waits live.Waits
	call := waits.Call()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				for polls := 1; polls <= 5; polls++ {
					s := call.Take(milvuswait.Update{Target: docs, Polls: polls, Final: polls == 5})
					if s.Good < 0 || s.Failed < 0 {
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

// fakePolls returns how many polls p had, without questions for the load state.
func fakePolls(p *fake.Poller) int {
	n := 0
	for _, call := range p.Calls() {
		if call.Poll > 0 {
			n++
		}
	}
	return n
}
