package rpc_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// rowsIn returns a server whose queries find a row if f returns true for their partitions.
// It appends each request to *requests.
func rowsIn(requests *[]*queryRequest, f func(partitions []string) bool) *server {
	return &server{Query: func(_ context.Context, req *queryRequest) (*queryResponse, error) {
		*requests = append(*requests, req)
		if !f(req.GetPartitionNames()) {
			return &queryResponse{Status: ok, FieldsData: []*wire.FieldData{int64s("id")}}, nil
		}
		return &queryResponse{Status: ok, FieldsData: []*wire.FieldData{int64s("id", 7)}}, nil
	}}
}

// TestFindRow_Requests shows the queries: Strong, for one row, without output fields, and
// one for each named partition.
func TestFindRow_Requests(t *testing.T) {
	t.Parallel()
	one := func(partitions ...string) *queryRequest {
		return &queryRequest{
			DbName: "db", CollectionName: "docs", Expr: "id in [5,6,7]", PartitionNames: partitions,
			ConsistencyLevel: wire.ConsistencyLevel_Strong, GuaranteeTimestamp: 0,
			QueryParams: []*wire.KeyValuePair{{Key: "limit", Value: "1"}},
		}
	}
	tests := map[string]struct {
		target milvuswait.Target
		want   []*queryRequest
	}{
		"collection":     {milvuswait.Loading("docs"), []*queryRequest{one()}},
		"one partition":  {milvuswait.Loading("docs", "pA"), []*queryRequest{one("pA")}},
		"two partitions": {milvuswait.Loading("docs", "pA", "pB"), []*queryRequest{one("pA"), one("pB")}},
		"index":          {milvuswait.IndexBuilding("docs", "v"), []*queryRequest{one()}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []*queryRequest
				p := rpc.New(connect(t, rowsIn(&got, func([]string) bool { return true })), rpc.WithDatabase("db"))

				require.NoError(t, p.FindRow("id in [5,6,7]")(t.Context(), tt.target))

				require.Len(t, got, len(tt.want))
				for i := range got {
					require.True(t, proto.Equal(tt.want[i], got[i]), "%v", got[i])
				}
			})
		})
	}
}

// TestFindRow_NoRow_NamesThePartition queries a partition with rows before another
// one without.
func TestFindRow_NoRow_NamesThePartition(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		target milvuswait.Target
		want   string
		calls  int
	}{
		"collection": {milvuswait.Loading("docs"), `Query: no row found in collection "docs" by filter "id in [5,6,7]"`, 1},
		"partition":  {milvuswait.Loading("docs", "pA", "pB", "pC"), `Query: no row found in partition "pB" of collection "docs" by filter "id in [5,6,7]"`, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []*queryRequest
				p := rpc.New(connect(t, rowsIn(&got, func(partitions []string) bool { return slices.Equal(partitions, []string{"pA"}) })))

				err := p.FindRow("id in [5,6,7]")(t.Context(), tt.target)

				requireClass(t, errTransient, err)
				require.EqualError(t, err, tt.want)
				require.Len(t, got, tt.calls)
			})
		})
	}
}

// TestFindRow_Results holds the forms of a result with a row, and of one without.
func TestFindRow_Results(t *testing.T) {
	t.Parallel()
	text := func(values ...string) *wire.FieldData {
		return &wire.FieldData{Type: wire.DataType_VarChar, Field: &wire.FieldData_Scalars{
			Scalars: &wire.ScalarField{Data: &wire.ScalarField_StringData{StringData: &wire.StringArray{Data: values}}},
		}}
	}
	vector := &wire.FieldData{Field: &wire.FieldData_Vectors{Vectors: &wire.VectorField{Dim: 2}}}

	for name, tt := range map[string]struct {
		fields []*wire.FieldData
		found  bool
	}{
		"numbers":               {[]*wire.FieldData{int64s("id", 7)}, true},
		"texts":                 {[]*wire.FieldData{text("a")}, true},
		"all fields":            {[]*wire.FieldData{vector, {}, int64s("id", 0)}, true},
		"no fields":             {nil, false},
		"empty fields":          {[]*wire.FieldData{int64s("id"), text(), {}}, false},
		"the frame of a vector": {[]*wire.FieldData{vector}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answering(ok, nil)
			s.query = always[queryRequest](&queryResponse{Status: ok, FieldsData: tt.fields}, nil)

			err := optionalPolls[queryCall](t.Context(), rpc.FromStub(s))

			require.Equal(t, tt.found, err == nil, "%v", err)
		})
	}
}

func TestFindRow_Invalid(t *testing.T) {
	t.Parallel()
	p := rpc.FromStub(answering(ok, nil))
	for _, filter := range []string{"", " \t"} {
		err := p.FindRow(filter)(t.Context(), milvuswait.Loading("docs"))

		requireClass(t, milvuswait.ErrInvalid, err)
		require.EqualError(t, err, "invalid argument: rpc: FindRow: the filter is empty")
	}

	for target, want := range map[milvuswait.Target]string{
		milvuswait.Importing(7): `invalid argument: rpc: FindRow: the target "import 7" has no collection`,
		milvuswait.Serving():    `invalid argument: rpc: FindRow: the target "server" has no collection`,
	} {
		err := p.FindRow("id == 7")(t.Context(), target)

		requireClass(t, milvuswait.ErrInvalid, err)
		require.EqualError(t, err, want)
	}
}

// TestFindRow_Failures replays failures of a query. Only a missing permission and an invalid
// argument end a wait WithVerify.
func TestFindRow_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		state  *wire.LoadState // nil: GetLoadState must not be called
		want   error
	}{
		{"2.3.5, not loaded", &statusBody{Code: 101, ErrorCode: 1, Reason: "failed to query: collection not loaded[collection=470802561083723252]"}, nil, milvuswait.ErrNotLoaded},
		{"not loaded", &statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=470802561083723252]"}, nil, milvuswait.ErrNotLoaded},
		{"milvus-lite, released", &statusBody{Code: 101, ErrorCode: 101, Reason: "Collection 'docs' is in state 'released'; call load() before search/get/query"}, nil, milvuswait.ErrNotLoaded},
		{"2.3.5, no collection", nope235, nil, milvuswait.ErrCollectionNotFound},
		{"2.3.5, no partition", noPart235, nil, milvuswait.ErrPartitionNotFound},
		{"2.2.16, no collection", nope2216, says(notExist), milvuswait.ErrCollectionNotFound},
		{"2.3.5, delegator", &statusBody{Code: 65535, ErrorCode: 1, Reason: "failed to search/query delegator 1 for channel by-dev-rootcoord-dml_6_470802561083723252v1: fail to Query"}, says(loaded), errTransient},
		{"recovering", &statusBody{Code: 106, ErrorCode: 1, Reason: "collection on recovering[collection=5]"}, nil, errTransient},
		{"channel not available", &statusBody{Code: 503, ErrorCode: 1, Reason: "channel not available"}, nil, errTransient},
		{"segcore", &statusBody{Code: 2000, ErrorCode: 1, Reason: "segcore error"}, nil, errTransient},
		{"memory", &statusBody{Code: 3, ErrorCode: 52, Reason: "memory limit exceeded"}, nil, errTransient},
		{"2.2.16, not loaded", &statusBody{ErrorCode: 1, Reason: "checkIfLoaded failed when query, collection:docs, partitions:[], err = GetCollectionInfo failed, dbName = default, collection = docs, err = collection 470811387921170492 has not been loaded to memory or load failed"}, says(notLoad), milvuswait.ErrNotLoaded},
		{"2.2.16, invalid filter", &statusBody{ErrorCode: 1, Reason: "cannot parse expression: id ==, error: line 1:5 mismatched input '<EOF>' expecting {'(', EXISTS}"}, nil, milvuswait.ErrInvalid},
		{"2.3.5, unknown field", &statusBody{Code: 65535, ErrorCode: 1, Reason: "cannot parse expression: nofield == 7, error: field nofield not exist"}, nil, milvuswait.ErrInvalid},
		{"milvus-lite, unknown field", &statusBody{Code: 6, ErrorCode: 6, Reason: "unknown field 'nofield' at column 1"}, nil, milvuswait.ErrInvalid},
		{"2.4, invalid filter", &statusBody{Code: 1100, ErrorCode: 5, Reason: "failed to create query plan: cannot parse expression: id ==: invalid parameter"}, nil, milvuswait.ErrInvalid},
		{"no permission", &statusBody{Code: 1401, ErrorCode: 1, Reason: "privilege not permitted"}, nil, errPermanent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{Query: func(context.Context, *queryRequest) (*queryResponse, error) {
					return &queryResponse{Status: tt.status, FieldsData: []*wire.FieldData{int64s("id", 7)}}, nil
				}}
				if tt.state != nil {
					s.State = func(_ context.Context, req *stateRequest) (*stateResponse, error) {
						require.Equal(t, []string{"pA"}, req.GetPartitionNames())
						return &stateResponse{Status: ok, State: *tt.state}, nil
					}
				}

				err := rpc.New(connect(t, s)).FindRow("id == 7")(t.Context(), milvuswait.Loading("docs", "pA"))

				requireClass(t, tt.want, err)
				require.Equal(t, tt.state != nil, slices.Contains(s.Calls(), stateCall))
			})
		})
	}
}

// TestFindRow_InAWait verifies a load, reported complete 4 s before its rows can be found, as
// on Milvus 2.3.5 for a partition loaded after others.
func TestFindRow_InAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []*queryRequest
		s := rowsIn(&got, func([]string) bool { return time.Since(start) >= 4*time.Second })
		s.Loading = func(context.Context, *loadingRequest) (*loadingResponse, error) {
			return &loadingResponse{Status: ok, Progress: 100}, nil
		}
		p := rpc.New(connect(t, s))

		progress, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithPartitions("pA"), milvuswait.WithVerify(p.FindRow("id in [5,6,7]")))

		require.NoError(t, err)
		require.EqualValues(t, 100, progress.Percent)
		require.GreaterOrEqual(t, time.Since(start), 4*time.Second)
		require.Less(t, time.Since(start), 10*time.Second)
		require.Greater(t, len(got), 1)
	})
}
