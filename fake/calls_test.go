package fake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		docs, vidx := milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")
		p := new(fake.Poller).
			Set(docs, fake.WithDelay(fake.WithError(fake.Percents(0, 40, 100), errTransient, 2), time.Second)).
			Set(vidx, fake.WithDelay(fake.Rows(10, 10), fake.Forever))
		start := time.Now()
		for range 2 {
			_, _ = p.LoadingProgress(t.Context(), "docs")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = p.IndexBuildingProgress(ctx, "docs", "vidx") }()
		synctest.Wait()

		under := p.Calls(vidx.ExpectRows(10))
		cancel()
		synctest.Wait()

		require.Equal(t, []fake.Call{{Target: vidx, Poll: 1, Time: start.Add(2 * time.Second)}}, under)
		require.Equal(t, []fake.Call{
			{Target: docs, Poll: 1, Time: start, Took: time.Second, Progress: milvuswait.LoadingProgress{RefreshPercent: 100}},
			{Target: docs, Poll: 2, Time: start.Add(time.Second), Took: time.Second, Err: errTransient},
			{Target: vidx, Poll: 1, Time: start.Add(2 * time.Second), Err: context.Canceled},
		}, p.Calls())
		require.Equal(t, p.Calls()[:2], p.Calls(docs))
		require.Empty(t, p.Calls(milvuswait.Loading("nope")))
		p.Calls()[0].Poll = 99
		require.Equal(t, 1, p.Calls()[0].Poll)
	})
}

func TestObserver(t *testing.T) {
	var o fake.Observer
	docs, vidx := milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(10)
	for _, u := range []milvuswait.Update{
		{Target: docs, Polls: 1},
		{Target: vidx, Polls: 1},
		{Target: docs, Polls: 2, Final: true},
		{Target: docs, Polls: 3, Final: true},
	} {
		o.Observe(u)
	}

	final, ok := o.Final(docs)
	require.True(t, ok)
	require.Equal(t, 3, final.Polls)
	_, ok = o.Final(vidx)
	require.False(t, ok)
	require.Equal(t, 4, len(o.Updates()))
	require.Equal(t, []milvuswait.Update{{Target: vidx, Polls: 1}}, o.Updates(milvuswait.IndexBuilding("docs", "vidx")))
	require.Empty(t, new(fake.Observer).Updates())
}
