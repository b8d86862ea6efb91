package rpc_test

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// flushing is the client of a server that has sealed two segments of "docs" for a flush.
func flushing() *stub {
	s := answering(&statusBody{}, nil)
	s.segments = always[segmentsRequest](&segmentsResponse{Status: &statusBody{}, Infos: []*wire.PersistentSegmentInfo{
		{SegmentID: 13678, State: wire.SegmentState_Flushed},
		{SegmentID: 13679, State: wire.SegmentState_Sealed},
		{SegmentID: 13680, State: wire.SegmentState_Flushing},
	}}, nil)
	return s
}

func ExampleFlushMarkOf() {
	// The response of a stub's Flush.
	resp := &wire.FlushResponse{
		Status:      &wire.Status{},
		CollSegIDs:  map[string]*wire.LongArray{"docs": {Data: []int64{13679, 13680}}},
		CollFlushTs: map[string]uint64{"docs": 470802571141054466},
	}

	mark, err := rpc.FlushMarkOf(resp, "docs")
	fmt.Println(mark.Timestamp, mark.Segments, err)

	_, err = rpc.FlushMarkOf(resp, "letters")
	fmt.Println(err)
	// Output:
	// 470802571141054466 [13679 13680] <nil>
	// invalid argument: rpc: the flush does not cover collection "letters", but "docs"
}

func ExamplePoller_UnflushedSegments() {
	p := rpc.FromStub(flushing())

	segments, err := p.UnflushedSegments(context.Background(), "docs")
	fmt.Println(segments, err)
	// Output: [13679 13680] <nil>
}

func ExamplePoller_FlushDone() {
	p := rpc.FromStub(flushing())
	mark := milvuswait.FlushMark{Timestamp: 470802571141054466, Segments: []int64{13679, 13680}}

	done, err := p.FlushDone(context.Background(), "docs", mark)
	fmt.Println(done, err)
	// Output: false <nil>
}

func ExamplePoller_ImportProgress() {
	s := answering(&statusBody{}, nil)
	s.imports = always[importRequest](&importResponse{
		Status: &statusBody{}, State: wire.ImportState_ImportPersisted, RowCount: 20000,
		Infos: []*wire.KeyValuePair{{Key: "failed_reason"}, {Key: "progress_percent", Value: "90"}},
	}, nil)
	progress, err := rpc.FromStub(s).ImportProgress(context.Background(), 4711)
	fmt.Println(progress, err)

	s = answering(&statusBody{Code: 2100, Reason: "import job does not exist, jobID=4711"}, nil)
	_, err = rpc.FromStub(s).ImportProgress(context.Background(), 4711)
	fmt.Println(err)
	fmt.Println(errors.Is(err, milvuswait.ErrJobNotFound))
	// Output:
	// 90%, ImportPersisted, 20000 rows <nil>
	// job not found: GetImportState: import job does not exist, jobID=4711 (code 2100)
	// true
}

func ExamplePoller_CompactionProgress() {
	s := answering(&statusBody{}, nil)
	s.compaction = always[compactionRequest](&compactionResponse{
		Status: &statusBody{}, State: wire.CompactionState_Executing, ExecutingPlanNo: 1, CompletedPlanNo: 2,
	}, nil)

	progress, err := rpc.FromStub(s).CompactionProgress(context.Background(), 815)
	fmt.Println(progress, err)
	// Output: 2/3 plans, Executing <nil>
}

func ExamplePoller_CheckServer() {
	starting := answering(&statusBody{Code: 1, Reason: "service not ready[standalone=1]: Initializing"}, nil)
	fmt.Println(rpc.FromStub(starting).CheckServer(context.Background()))

	fmt.Println(rpc.FromStub(answering(&statusBody{}, nil)).CheckServer(context.Background()))
	// Output:
	// ShowCollections: service not ready[standalone=1]: Initializing (code 1)
	// <nil>
}

func ExamplePoller_FindRow() {
	s := answering(&statusBody{}, nil)
	s.loading = always[loadingRequest](&loadingResponse{Status: &statusBody{}, Progress: 100}, nil)
	queries := 0
	s.query = func(context.Context, *queryRequest, ...grpc.CallOption) (*queryResponse, error) {
		queries++
		if queries < 3 { // loaded, but not to be found yet
			return &queryResponse{Status: &statusBody{}}, nil
		}
		return &queryResponse{Status: &statusBody{}, FieldsData: []*wire.FieldData{int64s("id", 7)}}, nil
	}
	p := rpc.FromStub(s)

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs",
		milvuswait.WithPartitions("pA"), milvuswait.WithVerify(p.FindRow("id in [5, 6, 7]")),
		milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Err != nil {
				fmt.Println(u.Err)
			}
		})))
	fmt.Println(progress, err)
	// Output:
	// Query: no row found in partition "pA" of collection "docs" by filter "id in [5, 6, 7]"
	// Query: no row found in partition "pA" of collection "docs" by filter "id in [5, 6, 7]"
	// 100% <nil>
}
