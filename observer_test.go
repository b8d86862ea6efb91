package milvuswait_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestOneUpdateAPollAndOneFinal(t *testing.T) {
	tests := []struct {
		name  string
		p     *probe
		polls int
		extra int // a final update without a poll
		want  error
	}{
		{"success", percents(0, 40, 100), 3, 0, nil},
		{"failure", failing(func(n int, _ time.Duration) error {
			switch n {
			case 2:
				return errBlip
			case 4:
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		}), 4, 0, milvuswait.ErrCollectionNotFound},
		{"deadline between polls", percents(40), 6, 1, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				seen := &recorder{}

				_, err := milvuswait.WaitForLoadingComplete(ctx, tt.p, "docs", constant(time.Second), milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, tt.want)
				require.Len(t, seen.updates, tt.polls+tt.extra)
				for i, u := range seen.updates {
					require.Equal(t, milvuswait.Loading("docs"), u.Target)
					require.Equal(t, min(i+1, tt.polls), u.Polls)
					require.Equal(t, i == len(seen.updates)-1, u.Final)
				}
				require.Equal(t, err, seen.last().Err)
			})
		})
	}
}

func TestUpdateOfAToleratedFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		p := &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			if n == 2 {
				return milvuswait.LoadingProgress{}, errors.Join(errBlip, errors.New("\x1b[2J"+strings.Repeat("x", 1<<20)))
			}
			return milvuswait.LoadingProgress{Percent: int64(n * 25)}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		u := seen.updates[1]
		require.ErrorIs(t, u.Err, errBlip)
		require.Equal(t, milvuswait.LoadingProgress{Percent: 25}, u.Progress)
		require.Less(t, len(u.Err.Error()), 1100)
		require.NotContains(t, u.Err.Error(), "\x1b")
		require.NoError(t, seen.updates[2].Err)
	})
}

func TestETA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 1 % a second from 10 s on.
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: int64(max(0, at-10*time.Second) / time.Second)}, nil
		}}
		seen := &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		for _, u := range seen.updates {
			switch {
			case u.Elapsed < 11*time.Second:
				require.Zero(t, u.ETA, "at %v", u.Elapsed)
			case u.Elapsed > 30*time.Second && !u.Final:
				require.InDelta(t, 110*time.Second-u.Elapsed, u.ETA, float64(5*time.Second), "at %v", u.Elapsed)
			}
		}
		require.Zero(t, seen.last().ETA)
	})
}

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

func TestObserversInTurn(t *testing.T) {
	var order []string
	note := func(name string) milvuswait.Observer {
		return milvuswait.ObserverFunc(func(milvuswait.Update) { order = append(order, name) })
	}

	milvuswait.Observers(note("a"), nil, note("b")).Observe(milvuswait.Update{})

	require.Equal(t, []string{"a", "b"}, order)
}

func TestOnChange(t *testing.T) {
	seen := &recorder{}
	o := milvuswait.OnChange(seen)
	send := func(target milvuswait.Target, percent int64, err error, final bool) {
		o.Observe(milvuswait.Update{Target: target, Progress: milvuswait.LoadingProgress{Percent: percent}, Err: err, Final: final})
	}
	docs, images := milvuswait.Loading("docs"), milvuswait.Loading("images")

	send(docs, 0, nil, false)      // new
	send(docs, 0, nil, false)      // the same
	send(images, 0, nil, false)    // new
	send(docs, 10, nil, false)     // another progress
	send(docs, 10, errBlip, false) // begins to fail
	send(docs, 10, errBlip, false) // the same
	send(docs, 10, nil, false)     // succeeds again
	send(docs, 10, nil, true)      // final
	send(docs, 10, nil, false)     // a new wait

	require.Len(t, seen.updates, 7)
}

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
		// 1 % a second, a standstill from 25 s to 95 s, an outage of 40 s in it.
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
			require.Len(t, seen.updates, 2) // the first and, of all that came meanwhile, the last
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
			for i := range 4 { // two waits for one target, one after the other
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

func TestWatch(t *testing.T) {
	t.Run("to the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			var got []string
			for u, err := range milvuswait.Watch(t.Context(), percents(0, 40, 100), milvuswait.Loading("docs"), milvuswait.WithObserver(seen)) {
				require.NoError(t, err)
				got = append(got, u.Progress.String())
				require.Equal(t, u, seen.last())
			}
			require.Equal(t, []string{"0%", "40%", "100%"}, got)
			require.True(t, seen.last().Final)
		})
	})
	t.Run("failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := failing(func(n int, _ time.Duration) error {
				switch n {
				case 2:
					return errBlip
				case 4:
					return milvuswait.ErrCollectionNotFound
				}
				return nil
			})
			var errs, tolerated []error
			for u, err := range milvuswait.Watch(t.Context(), p, milvuswait.Loading("docs")) {
				errs = append(errs, err)
				if !u.Final && u.Err != nil {
					tolerated = append(tolerated, u.Err)
				}
			}
			require.Equal(t, []error{nil, nil, nil}, errs[:3])
			require.ErrorIs(t, errs[3], milvuswait.ErrCollectionNotFound)
			require.Len(t, errs, 4)
			require.Len(t, tolerated, 1)
			require.ErrorIs(t, tolerated[0], errBlip)
		})
	})
	t.Run("left early", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := percents(40)
			for u := range milvuswait.Watch(t.Context(), p, milvuswait.Loading("docs")) {
				if u.Polls == 3 {
					break
				}
			}
			require.Len(t, p.at, 3)
		})
	})
	t.Run("left at the deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var last error
			for _, err := range milvuswait.Watch(ctx, percents(40), milvuswait.Loading("docs")) {
				last = err
			}
			require.ErrorIs(t, last, context.DeadlineExceeded)
		})
	})
	t.Run("the observer is told that it was left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			for range milvuswait.Watch(t.Context(), percents(40), milvuswait.Loading("docs"), milvuswait.WithObserver(seen)) {
				break
			}
			require.Len(t, seen.updates, 2)
			require.True(t, seen.last().Final)
			require.ErrorIs(t, seen.last().Err, milvuswait.ErrAborted)
		})
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
