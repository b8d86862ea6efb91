package rpc_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestContextOfThePoll shows the error of a poll whose context ends, before or during the
// call: it matches the error of the context. A deadline of the server or of a proxy does
// not count as one of the context.
func TestContextOfThePoll(t *testing.T) {
	t.Parallel()
	eachPoll(t, func(t *testing.T, method string, poll func(context.Context, *rpc.Poller) error) {
		t.Run("ends during the call", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := failing(func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				})

				p := rpc.New(connect(t, s))

				// Cancel instead of a deadline: gRPC sends deadlines to the server, and the
				// server's report may arrive first.
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Minute, cancel)

				start := time.Now()

				err := poll(ctx, p)

				require.Equal(t, time.Minute, time.Since(start))
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, codes.Canceled, status.Code(err))
				require.EqualError(t, err, method+": canceled: context canceled")
			})
		})
		t.Run("is out of time", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				<-ctx.Done()

				err := poll(ctx, rpc.FromStub(answering(nil, status.FromContextError(ctx.Err()).Err())))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err))
				require.EqualError(t, err, method+": deadline exceeded: context deadline exceeded")
			})
		})
		t.Run("is done before", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{}
				p := rpc.New(connect(t, s))
				ctx, cancel := context.WithCancel(t.Context())
				cancel()

				err := poll(ctx, p)

				require.ErrorIs(t, err, context.Canceled)
				require.Empty(t, s.Calls())
			})
		})
		t.Run("ends while the server reports a failure", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()

			err := poll(ctx, rpc.FromStub(answering(&statusBody{Code: 100}, nil)))

			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, absentCollection(method) == milvuswait.ErrCollectionNotFound, errors.Is(err, milvuswait.ErrCollectionNotFound))
		})
		t.Run("goes on while the server's ends", func(t *testing.T) {
			t.Parallel()
			for _, code := range []codes.Code{codes.DeadlineExceeded, codes.Canceled} {
				err := poll(t.Context(), rpc.FromStub(answering(nil, status.Error(code, "proxy"))))

				requireClass(t, errTransient, err)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, context.Canceled)
			}
		})
	})
}

// TestPoll_RetryInterceptor_IsDisabled uses a connection with the retry interceptor of both
// Go SDKs. Its six retries would take 21.8 s and hide the server's reason, so each poll
// disables them.
func TestPoll_RetryInterceptor_IsDisabled(t *testing.T) {
	t.Parallel()
	eachPoll(t, func(t *testing.T, method string, poll func(context.Context, *rpc.Poller) error) {
		for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
			t.Run(code.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					busy := status.Error(code, "leader switch")
					s := failing(func(context.Context) error { return busy })

					p := rpc.New(connect(t, s, grpc.WithChainUnaryInterceptor(
						grpc_retry.UnaryClientInterceptor(
							grpc_retry.WithMax(6),
							grpc_retry.WithBackoff(func(attempt uint) time.Duration {
								return 60 * time.Millisecond * time.Duration(math.Pow(3, float64(attempt)))
							}),
							grpc_retry.WithCodes(codes.Unavailable, codes.ResourceExhausted),
						),
					)))

					start := time.Now()

					err := poll(t.Context(), p)

					require.Equal(t, code, status.Code(err))
					require.ErrorContains(t, err, "leader switch")
					require.Equal(t, []string{method}, s.Calls())
					require.Zero(t, time.Since(start))
				})
			})
		}
	})
}

// TestGetLoadState_AfterAFailure_IsNotRetried covers the only second RPC of a poll:
// GetLoadState, after a failure without a clear code. It is not retried either.
func TestGetLoadState_AfterAFailure_IsNotRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{
			Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) {
				return &loadingResponse{Status: &statusBody{ErrorCode: 1, Reason: "what?"}}, nil
			},
			State: func(context.Context, *stateRequest) (*stateResponse, error) {
				return nil, status.Error(codes.Unavailable, "leader switch")
			},
		}

		p := rpc.New(connect(t, s, grpc.WithChainUnaryInterceptor(
			grpc_retry.UnaryClientInterceptor(grpc_retry.WithMax(6)),
		)))

		_, err := p.LoadingProgress(t.Context(), "docs")

		requireClass(t, errTransient, err)
		require.EqualError(t, err, "GetLoadingProgress: what? (error code 1)")
		require.Equal(t, []string{loadingCall, stateCall}, s.Calls())
	})
}

// TestPoll_ClosedConnection_IsInvalid polls a closed connection, which the program does not
// open again.
func TestPoll_ClosedConnection_IsInvalid(t *testing.T) {
	t.Parallel()
	eachPoll(t, func(t *testing.T, _ string, poll func(context.Context, *rpc.Poller) error) {
		synctest.Test(t, func(t *testing.T) {
			conn := connect(t, &server{})
			require.NoError(t, conn.Close())

			err := poll(t.Context(), rpc.New(conn))

			requireClass(t, milvuswait.ErrInvalid, err)
			require.Equal(t, codes.Canceled, status.Code(err))
		})
	})
}
