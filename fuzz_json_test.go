package milvuswait_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// FuzzJSON reads anything as each of the progresses: what is no error can be
// written, and read again as the same.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"loading_progress":"40%"}`, `{"loading_progress":"-9223372036854775808%"}`, `{"loading_progress":"+040%"}`, `{"LOADING_PROGRESS":"1%"}`,
		`{"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}`,
		`{"total_rows":-1,"state":"IndexState(77)","index_state_fail_reason":"\ud800\u202e"}`,
		`{"state":"IndexState(77)x"}`, `{"state":"IndexState( 77)"}`, `{"state":null}`, `null`, `{}`, `"IndexState(-1)"`, `"Retry"`, `"IndexState(3)"`, `IndexState(77)`, `IndexState(77)x`, `IndexState(+77)`, `Retry`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		requireRoundTrip[milvuswait.LoadingProgress](t, b)
		requireRoundTrip[milvuswait.IndexBuildingProgress](t, b)
		requireRoundTrip[milvuswait.IndexState](t, b)

		var s milvuswait.IndexState
		if err := s.UnmarshalText(b); err == nil {
			require.Equal(t, string(b), s.String(), "what MarshalText does not write was read")
		}
	})
}

func requireRoundTrip[T comparable](t *testing.T, b []byte) {
	t.Helper()
	var read, again T
	if json.Unmarshal(b, &read) != nil {
		return
	}
	written, err := json.Marshal(read)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &again), "%s", written)
	require.Equal(t, read, again, "%s", written)
}

// FuzzProgressJSON writes any progress: it is read again as what it was, but for
// what is not part of the dict, and bytes that JSON has no way to write.
func FuzzProgressJSON(f *testing.F) {
	f.Add(int64(40), int64(100), int64(60), int32(2), "")
	f.Add(int64(-1<<63), int64(1<<63-1), int64(0), int32(-1), "a\xff\u2028\x00<")
	f.Fuzz(func(t *testing.T, a, b, c int64, state int32, reason string) {
		var loading milvuswait.LoadingProgress
		requireWritten(t, milvuswait.LoadingProgress{Percent: a, RefreshPercent: b}, &loading)
		require.Equal(t, milvuswait.LoadingProgress{Percent: a}, loading)

		p := milvuswait.IndexBuildingProgress{
			TotalRows: a, IndexedRows: b, PendingIndexRows: c, State: milvuswait.IndexState(state), FailReason: reason, IndexName: reason,
		}
		var index milvuswait.IndexBuildingProgress
		requireWritten(t, p, &index)
		p.IndexName, p.FailReason = "", string([]rune(reason))
		require.Equal(t, p, index)
	})
}

func requireWritten(t *testing.T, from, to any) {
	t.Helper()
	b, err := json.Marshal(from)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, to), "%s", b)
}
