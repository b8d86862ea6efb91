// The race detector needs minutes for the 64 MiB texts of this file.

//go:build !race

package rpc_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/usage"
	"github.com/milvuswait/milvuswait/rpc"
)

// huge returns a server that reports a huge text, in its response or as a gRPC message.
func huge(size int, inAnswer bool) *server {
	text := strings.Repeat("x", size)
	return &server{Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) {
		if inAnswer {
			return &loadingResponse{Status: &statusBody{Code: 1, Reason: text}}, nil
		}
		return nil, status.Error(codes.Unavailable, text)
	}}
}

// TestWait_HugeServerTexts_AreCut sends texts of every size through gRPC. The connection
// belongs to the program, so its message limit may be high: the wait still reports at most
// 1 KiB of each text.
func TestWait_HugeServerTexts_AreCut(t *testing.T) {
	tests := []struct {
		name     string
		size     int
		inAnswer bool
		most     int // maximum message size of the connection
		want     string
	}{
		{"a gRPC message of 15 MiB", 15 << 20, false, 4 << 20, "unavailable: xxx"},
		{"a gRPC message that gRPC gives up", 17 << 20, false, 4 << 20, "unavailable: error reading from server"},
		{"a reason of 64 MiB", 64 << 20, true, 128 << 20, "xxx… (cut) (code 1)"},
		{"a reason that gRPC refuses", 64 << 20, true, 16 << 20, "resource exhausted: grpc: received message larger than max"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := usage.LiveHeap()
			var updates []milvuswait.Update
			synctest.Test(t, func(t *testing.T) {
				conn := connect(t, huge(tt.size, tt.inAnswer), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(tt.most)))
				p := rpc.New(conn)
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
					milvuswait.WithPollTimeout(time.Second, time.Second), milvuswait.WithUnreachableAfter(2*time.Second),
					milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) { updates = append(updates, u) })),
					milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Second, Max: time.Second}))

				require.ErrorIs(t, err, milvuswait.ErrUnreachable)
				require.InDelta(t, 2*time.Second, time.Since(start), float64(time.Second))
			})
			after := usage.LiveHeap() // after the server and the connection are gone

			require.GreaterOrEqual(t, len(updates), 3)
			for _, u := range updates {
				require.Contains(t, u.Err.Error(), tt.want)
				require.Less(t, len(u.Err.Error()), 1500)
				require.Less(t, len(status.Convert(u.Err).Message()), 1500)
			}
			require.Less(t, after-before, int64(8<<20))
		})
	}
}
