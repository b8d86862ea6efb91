package temporalwait

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// cluster is a Lister whose collections all load at the same speed.
type cluster struct {
	start time.Time
	over  time.Duration
	takes time.Duration // duration of a list call

	mu     sync.Mutex
	began  []time.Duration // start times of the list calls
	panics bool
}

func (c *cluster) percent() int64 { return int64(min(100, 100*time.Since(c.start)/c.over)) }

func (c *cluster) LoadingProgress(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
	return milvuswait.LoadingProgress{Percent: c.percent()}, nil
}

func (c *cluster) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
}

func (c *cluster) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	c.mu.Lock()
	c.began = append(c.began, time.Since(c.start))
	panics := c.panics
	c.mu.Unlock()
	percent := c.percent()
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if panics {
		panic("a bug")
	}
	all := make(map[string]milvuswait.LoadingProgress)
	for i := range 1000 {
		all[fmt.Sprintf("c%d", i)] = milvuswait.LoadingProgress{Percent: percent}
	}
	return all, nil
}

// waitInChunks waits for the collections, split into the given number of chunks, and returns
// the time at which the wait of each chunk returned.
func (c *cluster) waitInChunks(t *testing.T, chunks int) (ended []time.Duration) {
	var a Activities
	var group sync.WaitGroup
	ended = make([]time.Duration, chunks)
	for i := range chunks {
		group.Go(func() {
			time.Sleep(time.Duration(i) * 77 * time.Millisecond) // the waits start at different times
			var targets []milvuswait.Target
			for j := range 10 {
				targets = append(targets, milvuswait.Loading(fmt.Sprintf("c%d", 10*i+j)))
			}
			_, err := milvuswait.WaitAll(t.Context(), a.shared("", c, time.Now()), targets)
			require.NoError(t, err)
			ended[i] = time.Since(c.start)
		})
	}
	group.Wait()
	return ended
}

func TestLists_ChunksOfAWorker_ShareThem(t *testing.T) {
	lists := func(t *testing.T, chunks int) (n int) {
		synctest.Test(t, func(t *testing.T) {
			c := &cluster{start: time.Now(), over: 5 * time.Minute, takes: 20 * time.Millisecond}

			for _, end := range c.waitInChunks(t, chunks) {
				require.GreaterOrEqual(t, end, c.over, "never early")
				require.Less(t, end, c.over+c.over*3/100+100*time.Millisecond, "2 % of the pace, and half of it again")
			}

			n = len(c.began)
		})
		return n
	}
	one, ten, hundred := lists(t, 1), lists(t, 10), lists(t, 100)

	require.Less(t, ten, 5*one/2, "%d for one chunk", one)
	require.Less(t, hundred, 3*one, "%d for one chunk", one)
}

func TestLists_OlderThanTheWait_AreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{start: time.Now(), over: time.Minute, takes: 30 * time.Millisecond}
		var a Activities
		first := a.shared("", c, time.Now()).(milvuswait.Lister)
		go func() { _, _ = first.ListLoading(t.Context()) }()
		time.Sleep(10 * time.Millisecond)

		second := a.shared("", c, time.Now()).(milvuswait.Lister)
		_, err := second.ListLoading(t.Context())

		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 10 * time.Millisecond}, c.began)
	})
}

func TestLists_UsedOnce_AreNotUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{start: time.Now(), over: time.Minute, takes: time.Millisecond}
		var a Activities
		p := a.shared("", c, time.Now().Add(-time.Hour)).(milvuswait.Lister)
		time.Sleep(time.Millisecond)
		for range 3 {
			_, err := p.ListLoading(t.Context())
			require.NoError(t, err)
		}

		require.Len(t, c.began, 3)
	})
}

func TestLists_SlowCall_IsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{start: time.Now(), over: time.Minute, takes: 10 * time.Second}
		var a Activities
		began := time.Now()
		var views []milvuswait.Lister
		for range 5 {
			views = append(views, a.shared("", c, began).(milvuswait.Lister))
		}
		time.Sleep(time.Millisecond)
		var group sync.WaitGroup
		for i, v := range views {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				_, err := v.ListLoading(t.Context())
				require.NoError(t, err)
			})
		}
		group.Wait()

		require.Len(t, c.began, 1)
	})
}

// The wait that makes a list call may end while others wait for the result.
func TestLists_CutCall_IsRepeated(t *testing.T) {
	for name, cut := range map[string]func(c *cluster, cancel func()){
		"by a cancel": func(_ *cluster, cancel func()) { cancel() },
		"by a panic": func(c *cluster, _ func()) {
			c.mu.Lock()
			c.panics = true
			c.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cluster{start: time.Now(), over: time.Minute, takes: time.Second}
				var a Activities
				maker, other := a.shared("", c, time.Now()).(milvuswait.Lister), a.shared("", c, time.Now()).(milvuswait.Lister)
				time.Sleep(time.Millisecond)
				ctx, cancel := context.WithCancel(t.Context())
				cut(c, func() { time.AfterFunc(500*time.Millisecond, cancel) })
				go func() {
					defer func() { _ = recover() }()
					_, err := maker.ListLoading(ctx)
					require.ErrorIs(t, err, context.Canceled)
				}()
				time.Sleep(time.Millisecond)
				c.mu.Lock()
				c.panics = false
				c.mu.Unlock()

				all, err := other.ListLoading(t.Context())

				require.NoError(t, err)
				require.Len(t, all, 1000)
				require.Len(t, c.began, 2)
				cancel()
			})
		})
	}
}

func TestLists_WaitingForACall_EndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{start: time.Now(), over: time.Minute, takes: 10 * time.Second}
		var a Activities
		maker, other := a.shared("", c, time.Now()).(milvuswait.Lister), a.shared("", c, time.Now()).(milvuswait.Lister)
		time.Sleep(time.Millisecond)
		go func() { _, _ = maker.ListLoading(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		_, err := other.ListLoading(ctx)

		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(10 * time.Second)
	})
}

// TestShared_PollerThatLists_GetsAView checks that only a Poller that lists loads is
// wrapped. A wait must find the other optional interfaces of the Poller behind the view.
func TestShared_PollerThatLists_GetsAView(t *testing.T) {
	var a Activities
	plain := struct{ milvuswait.Poller }{&cluster{}}
	require.Equal(t, milvuswait.Poller(plain), a.shared("", plain, time.Now()))

	p := milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, nil
		},
		LoadState: func(context.Context, string, ...string) error { return milvuswait.ErrNotLoaded },
	}
	v := a.shared("", p, time.Now())
	require.IsType(t, &view{}, v)
	_, err := milvuswait.WaitForLoadingComplete(t.Context(), v, "docs")
	require.ErrorContains(t, err, "not loaded")
}
