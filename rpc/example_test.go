package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// milvus is as much of a server as the examples need: "docs" loads from 40 % to
// 100 %, and nothing else exists.
type milvus struct {
	milvuspb.UnimplementedMilvusServiceServer
	loads int
}

func (m *milvus) GetLoadingProgress(_ context.Context, req *milvuspb.GetLoadingProgressRequest) (*milvuspb.GetLoadingProgressResponse, error) {
	if req.GetCollectionName() != "docs" {
		return &milvuspb.GetLoadingProgressResponse{Status: &commonpb.Status{
			ErrorCode: commonpb.ErrorCode_CollectionNotExists, Code: 100,
			Reason: fmt.Sprintf("collection not found[database=%s][collection=%s]", req.GetDbName(), req.GetCollectionName()),
		}}, nil
	}
	m.loads++
	return &milvuspb.GetLoadingProgressResponse{Status: &commonpb.Status{}, Progress: int64(min(100, 40*m.loads))}, nil
}

func (m *milvus) GetLoadState(context.Context, *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error) {
	return &milvuspb.GetLoadStateResponse{Status: &commonpb.Status{}, State: commonpb.LoadState_LoadStateNotLoad}, nil
}

func (m *milvus) DescribeIndex(context.Context, *milvuspb.DescribeIndexRequest) (*milvuspb.DescribeIndexResponse, error) {
	return &milvuspb.DescribeIndexResponse{
		Status: &commonpb.Status{},
		IndexDescriptions: []*milvuspb.IndexDescription{
			{IndexName: "by_text", State: commonpb.IndexState_Finished, TotalRows: 100, IndexedRows: 100},
			{IndexName: "by_image", State: commonpb.IndexState_InProgress, TotalRows: 100, IndexedRows: 40, PendingIndexRows: 60},
		},
	}, nil
}

// serve returns a stub for a milvus in this process.
func serve() (stub milvuspb.MilvusServiceClient, stop func()) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	milvuspb.RegisterMilvusServiceServer(server, &milvus{})
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///milvus",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second,
			},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)),
	)
	if err != nil {
		log.Fatal(err)
	}
	return milvuspb.NewMilvusServiceClient(conn), func() {
		_ = conn.Close()
		server.Stop()
	}
}

func Example() {
	stub, stop := serve()
	defer stop()

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), rpc.New(stub), "docs",
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
	stub, stop := serve()
	defer stop()

	p := rpc.New(stub)
	progress, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(progress, err)
	// Output: 40% <nil>
}

func ExampleWithDatabase() {
	stub, stop := serve()
	defer stop()

	p := rpc.New(stub, rpc.WithDatabase("archive"))
	_, err := p.LoadingProgress(context.Background(), "letters")
	fmt.Println(err)
	fmt.Println(errors.Is(err, milvuswait.ErrCollectionNotFound))
	// Output:
	// collection not found: GetLoadingProgress: collection not found[database=archive][collection=letters] (code 100)
	// true
}

func ExamplePoller_LoadingProgress() {
	stub, stop := serve()
	p := rpc.New(stub)
	stop()

	_, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(err)
	fmt.Println(status.Code(err))
	// Output:
	// GetLoadingProgress: canceled: grpc: the client connection is closing
	// Canceled
}

func ExamplePoller_IndexBuildingProgress() {
	stub, stop := serve()
	defer stop()

	p := rpc.New(stub)
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
	stub, stop := serve()
	defer stop()

	fmt.Println(rpc.New(stub).CheckLoadState(context.Background(), "docs"))
	// Output: not loaded: GetLoadState: LoadStateNotLoad
}
