package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// rig is a server, and pipelines that put documents into it one after the other.
type rig struct {
	*fakeserver.Server
	client   *client.GrpcClient
	settings settings
	log      *slog.Logger

	loseAnswer atomic.Int64 // number of the Insert, from 1, that is carried out without an answer
}

// newRig returns a rig with chunks of 2000 rows, each indexed within a minute.
func newRig(t *testing.T, config fakeserver.Config) *rig {
	if config.Build == nil {
		config.Build = func(rows int64) fake.Script { return fake.BuildOver(rows, time.Minute) }
	}
	config.VisibleAfter, config.Load = 2600*time.Millisecond, fake.LoadOver(40*time.Second)
	srv, err := fakeserver.Start(config)
	require.NoError(t, err)
	t.Cleanup(srv.Close)
	r := &rig{Server: srv, log: slog.New(slog.DiscardHandler), settings: settings{
		collection: "docs", dimension: 4, chunk: 2000, patience: time.Hour,
		checkpoint: filepath.Join(t.TempDir(), "checkpoint.json"),
	}}
	c, err := client.NewClient(t.Context(), client.Config{
		Address: "fakeserver", DialOptions: append(srv.DialOptions(), grpc.WithChainUnaryInterceptor(r.intercept)),
	})
	require.NoError(t, err)
	r.client = c.(*client.GrpcClient)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return r
}

func (r *rig) intercept(ctx context.Context, method string, req, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, answer, conn, opts...)
	if err == nil && strings.HasSuffix(method, "/Insert") && r.loseAnswer.Add(-1) == 0 {
		return status.Error(codes.Internal, "connection reset")
	}
	return err
}

// run starts a pipeline, as a new process would.
func (r *rig) run(ctx context.Context, in io.Reader) error {
	return newPipeline(r.client, r.log, r.settings).run(ctx, in)
}

func (r *rig) acknowledged(t *testing.T) int64 {
	c, err := loadCheckpoint(r.settings.checkpoint)
	require.NoError(t, err)
	return c.Rows
}

// stored returns the number of rows on the server.
func (r *rig) stored(t *testing.T) int64 {
	require.NoError(t, r.client.Flush(t.Context(), "docs", false))
	statistics, err := r.client.GetCollectionStatistics(t.Context(), "docs")
	require.NoError(t, err)
	rows, err := strconv.ParseInt(statistics["row_count"], 10, 64)
	require.NoError(t, err)
	return rows
}

// lines returns n documents of 4 dimensions.
func lines(n int64) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	for id := range n {
		if err := encoder.Encode(document{ID: &id, Vector: make([]float32, 4)}); err != nil {
			panic(err)
		}
	}
	return b.String()
}

// open returns a source with the text, which stays open until the end of the test.
func open(t *testing.T, text string) io.Reader {
	more, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return io.MultiReader(strings.NewReader(text), more)
}

// hook is a Writer that does something at the first mention of a word.
type hook struct {
	bytes.Buffer
	word string
	then func()
}

func (h *hook) Write(b []byte) (int, error) {
	if h.then != nil && bytes.Contains(b, []byte(h.word)) {
		h.then()
		h.then = nil
	}
	return h.Buffer.Write(b)
}
