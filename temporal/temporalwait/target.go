package temporalwait

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Target is the JSON form of a [milvuswait.Target], plus its cluster. Create it by [On] or
// write it by hand:
//
//	{"kind":"index_building","collection":"docs","index":"vidx","expected_rows":100000}
type Target struct {
	Cluster      string          `json:"cluster,omitempty"` // key in Activities.Pollers, or "" for Activities.Poller
	Kind         milvuswait.Kind `json:"kind"`              // one of milvuswait.Kinds
	Collection   string          `json:"collection,omitempty"`
	Partitions   []string        `json:"partitions,omitempty"`    // only for a load: wait for these partitions only
	Index        string          `json:"index,omitempty"`         // "" for the only one, "*" for all
	ExpectedRows int64           `json:"expected_rows,omitempty"` // only for an index: minimum number of rows
	Flush        *FlushMark      `json:"flush,omitempty"`         // for a flush; for an index: wait for this flush first
	Job          int64           `json:"job,omitempty"`           // number of an import or a compaction
}

// FlushMark is a [milvuswait.FlushMark] in JSON, such as
// {"timestamp":449395893927677953,"segments":[449395893927677951]}. Both numbers may exceed
// 2^53: write them with a JSON library that keeps 64-bit integers.
type FlushMark struct {
	Timestamp uint64  `json:"timestamp,omitempty"`
	Segments  []int64 `json:"segments,omitempty"`
}

// On returns the targets on a cluster: a key in Activities.Pollers, or "" for
// Activities.Poller.
func On(cluster string, targets ...milvuswait.Target) []Target {
	all := make([]Target, len(targets))
	for i, t := range targets {
		all[i] = Target{
			Cluster: cluster, Kind: t.Kind(), Collection: t.Collection(),
			Partitions: t.Partitions(), Index: t.Index(), ExpectedRows: t.ExpectedRows(), Job: t.Job(),
		}
		if mark, marked := t.FlushMark(); marked {
			all[i].Flush = (*FlushMark)(&mark)
		}
	}
	return all
}

// String returns the target as in error messages, such as `loading "docs"`, and the cluster
// unless its name is empty.
func (t Target) String() string {
	if t.Cluster == "" {
		return t.plain().String()
	}
	return fmt.Sprintf("%v on %q", t.plain(), t.Cluster)
}

// plain returns the target without its cluster, or the zero Target for an unknown kind.
// Fields that do not fit the kind, rejected by validate, are lost.
func (t Target) plain() milvuswait.Target {
	k, known := kinds[t.Kind]
	if !known {
		return milvuswait.Target{}
	}
	return k.target(t).ExpectRows(t.ExpectedRows)
}

// plain returns the targets without their clusters.
func plain(targets []Target) []milvuswait.Target {
	all := make([]milvuswait.Target, len(targets))
	for i, t := range targets {
		all[i] = t.plain()
	}
	return all
}

// validate returns milvuswait.ErrInvalid for two sorts of faults: those that plain loses,
// and those for which milvuswait.WaitAll rejects all targets together.
func (t Target) validate() error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: %v: "+format, append([]any{milvuswait.ErrInvalid, t}, args...)...)
	}

	k, known := kinds[t.Kind]
	switch {
	case !known:
		return fmt.Errorf("%w: the kind of a target is %q, not one of %q", milvuswait.ErrInvalid, t.Kind, milvuswait.Kinds())
	case k.collection && t.Collection == "":
		return fmt.Errorf("%w: the name of the collection is empty", milvuswait.ErrInvalid)
	case !k.collection && t.Collection != "":
		return invalid("a collection, %q, is not for %s", t.Collection, k.many)
	case k.job && t.Job <= 0:
		return invalid("the job is not positive")
	case !k.job && t.Job != 0:
		return invalid("a job, %d, is not for %s", t.Job, k.many)
	case !k.flush && t.Flush != nil:
		return invalid("a flush mark is for indexes and flushes, not for %s", k.many)
	case k.needsFlush && t.Flush == nil:
		return invalid("the flush mark is missing; it may be {}")
	case t.Flush != nil && len(t.Flush.Segments) > 0 && slices.Min(t.Flush.Segments) <= 0:
		return invalid("the flush mark has the segment %d, which is not positive", slices.Min(t.Flush.Segments))
	case slices.Contains(t.Partitions, ""):
		return invalid("the name of a partition is empty")
	case strings.Contains(t.Collection+t.Index+strings.Join(t.Partitions, ""), "\x00"):
		return invalid("a name has a NUL in it")
	case t.Index != "" && !k.index:
		return invalid("an index, %q, is not for %s", t.Index, k.many)
	case t.ExpectedRows != 0 && !k.rows:
		return invalid("expected rows are for indexes, not for %s", k.many)
	case len(t.Partitions) > 0 && !k.partitions:
		return invalid("partitions are for loads, not for %s", k.many)
	case t.ExpectedRows < 0:
		return invalid("expected rows: %d is negative", t.ExpectedRows)
	}
	return nil
}

// size returns the number of bytes that the target takes in a JSON list.
func (t Target) size() int {
	b, _ := json.Marshal(t) // never fails for strings and numbers
	return len(b) + len(",")
}

// key is the comparable form of a Target.
type key struct {
	cluster string
	target  milvuswait.Target
}

func (t Target) key() key { return key{t.Cluster, t.plain()} }

// Options are the options of a wait that are passed through Temporal. In JSON, durations
// are in nanoseconds. Options of the worker, such as the pace, are in [Activities].
type Options struct {
	// Refresh is milvuswait.WithRefresh, for the loads among the targets.
	Refresh bool `json:"refresh,omitempty"`

	// Criterion is milvuswait.WithIndexCriterion, for the indexes among the targets.
	// RowsAtStart uses the rows at the start of each attempt.
	Criterion milvuswait.IndexCriterion `json:"criterion,omitempty"`

	// Settle is milvuswait.WithSettle. It restarts in every attempt.
	Settle time.Duration `json:"settle,omitempty"`

	// StallTimeout is milvuswait.WithStallTimeout. It restarts in every attempt.
	StallTimeout time.Duration `json:"stall_timeout,omitempty"`

	// StartGrace is milvuswait.WithStartGrace, measured from the start of the first
	// attempt.
	StartGrace time.Duration `json:"start_grace,omitempty"`
}

// with returns the options for package milvuswait, for a wait that has already taken
// waited.
func (o Options) with(waited time.Duration) []milvuswait.Option {
	options := []milvuswait.Option{
		milvuswait.WithSettle(o.Settle), milvuswait.WithStallTimeout(o.StallTimeout),
		milvuswait.WithStartGrace(o.StartGrace - min(max(0, o.StartGrace), waited)),
	}

	if o.Refresh {
		options = append(options, milvuswait.WithRefresh())
	}
	if o.Criterion != milvuswait.AllRows {
		options = append(options, milvuswait.WithIndexCriterion(o.Criterion))
	}
	return options
}

// of returns the options without the ones that fit no target. The targets of a chunk may
// all be of one kind, although those of the whole request are not.
func (o Options) of(targets []Target) Options {
	fits := func(option func(kind) bool) bool {
		return slices.ContainsFunc(targets, func(t Target) bool { return option(kinds[t.Kind]) })
	}
	o.Refresh = o.Refresh && fits(func(k kind) bool { return k.refresh })
	if !fits(func(k kind) bool { return k.criterion }) {
		o.Criterion = milvuswait.AllRows
	}
	return o
}

// validate returns ErrInvalid for options that fit none of the targets, as milvuswait does.
func (o Options) validate(targets []Target) error {
	of := o.of(targets)
	switch {
	case len(targets) == 0:
		return nil
	case o.Refresh != of.Refresh:
		return fmt.Errorf("%w: Refresh is for loads, and there are none", milvuswait.ErrInvalid)
	case o.Criterion != of.Criterion:
		return fmt.Errorf("%w: Criterion is for indexes, and there are none", milvuswait.ErrInvalid)
	}
	return nil
}
