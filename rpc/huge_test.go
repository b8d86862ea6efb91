package rpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/usage"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestHugeTexts returns texts of 64 MiB from the server. The error holds at most 1 KiB of
// each, and no reference keeps the rest in memory.
func TestHugeTexts(t *testing.T) {
	eachHuge := map[string]func(t *testing.T, huge string) *stub{
		"reason":       func(_ *testing.T, huge string) *stub { return answering(&statusBody{Code: 5, Reason: huge}, nil) },
		"detail":       func(_ *testing.T, huge string) *stub { return answering(&statusBody{Code: 100, Detail: huge}, nil) },
		"grpc message": func(_ *testing.T, huge string) *stub { return answering(nil, status.Error(codes.Unavailable, huge)) },
		"other error":  func(_ *testing.T, huge string) *stub { return answering(nil, errors.New(huge)) },
	}
	for what, make := range eachHuge {
		t.Run(what, func(t *testing.T) {
			const n = 2
			var kept [n]error
			before := usage.LiveHeap()
			for i := range kept {
				_, kept[i] = rpc.FromStub(make(t, strings.Repeat("ÄÖ", 16<<20))).LoadingProgress(t.Context(), "docs")
			}
			after := usage.LiveHeap()

			for _, err := range kept {
				require.Error(t, err)
				require.Less(t, len(err.Error()), 1200)
				require.Less(t, len(status.Convert(err).Message()), 1200)
				require.True(t, strings.Contains(err.Error(), "ÄÖÄÖ") && strings.Contains(err.Error(), "(cut)"))
			}
			require.Less(t, after-before, int64(8<<20))
		})
	}
}

// TestHugeMessageFromTheWire is the same with messages of 2 MiB through gRPC.
func TestHugeMessageFromTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		huge := strings.Repeat("x", 2<<20)
		s := &server{
			Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) {
				return nil, status.Error(codes.Unavailable, huge)
			},
			Index: func(context.Context, *indexRequest) (*indexResponse, error) {
				return &indexResponse{Status: &statusBody{Code: 1, Reason: huge}}, nil
			},
		}
		p := rpc.New(connect(t, s, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20))))

		_, err := p.LoadingProgress(t.Context(), "docs")
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Less(t, len(err.Error()), 1200)

		_, err = p.IndexBuildingProgress(t.Context(), "docs", "")
		var reported *milvuswait.ServerError
		require.ErrorAs(t, err, &reported)
		require.Less(t, len(reported.Reason), 1200)
	})
}
