package sdk

import (
	"context"
	"fmt"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/rpc"
)

// New returns a Poller that polls through c. The caller closes c. For a *client.GrpcClient,
// or a wrapper with GetService, it is the *rpc.Poller of the client's Service, which
// implements all optional interfaces of package milvuswait. For any other client see the
// package comment.
//
// Every poll returns milvuswait.ErrInvalid if c is nil, an interface around a nil pointer,
// a *client.GrpcClient not made by client.NewClient, or a wrapper whose GetService returns
// nil.
func New(c client.Client) milvuswait.Poller {
	if typednil.Is(c) {
		return invalid("the client is nil")
	}
	switch c := c.(type) {
	case *client.GrpcClient:
		return overService(c.Service)
	case interface {
		GetService() milvuspb.MilvusServiceClient
	}:
		return overService(c.GetService())
	}
	return &fallback{rpc.FromStub(&translator{c})}
}

// overService polls through the stub of a client, which may be nil.
func overService(service milvuspb.MilvusServiceClient) milvuswait.Poller {
	if service == nil {
		return invalid("the client has no Service: make it by client.NewClient")
	}
	return rpc.FromStub(service)
}

// invalid is a Poller for an unusable client. Every method returns ErrInvalid with the
// reason. It has the methods of optional interfaces too: without them, the error of a wait
// would name the missing interface instead of the reason.
type invalid string

var (
	_ milvuswait.LoadStateChecker = invalid("")
	_ milvuswait.SegmentLister    = invalid("")
	_ milvuswait.FlushPoller      = invalid("")
	_ milvuswait.ImportPoller     = invalid("")
	_ milvuswait.CompactionPoller = invalid("")
	_ milvuswait.ServerChecker    = invalid("")
)

func (i invalid) error() error { return fmt.Errorf("%w: sdk: %s", milvuswait.ErrInvalid, string(i)) }

func (i invalid) LoadingProgress(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
	return milvuswait.LoadingProgress{}, i.error()
}

func (i invalid) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	return milvuswait.IndexBuildingProgress{}, i.error()
}

func (i invalid) CheckLoadState(context.Context, string, ...string) error { return i.error() }

func (i invalid) UnflushedSegments(context.Context, string) ([]int64, error) { return nil, i.error() }

func (i invalid) FlushDone(context.Context, string, milvuswait.FlushMark) (bool, error) {
	return false, i.error()
}

func (i invalid) ImportProgress(context.Context, int64) (milvuswait.ImportProgress, error) {
	return milvuswait.ImportProgress{}, i.error()
}

func (i invalid) CompactionProgress(context.Context, int64) (milvuswait.CompactionProgress, error) {
	return milvuswait.CompactionProgress{}, i.error()
}

func (i invalid) CheckServer(context.Context) error { return i.error() }
