package rpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// keys adds a token to each call, as the credentials of a connection do.
type keys struct{ token string }

func (k keys) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": k.token}, nil
}

func (keys) RequireTransportSecurity() bool { return false }

// TestTheAdapterPrintsNoSecret prints every value of a wait over a connection with
// credentials: Pollers, updates, outcomes and errors. None contains the token. A server
// that echoes the token is out of scope: the adapter does not know the credentials.
func TestTheAdapterPrintsNoSecret(t *testing.T) {
	const token = "db_0123456789abcdef"
	synctest.Test(t, func(t *testing.T) {
		told := 0
		s := &server{Loading: func(ctx context.Context, _ *loadingRequest) (*loadingResponse, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			require.Equal(t, []string{token}, md.Get("authorization"))
			if told++; told == 1 {
				return &loadingResponse{Status: &statusBody{}, Progress: 40}, nil
			}
			return nil, status.Error(codes.PermissionDenied, "not permitted")
		}}

		p := rpc.New(connect(t, s, grpc.WithPerRPCCredentials(keys{token})), rpc.WithDatabase("db"))
		var written []any
		see := milvuswait.ObserverFunc(func(u milvuswait.Update) { written = append(written, u, &u, u.Err, u.Progress) })

		outcomes, err := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{milvuswait.Loading("docs")}, milvuswait.WithObserver(see))

		require.Error(t, err)
		require.Greater(t, told, 2, "refused for 30 s")

		// Pollers with credentials in the call options, and over a stub.
		inCalls := rpc.New(connect(t, s), rpc.WithCallOptions(grpc.PerRPCCredentials(keys{token})))
		overStub := rpc.FromStub(calls{connect(t, s, grpc.WithPerRPCCredentials(keys{token}))}, rpc.WithCallOptions(grpc.PerRPCCredentials(keys{token})))

		for _, v := range append(written, p, *p, inCalls, *inCalls, overStub, *overStub, outcomes, outcomes[0], outcomes[0].Err, err) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
				require.NotContains(t, fmt.Sprintf(verb, v), token)
			}
			if b, err := json.Marshal(v); err == nil {
				require.NotContains(t, string(b), token)
			}
		}
	})
}

// calls is a generated client over conn.
type calls struct{ conn *grpc.ClientConn }

func (c calls) GetLoadingProgress(ctx context.Context, req *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
	return wire.GetLoadingProgress.Call(ctx, c.conn, req, opts...)
}

func (c calls) DescribeIndex(ctx context.Context, req *indexRequest, opts ...grpc.CallOption) (*indexResponse, error) {
	return wire.DescribeIndex.Call(ctx, c.conn, req, opts...)
}
