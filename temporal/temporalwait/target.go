package temporalwait

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Target is a [milvuswait.Target] as Temporal keeps it, in JSON, and the cluster
// that it is in. It is made by [On], or written by hand:
//
//	{"kind":"index_building","collection":"docs","index":"vidx","expected_rows":100000}
type Target struct {
	Cluster      string          `json:"cluster,omitempty"` // a name of Activities.Pollers, or "" for Activities.Poller
	Kind         milvuswait.Kind `json:"kind"`              // "loading" or "index_building"
	Collection   string          `json:"collection"`
	Partitions   []string        `json:"partitions,omitempty"`    // of a load: these alone
	Index        string          `json:"index,omitempty"`         // "" for the only one, "*" for all
	ExpectedRows int64           `json:"expected_rows,omitempty"` // of an index: no fewer
}

// On returns the targets as those of a cluster: a name of Activities.Pollers, or ""
// for Activities.Poller.
func On(cluster string, targets ...milvuswait.Target) []Target {
	all := make([]Target, len(targets))
	for i, t := range targets {
		all[i] = Target{
			Cluster: cluster, Kind: t.Kind(), Collection: t.Collection(),
			Partitions: t.Partitions(), Index: t.Index(), ExpectedRows: t.ExpectedRows(),
		}
	}
	return all
}

// String returns the target as errors name it, such as `loading "docs"`, and the
// cluster if it has a name.
func (t Target) String() string {
	if t.Cluster == "" {
		return t.plain().String()
	}
	return fmt.Sprintf("%v on %q", t.plain(), t.Cluster)
}

// plain returns the target without its cluster, or the zero Target for an unknown kind. The
// fields that validate refuses are lost.
func (t Target) plain() milvuswait.Target {
	k, known := kinds[t.Kind]
	if !known {
		return milvuswait.Target{}
	}
	return k.target(t).ExpectRows(t.ExpectedRows)
}

// plain returns the targets without their cluster.
func plain(targets []Target) []milvuswait.Target {
	all := make([]milvuswait.Target, len(targets))
	for i, t := range targets {
		all[i] = t.plain()
	}
	return all
}

// validate returns milvuswait.ErrInvalid for the faults that plain would lose, and for those
// that milvuswait.WaitAll refuses together with every other target.
func (t Target) validate() error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: %v: "+format, append([]any{milvuswait.ErrInvalid, t}, args...)...)
	}

	k, known := kinds[t.Kind]
	switch {
	case !known:
		return fmt.Errorf("%w: the kind of a target is %q, not one of %q", milvuswait.ErrInvalid, t.Kind, milvuswait.Kinds())
	case t.Collection == "":
		return fmt.Errorf("%w: the name of the collection is empty", milvuswait.ErrInvalid)
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

// size returns how many bytes of JSON the target takes in a list.
func (t Target) size() int {
	b, _ := json.Marshal(t) // of strings and numbers never fails
	return len(b) + len(",")
}

// key is a Target that can be compared.
type key struct {
	cluster string
	target  milvuswait.Target
}

func (t Target) key() key { return key{t.Cluster, t.plain()} }

// Options are those of a wait that go with it through Temporal. Durations are in
// nanoseconds in JSON, as Go writes them. What is the worker's own, such as the
// pace, is in [Activities].
type Options struct {
	// Refresh is milvuswait.WithRefresh, for the loads among the targets.
	Refresh bool `json:"refresh,omitempty"`

	// Criterion is milvuswait.WithIndexCriterion, for the indexes among the targets.
	// RowsAtStart counts anew in every attempt.
	Criterion milvuswait.IndexCriterion `json:"criterion,omitempty"`

	// Settle is milvuswait.WithSettle, and begins anew in every attempt.
	Settle time.Duration `json:"settle,omitempty"`

	// StallTimeout is milvuswait.WithStallTimeout, and begins anew in every attempt.
	StallTimeout time.Duration `json:"stall_timeout,omitempty"`

	// StartGrace is milvuswait.WithStartGrace, counted from the first attempt.
	StartGrace time.Duration `json:"start_grace,omitempty"`
}

// with returns the options of milvuswait for a wait that has taken that long.
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

// of returns the options without those that fit none of the targets, which are some of many.
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

// validate refuses options that fit none of the targets, as milvuswait does.
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
