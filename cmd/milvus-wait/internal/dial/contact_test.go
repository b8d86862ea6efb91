package dial_test

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

// TestContact_CanceledCallOfTheSamePoll_KeepsTheFailure has a poll of an index: its GetVersion is
// canceled when its DescribeIndex has failed.
func TestContact_CanceledCallOfTheSamePoll_KeepsTheFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := endpoint(t, listener.Addr().String())
	require.NoError(t, listener.Close())
	conn := open(t, dial.Config{Endpoint: e})
	ctx, contact := dial.WithContact(t.Context())

	require.Error(t, version(ctx, conn))
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorContains(t, version(canceled, conn), "canceled")

	require.Equal(t, codes.Unavailable, contact.Failure().Code())
	require.Contains(t, contact.Failure().Message(), "connection refused")
}
