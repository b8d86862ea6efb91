package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// milvus is a minimal server for the examples. Each poll of "docs" adds 40 %, up to
// 100 %. No other collection exists.
type milvus struct {
	loads int
}

func (m *milvus) GetLoadingProgress(_ context.Context, req *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	if req.GetCollectionName() != "docs" {
		return &wire.GetLoadingProgressResponse{Status: &wire.Status{
			ErrorCode: wire.ErrorCode_CollectionNotExists, Code: 100,
			Reason: fmt.Sprintf("collection not found[database=%s][collection=%s]", req.GetDbName(), req.GetCollectionName()),
		}}, nil
	}
	m.loads++
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{}, Progress: int64(min(100, 40*m.loads))}, nil
}

func (m *milvus) GetLoadState(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	return &wire.GetLoadStateResponse{Status: &wire.Status{}, State: wire.LoadState_LoadStateNotLoad}, nil
}

func (m *milvus) DescribeIndex(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	return &wire.DescribeIndexResponse{
		Status: &wire.Status{},
		IndexDescriptions: []*wire.IndexDescription{
			{IndexName: "by_text", State: wire.IndexState_Finished, TotalRows: 100, IndexedRows: 100},
			{IndexName: "by_image", State: wire.IndexState_InProgress, TotalRows: 100, IndexedRows: 40, PendingIndexRows: 60},
		},
	}, nil
}

func (m *milvus) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetLoadingProgress.Serve(m.GetLoadingProgress), wire.GetLoadState.Serve(m.GetLoadState), wire.DescribeIndex.Serve(m.DescribeIndex)}
}

// serve returns a connection to a milvus in this process.
func serve() (conn *grpc.ClientConn, stop func()) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	wire.Register(server, (&milvus{}).rpcs()...)
	go func() { _ = server.Serve(listener) }()

	conn, err := grpc.NewClient("passthrough:///milvus", milvustest.Through(listener)...)
	if err != nil {
		log.Fatal(err)
	}

	return conn, func() {
		_ = conn.Close()
		server.Stop()
	}
}

func Example() {
	conn, stop := serve()
	defer stop()

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), rpc.New(conn), "docs",
		milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			fmt.Println("poll", u.Polls, u.Progress)
		})))
	fmt.Println(progress, err)
	// Output:
	// poll 1 40%
	// poll 2 80%
	// poll 3 100%
	// 100% <nil>
}

func ExampleNew() {
	conn, stop := serve()
	defer stop()

	p := rpc.New(conn)
	progress, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(progress, err)
	// Output: 40% <nil>
}

// client stands for a *milvusclient.Client of milvus/client/v2 or v3, whose GetService
// returns a generated stub.
type client struct{ service stub }

func (c client) GetService() *stub { return &c.service }

func ExampleFromStub() {
	var c client
	c.service.loading = func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
		return &loadingResponse{Status: &statusBody{}, Progress: 40}, nil
	}

	p := rpc.FromStub(c.GetService())
	progress, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(progress, err)
	// Output: 40% <nil>
}

func ExampleWithCallOptions() {
	conn, stop := serve()
	defer stop()

	// Another useful option: retry.Disable() of go-grpc-middleware/v2.
	p := rpc.New(conn, rpc.WithCallOptions(grpc.UseCompressor("identity")))
	progress, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(progress, err)
	// Output: 40% <nil>
}

func ExampleClassify() {
	// A Poller over REST reads these values from the body of a response.
	err := rpc.Classify("GetLoadingProgress", 101, 1, "collection not loaded[collection=449]")
	fmt.Println(err)
	fmt.Println(errors.Is(err, milvuswait.ErrNotLoaded))
	// Output:
	// not loaded: GetLoadingProgress: collection not loaded[collection=449] (code 101)
	// true
}

func ExampleWithDatabase() {
	conn, stop := serve()
	defer stop()

	p := rpc.New(conn, rpc.WithDatabase("archive"))
	_, err := p.LoadingProgress(context.Background(), "letters")
	fmt.Println(err)
	fmt.Println(errors.Is(err, milvuswait.ErrCollectionNotFound))
	// Output:
	// collection not found: GetLoadingProgress: collection not found[database=archive][collection=letters] (code 100)
	// true
}

func ExamplePoller_LoadingProgress() {
	conn, stop := serve()
	p := rpc.New(conn)
	stop()

	_, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(err)
	fmt.Println(status.Code(err))
	// Output:
	// GetLoadingProgress: canceled: grpc: the client connection is closing
	// Canceled
}

func ExamplePoller_IndexBuildingProgress() {
	conn, stop := serve()
	defer stop()

	p := rpc.New(conn)

	for _, index := range []string{"by_text", milvuswait.AllIndexes, ""} {
		progress, err := p.IndexBuildingProgress(context.Background(), "docs", index)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(progress.IndexName, progress)
	}
	// Output:
	// by_text 100/100 rows, Finished
	// by_image 40/100 rows, InProgress
	// ambiguous index: DescribeIndex: "by_image", "by_text"
}

func ExamplePoller_CheckLoadState() {
	conn, stop := serve()
	defer stop()

	fmt.Println(rpc.New(conn).CheckLoadState(context.Background(), "docs"))
	// Output: not loaded: GetLoadState: LoadStateNotLoad
}
