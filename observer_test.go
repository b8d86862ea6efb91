package milvuswait_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestSlowObserverIsNotAddedToTheDelay shows that the delay includes the time of the
// observer: polls stay one second apart.
func TestSlowObserverIsNotAddedToTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := percents(0, 10, 20, 30, 100)
		slow := milvuswait.ObserverFunc(func(milvuswait.Update) { time.Sleep(700 * time.Millisecond) })

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", constant(time.Second), milvuswait.WithObserver(slow))

		require.NoError(t, err)
		s := time.Second
		require.Equal(t, []time.Duration{0, s, 2 * s, 3 * s, 4 * s}, p.at)
	})
}

// TestObserverMayCancelAndWait runs another wait inside an observer, and cancels its own
// wait. Neither deadlocks.
func TestObserverMayCancelAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var inner error
		o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Polls == 3 && !u.Final {
				_, inner = milvuswait.WaitForLoadingComplete(ctx, percents(0, 100), "other")
				cancel()
			}
		})
		p := percents(40)

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(o))

		require.NoError(t, inner)
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, p.at, 3)
	})
}

func TestEveryObserverGivenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		note := func(name string) milvuswait.Option {
			return milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
				told = append(told, name+" "+u.Progress.String())
			}))
		}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40, 100), "docs", note("first"), note("second"), note("third"))

		require.NoError(t, err)
		require.Equal(t, []string{"first 40%", "second 40%", "third 40%", "first 100%", "second 100%", "third 100%"}, told)
	})
}

func TestObserversInTurn(t *testing.T) {
	var order []string
	note := func(name string) milvuswait.Observer {
		return milvuswait.ObserverFunc(func(milvuswait.Update) { order = append(order, name) })
	}

	milvuswait.Observers(note("a"), nil, note("b")).Observe(milvuswait.Update{})

	require.Equal(t, []string{"a", "b"}, order)
}

// TestOnChange sends nine updates. Seven are passed on: all but the two without a change.
func TestOnChange(t *testing.T) {
	seen := &recorder{}
	o := milvuswait.OnChange(seen)
	send := func(target milvuswait.Target, percent int64, err error, final bool) {
		o.Observe(milvuswait.Update{Target: target, Progress: milvuswait.LoadingProgress{Percent: percent}, Err: err, Final: final})
	}
	docs, images := milvuswait.Loading("docs"), milvuswait.Loading("images")

	send(docs, 0, nil, false)      // new target
	send(docs, 0, nil, false)      // same progress
	send(images, 0, nil, false)    // new target
	send(docs, 10, nil, false)     // other progress
	send(docs, 10, errBlip, false) // first failure
	send(docs, 10, errBlip, false) // same failure
	send(docs, 10, nil, false)     // success again
	send(docs, 10, nil, true)      // final update
	send(docs, 10, nil, false)     // new wait

	require.Len(t, seen.updates, 7)
}

// TestLog shows the log of a wait with polls every second. Progress is logged in steps of
// 10 %, a failure when it starts. Each is repeated if it lasts.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))

	synctest.Test(t, func(t *testing.T) {
		// The load gains 1 % per second until 25 s, stands still until 95 s, and then is
		// complete. The server fails from 30 s to 70 s.
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			second := int64(at / time.Second)
			switch {
			case second < 25:
				return milvuswait.LoadingProgress{Percent: second}, nil
			case second >= 30 && second < 70:
				return milvuswait.LoadingProgress{}, errBlip
			case second < 95:
				return milvuswait.LoadingProgress{Percent: 25}, nil
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithPartitions("eu", "us"),
			constant(time.Second), milvuswait.WithObserver(milvuswait.Log(logger)))

		require.NoError(t, err)
	})

	const of = ` op=loading collection=docs partitions=eu,us progress=`
	require.Equal(t, strings.Join([]string{
		`level=INFO msg="milvuswait: waiting"` + of + `0% polls=1 elapsed=0s`,
		`level=INFO msg="milvuswait: progress"` + of + `10% polls=11 elapsed=10s eta=1m30s`,
		`level=INFO msg="milvuswait: progress"` + of + `20% polls=21 elapsed=20s eta=1m20s`,
		`level=WARN msg="milvuswait: poll failed"` + of + `25% polls=31 elapsed=30s err="connection refused"`,
		`level=WARN msg="milvuswait: poll failed"` + of + `25% polls=61 elapsed=1m0s err="connection refused"`,
		`level=INFO msg="milvuswait: progress"` + of + `25% polls=91 elapsed=1m30s eta=4m30s`,
		`level=INFO msg="milvuswait: complete"` + of + `100% polls=96 elapsed=1m35s`, ""}, "\n"), out.String())
}

func TestLogOfAFailure(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	p := milvuswait.PollerFuncs{IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
		return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
	}}

	_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithIndex("vidx"),
		milvuswait.WithObserver(milvuswait.Log(logger)))

	require.Error(t, err)
	require.Contains(t, out.String(), `level=ERROR msg="milvuswait: failed" op=index_building collection=docs index=vidx polls=1`)
	require.Contains(t, out.String(), "index not found")
}

// TestLogOfWhatWasGivenUp shows that a canceled or aborted wait is logged as a warning. Only
// the target that failed by itself is logged as an error.
func TestLogOfWhatWasGivenUp(t *testing.T) {
	var out bytes.Buffer
	log := milvuswait.WithObserver(milvuswait.Log(slog.New(slog.NewTextHandler(&out, nil))))

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(40), "docs", log)
		require.ErrorIs(t, err, context.Canceled)

		_, err = milvuswait.WaitAll(t.Context(), &gauge{answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				return milvuswait.LoadingProgress{}, milvuswait.ErrNotLoaded
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}}, collections(2), log)
		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
	})

	require.Contains(t, out.String(), `level=WARN msg="milvuswait: given up" op=loading collection=docs`)
	require.Contains(t, out.String(), `level=ERROR msg="milvuswait: failed" op=loading collection=c0`)
	require.Contains(t, out.String(), `level=WARN msg="milvuswait: given up" op=loading collection=c1`)
}

func TestAsync(t *testing.T) {
	t.Run("a slow sink holds nothing up and gets the final update", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen, start := &recorder{}, time.Now()
			slow := milvuswait.Async(milvuswait.ObserverFunc(func(u milvuswait.Update) {
				time.Sleep(30 * time.Second)
				seen.Observe(u)
			}))

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), loadAt(40, 5*time.Second), "docs",
				constant(time.Second), milvuswait.WithObserver(slow))

			require.NoError(t, err)
			require.Equal(t, 5*time.Second, time.Since(start))
			slow.Wait()
			require.Equal(t, time.Minute, time.Since(start))
			require.Len(t, seen.updates, 2) // the first update, and the latest one after it
			require.Equal(t, 1, seen.updates[0].Polls)
			require.True(t, seen.last().Final)
		})
	})

	t.Run("no final update is dropped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			slow := milvuswait.Async(milvuswait.ObserverFunc(func(u milvuswait.Update) {
				time.Sleep(time.Second)
				seen.Observe(u)
			}))

			docs := milvuswait.Loading("docs")
			for i := range 4 { // two waits for one target in turn, two updates each
				slow.Observe(milvuswait.Update{Target: docs, Polls: i, Final: i%2 == 1})
			}
			slow.Wait()

			finals := 0
			for _, u := range seen.updates {
				if u.Final {
					finals++
				}
			}

			require.Equal(t, 2, finals)
		})
	})

	t.Run("a panic of the sink reaches the caller", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := milvuswait.Async(milvuswait.ObserverFunc(func(milvuswait.Update) { panic("boom") }))
			o.Observe(milvuswait.Update{})
			require.PanicsWithValue(t, "boom", o.Wait)
			require.PanicsWithValue(t, "boom", func() { o.Observe(milvuswait.Update{}) })
		})
	})
	t.Run("nil", func(t *testing.T) {
		require.Panics(t, func() { milvuswait.Async(nil) })
	})
}

// TestAsyncSinkThatEndsItsGoroutine shows that Wait panics if the sink calls runtime.Goexit,
// instead of waiting forever.
func TestAsyncSinkThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := milvuswait.Async(milvuswait.ObserverFunc(func(milvuswait.Update) { runtime.Goexit() }))
		o.Observe(milvuswait.Update{})
		require.Panics(t, o.Wait)
	})
}
