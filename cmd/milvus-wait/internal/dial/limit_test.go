package dial_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// verbose is a server with long responses.
type verbose struct {
	text string
}

func (v *verbose) GetVersion(context.Context, *wire.GetVersionRequest) (*wire.GetVersionResponse, error) {
	return &wire.GetVersionResponse{Version: v.text}, nil
}

func (v *verbose) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	return &wire.ShowCollectionsResponse{CollectionNames: []string{v.text}}, nil
}

func (v *verbose) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetVersion.Serve(v.GetVersion), wire.ShowCollections.Serve(v.ShowCollections)}
}

func TestOpen_LongAnswers_AreRefused(t *testing.T) {
	const room = 1 << 10 // for the bytes around the text
	tests := []struct {
		name                string
		size                int
		version, collection codes.Code
	}{
		{"as long as any", 4<<20 - room, codes.OK, codes.OK},
		{"as long as a list", 16<<20 - room, codes.ResourceExhausted, codes.OK},
		{"longer", 16<<20 + room, codes.ResourceExhausted, codes.ResourceExhausted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serve(t, &verbose{text: strings.Repeat("x", tt.size)}, listener)
			e := endpoint(t, listener.Addr().String())
			client := open(t, dial.Config{Endpoint: e})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()

			_, err = wire.GetVersion.Call(ctx, client, &wire.GetVersionRequest{})
			require.Equal(t, tt.version, status.Code(err))
			_, err = wire.ShowCollections.Call(ctx, client, &wire.ShowCollectionsRequest{})
			require.Equal(t, tt.collection, status.Code(err))
		})
	}
}
