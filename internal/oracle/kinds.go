package oracle

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// kind states everything in which one kind of wait differs from the others. seen holds the
// progress of all successful polls so far, at least one. A kind gets progress of its own
// type only, and panics on any other.
type kind interface {
	// rule returns the rule by which complete and pending judge.
	rule(o *Options) Rule

	// complete reports whether the newest progress is complete by the options.
	complete(o *Options, seen []milvuswait.Progress) bool

	// whole reports whether p is complete without any option.
	whole(p milvuswait.Progress) bool

	// pending reports whether the work may not have begun at the end of the newest poll.
	// Then neither complete nor the time without change counts.
	pending(o *Options, at time.Duration, seen []milvuswait.Progress) bool

	// failure returns the error of a wait ended by p, and its rule; or nil.
	failure(p milvuswait.Progress) (Rule, error)

	// begun reports whether p shows a load that has begun: one that fails then is not an
	// earlier load.
	begun(p milvuswait.Progress) bool

	// merge returns the progress of a, completed from the progress before it, or nil.
	merge(a Answer, before milvuswait.Progress) milvuswait.Progress

	// flushes reports whether the target may wait for a flush first.
	flushes() bool

	// share returns the finished part of the work, from 0 to 1, or -1 if it is unknown.
	share(o *Options, seen []milvuswait.Progress) float64

	// initial returns the default of Backoff.Initial.
	initial() time.Duration
}

// kinds is the table of all kinds.
var kinds = map[milvuswait.Kind]kind{
	milvuswait.KindLoading:       loading{},
	milvuswait.KindIndexBuilding: indexBuilding{},
	milvuswait.KindFlushing:      flushing{},
	milvuswait.KindImporting:     importing{},
	milvuswait.KindCompacting:    compacting{},
	milvuswait.KindServing:       serving{},
}

// plain states the rules of kinds without rules of their own.
type plain struct{}

func (plain) pending(*Options, time.Duration, []milvuswait.Progress) bool { return false }
func (plain) failure(milvuswait.Progress) (Rule, error)                   { return Rule{}, nil }
func (plain) begun(milvuswait.Progress) bool                              { return false }
func (plain) merge(a Answer, _ milvuswait.Progress) milvuswait.Progress   { return a.Progress }
func (plain) flushes() bool                                               { return false }

// kind returns the rules of the target's kind. It panics for an unknown kind: a silent
// default would judge by the rules of another one.
func (o *Options) kind() kind {
	k, known := kinds[o.Target.Kind()]
	if !known {
		panic(fmt.Sprintf("oracle: no rules for the kind %q: add a file for it, and a line in internal/oracle/kinds.go", o.Target.Kind()))
	}
	return k
}

// within returns f within 0 and 1.
func within(f float64) float64 { return min(1, max(0, f)) }
