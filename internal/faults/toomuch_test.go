// The race detector needs minutes for the 64 MiB texts of this file.

//go:build !race

package faults_test

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
	"github.com/milvuswait/milvuswait/internal/wire"
)

// TestWait_HugeServerTexts_BothAdaptersCutThem reports huge texts in every poll. Neither
// the wait nor its error keeps more than 1 KiB of each.
func TestWait_HugeServerTexts_BothAdaptersCutThem(t *testing.T) {
	tests := []struct {
		name   string
		answer func() answer
		want   string
	}{
		{"a gRPC message of 15 MiB", func() answer { return refused(codes.Unavailable, strings.Repeat("x", 15<<20)) }, "unavailable: xxx"},
		{"a reason of 64 MiB", func() answer {
			return rejected(1, wire.ErrorCode_NotReadyServe, strings.Repeat("x", 64<<20))
		}, "xxx… (cut) (code 1)"},
	}

	for _, tt := range tests {
		for _, k := range []kind{load, index} {
			for _, a := range adapters {
				t.Run(tt.name+", "+k.name+" by "+a.name, func(t *testing.T) {
					before := usage.LiveHeap()
					var got []error
					synctest.Test(t, func(t *testing.T) {
						huge := tt.answer()
						r, through := unconnected(t, k, func(context.Context, int) answer { return huge })
						r.connect(t, a, "bufconn", append(through, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(128<<20)))...)

						err := r.run(t.Context(), steadily(time.Second), milvuswait.WithUnreachableAfter(2*time.Second))

						require.ErrorIs(t, err, milvuswait.ErrUnreachable)
						got = append(r.failures(), err)
					})
					after := usage.LiveHeap() // after the server and the connection are gone

					require.Len(t, got, 4, "polls at 0 s, 1 s and just before 2 s, and the end")
					for _, err := range got {
						require.ErrorContains(t, err, tt.want)
						require.Less(t, len(err.Error()), 1500)
						require.Less(t, len(status.Convert(err).Message()), 1500)
					}
					require.Less(t, after-before, int64(8<<20))
				})
			}
		}
	}
}
