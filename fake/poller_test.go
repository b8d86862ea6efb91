package fake_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestLoadingProgress(t *testing.T) {
	type script = map[milvuswait.Target]fake.Script
	docs := milvuswait.Loading("docs")
	partition := func(names ...string) milvuswait.Target { return milvuswait.Loading("docs", names...) }
	tests := []struct {
		name    string
		scripts script
		ask     []string
		want    int64
		wantErr error
	}{
		{"no collection", nil, nil, 0, milvuswait.ErrCollectionNotFound},
		{"another collection", script{milvuswait.Loading("images"): fake.Percents(40)}, nil, 0, milvuswait.ErrCollectionNotFound},
		{"collection", script{docs: fake.Percents(40)}, nil, 40, nil},
		{"out-of-range value is passed on", script{docs: fake.Percents(math.MinInt64)}, nil, math.MinInt64, nil},
		{"released", script{docs: nil}, nil, 0, milvuswait.ErrNotLoaded},
		{"only an index", script{milvuswait.IndexBuilding("docs", "vidx"): fake.Rows(1, 1)}, nil, 0, milvuswait.ErrNotLoaded},
		{"an error of the script", script{docs: fake.WithError(fake.Percents(40), errTransient)}, nil, 0, errTransient},
		{"partition", script{partition("p1"): fake.Percents(30)}, []string{"p1"}, 30, nil},
		{"unknown partition", script{docs: fake.Percents(40)}, []string{"p1"}, 0, milvuswait.ErrPartitionNotFound},
		{"partition not loaded", script{docs: fake.Percents(40), partition("p1"): nil}, []string{"p1"}, 0, milvuswait.ErrNotLoaded},
		{"default partition", script{docs: fake.Percents(40)}, []string{"_default"}, 40, nil},
		{"default partition not loaded", script{docs: nil}, []string{"_default"}, 0, milvuswait.ErrNotLoaded},
		{"mean of partitions", script{partition("p1"): fake.Percents(100), partition("p2"): fake.Percents(25)}, []string{"p1", "p2"}, 62, nil},
		{"one set for several", script{partition("p1", "p2"): fake.Percents(70)}, []string{"p2"}, 70, nil},
		{"mean of out-of-range values", script{partition("p1", "p2", "p3"): fake.Percents(math.MaxInt64)}, []string{"p1", "p2", "p3"}, math.MaxInt64, nil},
		{"one of several fails", script{partition("p1"): fake.Percents(10), partition("p2"): nil}, []string{"p1", "p2"}, 0, milvuswait.ErrNotLoaded},
		{"collection of partitions", script{partition("p1"): fake.Percents(100), partition("p2"): fake.Percents(0), partition("p3"): nil}, nil, 50, nil},
		{"collection of partitions that are not loaded", script{partition("p1"): nil}, nil, 0, milvuswait.ErrNotLoaded},
		{"collection besides partitions", script{docs: fake.Percents(40), partition("p1"): fake.Percents(0)}, nil, 40, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p fake.Poller
			for target, s := range tt.scripts {
				p.Set(target, s)
			}

			got, err := p.LoadingProgress(t.Context(), "docs", tt.ask...)

			require.ErrorIs(t, err, tt.wantErr)
			require.Equal(t, tt.want, got.Percent)
		})
	}
}

func TestIndexBuildingProgress(t *testing.T) {
	type script = map[string]fake.Script
	failed := fake.BuildOver(100, 0).FailAt(100, "oom")
	tests := []struct {
		name      string
		scripts   script
		ask       string
		want      string
		wantIndex string
		wantErr   error
		wantText  string
	}{
		{"no collection", nil, "vidx", "", "", milvuswait.ErrCollectionNotFound, `collection not found: "docs"`},
		{"named", script{"vidx": fake.Rows(100, 40)}, "vidx", "40/100 rows, InProgress", "vidx", nil, ""},
		{"the only one", script{"vidx": fake.Rows(100, 40)}, "", "40/100 rows, InProgress", "vidx", nil, ""},
		{"unnamed", script{"": fake.Rows(100, 40)}, "", "40/100 rows, InProgress", "", nil, ""},
		{"dropped", script{"vidx": nil}, "vidx", "", "", milvuswait.ErrIndexNotFound, `index not found: "docs" has none`},
		{"dropped, unnamed", script{"vidx": nil}, "", "", "", milvuswait.ErrIndexNotFound, `index not found: "docs" has none`},
		{"dropped, all", script{"vidx": nil}, milvuswait.AllIndexes, "", "", milvuswait.ErrIndexNotFound, `index not found: "docs" has none`},
		{"another name", script{"b": fake.Rows(1, 1), "a": fake.Rows(1, 1)}, "c", "", "", milvuswait.ErrIndexNotFound, `index not found: "docs" has "a", "b", not "c"`},
		{"several", script{"b": fake.Rows(1, 1), "a": fake.Rows(1, 1)}, "", "", "", milvuswait.ErrAmbiguousIndex, `ambiguous index: "docs" has "a", "b"`},
		{"the furthest behind", script{"a": fake.Rows(100, 50), "b": fake.Rows(100, 40), "c": fake.Rows(100, 100)}, milvuswait.AllIndexes, "40/100 rows, InProgress", "b", nil, ""},
		{"all complete", script{"a": fake.Rows(100, 100), "b": fake.Rows(0, 0)}, milvuswait.AllIndexes, "0/0 rows, Finished", "b", nil, ""},
		{"empty beside one under way", script{"a": fake.Rows(0, 0), "b": fake.Rows(100, 99)}, milvuswait.AllIndexes, "99/100 rows, InProgress", "b", nil, ""},
		{"one failed", script{"a": fake.Rows(100, 0), "b": failed}, milvuswait.AllIndexes, "100/100 rows, Failed", "b", nil, ""},
		{"one pending but Finished beside one further that is not", script{"a": fake.BuildOver(100, fake.Forever).AlwaysFinished(), "b": fake.Rows(100, 50)}, milvuswait.AllIndexes, "50/100 rows, InProgress", "b", nil, ""},
		{"one cannot be polled", script{"a": fake.Rows(100, 0), "b": fake.Steps(fake.Step{Err: errTransient})}, milvuswait.AllIndexes, "", "", errTransient, "connection reset"},
		{
			"a name of its own", script{"vidx": fake.Steps(fake.Step{Progress: milvuswait.IndexBuildingProgress{IndexName: "vec"}})}, "vidx",
			"0/0 rows, None", "vec", nil, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p fake.Poller
			for index, s := range tt.scripts {
				p.Set(milvuswait.IndexBuilding("docs", index), s)
			}

			got, err := p.IndexBuildingProgress(t.Context(), "docs", tt.ask)

			if tt.wantErr != nil {
				require.ErrorIs(t, err, tt.wantErr)
				require.EqualError(t, err, tt.wantText)
				require.Zero(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got.String())
			require.Equal(t, tt.wantIndex, got.IndexName)
		})
	}
}

func TestIndexBuildingProgress_OnlyALoad_IsIndexNotFound(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40))

	_, err := p.IndexBuildingProgress(t.Context(), "docs", "")

	require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
}

func TestPoll_ScriptOfAnotherKind_IsPermanent(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Rows(1, 1))

	_, err := p.LoadingProgress(t.Context(), "docs")

	require.EqualError(t, err, `fake: the script of loading "docs" returned milvuswait.IndexBuildingProgress, the progress of another kind`)
}

func TestCheckLoadState(t *testing.T) {
	var p fake.Poller
	p.Set(milvuswait.Loading("loading"), fake.Percents(0))
	p.Set(milvuswait.Loading("lite"), fake.SilentlyReleased())
	p.Set(milvuswait.Loading("released"), nil)
	p.Set(milvuswait.Loading("docs", "p1"), fake.Percents(0))
	ended, cancel := context.WithCancel(t.Context())
	cancel()

	require.NoError(t, p.CheckLoadState(t.Context(), "loading"))
	require.NoError(t, p.CheckLoadState(t.Context(), "docs", "p1"))
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "docs", "p2"), milvuswait.ErrPartitionNotFound)
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "lite"), milvuswait.ErrNotLoaded)
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "released"), milvuswait.ErrNotLoaded)
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "nope"), milvuswait.ErrCollectionNotFound)
	require.ErrorIs(t, p.CheckLoadState(ended, "loading"), context.Canceled)

	calls := p.Calls(milvuswait.Loading("lite"))
	require.Equal(t, 1, len(calls))
	require.Zero(t, calls[0].Poll)
	require.ErrorIs(t, calls[0].Err, milvuswait.ErrNotLoaded)
}

func TestSet_Again_RestartsTheScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		docs := milvuswait.Loading("docs")
		p := new(fake.Poller).Set(docs, fake.LoadOver(10*time.Minute))
		poll := func() (int64, error) {
			progress, err := p.LoadingProgress(t.Context(), "docs")
			return progress.Percent, err
		}
		var got []int64
		for range 3 {
			percent, err := poll()
			require.NoError(t, err)
			got = append(got, percent)
			time.Sleep(time.Minute)
		}
		p.Set(docs, nil)
		_, err := poll()
		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		p.Set(docs, fake.LoadOver(10*time.Minute))
		time.Sleep(time.Hour)
		again, err := poll()
		require.NoError(t, err)
		p.Drop("docs")
		_, err = poll()

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Equal(t, []int64{0, 10, 20, 0}, append(got, again))
		require.Equal(t, 6, p.Calls()[5].Poll)
	})
}

func TestPoll_Delay_TakesItsTime(t *testing.T) {
	tests := []struct {
		name    string
		delay   time.Duration
		timeout time.Duration
		want    time.Duration
		wantErr error
	}{
		{"shorter than the context", time.Second, time.Minute, time.Second, nil},
		{"without a deadline", time.Second, 0, time.Second, nil},
		{"longer than the context", time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
		{"as long as the context", time.Minute, time.Minute, time.Minute, context.DeadlineExceeded},
		{"endless", fake.Forever, time.Minute, time.Minute, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// created outside the bubble, as a fixture may be
			p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40), tt.delay))
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				if tt.timeout > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), tt.timeout)
				}
				defer cancel()
				start := time.Now()

				_, err := p.LoadingProgress(ctx, "docs")

				require.ErrorIs(t, err, tt.wantErr)
				require.Equal(t, tt.want, time.Since(start))
				require.Equal(t, tt.want, p.Calls()[0].Took)
			})
		})
	}
}

func TestPoll_SeveralDelays_TakesTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p fake.Poller
		p.Set(milvuswait.Loading("docs", "p1"), fake.WithDelay(fake.Percents(10), time.Second))
		p.Set(milvuswait.Loading("docs", "p2"), fake.WithDelay(fake.Percents(20), time.Minute))
		start := time.Now()

		got, err := p.LoadingProgress(t.Context(), "docs", "p1", "p2")

		require.NoError(t, err)
		require.EqualValues(t, 15, got.Percent)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestPoll_EndedContext_ReturnsItsError(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))

	_, err := p.LoadingProgress(ctx, "docs")

	require.Equal(t, context.Canceled, err)
}

func TestPoll_HangingUntilCanceled_Returns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40), 2*time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()

		_, err := p.LoadingProgress(ctx, "docs")

		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestConcurrentUse(t *testing.T) {
	const pollers, polls = 8, 200
	var p fake.Poller
	docs := milvuswait.Loading("docs")
	p.Set(docs, fake.ScriptFunc(func(int, time.Duration) fake.Step {
		p.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(1, 1)) // no lock is held
		return fake.Step{Progress: milvuswait.LoadingProgress{Percent: 1}}
	}))
	var wg sync.WaitGroup
	for range pollers {
		wg.Go(func() {
			for range polls {
				_, _ = p.LoadingProgress(t.Context(), "docs")
				_, _ = p.IndexBuildingProgress(t.Context(), "docs", milvuswait.AllIndexes)
				_ = p.CheckLoadState(t.Context(), "docs")
				p.Set(milvuswait.Loading("images"), nil)
				p.Drop("images")
			}
		})
	}
	for range polls {
		p.Calls(docs)
	}
	wg.Wait()

	seen := map[int]bool{}
	for _, c := range p.Calls(docs) {
		if c.Poll > 0 {
			seen[c.Poll] = true
		}
	}
	require.Equal(t, pollers*polls, len(seen))
	require.Equal(t, 3*pollers*polls, len(p.Calls()))
}
