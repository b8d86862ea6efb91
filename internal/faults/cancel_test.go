package faults_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

var errWhy = errors.New("pod is going away")

func TestCancelDuringACall(t *testing.T) {
	inBubbles(t, func(ctx context.Context, n int) answer {
		if n == 2 {
			return hang(ctx)
		}
		return percent(40)
	}, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(errWhy) })
		start := time.Now()

		err := r.run(ctx)

		require.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errWhy)
		require.NotErrorIs(t, err, context.DeadlineExceeded)

		synctest.Wait()
		polls := r.server.seen()
		require.Len(t, polls, 2)
		require.ErrorIs(t, polls[1].gaveUp, context.Canceled)
		require.Equal(t, 3*time.Second, polls[1].ended, "the cancellation reaches the server at once")
	})
}

func TestCancelBetweenCalls(t *testing.T) {
	inBubbles(t, func(context.Context, int) answer { return percent(40) }, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Second+500*time.Millisecond, func() { cancel(errWhy) })
		start := time.Now()

		err := r.run(ctx, steadily(10*time.Second))

		require.Equal(t, 10*time.Second+500*time.Millisecond, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errWhy)
		time.Sleep(time.Minute)
		require.Len(t, r.server.seen(), 2)
	})
}

func TestWait_ContextHasEnded_MakesNoRequest(t *testing.T) {
	inBubbles(t, func(context.Context, int) answer { return percent(100) }, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errWhy)

		err := r.run(ctx)

		require.ErrorIs(t, err, errWhy)
		var ended *milvuswait.Error
		require.ErrorAs(t, err, &ended)
		require.Zero(t, ended.Polls)
		require.Empty(t, r.server.Calls())
	})
}

// TestClient_ClosedDuringAWait_EndsIt closes the client of a wait. It never comes back, so
// the wait fails permanently: at once during a call, or at its next poll.
func TestClient_ClosedDuringAWait_EndsIt(t *testing.T) {
	tests := []struct {
		name   string
		answer func(context.Context, int) answer
		took   time.Duration
	}{
		{"between calls", func(context.Context, int) answer { return percent(40) }, 20 * time.Second},
		{"during a call", func(ctx context.Context, n int) answer {
			if n == 2 {
				return hang(ctx)
			}
			return percent(40)
		}, 15 * time.Second},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubbles(t, tt.answer, func(t *testing.T, r *rig) {
				time.AfterFunc(15*time.Second, func() { _ = r.conn.Close() })
				start := time.Now()

				err := r.run(t.Context(), steadily(10*time.Second))
				synctest.Wait() // until Close has returned

				milvustest.RequireClass(t, milvuswait.ErrInvalid, err)
				require.NotErrorIs(t, err, context.Canceled)
				require.Equal(t, codes.Canceled, status.Code(err))
				require.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}
