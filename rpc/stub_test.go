package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// generated is the part of a generated client interface that a Poller calls.
type generated interface {
	GetLoadingProgress(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error)
	GetLoadState(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error)
	DescribeIndex(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error)
	ShowCollections(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error)
	GetPersistentSegmentInfo(context.Context, *segmentsRequest, ...grpc.CallOption) (*segmentsResponse, error)
	GetFlushState(context.Context, *flushRequest, ...grpc.CallOption) (*flushResponse, error)
	GetImportState(context.Context, *importRequest, ...grpc.CallOption) (*importResponse, error)
	GetCompactionState(context.Context, *compactionRequest, ...grpc.CallOption) (*compactionResponse, error)
	Query(context.Context, *queryRequest, ...grpc.CallOption) (*queryResponse, error)
}

// required is a stub with only the two required calls.
type required struct{ st *statusBody }

func (r required) GetLoadingProgress(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
	return &loadingResponse{Status: r.st, Progress: 40}, nil
}

func (r required) DescribeIndex(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
	return &indexResponse{Status: r.st, IndexDescriptions: []*description{{IndexName: "v", TotalRows: 7}}}, nil
}

func TestFromStub_PassesRequestOptionsAndContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	option := grpc.WaitForReady(true)

	var got *loadingRequest
	s := &stub{loading: func(ctx context.Context, req *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
		require.Equal(t, "value", ctx.Value(key{}))
		require.Contains(t, opts, option)
		require.Len(t, opts, 2, "the retries of the SDK are off too")
		got = req
		return &loadingResponse{Status: &statusBody{}, Progress: 40, RefreshProgress: 7}, nil
	}}

	progress, err := rpc.FromStub(s, rpc.WithDatabase("db"), rpc.WithCallOptions(option)).LoadingProgress(ctx, "docs", "a", "b")

	require.NoError(t, err)
	require.Equal(t, milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 7}, progress)
	require.Equal(t, "db", got.GetDbName())
	require.Equal(t, "docs", got.GetCollectionName())
	require.Equal(t, []string{"a", "b"}, got.GetPartitionNames())
}

// TestFromStub_MissingCall_IsUnsupported covers stubs without the optional calls, such as
// older clients: the required polls work.
func TestFromStub_MissingCall_IsUnsupported(t *testing.T) {
	t.Parallel()
	p := rpc.FromStub(required{&statusBody{}})

	progress, err := p.LoadingProgress(t.Context(), "docs")
	require.NoError(t, err)
	require.EqualValues(t, 40, progress.Percent)
	index, err := p.IndexBuildingProgress(t.Context(), "docs", "v")
	require.NoError(t, err)
	require.EqualValues(t, 7, index.TotalRows)

	_, err = p.ListLoading(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.EqualError(t, err, "ShowCollections: the stub has no such call: unsupported operation")
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "docs"), errors.ErrUnsupported)
	require.ErrorIs(t, p.CheckServer(t.Context()), errors.ErrUnsupported)

	for method, poll := range optionalPolls {
		err := poll(t.Context(), p)

		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.ErrorContains(t, err, method+": the stub has no such call")
	}
}

// TestFromStub_NoGetLoadState_ClassifiesByText shows the fallback: without GetLoadState,
// the text of the server decides.
func TestFromStub_NoGetLoadState_ClassifiesByText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason string
		want   error
	}{
		{"can't find collection docs", milvuswait.ErrCollectionNotFound},
		{"collection 47 has not been loaded to memory or load failed", milvuswait.ErrNotLoaded},
		{"something else", errTransient},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			_, err := rpc.FromStub(required{&statusBody{ErrorCode: 1, Reason: tt.reason}}).LoadingProgress(t.Context(), "docs")

			requireClass(t, tt.want, err)
		})
	}
}

// embedding is a mock that implements one call. The others are promoted from the embedded
// interface.
type embedding struct{ generated }

func (embedding) GetLoadingProgress(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
	return &loadingResponse{Status: &statusBody{ErrorCode: 1, Reason: "can't find collection"}}, nil
}

// TestFromStub_EmbeddedStubIsNil_IsInvalidAndNamesTheCall covers mocks that embed nil. The
// promoted method panics, and the poll returns the panic as an error. LoadingProgress
// reaches the mock's own call; GetLoadState panics, so the text decides.
func TestFromStub_EmbeddedStubIsNil_IsInvalidAndNamesTheCall(t *testing.T) {
	t.Parallel()
	var pointer *stub
	for name, p := range map[string]*rpc.Poller{
		"interface": rpc.FromStub(embedding{}), "typed nil": rpc.FromStub(embedding{pointer}), "value": rpc.FromStub(&embedding{(*valueStub)(nil)}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := p.CheckLoadState(t.Context(), "docs")
			requireClass(t, milvuswait.ErrInvalid, err)
			require.Regexp(t, `^GetLoadState: invalid argument: rpc: the stub dereferences nil in .+GetLoadState \(.+:\d+\): does it embed a nil stub\?$`, err.Error())

			_, err = p.ListLoading(t.Context())
			require.ErrorContains(t, err, "ShowCollections: invalid argument: rpc: the stub dereferences nil in ")
			_, err = p.IndexBuildingProgress(t.Context(), "docs", "v")
			require.ErrorContains(t, err, "DescribeIndex: invalid argument: rpc: the stub dereferences nil in ")
			_, err = p.LoadingProgress(t.Context(), "docs")
			requireClass(t, milvuswait.ErrCollectionNotFound, err) // classified by its text

			for method, poll := range optionalPolls {
				err := poll(t.Context(), p)
				if method == segmentsCall { // waits make this call on their own
					require.ErrorIs(t, err, errors.ErrUnsupported)
					continue
				}
				requireClass(t, milvuswait.ErrInvalid, err)
				require.ErrorContains(t, err, method+": invalid argument: rpc: the stub dereferences nil in ")
			}
		})
	}
}

// TestFromStub_OtherPanicsPass shows that a bug in a mock still panics.
func TestFromStub_OtherPanicsPass(t *testing.T) {
	t.Parallel()
	panicking := func(value any) func() {
		s := &stub{loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) { panic(value) }}
		return func() { _, _ = rpc.FromStub(s).LoadingProgress(t.Context(), "docs") }
	}
	require.PanicsWithValue(t, "a bug", panicking("a bug"))
	require.PanicsWithError(t, "nil pointer dereference", panicking(errors.New("nil pointer dereference")))
}

func TestFromStub_NilResponse_IsMalformed(t *testing.T) {
	t.Parallel()
	s := &stub{
		loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) { return nil, nil },
		state:   func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) { return nil, nil },
		index:   func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) { return nil, nil },
		list:    func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) { return nil, nil },
	}
	p := rpc.FromStub(s)
	for _, poll := range polls {
		err := poll(t.Context(), p)

		requireClass(t, errTransient, err)
		require.ErrorIs(t, err, rpc.ErrMalformed)
		require.ErrorContains(t, err, ": malformed answer: no message")
	}
}

// A stub whose required call takes another message, and stubs whose optional call has
// another type of message, response or signature.
type (
	otherMessages struct{}
	noMessage     struct{ required }
	swapped       struct{ required }
	noOptions     struct{ required }
	constant      struct{ required }
)

func (otherMessages) GetLoadingProgress(context.Context, *wrapperspb.StringValue, ...grpc.CallOption) (*loadingResponse, error) {
	return nil, nil
}

func (otherMessages) DescribeIndex(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
	return nil, nil
}

func (noMessage) GetLoadState(context.Context, *struct{ Name string }, ...grpc.CallOption) (*stateResponse, error) {
	return nil, nil
}

func (swapped) ShowCollections(context.Context, *listRequest, ...grpc.CallOption) (*loadingResponse, error) {
	return nil, nil
}

func (noOptions) GetLoadState(context.Context, *stateRequest) (*stateResponse, error) {
	return nil, nil
}

func (constant) ShowCollections() []string { return nil }

func TestFromStub_OtherMessages_IsInvalidAndNamesTheCall(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		p    *rpc.Poller
		want string
	}{
		{"another message", rpc.FromStub(otherMessages{}), "GetLoadingProgress of rpc_test.otherMessages: the message is google.protobuf.StringValue, want Milvus' GetLoadingProgressRequest"},
		{"no message", rpc.FromStub(noMessage{}), "GetLoadState of rpc_test.noMessage: *struct { Name string } is not a protobuf message, want Milvus' GetLoadStateRequest"},
		{"another response", rpc.FromStub(swapped{}), "ShowCollections of rpc_test.swapped: the message is milvuswait.internal.wire.GetLoadingProgressResponse, want Milvus' ShowCollectionsResponse"},
		{"no options", rpc.FromStub(noOptions{}), "GetLoadState of rpc_test.noOptions: func(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) is not the signature of a gRPC call"},
		{"another signature", rpc.FromStub(constant{}), "ShowCollections of rpc_test.constant: func() []string is not the signature of a gRPC call"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, poll := range allPolls() {
				err := poll(t.Context(), tt.p)

				requireClass(t, milvuswait.ErrInvalid, err)
				require.EqualError(t, err, "invalid argument: rpc: "+tt.want)
			}
		})
	}
}

// Messages of GetLoadState with one wrong field each. In Milvus' request, field 2 is the
// collection name, a string, and field 3 the repeated partition names. The response nests
// a status.
type (
	otherKind        struct{ proto.Message }
	otherCardinality struct{ proto.Message }
	otherNested      struct{ proto.Message }
)

func (*otherKind) ProtoReflect() protoreflect.Message {
	return altered("GetLoadStateRequest", `name: "collection_name" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL`)
}

func (*otherCardinality) ProtoReflect() protoreflect.Message {
	return altered("GetLoadStateRequest", `name: "partition_names" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL`)
}

func (*otherNested) ProtoReflect() protoreflect.Message {
	return altered("GetLoadStateResponse", `name: "status" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".test.Status"`)
}

// altered returns an empty message with the given name and field. The reason of its
// Status is a number instead of a string.
func altered(name, field string) protoreflect.Message {
	file := new(descriptorpb.FileDescriptorProto)
	text := fmt.Sprintf(`name: "test.proto" package: "test" syntax: "proto3" message_type { name: %q field { %s } } `+
		`message_type { name: "Status" field { name: "reason" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } }`, name, field)

	if err := prototext.Unmarshal([]byte(text), file); err != nil {
		panic(err)
	}

	descriptor, err := protodesc.NewFile(file, nil)
	if err != nil {
		panic(err)
	}
	return dynamicpb.NewMessage(descriptor.Messages().ByName(protoreflect.Name(name)))
}

type (
	kindStub        struct{ required }
	cardinalityStub struct{ required }
	nestedStub      struct{ required }
)

func (kindStub) GetLoadState(context.Context, *otherKind, ...grpc.CallOption) (*stateResponse, error) {
	return nil, nil
}

func (cardinalityStub) GetLoadState(context.Context, *otherCardinality, ...grpc.CallOption) (*stateResponse, error) {
	return nil, nil
}

func (nestedStub) GetLoadState(context.Context, *stateRequest, ...grpc.CallOption) (*otherNested, error) {
	return nil, nil
}

func TestFromStub_FieldsAreNotMilvus_IsInvalidAndNamesTheField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		p    *rpc.Poller
		want string
	}{
		{"kind", rpc.FromStub(kindStub{}), "GetLoadState of rpc_test.kindStub: field 2 of test.GetLoadStateRequest is optional int64, want optional string"},
		{"cardinality", rpc.FromStub(cardinalityStub{}), "GetLoadState of rpc_test.cardinalityStub: field 3 of test.GetLoadStateRequest is optional string, want repeated string"},
		{"nested", rpc.FromStub(nestedStub{}), "GetLoadState of rpc_test.nestedStub: field 2 of test.Status is optional int64, want optional string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.p.LoadingProgress(t.Context(), "docs")

			require.EqualError(t, err, "invalid argument: rpc: "+tt.want)
		})
	}
}

// TestFromStub_ErrorOfTheStub_IsClassifiedAndCut shows that an error from a stub is treated
// as a gRPC error, even if it wraps a sentinel of this package.
func TestFromStub_ErrorOfTheStub_IsClassifiedAndCut(t *testing.T) {
	t.Parallel()
	denied := status.Error(codes.Unauthenticated, "bad\x1b token"+strings.Repeat("x", 1<<20))
	for _, sentinel := range []error{errors.ErrUnsupported, milvuswait.ErrInvalid, rpc.ErrMalformed} {
		t.Run(sentinel.Error(), func(t *testing.T) {
			t.Parallel()
			err := polls[loadingCall](t.Context(), rpc.FromStub(answering(nil, fmt.Errorf("%w: %w", denied, sentinel))))

			requireClass(t, errPermanent, err)
			require.Equal(t, codes.Unauthenticated, status.Code(err))
			require.Less(t, len(err.Error()), 2<<10)
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

// appending is a connection that appends an option to the options of each call, as
// interceptors do. It continues when two calls have done so, and fails if they share
// memory.
type appending struct {
	both sync.WaitGroup
}

func (a *appending) Invoke(_ context.Context, _ string, _, resp any, opts ...grpc.CallOption) error {
	own := grpc.Header(new(metadata.MD))
	opts = append(opts, own)

	a.both.Done()
	a.both.Wait()

	if opts[len(opts)-1] != own {
		return errors.New("the option of another call")
	}
	resp.(*loadingResponse).Status = &statusBody{}
	return nil
}

func (*appending) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.ErrUnsupported
}

// TestNew_InterceptorsAppendOptions_EachCallKeepsItsOwn makes two calls at once. Each needs
// its own copy of the Poller's options.
func TestNew_InterceptorsAppendOptions_EachCallKeepsItsOwn(t *testing.T) {
	t.Parallel()
	conn := new(appending)
	conn.both.Add(2)

	// Two options, added one at a time, leave spare capacity in the slice of options.
	p := rpc.New(conn, rpc.WithCallOptions(grpc.WaitForReady(true)), rpc.WithCallOptions(nil, grpc.UseCompressor("identity")))

	var g errgroup.Group
	for range 2 {
		g.Go(func() error { return polls[loadingCall](t.Context(), p) })
	}

	require.NoError(t, g.Wait())
}

// TestFromStub_InvalidUTF8_IsInternal polls a name that is not UTF-8, which no protobuf
// string can hold. A stub and a connection return the same code.
func TestFromStub_InvalidUTF8_IsInternal(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*rpc.Poller{"stub": rpc.FromStub(required{&statusBody{}}), "connection": rpc.New(connect(t, &server{}))} {
		t.Run(name, func(t *testing.T) {
			_, err := p.LoadingProgress(t.Context(), "\xff")

			requireClass(t, errTransient, err)
			require.Equal(t, codes.Internal, status.Code(err))
		})
	}
}
