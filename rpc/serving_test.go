package rpc_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestCheckServer_AsksForTheCollectionsInMemory shows that the database of the Poller is
// neither in the request nor in a header.
func TestCheckServer_AsksForTheCollectionsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got *listRequest
		var header []string
		s := &server{List: func(ctx context.Context, req *listRequest) (*listResponse, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			got, header = req, md.Get("dbname")
			return &listResponse{Status: ok, CollectionNames: []string{"docs"}}, nil
		}}

		require.NoError(t, rpc.New(connect(t, s), rpc.WithDatabase("db")).CheckServer(t.Context()))

		require.True(t, proto.Equal(&listRequest{Type: wire.ShowType_InMemory}, got), "%v", got)
		require.Empty(t, header)
		require.Equal(t, []string{listCall}, s.Calls())
	})
}

// TestCheckServer_Failures shows that a missing database counts as an answer of the server,
// and that no failure is about an object.
func TestCheckServer_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		err    error
		want   error
	}{
		{"no database, 2.2.16", &statusBody{ErrorCode: 1, Reason: "ShowCollections failed: database:nodb not found"}, nil, nil},
		{"no database, 2.3.5", &statusBody{Code: 800, ErrorCode: 1, Reason: "database not found[database=nodb]"}, nil, nil},
		{"no database, milvus-lite", &statusBody{Code: 1, Reason: "database 'nodb' does not exist"}, nil, nil},

		{"starting proxy", nil, status.Error(codes.Unknown, "Milvus Proxy is not ready yet. please wait"), errTransient},
		{"no server yet", nil, status.Error(codes.Unavailable, "connection refused"), errTransient},
		{"starting coordinator", &statusBody{ErrorCode: 1, Reason: "find no available querycoord, check querycoord state"}, nil, errTransient},
		{"something", &statusBody{Code: 65535, ErrorCode: 1, Reason: "what?"}, nil, errTransient},
		{"words of a load", &statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=5]"}, nil, errTransient},
		{"words of a failed load", &statusBody{Code: 1, ErrorCode: 1, Reason: "show collection failed: oom"}, nil, errTransient},
		{"words of a collection", nope235, nil, errTransient},
		{"no status", nil, nil, errTransient},

		{"credentials", nil, status.Error(codes.Unauthenticated, "no"), errPermanent},
		{"credentials, 2.2", nil, status.Error(codes.Unknown, "auth check failure, please check username and password are correct"), errPermanent},
		{"privilege", nil, status.Error(codes.PermissionDenied, "no"), errPermanent},
		{"not Milvus", nil, status.Error(codes.Unimplemented, "unknown service milvus.proto.milvus.MilvusService"), errPermanent},
		{"closed connection", nil, status.Error(codes.Canceled, "grpc: the client connection is closing"), milvuswait.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			err := rpc.FromStub(answering(tt.status, tt.err)).CheckServer(t.Context())

			requireClass(t, tt.want, err)
		})
	}
}
