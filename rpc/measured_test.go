package rpc_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// Statuses as recorded from real servers: 2.2.16, 2.3.5 and milvus-lite.
var (
	nope2216    = &statusBody{ErrorCode: 1, Reason: "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection default:nope"}
	dropped2216 = &statusBody{ErrorCode: 1, Reason: "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection: 470632212677001389"}
	invalid2216 = &statusBody{ErrorCode: 1, Reason: "Invalid collection name: a b$.  collection name can only contain numbers, letters and underscores"}
	nope235     = &statusBody{ErrorCode: 4, Code: 100, Reason: "collection not found[database=default][collection=nope]", Detail: "collection not found[database=default][collection=nope]"}
	invalid235  = &statusBody{ErrorCode: 5, Code: 1100, Reason: "Invalid collection name: a b$. collection name can only contain numbers, letters and underscores: invalid parameter"}
	noPart235   = &statusBody{ErrorCode: 15, Code: 200, Reason: "partition not found[partition=nopart]"}
	nopeLite    = &statusBody{ErrorCode: 4, Code: 100, Reason: "collection 'nope' does not exist"}
	noDBLite    = &statusBody{ErrorCode: 6, Code: 6, Reason: "database 'nodb' does not exist"}
	ok          = &statusBody{}
)

// TestPoll_RecordedResponses replays recorded responses of real servers. It checks the class
// of the error, and which RPCs the poll makes: GetLoadState follows only if 2.2.16 reports a
// failure without a code.
func TestPoll_RecordedResponses(t *testing.T) {
	type answer struct {
		status    *statusBody
		progress  int64
		described []*description
	}

	one := []string{loadingCall}
	two := []string{loadingCall, stateCall}
	oneIndex := []string{indexCall}
	twoIndex := []string{indexCall, stateCall}

	auto := &description{IndexName: "_default_idx_101", FieldName: "vec", State: 3}
	byField := &description{IndexName: "vec", FieldName: "vec", State: 3}
	byField2 := &description{IndexName: "vec2", FieldName: "vec2", State: 3}

	tests := []struct {
		name       string
		partitions []string
		index      *string // index to poll; nil polls the load
		answer     answer
		state      *wire.LoadState // nil: GetLoadState must not be called
		want       error
		rpcs       []string
	}{
		{"2.2.16 unknown collection", nil, nil, answer{status: nope2216}, says(notExist), milvuswait.ErrCollectionNotFound, two},
		{"2.2.16 unknown collection, partition", []string{"p1"}, nil, answer{status: nope2216}, says(notExist), milvuswait.ErrCollectionNotFound, two},
		{"2.2.16 unknown collection, index", nil, new(string), answer{status: nope2216}, says(notExist), milvuswait.ErrCollectionNotFound, twoIndex},
		{"2.2.16 dropped", nil, nil, answer{status: dropped2216}, says(notExist), milvuswait.ErrCollectionNotFound, two},
		{"2.2.16 dropped, index", nil, new(string), answer{status: dropped2216}, says(notExist), milvuswait.ErrCollectionNotFound, twoIndex},
		{"2.2.16 not loaded or released", nil, nil, answer{status: &statusBody{ErrorCode: 1, Reason: "collection 470632212677001389 has not been loaded to memory or load failed"}}, says(notLoad), milvuswait.ErrNotLoaded, two},
		{"2.2.16 partition not loaded", []string{"p1"}, nil, answer{status: &statusBody{ErrorCode: 1, Reason: "fail to show partitions from the querycoord, invalid data num"}}, says(notLoad), milvuswait.ErrNotLoaded, two},
		{"2.2.16 unknown partition", []string{"nopart"}, nil, answer{status: &statusBody{ErrorCode: 1, Reason: "partition is not exist: nopart"}}, nil, milvuswait.ErrPartitionNotFound, one},
		{"2.2.16 invalid name", nil, nil, answer{status: invalid2216}, nil, errPermanent, one},
		{"2.2.16 invalid name, index", nil, new(string), answer{status: invalid2216}, nil, errPermanent, oneIndex},
		{"2.2.16 no index", nil, new(string), answer{status: &statusBody{ErrorCode: 25, Reason: "index doesn't exist, collectionID 470632212677001389"}}, nil, milvuswait.ErrIndexNotFound, oneIndex},
		{"2.2.16 index", nil, new(string), answer{status: ok, described: []*description{auto}}, nil, nil, oneIndex},
		{"2.2.16 loading", nil, nil, answer{status: ok}, nil, nil, one},
		{"2.2.16 loaded", nil, nil, answer{status: ok, progress: 100}, nil, nil, one},

		{"2.3.5 unknown collection", nil, nil, answer{status: nope235}, nil, milvuswait.ErrCollectionNotFound, one},
		{"2.3.5 unknown collection, index", nil, new(string), answer{status: nope235}, nil, milvuswait.ErrCollectionNotFound, oneIndex},
		{"2.3.5 not loaded or released", nil, nil, answer{status: &statusBody{ErrorCode: 1, Code: 101, Reason: "collection not loaded[collection=470632231324876916]", Detail: "collection not loaded[collection=470632231324876916]"}}, nil, milvuswait.ErrNotLoaded, one},
		{"2.3.5 partition not loaded", []string{"p1"}, nil, answer{status: &statusBody{ErrorCode: 1, Code: 201, Reason: "partition not loaded[partition=470632231324876920]"}}, nil, milvuswait.ErrNotLoaded, one},
		{"2.3.5 unknown partition", []string{"nopart"}, nil, answer{status: noPart235}, nil, milvuswait.ErrPartitionNotFound, one},
		{"2.3.5 invalid name", nil, nil, answer{status: invalid235}, nil, milvuswait.ErrInvalid, one},
		{"2.3.5 no index", nil, new(string), answer{status: &statusBody{ErrorCode: 25, Code: 700, Reason: "index not found[collection=c1]"}}, nil, milvuswait.ErrIndexNotFound, oneIndex},
		{"2.3.5 index", nil, new(string), answer{status: ok, described: []*description{byField}}, nil, nil, oneIndex},
		{"2.3.5 loaded", nil, nil, answer{status: ok, progress: 100}, nil, nil, one},

		{"milvus-lite unknown collection", nil, nil, answer{status: nopeLite}, nil, milvuswait.ErrCollectionNotFound, one},
		{"milvus-lite unknown collection, index", nil, new(string), answer{status: nopeLite}, nil, milvuswait.ErrCollectionNotFound, oneIndex},
		{"milvus-lite unknown database", nil, nil, answer{status: noDBLite}, nil, milvuswait.ErrDatabaseNotFound, one},
		{"milvus-lite unknown database, index", nil, new(string), answer{status: noDBLite}, nil, milvuswait.ErrDatabaseNotFound, oneIndex},
		{"milvus-lite no index", nil, new(string), answer{status: &statusBody{ErrorCode: 11, Code: 700, Reason: "no index on collection 'c1'"}}, nil, milvuswait.ErrIndexNotFound, oneIndex},
		{"milvus-lite index under its field's name", nil, name("idx"), answer{status: ok, described: []*description{byField}}, nil, nil, oneIndex},
		{"milvus-lite unknown index among several", nil, name("idx"), answer{status: ok, described: []*description{byField, byField2}}, nil, milvuswait.ErrIndexNotFound, oneIndex},
		{"milvus-lite released", nil, nil, answer{status: ok}, nil, nil, one},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked [][]string
				s := &server{
					Loading: func(_ context.Context, req *loadingRequest) (*loadingResponse, error) {
						asked = append(asked, req.GetPartitionNames())
						return &loadingResponse{Status: tt.answer.status, Progress: tt.answer.progress}, nil
					},
					Index: func(context.Context, *indexRequest) (*indexResponse, error) {
						return &indexResponse{Status: tt.answer.status, IndexDescriptions: tt.answer.described}, nil
					},
				}
				if tt.state != nil {
					s.State = func(_ context.Context, req *stateRequest) (*stateResponse, error) {
						asked = append(asked, req.GetPartitionNames())
						return &stateResponse{Status: ok, State: *tt.state}, nil
					}
				}
				p := rpc.New(connect(t, s))

				var err error
				if tt.index != nil {
					_, err = p.IndexBuildingProgress(t.Context(), "docs", *tt.index)
				} else {
					var got milvuswait.LoadingProgress
					got, err = p.LoadingProgress(t.Context(), "docs", tt.partitions...)
					require.Equal(t, tt.answer.progress, got.Percent)
				}

				requireClass(t, tt.want, err)
				require.Equal(t, tt.rpcs, s.Calls())
				for _, partitions := range asked {
					require.Equal(t, tt.partitions, partitions)
				}

				if tt.want != nil && tt.answer.status != ok {
					var reported *milvuswait.ServerError
					require.ErrorAs(t, err, &reported)
					require.Equal(t, &milvuswait.ServerError{
						Code: tt.answer.status.Code, LegacyCode: int32(tt.answer.status.ErrorCode),
						Reason: tt.answer.status.Reason, Method: tt.rpcs[0],
					}, reported)
				}
			})
		})
	}
}

func name(s string) *string { return &s }

func says(s wire.LoadState) *wire.LoadState { return &s }
