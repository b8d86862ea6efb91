package fakeserver_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

const never = -1

// TestGetFlushState_OfEachDialect_MisleadsAsMeasured lists the times after a flush from
// which GetFlushState is true, by the arguments of the request. All rows are visible after
// 4 s.
func TestGetFlushState_OfEachDialect_MisleadsAsMeasured(t *testing.T) {
	type times map[fakeserver.Dialect]time.Duration
	const v23, v22, lite, v26 = fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26
	const visible, checkpoint = 4 * time.Second, 3 * time.Second
	tests := []struct {
		name    string
		request func(ids []int64, ts uint64) *wire.GetFlushStateRequest
		from    times
	}{
		{"ids, timestamp, name", func(ids []int64, ts uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: ids, FlushTs: ts, CollectionName: "docs"}
		}, times{v23: visible, v22: visible, v26: visible}},
		{"timestamp, name", func(_ []int64, ts uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{FlushTs: ts, CollectionName: "docs"}
		}, times{v23: checkpoint, v26: visible}},
		{"ids, timestamp", func(ids []int64, ts uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: ids, FlushTs: ts}
		}, times{v23: visible, v22: visible}},
		{"ids, name", func(ids []int64, _ uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: ids, CollectionName: "docs"}
		}, times{v23: visible, v22: visible}},
		{"ids", func(ids []int64, _ uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: ids}
		}, times{v23: visible, v22: visible}},
		{"timestamp", func(_ []int64, ts uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{FlushTs: ts}
		}, times{}},
		{"name", func([]int64, uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{CollectionName: "docs"}
		}, times{}},
		{"nothing", func([]int64, uint64) *wire.GetFlushStateRequest { return new(wire.GetFlushStateRequest) }, times{}},
		{"unknown id, name", func([]int64, uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: []int64{9999}, CollectionName: "docs"}
		}, times{}},
		{"ids, timestamp in an hour, name", func(ids []int64, _ uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{SegmentIDs: ids, FlushTs: uint64(time.Now().Add(time.Hour).UnixMilli()) << 18, CollectionName: "docs"}
		}, times{v23: never, v22: visible, v26: never}},
		{"maximum timestamp, name", func([]int64, uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{FlushTs: math.MaxUint64, CollectionName: "docs"}
		}, times{v23: never, v26: never}},
		{"maximum timestamp", func([]int64, uint64) *wire.GetFlushStateRequest {
			return &wire.GetFlushStateRequest{FlushTs: math.MaxUint64}
		}, times{}},
	}
	for _, dialect := range []fakeserver.Dialect{v23, v22, lite, v26} {
		for _, tt := range tests {
			t.Run(dialect.String()+": "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv, c := start(t, fakeserver.Config{Dialect: dialect, VisibleAfter: visible})
					srv.AddCollection("docs")
					insert(t, c, "docs", 100_000)
					mark := flush(t, c, "docs")
					require.Equal(t, dialect == v23 || dialect == v26, mark.Timestamp > 0)
					require.Equal(t, dialect != lite, len(mark.Segments) == 1)
					request := tt.request(mark.Segments, mark.Timestamp)
					begin := time.Now()

					from := time.Duration(never)
					for _, after := range []time.Duration{0, checkpoint - time.Millisecond, checkpoint, visible - time.Millisecond, visible, time.Minute} {
						time.Sleep(after - time.Since(begin))
						done := flushState(t, c, request).GetFlushed()
						if done && from == never {
							from = after
						}
						require.Equal(t, from != never, done, "%v: it stays true", after)
					}

					require.Equal(t, tt.from[dialect], from)
				})
			})
		}
	}
}

func TestGetFlushState_UnknownCollection_IsAFailureSince23(t *testing.T) {
	for dialect, want := range map[fakeserver.Dialect]body{
		fakeserver.Milvus23:   {notExists, 100, "collection not found[database=default][collection=nope]"},
		fakeserver.Milvus26:   {notExists, 100, "collection not found[database=default][collection=nope]"},
		fakeserver.Milvus22:   ok,
		fakeserver.MilvusLite: ok,
	} {
		t.Run(dialect.String(), func(t *testing.T) {
			_, c := start(t, fakeserver.Config{Dialect: dialect})

			r := flushState(t, c, &wire.GetFlushStateRequest{SegmentIDs: []int64{7}, FlushTs: 7, CollectionName: "nope"})

			require.Equal(t, want, of(r.GetStatus()))
			require.Equal(t, want == ok, r.GetFlushed())
		})
	}
}

func TestFlush_Again_ReportsSealedSegmentsExceptOn26(t *testing.T) {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.Milvus26} {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect, VisibleAfter: 4 * time.Second})
				srv.AddCollection("docs")
				insert(t, c, "docs", 10)
				first := flush(t, c, "docs")
				time.Sleep(time.Second)
				insert(t, c, "docs", 10)

				second := flush(t, c, "docs")

				require.Equal(t, 1, len(first.Segments))
				if dialect == fakeserver.Milvus26 {
					require.Equal(t, 1, len(second.Segments))
					require.NotEqual(t, first.Segments, second.Segments)
				} else {
					require.Equal(t, 2, len(second.Segments))
					require.Contains(t, second.Segments, first.Segments[0])
				}
				time.Sleep(3 * time.Second)
				require.True(t, flushed(t, c, "docs", first))
				require.False(t, flushed(t, c, "docs", second))
				time.Sleep(time.Second)
				require.True(t, flushed(t, c, "docs", second))
			})
		})
	}
}

// A flush of nothing but deletes has no segments. Only its timestamp can report that it is
// not done.
func TestFlush_NothingToSeal_HasATimestampSince23(t *testing.T) {
	for dialect, want := range map[fakeserver.Dialect]time.Duration{
		fakeserver.Milvus23: 3 * time.Second, fakeserver.Milvus26: 4 * time.Second, fakeserver.Milvus22: 0, fakeserver.MilvusLite: 0,
	} {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect, VisibleAfter: 4 * time.Second})
				srv.AddCollection("empty")
				require.True(t, flushed(t, c, "empty", flush(t, c, "empty")), "a collection without rows")
				srv.AddRows("docs", 10)
				time.Sleep(time.Hour)
				begin := time.Now()

				mark := flush(t, c, "docs")
				for !flushed(t, c, "docs", mark) {
					time.Sleep(time.Millisecond)
				}

				require.Empty(t, mark.Segments)
				require.Equal(t, want, time.Since(begin))
			})
		})
	}
}

func TestSegments_OfEachDialect_AreListedFromTheFlushOn(t *testing.T) {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.Milvus26} {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect, VisibleAfter: 4 * time.Second})
				srv.AddCollection("docs", "p1")
				s, err := createIndex(t.Context(), c, "docs", "vec", "vidx")
				succeeds(t, s, err)
				index := func() string {
					return rows(describeIndex(t, c, "docs", "vidx", math.MaxUint64).GetIndexDescriptions()[0])
				}
				insert(t, c, "docs", 100)
				require.Empty(t, segments(t, c, "docs"), "growing")
				id := flush(t, c, "docs").Segments[0]

				sealed := map[int64]wire.SegmentState{id: wire.SegmentState_Sealed}
				if dialect == fakeserver.Milvus26 {
					sealed = map[int64]wire.SegmentState{}
				}
				for _, d := range []time.Duration{0, 4*time.Second - 1} {
					time.Sleep(d)
					require.Equal(t, sealed, segments(t, c, "docs"))
					require.Equal(t, "0/0, 0 pending, Finished", index())
				}
				time.Sleep(time.Nanosecond)
				require.Equal(t, map[int64]wire.SegmentState{id: wire.SegmentState_Flushed}, segments(t, c, "docs"))
				require.Equal(t, "0/100, 100 pending, InProgress", index())
			})
		})
	}
}

func TestSegments_AreDescribed(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.AddRows("docs", 100)

	r, err := wire.GetPersistentSegmentInfo.Call(t.Context(), c, &wire.GetPersistentSegmentInfoRequest{CollectionName: "docs"})
	require.NoError(t, err)
	absent, err := wire.GetPersistentSegmentInfo.Call(t.Context(), c, &wire.GetPersistentSegmentInfoRequest{CollectionName: "nope"})
	require.NoError(t, err)

	require.Equal(t, 1, len(r.GetInfos()))
	info := r.GetInfos()[0]
	require.Equal(t, []int64{docsID, defaultID, 100}, []int64{info.GetCollectionID(), info.GetPartitionID(), info.GetNumRows()})
	require.EqualValues(t, 100, absent.GetStatus().GetCode())
}

func TestSegments_OnLite_AreUnimplemented(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddRows("docs", 100)

	_, err := wire.GetPersistentSegmentInfo.Call(t.Context(), c, &wire.GetPersistentSegmentInfoRequest{CollectionName: "docs"})

	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestGetFlushState_ScriptOfAMark_IsUsedForThatMarkOnly(t *testing.T) {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26} {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			mark := milvuswait.FlushMark{Timestamp: 12345, Segments: []int64{7, 8}}
			srv.Set(milvuswait.Flushing("docs", mark), fake.Steps(
				fake.Step{Progress: milvuswait.FlushProgress{}},
				fake.Step{Err: &milvuswait.ServerError{Code: 8, LegacyCode: 49, Reason: "slow down"}},
				fake.Step{Progress: milvuswait.FlushProgress{Flushed: true}},
			))
			request := &wire.GetFlushStateRequest{SegmentIDs: []int64{8, 7}, FlushTs: 12345, CollectionName: "docs"}

			require.False(t, flushState(t, c, request).GetFlushed())
			require.True(t, flushed(t, c, "docs", milvuswait.FlushMark{Timestamp: 12345, Segments: []int64{7}}), "another mark")
			require.Equal(t, body{49, 8, "slow down"}, of(flushState(t, c, request).GetStatus()))
			require.True(t, flushState(t, c, request).GetFlushed())

			srv.Set(milvuswait.Flushing("docs", mark), fake.Steps(fake.Step{Progress: milvuswait.FlushProgress{}}))
			require.False(t, flushState(t, c, request).GetFlushed())
			srv.Set(milvuswait.Flushing("docs", mark), nil)
			require.True(t, flushState(t, c, request).GetFlushed())
		})
	}
}
