package rpc_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/milvuswait/milvuswait/rpc"
)

// TestWithDatabase_SetsRequestAndHeader compares the database in the request and the
// dbname header at the server. A header from the context of the poll takes precedence.
func TestWithDatabase_SetsRequestAndHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		database string
		header   []string // dbname in the context of the poll
		want     []string // dbname header at the server
	}{
		{"none", "", nil, nil},
		{"none, header of the context", "", []string{"tenant"}, []string{"tenant"}},
		{"database", "shop", nil, []string{"shop"}},
		{"database, header of the context", "shop", []string{"tenant"}, []string{"tenant"}},
		{"database, empty header of the context", "shop", []string{""}, []string{""}},
		{"name that no header can have", "sh\nop", nil, nil},
		{"name that no header can have, beyond ASCII", "läden", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requested, header []string
			note := func(ctx context.Context, database string) {
				md, _ := metadata.FromIncomingContext(ctx)
				requested, header = append(requested, database), append(header, md.Get("dbname")...)
			}

			s := &server{
				Loading: func(ctx context.Context, req *loadingRequest) (*loadingResponse, error) {
					note(ctx, req.GetDbName())
					return &loadingResponse{Status: &statusBody{}}, nil
				},
				State: func(ctx context.Context, req *stateRequest) (*stateResponse, error) {
					note(ctx, req.GetDbName())
					return &stateResponse{Status: &statusBody{}, State: loaded}, nil
				},
				Index: func(ctx context.Context, req *indexRequest) (*indexResponse, error) {
					note(ctx, req.GetDbName())
					return &indexResponse{Status: &statusBody{}, IndexDescriptions: []*description{{IndexName: "v"}}}, nil
				},
				List: func(ctx context.Context, req *listRequest) (*listResponse, error) {
					note(ctx, req.GetDbName())
					return &listResponse{Status: &statusBody{}}, nil
				},
			}

			ctx := t.Context()
			for _, value := range tt.header {
				ctx = metadata.AppendToOutgoingContext(ctx, "DBName", value) // gRPC sends keys in lower case
			}
			p := rpc.New(connect(t, s), rpc.WithDatabase(tt.database))

			for _, poll := range polls {
				requested, header = nil, nil
				require.NoError(t, poll(ctx, p))

				require.Equal(t, []string{tt.database}, requested)
				require.Equal(t, tt.want, header)
			}

			if outgoing, _ := metadata.FromOutgoingContext(ctx); len(tt.header) == 0 {
				require.Empty(t, outgoing, "the context of the caller stays as it is")
			}
		})
	}
}

// TestWithDatabase_ThroughStub_SetsHeader shows that the header also reaches a stub: its
// connection reads the outgoing metadata of the context.
func TestWithDatabase_ThroughStub_SetsHeader(t *testing.T) {
	t.Parallel()
	var header []string
	s := &stub{loading: func(ctx context.Context, req *loadingRequest, _ ...grpc.CallOption) (*loadingResponse, error) {
		md, _ := metadata.FromOutgoingContext(ctx)
		header = md.Get("dbname")
		return &loadingResponse{Status: &statusBody{}}, nil
	}}

	_, err := rpc.FromStub(s, rpc.WithDatabase("shop")).LoadingProgress(t.Context(), "docs")

	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, header)
}
