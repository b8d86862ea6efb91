package milvuswait

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// flushingKind is the row of flushes in the table of kinds.
var flushingKind = &waitKind{
	kind: KindFlushing, one: "a flush", many: "flushes",
	initial:     40 * time.Millisecond, // GetFlushState is answered from memory
	describe:    func(t Target) string { return fmt.Sprintf("flush of %q", t.collection) },
	validate:    func(t Target) error { return validateName("collection", t.collection) },
	checkPoller: requireFlushPoller,

	poll: func(ctx context.Context, p Poller, s *waitState) answer {
		done, err := flushDone(ctx, p, s.target)
		return answerOf(FlushProgress{Flushed: done}, err)
	},
	list: listNone,

	note:       noteProgress,
	isComplete: isProgressComplete,
	share: func(s *waitState) float64 {
		if s.last.Complete() {
			return 1
		}
		return -1
	},

	jsonKey: "flushed", unmarshal: unmarshal[FlushProgress],
}

// Flushing returns the target for the flush of the mark: every segment that Flush sealed
// is on disk, and every delete before its timestamp is too.
func Flushing(collection string, mark FlushMark) Target {
	return Target{kind: KindFlushing, collection: collection}.AfterFlush(mark)
}

// FlushMark identifies the flush of one collection: the result of Flush. Make one by
// rpc.FlushMarkOf, or from GetFlushStats of a client's flush task.
//
// The zero mark is valid. Milvus 2.2 and 2.3.0 return no timestamp, and a flush without new
// rows returns no segments.
//
// Source: milvus.proto, message FlushResponse.
type FlushMark struct {
	Timestamp uint64  // coll_flush_ts: the flush covers inserts and deletes before it
	Segments  []int64 // coll_segIDs: the segments that the flush sealed
}

// AfterFlush returns t with a flush mark: a flush is complete when the server reports it
// done, and an index when in addition all rows counted then are indexed. The order and
// repetitions of the segments make no difference. A second mark replaces the first. See
// [WithFlush].
func (t Target) AfterFlush(mark FlushMark) Target {
	t.mark = encodeMark(mark)
	return t
}

// FlushMark returns the flush mark, with sorted segments, and reports whether there is one.
func (t Target) FlushMark() (FlushMark, bool) {
	if t.mark == "" {
		return FlushMark{}, false
	}
	return decodeMark(t.mark), true
}

// marksTime reports whether t has a flush mark with a timestamp.
func (t Target) marksTime() bool {
	return t.mark != "" && t.mark[:8] != "\x00\x00\x00\x00\x00\x00\x00\x00"
}

// encodeMark returns the mark as a string, since a Target with a slice would not be
// comparable: the timestamp and the sorted segments, of 8 bytes each.
func encodeMark(mark FlushMark) string {
	segments := slices.Clone(mark.Segments)
	slices.Sort(segments)
	segments = slices.Compact(segments)

	b := binary.BigEndian.AppendUint64(make([]byte, 0, 8+8*len(segments)), mark.Timestamp)
	for _, id := range segments {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
	}
	return string(b)
}

func decodeMark(s string) FlushMark {
	b := []byte(s)
	mark := FlushMark{Timestamp: binary.BigEndian.Uint64(b)}
	for b = b[8:]; len(b) > 0; b = b[8:] {
		mark.Segments = append(mark.Segments, int64(binary.BigEndian.Uint64(b)))
	}
	return mark
}

// validateMark refuses a mark with segments that no server makes. A target without a mark
// is valid.
func validateMark(t Target) error {
	mark, _ := t.FlushMark()
	if len(mark.Segments) > 0 && mark.Segments[0] <= 0 {
		return fmt.Errorf("%w: the flush mark has the segment %d, which is not positive", ErrInvalid, mark.Segments[0])
	}
	return nil
}

// requireFlushPoller returns ErrInvalid for a Poller that cannot serve a target with a flush
// mark.
func requireFlushPoller(p Poller, t Target) error {
	if t.mark == "" {
		return nil
	}
	return requires[FlushPoller](p, "FlushPoller", "Flush", func(f PollerFuncs) bool { return f.Flush != nil })
}

// flushDone asks p whether the flush of the target's mark is done. The wait has checked
// that p is a FlushPoller.
func flushDone(ctx context.Context, p Poller, t Target) (bool, error) {
	flusher, _ := unwrap.Find[FlushPoller](p)
	mark, _ := t.FlushMark()
	return flusher.FlushDone(ctx, t.collection, mark)
}

// FlushProgress is the progress of a flush. The server reports no more than its end.
//
// Source: milvus.proto, message GetFlushStateResponse.
type FlushProgress struct {
	Flushed bool // the flush is done; field flushed
}

// Complete returns Flushed.
func (p FlushProgress) Complete() bool { return p.Flushed }

// Fraction returns 1 for a flush that is done, and 0 otherwise.
func (p FlushProgress) Fraction() float64 {
	if p.Flushed {
		return 1
	}
	return 0
}

// String returns "flushed" or "flushing".
func (p FlushProgress) String() string {
	if p.Flushed {
		return "flushed"
	}
	return "flushing"
}

func (p FlushProgress) dict() any { return flushDict(p) }

// MarshalJSON returns {"flushed":true} or {"flushed":false}.
func (p FlushProgress) MarshalJSON() ([]byte, error) { return json.Marshal(p.dict()) }

// UnmarshalJSON reads the JSON of MarshalJSON.
func (p *FlushProgress) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*flushDict)(p)) }

type flushDict struct {
	Flushed bool `json:"flushed"`
}

// WithFlush makes WaitForIndexBuildingComplete wait for the flush of the mark too: the index
// is complete when the server reports the flush done, and then every row indexed. Pass the
// result of the caller's Flush. The wait asks for the flush when the index looks complete.
//
// Milvus 2.6 and newer need it, or WithExpectedRows: they do not report rows that are
// still being flushed. They go by the timestamp of the mark: a mark without one leaves the
// wait unconfirmed there. On older servers a wait finds these rows by itself. If the server
// cannot report whether the flush is done, the wait fails.
func WithFlush(mark FlushMark) Option {
	return func(c *config) {
		c.mark = encodeMark(mark)
		c.given |= optFlush
	}
}
