package dial_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// doorman is a server that answers no call before a number of them has arrived, and refuses
// those without its token.
type doorman struct {
	token   string
	arrived sync.WaitGroup
	calls   atomic.Int64
	most    int64 // calls to wait for
}

func (d *doorman) GetVersion(ctx context.Context, _ *wire.GetVersionRequest) (*wire.GetVersionResponse, error) {
	if d.calls.Add(1) <= d.most {
		d.arrived.Done()
		d.arrived.Wait()
	}
	md, _ := metadata.FromIncomingContext(ctx)
	token, _ := base64.StdEncoding.DecodeString(strings.Join(md.Get("authorization"), ""))
	if string(token) != d.token {
		return nil, status.Error(codes.Unauthenticated, "auth check failure")
	}
	return &wire.GetVersionResponse{Status: &wire.Status{}}, nil
}

func (d *doorman) serve(t *testing.T, calls int) dial.Endpoint {
	t.Helper()
	d.most = int64(calls)
	d.arrived.Add(calls)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	wire.Register(server, wire.GetVersion.Serve(d.GetVersion))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return endpoint(t, listener.Addr().String())
}

func version(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{})
	return err
}

func TestOpen_ManyCallsRefusedAtOnce_RenewsOnce(t *testing.T) {
	const calls = 32
	d := &doorman{token: "root:after22"}
	var renewed atomic.Int64
	conn := open(t, dial.Config{Endpoint: d.serve(t, calls), Token: token, Renew: func(context.Context) (secret.Token, error) {
		renewed.Add(1)
		return "root:after22", nil
	}})

	errs := make([]error, calls)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = version(t.Context(), conn) })
	}
	group.Wait()

	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, 1, renewed.Load())
	require.EqualValues(t, 2*calls, d.calls.Load())
}

func TestOpen_Refused_RenewsUntilUnchanged(t *testing.T) {
	tests := []struct {
		name   string
		tokens []secret.Token // results of renew; then an error
		calls  int64
		code   codes.Code
	}{
		{"unchanged", []secret.Token{token}, 1, codes.Unauthenticated},
		{"unreadable", nil, 1, codes.Unauthenticated},
		{"changed, and refused too", []secret.Token{"root:second22", "root:second22"}, 2, codes.Unauthenticated},
		{"changed twice", []secret.Token{"root:second22", "root:after22"}, 3, codes.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &doorman{token: "root:after22"}
			conn := open(t, dial.Config{Endpoint: d.serve(t, 0), Token: token, Renew: func(context.Context) (secret.Token, error) {
				if len(tt.tokens) == 0 {
					return "", errors.New("no such file")
				}
				next := tt.tokens[0]
				tt.tokens = tt.tokens[1:]
				return next, nil
			}})

			err := version(t.Context(), conn)

			require.Equal(t, tt.code, status.Code(err))
			require.Equal(t, tt.calls, d.calls.Load())
		})
	}
}

// TestOpen_RenewHangs_EndsWithContext has a file on a file system that hangs.
func TestOpen_RenewHangs_EndsWithContext(t *testing.T) {
	d := &doorman{token: "root:after22"}
	conn := open(t, dial.Config{Endpoint: d.serve(t, 0), Token: token, Renew: func(ctx context.Context) (secret.Token, error) {
		<-ctx.Done()
		return "", context.Cause(ctx)
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()

	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { _ = version(ctx, conn) })
	}
	group.Wait()

	require.Error(t, ctx.Err())
}
