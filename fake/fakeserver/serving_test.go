package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var (
	starting = status.Error(codes.Unavailable, "starting")
	notReady = &milvuswait.ServerError{Code: 1, LegacyCode: 56, Reason: "service not ready[Initializing]"}
)

func TestServing_Script_DecidesEveryCall(t *testing.T) {
	for _, dialect := range allDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect})
				srv.AddCollection("docs")
				srv.Set(milvuswait.Serving(), fake.Steps(
					fake.Step{Err: starting, Delay: time.Second},
					fake.Step{Err: notReady},
					fake.Step{Progress: milvuswait.ServingProgress{}, Delay: time.Minute},
				))
				begin := time.Now()

				_, err := wire.GetVersion.Call(t.Context(), c, &wire.GetVersionRequest{})
				require.Equal(t, codes.Unavailable, status.Code(err))
				require.Equal(t, time.Second, time.Since(begin))
				require.Equal(t, body{56, 1, "service not ready[Initializing]"}, of(inMemory(t, c).GetStatus()))
				require.Equal(t, ok, of(inMemory(t, c).GetStatus()))
				require.Equal(t, time.Second+time.Minute, time.Since(begin))

				srv.In("tenant").Set(milvuswait.Serving(), fake.Steps(fake.Step{Err: starting}))
				_, err = load(t.Context(), c, "docs")
				require.Equal(t, codes.Unavailable, status.Code(err), "it is the script of the whole server")
				srv.Set(milvuswait.Serving(), nil)
				require.Equal(t, ok, of(inMemory(t, c).GetStatus()))
				require.Equal(t, 5, srv.Count(fakeserver.AnyMethod))
			})
		})
	}
}

func TestServing_FaultOfTheCall_ComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Serving(), fake.Steps(fake.Step{Err: starting, Delay: time.Second}))
		srv.Fail("GetVersion", fakeserver.Slow(time.Second), fakeserver.Refuse(codes.Internal, "oops"))
		begin := time.Now()

		_, err := wire.GetVersion.Call(t.Context(), c, &wire.GetVersionRequest{})

		require.Equal(t, codes.Internal, status.Code(err))
		require.Equal(t, 2*time.Second, time.Since(begin))
	})
}

// TestServingWait_OverTheWire waits for a server that needs 30 s to start.
func TestServingWait_OverTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const needs = 30 * time.Second
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Serving(), fake.ScriptFunc(func(_ int, elapsed time.Duration) fake.Step {
			if elapsed < needs {
				return fake.Step{Err: starting}
			}
			return fake.Step{Progress: milvuswait.ServingProgress{}}
		}))
		p := milvuswait.PollerFuncs{Server: func(ctx context.Context) error {
			_, err := wire.ShowCollections.Call(ctx, c, &wire.ShowCollectionsRequest{})
			return err
		}}
		begin := time.Now()

		_, err := milvuswait.Wait(t.Context(), p, milvuswait.Serving())

		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(begin), needs)
		require.Less(t, time.Since(begin), needs+6*time.Second)
	})
}
