package temporalwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// beats stores heartbeats in JSON, as Temporal does.
type beats struct {
	t    *testing.T
	at   []time.Time
	last []byte
}

func (b *beats) take(h Heartbeat) {
	var err error
	b.last, err = json.Marshal(h)
	require.NoError(b.t, err)
	b.at = append(b.at, time.Now())
}

// heartbeat returns the latest heartbeat.
func (b *beats) heartbeat() *Heartbeat {
	var h Heartbeat
	require.NoError(b.t, json.Unmarshal(b.last, &h))
	return &h
}

// loads returns the collections c0, c1 and so on, with the given load times in seconds.
func loads(seconds ...int) (*fake.Poller, []Target) {
	p := new(fake.Poller)
	var targets []milvuswait.Target
	for i, s := range seconds {
		t := milvuswait.Loading(fmt.Sprintf("c%d", i))
		p.Set(t, fake.LoadOver(time.Duration(s)*time.Second))
		targets = append(targets, t)
	}
	return p, On("", targets...)
}

func newAttempt(t *testing.T, p milvuswait.Poller, targets []Target) (*attempt, *beats) {
	b := &beats{t: t}
	return &attempt{poller: p, targets: targets, number: 1, beat: b.take, every: time.Second}, b
}

func TestAttempt_AfterALostOne_ResumesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(10, 60, 20, 80)
		a, b := newAttempt(t, p, append(targets, targets[0]))
		ctx, kill := context.WithTimeout(t.Context(), 30*time.Second)
		defer kill()
		_, _, err := a.run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		lost := b.heartbeat()
		require.Equal(t, 4, lost.Total)
		require.Equal(t, 2, lost.Done)
		require.InDelta(t, (1+0.5+1+0.375)/4, lost.Fraction, 0.05)
		polls := len(p.Calls())

		time.Sleep(10 * time.Second) // the time until Temporal notices the loss
		a, b = newAttempt(t, p, append(targets, targets[0]))
		a.before, a.number = lost, 2
		outcomes, last, err := a.run(t.Context())

		require.NoError(t, err)
		for _, call := range p.Calls()[polls:] {
			require.Contains(t, []string{"c1", "c3"}, call.Target.Collection(), "what was complete is not polled again")
		}
		require.Len(t, outcomes, 5)
		for i, seconds := range []float64{10, 60, 20, 80, 10} {
			require.NoError(t, outcomes[i].Err())
			require.Equal(t, Progress{milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 0}}, withoutRefresh(outcomes[i].Progress))
			require.InDelta(t, seconds, outcomes[i].ElapsedSeconds, 0.1+0.05*seconds, "from the beginning of the first attempt")
		}
		require.Equal(t, 4, last.Done)
		require.Equal(t, lost.Began, b.heartbeat().Began)
		require.Equal(t, 40*time.Second, b.heartbeat().ClocksSince.Sub(lost.Began))
		require.EqualValues(t, 2, b.heartbeat().Attempt)
	})
}

// withoutRefresh returns p without the refresh percentage.
func withoutRefresh(p Progress) Progress {
	if l, ok := p.Progress.(milvuswait.LoadingProgress); ok {
		l.RefreshPercent = 0
		return Progress{l}
	}
	return p
}

func TestAttempt_AfterALostOne_KeepsThePace(t *testing.T) {
	polls := func(t *testing.T, attempts int, b milvuswait.Backoff) (n int) {
		synctest.Test(t, func(t *testing.T) {
			p, targets := loads(600)
			var before *Heartbeat
			for range attempts - 1 {
				a, b2 := newAttempt(t, p, targets)
				a.before, a.backoff = before, b
				ctx, cancel := context.WithTimeout(t.Context(), 600*time.Second/time.Duration(attempts))
				_, _, err := a.run(ctx)
				cancel()
				require.ErrorIs(t, err, context.DeadlineExceeded)
				before = b2.heartbeat()
			}
			a, _ := newAttempt(t, p, targets)
			a.before, a.backoff = before, b
			start := time.Now()
			outcomes, _, err := a.run(t.Context())
			require.NoError(t, err)
			require.Less(t, outcomes[0].ElapsedSeconds, 600+0.02*600+1)
			require.Positive(t, time.Since(start))
			n = len(p.Calls())
		})
		return n
	}
	for _, b := range []milvuswait.Backoff{{}, {Lateness: 0.05}, {Max: time.Second}, {Lateness: 1, IgnoreProgress: true}, {Initial: 10 * time.Second}} {
		t.Run(fmt.Sprintf("%+v", b), func(t *testing.T) {
			undisturbed := polls(t, 1, b)
			require.Less(t, float64(polls(t, 4, b)), 1.3*float64(undisturbed)+8, "%d polls undisturbed", undisturbed)
		})
	}
}

func TestAttempt_InvalidBackoff_IsRefused(t *testing.T) {
	p, targets := loads(1)
	a, _ := newAttempt(t, p, targets)
	a.backoff, a.before = milvuswait.Backoff{Lateness: -1}, &Heartbeat{Began: time.Now().Add(-time.Hour)}

	_, _, err := a.run(t.Context())

	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	require.ErrorContains(t, err, "Backoff.Lateness: -1")
}

func TestHeartbeats_PollHangs_GoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40, 40, 100), time.Minute, 2))
		a, b := newAttempt(t, p, On("", milvuswait.Loading("docs")))
		a.own = []milvuswait.Option{milvuswait.WithPollTimeout(2*time.Minute, 2*time.Minute)}
		start := time.Now()

		_, _, err := a.run(t.Context())

		require.NoError(t, err)
		require.Greater(t, time.Since(start), time.Minute)
		require.Greater(t, len(b.at), 60)
		for i := 1; i < len(b.at); i++ {
			require.Equal(t, time.Second, b.at[i].Sub(b.at[i-1]))
		}
		require.Equal(t, "40%", b.heartbeat().Latest.Progress.String())
	})
}

func TestHeartbeats_Slow_DelayNoPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(10)
		a, _ := newAttempt(t, p, targets)
		a.beat = func(Heartbeat) { time.Sleep(8 * time.Second) }
		start, calls := time.Now(), 0

		_, _, err := a.run(t.Context())

		require.NoError(t, err)
		for _, c := range p.Calls() {
			if c.Time.Sub(start) < 8*time.Second {
				calls++
			}
		}
		require.Greater(t, calls, 40, "while the first heartbeat blocks")
	})
}

func TestAttempt_WorkerStops_IsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(10, 60)
		a, b := newAttempt(t, p, targets)
		stop := make(chan struct{})
		a.stop = stop
		time.AfterFunc(20*time.Second, func() { close(stop) })
		start := time.Now()

		outcomes, _, err := a.run(t.Context())

		require.EqualError(t, err, "interrupted: the worker stops")
		require.Equal(t, 20*time.Second, time.Since(start))
		require.Len(t, outcomes, 2)
		require.Equal(t, 1, b.heartbeat().Done, "the last heartbeat is up to date")
		require.Len(t, b.heartbeat().Ended, 1)
	})
}

func TestAttempt_PermanentFailures_AreNotPolledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(60, 60)
		p.Set(milvuswait.Loading("c0"), fake.LoadOver(time.Minute).FailAt(30, milvuswait.ErrLoadFailed))
		a, b := newAttempt(t, p, targets)
		a.continues = true
		stop := make(chan struct{})
		a.stop = stop
		time.AfterFunc(30*time.Second, func() { close(stop) })
		_, _, err := a.run(t.Context())
		require.EqualError(t, err, "interrupted: the worker stops")
		require.Equal(t, 1, b.heartbeat().Failed)

		a, _ = newAttempt(t, p, targets)
		a.continues, a.before = true, b.heartbeat()
		outcomes, _, err := a.run(t.Context())

		require.NoError(t, err)
		require.ErrorIs(t, outcomes[0].Err(), milvuswait.ErrLoadFailed)
		require.NoError(t, outcomes[1].Err())
	})
}

func TestAttempt_UnreachableTargets_AreLeftToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(10, 10)
		p.Set(milvuswait.Loading("c1"), fake.WithOutage(fake.LoadOver(10*time.Second), errors.New("connection refused"), 0, 10*time.Minute))
		a, b := newAttempt(t, p, targets)
		a.continues = true

		outcomes, _, err := a.run(t.Context())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NoError(t, outcomes[0].Err())
		require.ErrorIs(t, outcomes[1].Err(), milvuswait.ErrUnreachable)
		require.Len(t, b.heartbeat().Ended, 1)
		a, _ = newAttempt(t, p, targets)
		a.continues, a.before = true, b.heartbeat()
		time.Sleep(10 * time.Minute)
		outcomes, _, err = a.run(t.Context())
		require.NoError(t, err)
		require.NoError(t, outcomes[1].Err())
	})
}

func TestAttempt_StartGrace_CountsFromTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(10)
		p.Set(milvuswait.Loading("c0"), nil)
		a, b := newAttempt(t, p, targets)
		a.options.StartGrace = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		_, _, err := a.run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		a, _ = newAttempt(t, p, targets)
		a.options.StartGrace, a.before = time.Minute, b.heartbeat()
		start := time.Now()
		_, _, err = a.run(t.Context())

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.Equal(t, 20*time.Second, time.Since(start))
	})
}

// If a goroutine were left behind, the synctest bubble would not end.
func TestAttempt_Panics_EndsTheHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAttempt(t, milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			panic("a bug")
		}}, On("", milvuswait.Loading("docs")))

		require.PanicsWithError(t, "", func() {
			defer func() {
				require.ErrorContains(t, recover().(error), "a bug")
				panic(errors.New(""))
			}()
			_, _, _ = a.run(t.Context())
		})
	})
}

// The panic happens in the SDK, on the goroutine of the heartbeats.
func TestHeartbeats_Panic_InterruptsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := loads(60)
		a, _ := newAttempt(t, p, targets)
		start, n := time.Now(), 0
		a.beat = func(Heartbeat) {
			if n++; n > 3 {
				panic("no key")
			}
		}

		_, _, err := a.run(t.Context())

		require.EqualError(t, err, "interrupted: no heartbeat: no key")
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestAttempt_TwoClusters_IsRefused(t *testing.T) {
	_, targets := loads(1, 1)
	targets[1].Cluster = "eu"
	a, _ := newAttempt(t, nil, targets)

	err := a.check()

	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	require.EqualError(t, err, `target 2 of 2: invalid argument: it is on cluster "eu", others on "": an activity waits on one`)
}
