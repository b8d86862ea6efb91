package milvuswait

import (
	"context"
	"time"
)

// Kind is the kind of work that a [Target] waits for.
type Kind string

// The kinds of targets.
const (
	KindLoading       Kind = "loading"
	KindIndexBuilding Kind = "index_building"
	KindFlushing      Kind = "flushing"
	KindImporting     Kind = "importing"
	KindCompacting    Kind = "compacting"
	KindServing       Kind = "serving"
)

// waitKinds is the table of kinds, in the order of their constants. A new kind is one row
// here and one file for its rules. No other file switches on a kind or on a type of
// progress: a target of a kind outside the table is invalid, not a target of another kind.
var waitKinds = []*waitKind{loadingKind, indexBuildingKind, flushingKind, importingKind, compactingKind, servingKind}

// waitKind holds everything about one kind that a wait needs. Functions without a comment
// about nil are required. They get a state of their own kind only.
type waitKind struct {
	kind    Kind
	one     string        // noun for one target, with its article, in errors
	many    string        // noun for several targets
	initial time.Duration // first delay of the default pace
	options optionSet     // options for this kind, of those that fit only some kinds; may be empty

	// describe returns the target as errors name it.
	describe func(Target) string

	// validate returns ErrInvalid for a target with values that cannot be sent, or that
	// do not belong to the kind.
	validate func(Target) error

	// checkPoller returns ErrInvalid for a Poller that cannot poll the target.
	checkPoller func(Poller, Target) error

	// poll makes the requests of one poll, and returns their answer. It only reads s.
	poll func(ctx context.Context, p Poller, s *waitState) answer

	// follow makes the further request of a poll if a successful answer alone may
	// mislead, and returns the answer with its result. It only reads s, and has a timeout of
	// its own. nil if the kind needs none.
	follow func(ctx context.Context, p Poller, s *waitState, a answer) answer

	// list returns the kind of job that can cover polls of several targets, or pollOne.
	list func(Target) jobKind

	// note records an answer with a progress, before it becomes the last one, and returns
	// its progress, which it may complete from the one before. The answer may also have the
	// error of a later request of the poll. Answers are passed by value: by a pointer each
	// would be a heap allocation.
	note func(s *waitState, now time.Duration, a answer) Progress

	// failure returns the cause of a wait whose progress means that it cannot be completed
	// any more, or nil. nil if no progress of the kind means that.
	failure func(Progress) error

	// mayBePending reports whether the work may not have begun, so that unchanged progress
	// is no stall. nil if that never is so.
	mayBePending func(s *waitState, now time.Duration) bool

	// isComplete reports whether the last progress is complete by the options.
	isComplete func(s *waitState, now time.Duration) bool

	// share returns the finished part of this wait's work in the last progress, from 0 to
	// 1, or a negative number if it is unknown.
	share func(s *waitState) float64

	// part returns the noun and the name of the part of the target that its progress is
	// about, if the target does not name it, or "". nil if the server reports no part.
	part func(t Target, p Progress) (noun, name string)

	// awaitsFlush reports whether the target waits for a flush only. nil if that never is
	// so.
	awaitsFlush func(s *waitState) bool

	// isUnconfirmed reports whether the server cannot report all that a complete target
	// depends on. nil if that never is so.
	isUnconfirmed func(s *waitState) bool

	// hint returns advice for the text of an error, or "". nil if the kind has none.
	hint func(e *Error) string

	// jsonKey is a key in the JSON of the kind's progress, and of no other. unmarshal
	// reads this JSON.
	jsonKey   string
	unmarshal func([]byte) (Progress, error)
}

// Kinds returns all kinds, in the order of their constants, for programs that show or count
// waits of every kind.
func Kinds() []Kind {
	all := make([]Kind, len(waitKinds))
	for i, k := range waitKinds {
		all[i] = k.kind
	}
	return all
}

// findKind returns the row of the table, or nil if there is none.
func findKind(kind Kind) *waitKind {
	for _, k := range waitKinds {
		if k.kind == kind {
			return k
		}
	}
	return nil
}

// partOf returns the noun and the name of the part of the target that p is about, if the
// target does not name it, or "": of all indexes, the one that is furthest behind.
func partOf(t Target, p Progress) (noun, name string) {
	k := findKind(t.kind)
	if k == nil || k.part == nil || p == nil {
		return "", ""
	}
	return k.part(t, p)
}

// The functions of kinds without rules of their own for them.
func listNone(Target) jobKind                                       { return pollOne }
func noteProgress(_ *waitState, _ time.Duration, a answer) Progress { return a.progress }
func isProgressComplete(s *waitState, _ time.Duration) bool         { return s.last.Complete() }
