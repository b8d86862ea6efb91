package rpc_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestClassify covers every code and error_code with a meaning of its own, and the
// neighbors of each range. Each row holds the class for loads and the one for indexes:
// DescribeIndex never reports a load that failed.
func TestClassify(t *testing.T) {
	t.Parallel()
	const (
		load  = loadingCall
		index = indexCall
	)
	tests := []struct {
		name         string
		code, legacy int32
		reason       string
		load, index  rpc.Class
	}{
		{"success", 0, 0, "", rpc.Succeeded, rpc.Succeeded},
		{"success with a reason", 0, 0, "collection not found", rpc.Succeeded, rpc.Succeeded},

		{"collection, by both codes", 100, 4, "", rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"collection, by code alone", 100, 0, "", rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"collection, by error_code alone", 0, 4, "", rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"collection, by its other error_code", 0, 28, "", rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"partition", 200, 15, "", rpc.PartitionNotFound, rpc.Transient},
		{"index, by code alone", 700, 0, "", rpc.IndexNotFound, rpc.IndexNotFound},
		{"index, by error_code alone", 0, 25, "", rpc.IndexNotFound, rpc.IndexNotFound},
		{"index, milvus-lite", 700, 11, "", rpc.IndexNotFound, rpc.IndexNotFound},
		{"several indexes", 702, 1, "", rpc.AmbiguousIndex, rpc.AmbiguousIndex},
		{"database", 800, 1, "", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database, milvus-lite", 6, 6, "database 'nodb' does not exist", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, milvus-lite", 1, 0, "database 'nodb' does not exist", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, 2.2.9 and 2.2.10", 0, 1, "ShowCollections failed: database not exist: nodb", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, 2.2.12 to 2.2.16", 0, 1, "ShowCollections failed: database:nodb not found", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, 2.3.0", 0, 1, "database:nodb not found", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, 2.3.1", 65535, 1, "database:nodb not found", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database in a list, 2.3.2 to 2.3.4", 800, 1, "database=nodb: database not found", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"database with a space", 0, 1, "database:no db not found", rpc.DatabaseNotFound, rpc.DatabaseNotFound},
		{"a database that cannot be looked up", 65535, 1, "database:nodb not found: context deadline exceeded", rpc.Transient, rpc.Transient},
		{"something in a database", 65535, 1, "database:nodb segment 5 not found in node", rpc.Undecided, rpc.Undecided},
		{"another failure of a list, 2.2", 0, 1, "ShowCollections failed: database:nodb is locked", rpc.Undecided, rpc.Undecided},
		{"something else not found, 2.2", 0, 1, "segment 5 not found", rpc.Undecided, rpc.Undecided},
		{"something else not found, by 65535", 65535, 1, "segment 5 not found", rpc.Undecided, rpc.Undecided},
		{"not ready", 1, 1, "database 'nodb' does not exist", rpc.Transient, rpc.Transient},
		{"something in a list, milvus-lite", 1, 0, "database is locked", rpc.Transient, rpc.Transient},
		{"illegal argument, milvus-lite", 6, 6, "field 'x' does not exist", rpc.InvalidArgument, rpc.InvalidArgument},
		{"illegal argument about a database, milvus-lite", 6, 6, "database 'db' already exists", rpc.InvalidArgument, rpc.InvalidArgument},
		{"cross cluster routing", 6, 1, "database 'nodb' does not exist", rpc.Transient, rpc.Transient},

		{"collection not loaded", 101, 1, "collection not loaded[collection=47]", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, no reason", 101, 0, "", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, wrapped by the proxy", 101, 1, "call query coordinator ShowCollections: collection not loaded[collection=47]", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, wrapped by the coordinator", 101, 1, "failed to show collections: collection not loaded[database=default][collection=47]", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, milvus-lite", 101, 101, "collection 'docs' is not loaded", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, 2.3.2 and 2.3.3", 101, 1, "collection=470803085736804424: collection not loaded", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, 2.3.2's form, wrapped", 101, 1, "failed to show collections: database=default: collection=docs: collection not loaded", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, 2.3.2's form, with a cause before", 101, 1, "load segment failed, OOM if load: collection=47: collection not loaded", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, 2.3.2's form, with a cause of its form", 101, 1, "predict=2: limit=1: memory limit exceeded: collection=47: collection not loaded", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, 2.3.2's form, with a cause behind", 101, 1, "collection=47: collection not loaded: node offline", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, 2.3.2's form, of a telling name", 101, 1, "collection=oom_out_of_memory: collection not loaded", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, by 2.2's words", 101, 1, "collection 47 has not been loaded to memory or load failed: collection=47: collection not loaded", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, of a telling name", 101, 1, "collection not loaded[collection=oom_out_of_memory]", rpc.NotLoaded, rpc.Transient},
		{"collection not loaded, with a cause before", 101, 1, "load segment failed, OOM if load: collection not loaded[collection=47]", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, with a transient cause", 101, 1, "service not ready[node=5]: collection not loaded[collection=47]", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, with a cause behind", 101, 1, "collection not loaded[collection=47]: gave up", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, with a number for a cause", 101, 1, "42: collection not loaded[collection=47]", rpc.LoadFailed, rpc.Transient},
		{"collection not loaded, only a cause", 101, 1, "disk quota exceeded", rpc.LoadFailed, rpc.Transient},
		{"partition not loaded", 201, 1, "partition not loaded[partition=47]", rpc.NotLoaded, rpc.Transient},
		{"partition not loaded, 2.3.2 and 2.3.3", 201, 1, "partition=470803037683712097: partition not loaded", rpc.NotLoaded, rpc.Transient},
		{"partition not loaded, 2.3.1", 201, 1, "partition 470803037683712097 has not been loaded to memory or load failed: partition=470803037683712097: partition not loaded", rpc.NotLoaded, rpc.Transient},
		{"partition not loaded, 2.3.1, with a cause", 201, 1, "node offline: partition 47 has not been loaded to memory or load failed: partition=47: partition not loaded", rpc.LoadFailed, rpc.Transient},
		{"partitions not loaded, 2.3.0 to 2.3.3", 201, 1, "partition=[47 48]: partition not loaded", rpc.NotLoaded, rpc.Transient},
		{"partition not found, 2.3.0", 202, 1, "partition=nope: partition not found", rpc.PartitionNotFound, rpc.Transient},
		{"partition not fully loaded, since 2.3.1", 202, 1, "partition not fully loaded[partition=47]", rpc.Transient, rpc.Transient},
		{"partition not loaded, 2.3.0", 203, 1, "partition 470803037683712097 has not been loaded to memory or load failed: partition=470803037683712097: partition not loaded", rpc.NotLoaded, rpc.Transient},
		{"partition not loaded, 2.3.0, with a cause", 203, 1, "OOM if load: partition=47: partition not loaded", rpc.LoadFailed, rpc.Transient},
		{"203 of something else", 203, 1, "what?", rpc.Transient, rpc.Transient},
		{"partition not loaded, with a cause", 201, 1, "memory limit exceeded[predict=1][limit=0]: partition not loaded[partition=47]", rpc.LoadFailed, rpc.Transient},

		{"memory limit exceeded", 3, 52, "", rpc.LoadFailed, rpc.Transient},
		{"disk limit exceeded", 7, 54, "", rpc.LoadFailed, rpc.Transient},
		{"segment not loaded", 601, 1, "", rpc.LoadFailed, rpc.Transient},
		{"segment lacks", 602, 1, "", rpc.LoadFailed, rpc.Transient},
		{"segment reduplicates", 603, 1, "", rpc.LoadFailed, rpc.Transient},
		{"segment load failed", 604, 1, "", rpc.LoadFailed, rpc.Transient},
		{"segment resources", 605, 1, "", rpc.LoadFailed, rpc.Transient},
		{"next to segment codes, below", 600, 1, "", rpc.Transient, rpc.Transient},
		{"next to segment codes, above", 606, 1, "", rpc.Transient, rpc.Transient},
		{"segcore, first", 2000, 1, "", rpc.LoadFailed, rpc.Transient},
		{"segcore, last", 2099, 1, "", rpc.LoadFailed, rpc.Transient},
		{"before segcore", 1999, 1, "", rpc.Transient, rpc.Transient},
		{"after segcore", 2100, 1, "", rpc.Transient, rpc.Transient},
		{"2.3.0's mark of a failed load on any code", 901, 52, "", rpc.LoadFailed, rpc.Transient},
		{"2.3 to 2.6.15's mark of a failed load", 1, 56, "show collection failed: service not ready", rpc.LoadFailed, rpc.Transient},
		{"the same, with a code that means something else", 100, 4, "Show collection failed: x", rpc.LoadFailed, rpc.CollectionNotFound},
		{"the mark elsewhere", 1, 56, "x: show collection failed", rpc.Transient, rpc.Transient},
		{"2.2 out of memory", 0, 52, "", rpc.LoadFailed, rpc.Transient},
		{"old out of memory", 0, 24, "", rpc.LoadFailed, rpc.Transient},
		{"old out of disk", 0, 54, "", rpc.LoadFailed, rpc.Transient},

		{"parameter invalid", 1100, 5, "", rpc.InvalidArgument, rpc.InvalidArgument},
		{"parameter missing", 1101, 5, "", rpc.InvalidArgument, rpc.InvalidArgument},
		{"parameter too large", 1102, 5, "", rpc.InvalidArgument, rpc.InvalidArgument},
		{"not authenticated", 1400, 1, "", rpc.PermanentFailure, rpc.PermanentFailure},
		{"not permitted", 1401, 1, "", rpc.PermanentFailure, rpc.PermanentFailure},
		{"alias not found", 1600, 1, "", rpc.PermanentFailure, rpc.PermanentFailure},
		{"task queue full, 2.3.0", 1600, 1, "task queue full", rpc.Transient, rpc.Transient},
		{"dangling alias", 1603, 1, "", rpc.PermanentFailure, rpc.PermanentFailure},
		{"invalid database name", 802, 1, "", rpc.InvalidArgument, rpc.InvalidArgument},
		{"2.2 permission denied", 0, 3, "", rpc.PermanentFailure, rpc.PermanentFailure},
		{"2.2 illegal argument", 0, 5, "", rpc.InvalidArgument, rpc.InvalidArgument},
		{"2.2 illegal name", 0, 9, "", rpc.InvalidArgument, rpc.InvalidArgument},

		{"2.2 not ready", 0, 56, "", rpc.Transient, rpc.Transient},
		{"2.2 rate limit", 0, 49, "can't find collection", rpc.Transient, rpc.Transient},
		{"2.2 unknown error_code", 0, 4711, "can't find collection", rpc.Transient, rpc.Transient},
		{"negative codes", -1, -1, "", rpc.Transient, rpc.Transient},

		{"2.2 says nothing", 0, 1, "", rpc.Undecided, rpc.Undecided},
		{"65535 says nothing", 65535, 1, "", rpc.Undecided, rpc.Undecided},
		{"65535 alone says nothing", 65535, 0, "what?", rpc.Undecided, rpc.Undecided},
		{"65535 with an old code that tells", 65535, 4, "", rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"65535 with an old code for memory", 65535, 52, "", rpc.LoadFailed, rpc.Transient},
		{"65535 that OOM", 65535, 1, "load segment failed, OOM if load, maxSegmentSize=1", rpc.Undecided, rpc.Undecided},
		{"2.2 cannot find the collection", 0, 1, "can't find collection default:x", rpc.Undecided, rpc.Undecided},
		{"2.2 not loaded", 0, 1, "collection 47 has not been loaded to memory or load failed", rpc.Undecided, rpc.Undecided},
		{"2.2 partition", 0, 1, "partition is not exist: p", rpc.PartitionNotFound, rpc.Transient},
		{"2.2 several indexes", 0, 1, "there are multiple indexes, please specify the index_name", rpc.AmbiguousIndex, rpc.AmbiguousIndex},
		{"2.2 index", 0, 1, "index not exist", rpc.IndexNotFound, rpc.IndexNotFound},
		{"2.2 invalid name", 0, 1, "Invalid collection name: a b$", rpc.PermanentFailure, rpc.PermanentFailure},
		{"2.2 empty name", 0, 1, "collection name should not be empty", rpc.PermanentFailure, rpc.PermanentFailure},
		{"2.2 coordinator away", 0, 1, "find no available rootcoord, check rootcoord state", rpc.Transient, rpc.Transient},
		{"65535 coordinator away", 65535, 1, "rpc error: code = Unavailable desc = x", rpc.Transient, rpc.Transient},
		{"65535 coordinator slow while looking up", 65535, 1, "can't find collection: context deadline exceeded", rpc.Transient, rpc.Transient},
	}

	// Codes of transient failures: the code decides, and the text does not.
	for code, what := range map[int32]string{
		1: "service not ready", 2: "service unavailable", 4: "too many requests", 5: "internal", 8: "rate limit", 9: "quota",
		10: "unimplemented by the coordinator", 12: "resources", 103: "not fully loaded", 106: "recovering", 202: "partition not fully loaded",
		250: "capacity", 300: "resource group", 400: "replica", 503: "channel", 901: "node", 906: "node", 1000: "key", 1001: "IO", 1003: "IO requests",
		1807: "HTTP rate limit", 10000: "canceled by the server", 10001: "timed out on the server",
	} {
		tests = append(tests, struct {
			name         string
			code, legacy int32
			reason       string
			load, index  rpc.Class
		}{"transient: " + what, code, 1, "can't find collection", rpc.Transient, rpc.Transient})
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.load, rpc.ClassOf(tt.code, tt.legacy, tt.reason, load))
			require.Equal(t, tt.load, rpc.ClassOf(tt.code, tt.legacy, tt.reason, stateCall))
			require.Equal(t, tt.index, rpc.ClassOf(tt.code, tt.legacy, tt.reason, index))
		})
	}
}

// TestSettle covers failures whose codes and text leave their class open. GetLoadState
// decides then; rpc.NoState stands for a GetLoadState without a result.
func TestSettle(t *testing.T) {
	t.Parallel()
	const (
		unknown    = 65535
		cannotFind = "Can't find collection default:docs"
		notLoaded  = "collection 47 has not been loaded to memory or load failed"
		oom        = "load segment failed, OOM if load"
	)

	tests := []struct {
		name        string
		code        int32
		reason      string
		state       wire.LoadState
		load, index rpc.Class
	}{
		{"2.2, not there", 0, "", notExist, rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"2.2, not loaded and dropped since", 0, notLoaded, notExist, rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"65535, not there or not to be looked up", unknown, "", notExist, rpc.Transient, rpc.Transient},
		{"65535, not there by both", unknown, cannotFind, notExist, rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"not loaded", 0, notLoaded, notLoad, rpc.NotLoaded, rpc.Transient},
		{"not loaded, whatever it says", unknown, "what?", notLoad, rpc.NotLoaded, rpc.Transient},
		{"not loaded, and cannot be found", 0, cannotFind, notLoad, rpc.NotLoaded, rpc.Transient},
		{"not loaded for want of memory", unknown, oom, notLoad, rpc.LoadFailed, rpc.Transient},
		{"loading", 0, notLoaded, loading, rpc.Transient, rpc.Transient},
		{"loading, and out of memory", 0, oom, loading, rpc.Transient, rpc.Transient},
		{"loaded", 0, cannotFind, loaded, rpc.Transient, rpc.Transient},
		{"a state that does not exist", 0, cannotFind, 17, rpc.Transient, rpc.Transient},
		{"no state, cannot be found", 0, cannotFind, rpc.NoState, rpc.CollectionNotFound, rpc.CollectionNotFound},
		{"no state, not loaded", 0, notLoaded, rpc.NoState, rpc.NotLoaded, rpc.Transient},
		{"no state, out of memory", unknown, oom, rpc.NoState, rpc.LoadFailed, rpc.Transient},
		{"no state, nothing known", 0, "what?", rpc.NoState, rpc.Transient, rpc.Transient},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.load, rpc.Settle(tt.code, tt.reason, loadingCall, tt.state))
			require.Equal(t, tt.index, rpc.Settle(tt.code, tt.reason, indexCall, tt.state))
		})
	}
}

// TestClassOf_KnownTexts holds one example for every known text of a server.
func TestClassOf_KnownTexts(t *testing.T) {
	t.Parallel()
	for want, reasons := range map[rpc.Class][]string{
		rpc.Transient: {
			"context deadline exceeded", "rpc error: code = DeadlineExceeded desc = x", "rpc error: code = Unavailable desc = x",
			"service unavailable: x", "rpc error: code = Canceled desc = x", "context canceled",
			"Milvus Proxy is not ready yet. please wait", "querycoord is not healthy", "find no available querycoord",
			"All attempts results:\nattempt #1:x", "dial tcp: connection refused", "read: connection reset by peer",
			"grpc: the client connection is closing", "transport is closing", "write: broken pipe",
			"datacoord is unavailable", "etcd is temporarily unavailable", "lookup timed out", "dial: i/o timeout", "etcdserver: request timeout",
			"error reading from server: EOF", "etcdserver: leader changed", "rate limit exceeded[rate=1]", "too many requests",
		},
		rpc.PermanentFailure: {
			"auth check failure, please check username and password are correct", "not authenticated", "permission deny to x",
			"privilege not permitted", "Invalid collection name: x", "Invalid partition name: x", "Invalid index name: x",
			"Invalid database name: x", "partition name should not be empty",
		},
		rpc.PartitionNotFound:  {"partition is not exist: x", "partition not found[partition=x]"},
		rpc.DatabaseNotFound:   {"database not found[database=x]", "database not exist: x", "database:x not found"},
		rpc.CollectionNotFound: {"can't find collection: 5", "collection not found[collection=x]"},
		rpc.IndexNotFound:      {"index not exist", "index doesn't exist, collectionID 5", "index not found[indexName=x]", "no index on collection 'docs'", "no index on field 'vec' of collection 'docs'"},
		rpc.AmbiguousIndex:     {"there are multiple indexes, please specify the index_name", "index duplicates[indexName=]"},
		rpc.LoadFailed: {
			"out of memory", "x, OOM if load, y", "insufficient memory", "no enough memory", "memory limit exceeded[x=1]",
			"no enough disk", "disk limit exceeded[x=1]", "load segment failed",
		},
		rpc.NotLoaded: {
			"collection 5 has not been loaded to memory or load failed", "collection 5 has not been loaded into QueryNode",
			"fail to show partitions from the querycoord, invalid data num", "collection not loaded[collection=5]", "partition not loaded[partition=5]",
		},
	} {
		for _, reason := range reasons {
			require.Equal(t, want, rpc.Settle(65535, reason, loadingCall, rpc.NoState), reason)
		}

		// Settle returns Transient for unknown texts too. ClassOf shows the difference: it
		// returns Undecided for them.
		if want == rpc.Transient {
			for _, reason := range reasons {
				require.Equal(t, want, rpc.ClassOf(0, 1, reason, loadingCall), reason)
			}
		}
	}

	for _, reason := range []string{"", "what?", "collection 47 is odd", "room, timeout_docs, unavailable_docs, geofence"} {
		require.Equal(t, rpc.Undecided, rpc.ClassOf(0, 1, reason, loadingCall), reason)
	}
}

// TestSettle_RestrictsToMethod shows that GetLoadState does not turn a failure of a call
// about no load into one of a load.
func TestSettle_RestrictsToMethod(t *testing.T) {
	t.Parallel()
	for _, method := range []string{segmentsCall, flushCall, importCall, compactionCall} {
		require.Equal(t, rpc.Transient, rpc.Settle(0, "what?", method, notLoad), method)
		require.Equal(t, rpc.Transient, rpc.Settle(65535, "out of memory", method, notLoad), method)
		require.Equal(t, rpc.Transient, rpc.Settle(0, "collection not loaded", method, rpc.NoState), method)
	}
	require.Equal(t, rpc.NotLoaded, rpc.Settle(0, "what?", queryCall, notLoad))
	require.Equal(t, rpc.NotLoaded, rpc.Settle(0, "out of memory", queryCall, notLoad))
	require.Equal(t, rpc.CollectionNotFound, rpc.Settle(0, "can't find collection", segmentsCall, notExist))
	require.Equal(t, rpc.CollectionNotFound, rpc.Settle(0, "can't find collection", flushCall, rpc.NoState))
	require.Equal(t, rpc.Transient, rpc.Settle(0, "can't find collection", importCall, rpc.NoState))
}

// TestClassifyCall covers the class of every gRPC code. For Canceled, Unknown and
// Unimplemented the message decides too: a closed connection stays closed, Milvus 2.2
// reports bad credentials without a code, and Envoy a missing route without a message.
func TestClassifyCall(t *testing.T) {
	t.Parallel()
	want := map[codes.Code]rpc.Class{
		codes.Canceled: rpc.Transient, codes.Unknown: rpc.Transient, codes.InvalidArgument: rpc.InvalidArgument,
		codes.DeadlineExceeded: rpc.Transient, codes.NotFound: rpc.PermanentFailure, codes.AlreadyExists: rpc.PermanentFailure,
		codes.PermissionDenied: rpc.PermanentFailure, codes.ResourceExhausted: rpc.Transient, codes.FailedPrecondition: rpc.PermanentFailure,
		codes.Aborted: rpc.Transient, codes.OutOfRange: rpc.Transient, codes.Unimplemented: rpc.Transient, codes.Internal: rpc.Transient,
		codes.Unavailable: rpc.Transient, codes.DataLoss: rpc.Transient, codes.Unauthenticated: rpc.PermanentFailure, codes.Code(99): rpc.Transient,
	}

	for code, class := range want {
		for _, method := range []string{loadingCall, indexCall} {
			require.Equal(t, class, rpc.ClassifyCall(code, "boom", method), "%v", code)
		}
	}

	for _, method := range []string{segmentsCall, flushCall, importCall, compactionCall, queryCall} {
		for code, class := range want {
			require.Equal(t, class, rpc.ClassifyCall(code, "boom", method), "%v", code)
		}
		require.Equal(t, rpc.Unsupported, rpc.ClassifyCall(codes.Unimplemented, "unknown method", method))
		require.Equal(t, rpc.Transient, rpc.ClassifyCall(codes.Unimplemented, "", method))
		require.Equal(t, rpc.PermanentFailure, rpc.ClassifyCall(codes.Unknown, "auth check failure, please check", method))
	}
	require.Equal(t, rpc.PermanentFailure, rpc.ClassifyCall(codes.Unimplemented, "unknown method", loadingCall))
	require.Equal(t, rpc.Lasting, rpc.ClassifyCall(codes.Canceled, "grpc: the client connection is closing", loadingCall))
	require.Equal(t, rpc.Transient, rpc.ClassifyCall(codes.Unavailable, "grpc: the client connection is closing", loadingCall))
	require.Equal(t, rpc.PermanentFailure, rpc.ClassifyCall(codes.Unknown, "auth check failure, please check", indexCall))
	require.Equal(t, rpc.Transient, rpc.ClassifyCall(codes.Unavailable, "auth check failure, please check", indexCall))
	require.Equal(t, rpc.Transient, rpc.ClassifyCall(codes.Unknown, "Milvus Proxy is not ready yet. please wait", loadingCall))
	require.Equal(t, rpc.DatabaseNotFound, rpc.ClassifyCall(codes.Unknown, "database not found[database=x]", loadingCall))
	require.Equal(t, rpc.NotLoaded, rpc.ClassifyCall(codes.Unknown, "collection not loaded[collection=x]", loadingCall))
	require.Equal(t, rpc.Transient, rpc.ClassifyCall(codes.Unknown, "collection not loaded[collection=x]", indexCall))
}

// validName matches the names of collections, partitions and indexes on Milvus.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)

// impossible holds the classes that a failure of a method never has.
var impossible = map[string][]rpc.Class{
	loadingCall:    {rpc.JobNotFound, rpc.Unsupported},
	stateCall:      {rpc.JobNotFound, rpc.Unsupported},
	listCall:       {rpc.JobNotFound, rpc.Unsupported},
	indexCall:      {rpc.JobNotFound, rpc.Unsupported, rpc.NotLoaded, rpc.LoadFailed, rpc.PartitionNotFound},
	segmentsCall:   {rpc.JobNotFound, rpc.NotLoaded, rpc.LoadFailed, rpc.PartitionNotFound, rpc.IndexNotFound, rpc.AmbiguousIndex},
	flushCall:      {rpc.JobNotFound, rpc.NotLoaded, rpc.LoadFailed, rpc.PartitionNotFound, rpc.IndexNotFound, rpc.AmbiguousIndex},
	importCall:     {rpc.CollectionNotFound, rpc.NotLoaded, rpc.LoadFailed, rpc.PartitionNotFound, rpc.IndexNotFound, rpc.AmbiguousIndex},
	compactionCall: {rpc.JobNotFound, rpc.CollectionNotFound, rpc.NotLoaded, rpc.LoadFailed, rpc.PartitionNotFound, rpc.IndexNotFound, rpc.AmbiguousIndex},
	queryCall:      {rpc.JobNotFound, rpc.LoadFailed, rpc.IndexNotFound, rpc.AmbiguousIndex},
}

// FuzzClassify checks the results for any status. They are deterministic, only the codes
// 0 and 0 are a success, and no method gets a class that is impossible for it. A valid name
// in the text does not change the class.
func FuzzClassify(f *testing.F) {
	f.Add(int32(0), int32(1), "can't find collection default:nope", "docs", int32(0))
	f.Add(int32(101), int32(1), "OOM: collection not loaded[collection=5]", "unavailable", int32(1))
	f.Add(int32(65535), int32(0), "rpc error: code = Unavailable desc = \xff", "oom", int32(-1))
	f.Add(int32(6), int32(6), "database 'x' does not exist", "deadline_exceeded", int32(3))
	f.Add(int32(1000), int32(1), "key not found[key=by-dev/meta/importtask/1]", "importtask", int32(0))
	f.Add(int32(2100), int32(1), "import job does not exist, jobID=1", "job", int32(1))

	f.Fuzz(func(t *testing.T, code, legacy int32, reason, name string, state int32) {
		for _, method := range []string{loadingCall, stateCall, listCall, indexCall, segmentsCall, flushCall, importCall, compactionCall, queryCall} {
			got := rpc.ClassOf(code, legacy, reason, method)

			require.Equal(t, got, rpc.ClassOf(code, legacy, reason, method))
			require.Equal(t, code == 0 && legacy == 0, got == rpc.Succeeded)
			require.NotEqual(t, rpc.Unsupported, got, "a status is an answer of a server that has the call")
			if code != 0 && code != 65535 {
				require.NotEqual(t, rpc.Undecided, got)
			}

			settled := rpc.Settle(code, reason, method, wire.LoadState(state))
			called := rpc.ClassifyCall(codes.Code(uint32(code)), reason, method)

			require.NotContains(t, []rpc.Class{rpc.Succeeded, rpc.Undecided}, settled)
			require.NotContains(t, []rpc.Class{rpc.Succeeded, rpc.Undecided}, called)

			for _, class := range []rpc.Class{got, settled, called} {
				require.NotContains(t, impossible[method], class)
			}
		}

		// Names may contain words of failures, such as unavailable or oom.
		if validName.MatchString(name) {
			for text, want := range map[string]rpc.Class{
				"collection NAME is odd":                                           rpc.Undecided,
				"can't find collection default:NAME":                               rpc.Undecided,
				"collection NAME has not been loaded to memory or load failed":     rpc.Undecided,
				"partition is not exist: NAME":                                     rpc.PartitionNotFound,
				"NAME import task id doesn't exist":                                rpc.Transient,
				"rpc error: code = Unavailable desc = cannot look up default:NAME": rpc.Transient,
			} {
				require.Equal(t, want, rpc.ClassOf(0, 1, strings.ReplaceAll(text, "NAME", name), loadingCall), text)
			}
			require.Equal(t, rpc.NotLoaded, rpc.ClassOf(101, 1, "collection not loaded[collection="+name+"]", loadingCall))
			require.Equal(t, rpc.CollectionNotFound, rpc.Settle(0, "can't find collection default:"+name, loadingCall, rpc.NoState))
		}
	})
}
