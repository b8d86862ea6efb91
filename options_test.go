package milvuswait_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestInvalidArguments covers every argument out of its range or without meaning for its
// wait. The wait returns ErrInvalid, names the argument, and does not poll.
func TestInvalidArguments(t *testing.T) {
	type waits func(ctx context.Context, p milvuswait.Poller) error
	load := func(opts ...milvuswait.Option) waits {
		return func(ctx context.Context, p milvuswait.Poller) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
			return err
		}
	}
	index := func(opts ...milvuswait.Option) waits {
		return func(ctx context.Context, p milvuswait.Poller) error {
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", opts...)
			return err
		}
	}
	watch := func(target milvuswait.Target, opts ...milvuswait.Option) waits {
		return func(ctx context.Context, p milvuswait.Poller) (err error) {
			for _, err = range milvuswait.Watch(ctx, p, target, opts...) {
			}
			return err
		}
	}
	pace := func(b milvuswait.Backoff) waits { return load(milvuswait.WithBackoff(b)) }

	tests := []struct {
		name string
		wait waits
		says string
	}{
		{"nil option", load(milvuswait.WithSettle(1), nil), "option 2 of 2 is nil"},
		{"nil observer", load(milvuswait.WithObserver(nil)), "WithObserver: the observer is nil"},
		{"nil generators", load(milvuswait.WithBackoffFunc(nil)), "WithBackoffFunc: the function is nil"},
		{"nil generator", load(milvuswait.WithBackoffFunc(func() func() time.Duration { return nil })), "WithBackoffFunc returned nil"},
		{"no partitions", load(milvuswait.WithPartitions()), "WithPartitions: no names"},
		{"empty partition", load(milvuswait.WithPartitions("")), "name of the partition is empty"},
		{"one of several partitions empty", load(milvuswait.WithPartitions("a", "", "b")), "name of the partition is empty"},
		{"partition with NUL", load(milvuswait.WithPartitions("a\x00b")), "name of the partition"},
		{"index of no UTF-8", index(milvuswait.WithIndex("\xff")), `name of the index, "\xff", is not valid UTF-8`},
		{"negative rows", index(milvuswait.WithExpectedRows(-1)), "WithExpectedRows: -1 is negative"},
		{"no such criterion", index(milvuswait.WithIndexCriterion(7)), "WithIndexCriterion: there is no criterion 7"},
		{"negative settle", load(milvuswait.WithSettle(-1)), "WithSettle: -1ns is negative"},
		{"negative grace", load(milvuswait.WithStartGrace(-time.Second)), "WithStartGrace: -1s is negative"},
		{"negative stall", load(milvuswait.WithStallTimeout(-time.Second)), "WithStallTimeout: -1s is negative"},
		{"negative budget", load(milvuswait.WithUnreachableAfter(-time.Second)), "WithUnreachableAfter: -1s is negative"},
		{"no poll time-out", load(milvuswait.WithPollTimeout(0, time.Second)), "WithPollTimeout: first, 0s, is not positive"},
		{"poll time-outs in the wrong order", load(milvuswait.WithPollTimeout(2, 1)), "WithPollTimeout: max, 1ns, is less than first, 2ns"},
		{"Initial negative", pace(milvuswait.Backoff{Initial: -1}), "Backoff.Initial: -1ns"},
		{"Initial too small", pace(milvuswait.Backoff{Initial: time.Microsecond}), "Backoff.Initial: 1µs"},
		{"Initial above Max", pace(milvuswait.Backoff{Initial: 2 * time.Second, Max: time.Second}), "Backoff.Initial: 2s is more than Max, 1s"},
		{"Max too big", pace(milvuswait.Backoff{Max: math.MaxInt64}), "Backoff.Max"},
		{"Multiplier below 1", pace(milvuswait.Backoff{Multiplier: 0.5}), "Backoff.Multiplier: 0.5"},
		{"Multiplier not a number", pace(milvuswait.Backoff{Multiplier: math.NaN()}), "Backoff.Multiplier: NaN"},
		{"Jitter 1", pace(milvuswait.Backoff{Jitter: 1}), "Backoff.Jitter: 1"},
		{"Jitter not a number", pace(milvuswait.Backoff{Jitter: math.NaN()}), "Backoff.Jitter: NaN"},
		{"Lateness negative", pace(milvuswait.Backoff{Lateness: -0.1}), "Backoff.Lateness: -0.1"},
		{"Lateness infinite", pace(milvuswait.Backoff{Lateness: math.Inf(1)}), "Backoff.Lateness: +Inf"},
		{"index of a load", load(milvuswait.WithIndex("vidx")), "WithIndex is for indexes, not for a load"},
		{"rows of a load", load(milvuswait.WithExpectedRows(1)), "WithExpectedRows is for indexes"},
		{"criterion of a load", load(milvuswait.WithIndexCriterion(milvuswait.AllRows)), "WithIndexCriterion is for indexes"},
		{"partitions of an index", index(milvuswait.WithPartitions("a")), "WithPartitions is for loads, not for an index"},
		{"refresh of an index", index(milvuswait.WithRefresh()), "WithRefresh is for loads"},
		{"target and partitions", watch(milvuswait.Loading("docs"), milvuswait.WithPartitions("a")), "WithPartitions does not go with a Target"},
		{"target and rows", watch(milvuswait.IndexBuilding("docs", ""), milvuswait.WithExpectedRows(3)), "WithExpectedRows does not go with a Target"},
		{"refresh of a target that is an index", watch(milvuswait.IndexBuilding("docs", ""), milvuswait.WithRefresh()), "WithRefresh is for loads"},
		{"criterion of a target that is a load", watch(milvuswait.Loading("docs"), milvuswait.WithIndexCriterion(milvuswait.AllRows)), "WithIndexCriterion is for indexes"},
		{"nil function as an observer", load(milvuswait.WithObserver(milvuswait.ObserverFunc(nil))), "WithObserver: the observer is nil"},
		{"target and index", watch(milvuswait.IndexBuilding("docs", ""), milvuswait.WithIndex("a")), "WithIndex does not go with a Target"},
		{"zero target", watch(milvuswait.Target{}), "the zero Target"},
		{"target without collection", watch(milvuswait.Loading("")), "name of the collection is empty"},
		{"load with rows", watch(milvuswait.Loading("docs").ExpectRows(3)), `expected rows are for indexes, not for loading "docs"`},
		{"index with negative rows", watch(milvuswait.IndexBuilding("docs", "").ExpectRows(-3)), "expected rows: -3 is negative"},
		{"empty collection", func(ctx context.Context, p milvuswait.Poller) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "")
			return err
		}, "name of the collection is empty"},
		{"nil context", func(_ context.Context, p milvuswait.Poller) error { return load()(nil, p) }, "the context is nil"},
		{"nil Poller", func(ctx context.Context, _ milvuswait.Poller) error { return index()(ctx, nil) }, "the Poller is nil"},
		{"nil pointer in the Poller", func(ctx context.Context, _ milvuswait.Poller) error { return index()(ctx, (*probe)(nil)) }, "the Poller is nil"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &probe{} // a poll would panic: the functions are nil

			err := tt.wait(t.Context(), p)

			require.ErrorIs(t, err, milvuswait.ErrInvalid)
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, 1, strings.Count(err.Error(), "milvuswait:"), "%v", err)
			require.Empty(t, p.at)
		})
	}
}

func TestEveryFaultyOptionIsNamed(t *testing.T) {
	_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs",
		milvuswait.WithSettle(-1), milvuswait.WithStallTimeout(-1))

	require.ErrorContains(t, err, "WithSettle")
	require.ErrorContains(t, err, "WithStallTimeout")
}

// TestPollerFuncs_OptionalFunctions calls the methods of the optional interfaces without and
// with their functions. Without them, waits make individual polls, each counted once.
func TestPollerFuncs_OptionalFunctions(t *testing.T) {
	loaded := milvuswait.LoadingProgress{Percent: 100}
	p := milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) { return loaded, nil },
	}

	require.ErrorIs(t, p.CheckLoadState(t.Context(), "docs"), errors.ErrUnsupported)
	_, err := p.ListLoading(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.EqualError(t, err, "PollerFuncs.LoadingList is nil: unsupported operation")
	indexes, errs := p.ListIndexBuilding(t.Context(), "docs", []string{"a", "b"})
	require.Len(t, indexes, 2)
	require.Len(t, errs, 2)
	require.ErrorIs(t, errs[1], errors.ErrUnsupported)

	targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("logs")}
	outcomes, err := milvuswait.WaitAll(t.Context(), p, targets)
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{outcomes[0].Polls, outcomes[1].Polls})

	lists := 0
	p.Loading = nil
	p.LoadingList = func(context.Context) (map[string]milvuswait.LoadingProgress, error) {
		lists++
		return map[string]milvuswait.LoadingProgress{"docs": loaded, "logs": loaded}, nil
	}
	p.LoadState = func(_ context.Context, collection string, _ ...string) error { return errors.New(collection) }
	p.IndexBuildingList = func(_ context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
		return nil, []error{errors.New(collection + "/" + indexes[0])}
	}

	list, err := p.ListLoading(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, 1, lists)
	require.EqualError(t, p.CheckLoadState(t.Context(), "docs"), "docs")
	_, errs = p.ListIndexBuilding(t.Context(), "docs", []string{"a"})
	require.EqualError(t, errs[0], "docs/a")
}

func TestPollerFuncsWithoutTheFunction(t *testing.T) {
	_, err := milvuswait.WaitForLoadingComplete(t.Context(), milvuswait.PollerFuncs{}, "docs")
	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	require.False(t, errors.As(err, new(*milvuswait.Error)), "nothing was polled")
	require.ErrorContains(t, err, "PollerFuncs.Loading is nil")

	_, err = milvuswait.WaitForIndexBuildingComplete(t.Context(), milvuswait.PollerFuncs{}, "docs")
	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	require.ErrorContains(t, err, "PollerFuncs.IndexBuilding is nil")
}

func TestWithIndex_EmptyName_IsNoOption(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(10, 10)).Set(milvuswait.Loading("docs"), fake.Percents(100))

	only, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithIndex(""))
	require.NoError(t, err)
	require.Equal(t, "vidx", only.IndexName)

	named, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithIndex("vidx"), milvuswait.WithIndex(""))
	require.NoError(t, err)
	require.Equal(t, "vidx", named.IndexName)

	_, err = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithIndex(""))
	require.NoError(t, err, "nor does it refuse a load")
}

// TestOptions_ForAnotherKind_AreRefusedBesideOthers gives each option for another kind before
// options that fit: none may make the wait forget it.
func TestOptions_ForAnotherKind_AreRefusedBesideOthers(t *testing.T) {
	ofLoads := map[string]milvuswait.Option{
		"WithPartitions": milvuswait.WithPartitions("a"), "WithRefresh": milvuswait.WithRefresh(),
	}
	ofIndexes := map[string]milvuswait.Option{
		"WithIndex": milvuswait.WithIndex("vidx"), "WithExpectedRows": milvuswait.WithExpectedRows(0),
		"WithIndexCriterion": milvuswait.WithIndexCriterion(milvuswait.ServerState),
	}

	for name, wrong := range ofIndexes {
		for _, right := range ofLoads {
			_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", wrong, right)
			require.ErrorContains(t, err, name+" is for indexes, not for a load")
		}
	}
	for name, wrong := range ofLoads {
		for _, right := range ofIndexes {
			_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), percents(100), "docs", wrong, right)
			require.ErrorContains(t, err, name+" is for loads, not for an index")
		}
	}
	for name, wrong := range ofLoads {
		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), percents(100), "docs", milvuswait.WithIndex("vidx"), wrong)
		require.ErrorContains(t, err, name+" is for loads, not for an index")
	}
}
