package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
)

// Work is a wait for work of any kind, and its simulated server: flushes with their
// segments, the indexes over them, imports, compactions, and the server itself. Like the
// collections of a Scenario, its state is a function of time alone.
type Work struct {
	Seed    uint64
	Span    time.Duration
	Data    []*Data
	Jobs    []*Job
	Targets []milvuswait.Target
	Options WorkOptions

	// Troubles are the faults of each method of the Poller, and of verify.
	Troubles map[string][]Trouble
}

// WorkOptions are the options of the wait, and the abilities of its Poller. A zero duration
// disables its option.
type WorkOptions struct {
	Deadline  time.Duration
	Settle    time.Duration
	Stall     time.Duration
	Grace     time.Duration
	Budget    time.Duration // argument of WithUnreachableAfter
	Criterion milvuswait.IndexCriterion
	Continue  bool
	Verify    bool
	Lists     bool // the Poller is an IndexLister
	Segments  bool // the Poller is a SegmentLister
	Unlisted  bool // the server does not support lists of segments, as Milvus 2.6
}

// Trouble is a fault of a method for some time. A nil Err is a request without an answer.
type Trouble struct {
	Span
	Err error
}

// Data is a collection with the segments of its flushes.
type Data struct {
	Name     string
	Indexes  []string
	Segments []Segment
}

// Segment is a part of a collection: a flush seals it, then writes it, then every index
// builds it. It is listed as unflushed, and its rows are not counted, until it is written.
type Segment struct {
	ID              int64
	Sealed, Flushed time.Duration
	Rows            int64
	Built           []time.Duration // for each index
}

// Job is an import or a compaction: its states, by their start.
type Job struct {
	Target milvuswait.Target
	Steps  []JobStep
}

// JobStep is the state of a job from an instant on. A job that the server does not know has
// no progress.
type JobStep struct {
	From time.Duration
	Says milvuswait.Progress
}

// Classes of the faults of a Work.
var (
	errOffline = status.Error(codes.Unavailable, "node is offline")
	errRefused = milvuswait.Permanent(status.Error(codes.PermissionDenied, "not for you"))
)

// passes reports whether a fault is transient.
func passes(err error) bool {
	return errors.Is(err, errOffline) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// unflushed returns the segments that are sealed or being flushed.
func (d *Data) unflushed(now time.Duration) []int64 {
	var all []int64
	for _, s := range d.Segments {
		if s.Sealed <= now && now < s.Flushed {
			all = append(all, s.ID)
		}
	}
	return all
}

// index returns the progress of the i-th index.
func (d *Data) index(i int, now time.Duration) milvuswait.IndexBuildingProgress {
	p := milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished, IndexName: d.Indexes[i]}
	for _, s := range d.Segments {
		if s.Flushed > now {
			continue
		}
		p.TotalRows += s.Rows
		if s.Built[i] <= now {
			p.IndexedRows += s.Rows
		}
	}
	if p.PendingIndexRows = p.TotalRows - p.IndexedRows; p.PendingIndexRows > 0 {
		p.State = milvuswait.IndexStateInProgress
	}
	return p
}

// flushed reports whether a flush with these segments is done.
func (d *Data) flushed(mark milvuswait.FlushMark, now time.Duration) bool {
	for _, s := range d.Segments {
		if slices.Contains(mark.Segments, s.ID) && now < s.Flushed {
			return false
		}
	}
	return now >= time.Duration(mark.Timestamp)
}

// at returns the progress of the job, or ErrJobNotFound.
func (j *Job) at(now time.Duration) (milvuswait.Progress, error) {
	var says milvuswait.Progress
	for _, step := range j.Steps {
		if step.From <= now {
			says = step.Says
		}
	}
	if says == nil {
		return nil, milvuswait.ErrJobNotFound
	}
	return says, nil
}

// trouble returns the trouble of a method at a time, and whether there is one.
func (w *Work) trouble(method string, now time.Duration) (Trouble, bool) {
	for _, t := range w.Troubles[method] {
		if t.has(now) {
			return t, true
		}
	}
	return Trouble{}, false
}

// data returns the collection of a target, or nil.
func (w *Work) data(name string) *Data {
	i := slices.IndexFunc(w.Data, func(d *Data) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return w.Data[i]
}

// siblings returns the targets for indexes of the collection.
func (w *Work) siblings(collection string) []milvuswait.Target {
	return slices.DeleteFunc(slices.Clone(w.Targets), func(t milvuswait.Target) bool {
		return t.Kind() != milvuswait.KindIndexBuilding || t.Collection() != collection
	})
}

// String returns the drawn world, one line for each part.
func (w *Work) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "work of seed %d: %v within %v, %+v\n", w.Seed, w.Targets, w.Span, w.Options)
	for _, d := range w.Data {
		fmt.Fprintf(&b, "  %q with %v: %+v\n", d.Name, d.Indexes, d.Segments)
	}
	for _, j := range w.Jobs {
		fmt.Fprintf(&b, "  %v: %+v\n", j.Target, j.Steps)
	}
	for method, all := range w.Troubles {
		fmt.Fprintf(&b, "  %s fails: %v\n", method, all)
	}
	return b.String()
}

// isUnsupported reports whether err is the answer of a server without the method.
func isUnsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
