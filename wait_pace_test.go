package milvuswait_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/traces"
)

// TestPaceKeepsItsPromise replays traces of every family, and every recording of a real
// server, with the default pace. No wait returns early. Its lateness is at most two polls and
// 2 % of the time waited, the latter between 100 ms and 5 s.
func TestPaceKeepsItsPromise(t *testing.T) {
	for name, drawn := range map[string][]traces.Trace{
		"21 families":        traces.Draw(100, 1),
		"8 further families": traces.DrawFurther(100, 1),
		"57 recordings":      traces.Later(traces.Recorded(), 20, 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for i := range drawn {
					w, err := traces.Replay(&drawn[i], uint64(i))

					require.NoError(t, err)
					promise := 2*w.Slowest + min(5*time.Second, max(100*time.Millisecond, w.Took/50))
					name := fmt.Sprintf("%s, trace %d, %v", drawn[i].Family, i, w.Took)
					require.GreaterOrEqual(t, w.Late, time.Duration(0), "early: %s", name)
					require.LessOrEqual(t, w.Late, promise, "late: %s", name)
				}
			})
		})
	}
}

func TestLongWaitEndsWithinItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const took = 6 * time.Hour // longer than the 15 min after which cenkalti's generator stops by default
		p, start := loadAt(40, took), time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start)-took, 5*time.Second)
		require.Less(t, len(p.at), 6000)
	})
}

// TestPollsAreNotWithoutEnd bounds the polls of an hour in which the end seems near all the
// time and does not come. Polls every 100 ms would add up to 36 000.
func TestPollsAreNotWithoutEnd(t *testing.T) {
	const total = 1_000_000_000
	for _, tt := range []struct {
		name string
		left func(n int, at time.Duration) float64 // share left at the n-th poll
	}{
		{"stands at 99 % from the first second on", func(_ int, at time.Duration) float64 {
			return max(0.01, 1-at.Seconds())
		}},
		{"stands at 99.99 % after ten even minutes", func(_ int, at time.Duration) float64 {
			return max(0.0001, 1-at.Minutes()/10)
		}},
		{"halves the rest in every second", func(_ int, at time.Duration) float64 {
			return max(1e-9, math.Exp2(-at.Seconds()))
		}},
		{"halves the rest at every poll", func(n int, _ time.Duration) float64 {
			return max(1e-9, math.Exp2(-float64(n)))
		}},
		{"creeps by 0.001 % at every poll", func(n int, _ time.Duration) float64 {
			return max(1e-9, 0.1-1e-5*float64(n))
		}},
		{"rises to 99 % and falls back, poll by poll", func(n int, _ time.Duration) float64 {
			return []float64{0.5, 0.01}[n%2]
		}},
		{"falls to 0 and begins again every ten seconds", func(_ int, at time.Duration) float64 {
			return 1 - 0.99*math.Mod(at.Seconds(), 10)/10
		}},
	} {
		for _, target := range []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "")} {
			t.Run(tt.name+"/"+string(target.Kind()), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					polls, start := 0, time.Now()
					finished := func() float64 { polls++; return 1 - tt.left(polls, time.Since(start)) }
					p := milvuswait.PollerFuncs{
						Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
							return milvuswait.LoadingProgress{Percent: min(99, int64(100*finished()))}, nil
						},
						IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
							return rows(total, int64(total*finished()), inProgress), nil
						},
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()

					_, err := milvuswait.Wait(ctx, p, target)

					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.LessOrEqual(t, polls, 3000)
					require.Greater(t, polls, 700, "a poll every 5 s")
				})
			})
		}
	}
}

func TestOnePollAtATimeAndDelayFromItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := percents(0, 1, 2, 3, 4, 100)
		p.hang = func(context.Context, int) { time.Sleep(3 * time.Second) }

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.NoError(t, err)
		for i := 1; i < len(p.at); i++ {
			// A delay is at least as long as the poll before it: 3 s.
			require.GreaterOrEqual(t, p.at[i]-p.ended[i-1], 3*time.Second)
		}
	})
}

// TestAPauseIsFollowedByNoBurst stops a wait for ten minutes, as a stopped process or a
// sleeping laptop does. Afterwards each target has one poll, not one for each missed delay.
func TestAPauseIsFollowedByNoBurst(t *testing.T) {
	const pause, delay = 10 * time.Minute, time.Second
	pausing := func() milvuswait.Observer {
		var once sync.Once
		return milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Polls == 3 {
				once.Do(func() { time.Sleep(pause) })
			}
		})
	}

	inWindow := func(at []time.Time, from time.Time) (n int) {
		for _, t := range at {
			if d := t.Sub(from); d >= 0 && d < delay {
				n++
			}
		}
		return n
	}

	t.Run("one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), pause+time.Minute)
			defer cancel()
			p := percents(40)

			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(delay), milvuswait.WithObserver(pausing()))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			resumed := 2*delay + pause
			require.Equal(t, []time.Duration{0, delay, 2 * delay, resumed, resumed + delay}, p.at[:5])
		})
	})

	t.Run("many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), pause+time.Minute)
			defer cancel()

			p, targets := new(fake.Poller), collections(50)
			for _, target := range targets {
				p.Set(target, fake.LoadOver(time.Hour))
			}
			resumed := time.Now().Add(2*delay + pause)

			_, err := milvuswait.WaitAll(ctx, p, targets, constant(delay), milvuswait.WithObserver(pausing()))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, target := range targets {
				var at []time.Time
				for _, call := range p.Calls(target) {
					at = append(at, call.Time)
				}
				require.Equal(t, 1, inWindow(at, resumed), "%v", target)
				require.Equal(t, 1, inWindow(at, resumed.Add(delay)), "%v", target)
			}
		})
	})
}

// TestOutageWhileSettlingIsPolledAtThePace has an outage of almost a minute during the
// settle time. With fewer than 200 polls, the pace still applies.
func TestOutageWhileSettlingIsPolledAtThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			if at > 2*time.Second && at < time.Minute {
				return milvuswait.LoadingProgress{}, errBlip
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(10*time.Second))

		require.NoError(t, err)
		require.Less(t, len(p.at), 200)
	})
}

// TestSettleKeepsTheCallersDelays shows that custom delays and Max also apply during the
// settle time.
func TestSettleKeepsTheCallersDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := percents(100)
		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(100*time.Second), constant(time.Second))
		require.NoError(t, err)
		require.Len(t, p.at, 101)

		p = percents(100)
		_, err = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(10*time.Hour),
			milvuswait.WithBackoff(milvuswait.Backoff{Max: time.Second, Jitter: milvuswait.NoJitter}))
		require.NoError(t, err)
		for i := 1; i < len(p.at); i++ {
			require.LessOrEqual(t, p.at[i]-p.at[i-1], time.Second)
		}
	})
}

// BenchmarkPace reports the mean lateness and the mean number of polls of a wait, over the 21
// families of synthetic traces. It runs the real loop in virtual time:
//
//	go test -run '^$' -bench Pace -benchtime 1x .
func BenchmarkPace(b *testing.B) {
	settings := []struct {
		name string
		opts []milvuswait.Option
	}{
		{"default", nil},
		{"fixed 200 ms", []milvuswait.Option{constant(200 * time.Millisecond)}},
		{"plain exponential", []milvuswait.Option{
			milvuswait.WithBackoff(milvuswait.Backoff{Lateness: 1, IgnoreProgress: true}),
		}},
	}

	for _, s := range settings {
		for _, kind := range []string{"loads", "indexes"} {
			b.Run(s.name+"/"+kind, func(b *testing.B) {
				var late, polls, n float64
				for b.Loop() {
					inBubble(b, func(*testing.T) {
						for seed := range uint64(5) { // five draws, since one draw of 100 per family is off by 10 %
							drawn := traces.Draw(100, seed)
							for i := range drawn {
								if drawn[i].Index != (kind == "indexes") {
									continue
								}
								w, err := traces.Replay(&drawn[i], uint64(i), s.opts...)
								if err != nil {
									b.Error(err)
								}
								late, polls, n = late+w.Late.Seconds(), polls+float64(w.Polls), n+1
							}
						}
					})
				}

				b.ReportMetric(late/n, "s-late/wait")
				b.ReportMetric(polls/n, "polls/wait")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// inBubble runs f in virtual time. synctest.Test needs a *testing.T, so it runs a test.
func inBubble(b *testing.B, f func(t *testing.T)) {
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, f) }}}) {
		b.Fatal("the bubble failed")
	}
}

// TestWait_GeneratorReturnsTheLongestDelay_PollsOnce has delays that must not overflow the time
// of the next poll.
func TestWait_GeneratorReturnsTheLongestDelay_PollsOnce(t *testing.T) {
	never := milvuswait.WithBackoffFunc(func() func() time.Duration {
		return func() time.Duration { return math.MaxInt64 }
	})
	for name, wait := range map[string]func(context.Context, milvuswait.Poller) error{
		"alone": func(ctx context.Context, p milvuswait.Poller) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", never)
			return err
		},
		"among others": func(ctx context.Context, p milvuswait.Poller) error {
			_, err := milvuswait.WaitAll(ctx, p, collections(1), never)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				polls := 0
				p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
					polls++
					time.Sleep(time.Second)
					return milvuswait.LoadingProgress{Percent: 40}, nil
				}}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Hour, cancel)

				require.ErrorIs(t, wait(ctx, p), context.Canceled)
				require.Equal(t, 1, polls)
			})
		})
	}
}
