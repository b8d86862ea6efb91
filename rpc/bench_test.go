package rpc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// BenchmarkComplete compares a wait for a loaded collection with the bare RPC on the same
// connection. The two take turns, so that noise affects both alike. It reports the mean
// time of one RPC (bare-ns), the mean time of one wait (wait-ns), and the ratio of the
// total times.
func BenchmarkComplete(b *testing.B) {
	server, err := fakeserver.Start(fakeserver.Config{})
	require.NoError(b, err)
	defer server.Close()
	server.Set(milvuswait.Loading("docs"), fake.Percents(100))

	conn, err := server.Dial()
	require.NoError(b, err)
	defer conn.Close()
	p := rpc.New(conn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()

	bare := func() error {
		_, err := wire.GetLoadingProgress.Call(ctx, conn, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
		return err
	}
	wait := func() error {
		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
		return err
	}

	timed := func(f func() error) time.Duration {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}

	var bareTime, waitTime time.Duration
	before, n := server.Count("GetLoadingProgress"), 0
	for b.Loop() {
		bareTime += timed(bare)
		waitTime += timed(wait)
		n++
	}

	// A wait for a loaded collection makes one RPC, as the bare call does.
	require.Equal(b, 2*n, server.Count("GetLoadingProgress")-before)

	b.ReportMetric(float64(bareTime.Nanoseconds())/float64(n), "bare-ns")
	b.ReportMetric(float64(waitTime.Nanoseconds())/float64(n), "wait-ns")
	b.ReportMetric(float64(waitTime)/float64(bareTime), "ratio")
	b.ReportMetric(0, "ns/op")
}
