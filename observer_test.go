package milvuswait_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
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

func TestWithObserver_Twice_CallsBoth(t *testing.T) {
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

// TestLog_CanceledOrAborted_IsAWarning shows that a canceled or aborted wait is logged as
// a warning. Only the target that failed by itself is logged as an error.
func TestLog_CanceledOrAborted_IsAWarning(t *testing.T) {
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

// lines is a writer for logs of waits at the same time.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count returns the number of lines with all of the words.
func (l *lines) count(words ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			n++
		}
	}
	return n
}

// TestLog_TwoWaitsAtOnce_WarnsAboutEach shares a log with a wait for an equal target that has
// failed for an hour, such as one on another cluster.
func TestLog_TwoWaitsAtOnce_WarnsAboutEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(lines)
		log := milvuswait.WithObserver(milvuswait.Log(slog.New(slog.NewTextHandler(out, nil))))
		wait := func(ctx context.Context, err error) {
			p := failing(func(int, time.Duration) error { return err })
			_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", log, milvuswait.WithUnreachableAfter(0))
			require.ErrorIs(t, err, ctx.Err())
		}

		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { wait(ctx, errors.New("cluster A is down")) })
		time.Sleep(time.Hour)
		soon, stop := context.WithTimeout(ctx, 4*time.Minute)
		defer stop()
		wait(soon, errors.New("cluster B is down"))
		cancel()
		group.Wait()

		require.Equal(t, 8, out.count("poll failed", "cluster B"))
	})
}

// abnormalEnds are waits for "docs". They end after an hour without a final update. Each runs
// on its own goroutine, and recovers panics.
var abnormalEnds = map[string]func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option){
	"a panic of the Poller": func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option) {
		_, _ = milvuswait.WaitForLoadingComplete(ctx, panicking{p, time.Now()}, "docs", o)
	},
	"a panic of the Poller in WaitAll": func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option) {
		_, _ = milvuswait.WaitAll(ctx, panicking{p, time.Now()}, []milvuswait.Target{milvuswait.Loading("docs")}, o)
	},
	"a panic of another observer": func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option) {
		_, _ = milvuswait.WaitForLoadingComplete(ctx, p, "docs", o, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Elapsed >= time.Hour {
				panic("boom")
			}
		})))
	},
	"a panic in the loop over Watch": func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option) {
		for u := range milvuswait.Watch(ctx, p, milvuswait.Loading("docs"), o) {
			if u.Elapsed >= time.Hour {
				panic("boom")
			}
		}
	},
	"t.FailNow in the loop over Watch": func(ctx context.Context, p milvuswait.Poller, o milvuswait.Option) {
		for u := range milvuswait.Watch(ctx, p, milvuswait.Loading("docs"), o) {
			if u.Elapsed >= time.Hour {
				runtime.Goexit() // as t.FailNow does
			}
		}
	},
}

// endAbnormally runs one of abnormalEnds.
func endAbnormally(ctx context.Context, wait func(context.Context, milvuswait.Poller, milvuswait.Option), p milvuswait.Poller, o milvuswait.Observer) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		wait(ctx, p, milvuswait.WithObserver(o))
	}()
	<-ended
}

// panicking is a Poller that panics from an hour after start on.
type panicking struct {
	milvuswait.Poller
	start time.Time
}

func (p panicking) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	if time.Since(p.start) >= time.Hour {
		panic("boom")
	}
	return p.Poller.LoadingProgress(ctx, collection, partitions...)
}

// TestLog_WaitAfterAbnormalEnd_WarnsAgain shows that a wait that ended without a final update
// does not silence the log of the next wait for an equal target.
func TestLog_WaitAfterAbnormalEnd_WarnsAgain(t *testing.T) {
	for name, end := range abnormalEnds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := new(lines)
				log := milvuswait.Log(slog.New(slog.NewTextHandler(out, nil)))
				endAbnormally(t.Context(), end, failing(func(_ int, at time.Duration) error {
					if at >= 58*time.Minute {
						return errors.New("before the end")
					}
					return nil
				}), log)
				require.NotZero(t, out.count("poll failed", "before the end"))

				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
				defer cancel()
				p := failing(func(int, time.Duration) error { return errBlip })
				_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(log))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 8, out.count("poll failed", errBlip.Error()))
			})
		})
	}
}

// TestOnChange_TwoWaitsAtOnce_PassesOnChangesOfEach runs two waits whose progress differs but
// never changes: only their first and their final updates are passed on.
func TestOnChange_TwoWaitsAtOnce_PassesOnChangesOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(fake.Observer)
		o := milvuswait.WithObserver(milvuswait.OnChange(seen))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		var group sync.WaitGroup
		for _, percent := range []int64{30, 40} {
			group.Go(func() { _, _ = milvuswait.WaitForLoadingComplete(ctx, percents(percent), "docs", o) })
		}
		group.Wait()

		require.Equal(t, 4, len(seen.Updates()))
	})
}

func TestOnChange_WaitAfterAbnormalEnd_PassesOnFirstUpdate(t *testing.T) {
	for name, end := range abnormalEnds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := new(recorder)
				o := milvuswait.OnChange(seen)
				endAbnormally(t.Context(), end, percents(40), o)
				seen.updates = nil

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40, 100), "docs", milvuswait.WithObserver(o))

				require.NoError(t, err)
				require.Len(t, seen.updates, 2)
				require.Equal(t, 1, seen.updates[0].Polls)
			})
		})
	}
}

// TestAsync_TwoWaitsAtOnce_KeepsLatestOfEach delivers to a sink that takes 20 s for an update,
// while two waits for equal targets stand at 30 % and 60 %.
func TestAsync_TwoWaitsAtOnce_KeepsLatestOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(recorder)
		slow := milvuswait.Async(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			seen.Observe(u)
			time.Sleep(20200 * time.Millisecond) // never at the time of a poll
		}))

		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		var group sync.WaitGroup
		for _, percent := range []int64{30, 60} {
			group.Go(func() {
				_, _ = milvuswait.WaitForLoadingComplete(ctx, percents(percent), "docs", every(time.Second), milvuswait.WithObserver(slow))
			})
			time.Sleep(500 * time.Millisecond)
		}
		group.Wait()
		slow.Wait()

		var got []string
		for _, u := range seen.updates {
			got = append(got, u.Progress.String())
		}
		require.Equal(t, []string{"30%", "60%", "30%", "60%", "30%"}, got)
		require.True(t, seen.updates[3].Final)
		require.True(t, seen.updates[4].Final)
	})
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
