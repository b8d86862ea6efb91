// Package kind has a table with one row for each kind of wait: the words for it, the names
// of its targets, and the parts of its progress to show.
package kind

import (
	"context"
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// Kind is the row of one kind of wait. It has no nil function and no empty word, except for
// the privilege. Functions of a progress accept any Progress, also nil, and return zero
// values for a progress of another kind.
type Kind struct {
	Word      string // kind in JSON
	Doing     string // work under way, such as "loading"
	Finished  string // finished work, such as "loaded"
	Privilege string // privilege in Milvus for the polls, or "" if every user may make them

	Server    bool // the target is the server itself, named by its address, without a progress to show
	TakesRows bool // --rows applies

	Typed  func(t milvuswait.Target) string // target as typed on the command line
	Fields func(t milvuswait.Target) Fields // target in JSON
	Start  func(t milvuswait.Target) string // call of pymilvus that starts the work, or ""

	// Rows returns the numbers of finished rows and of all rows, and reports whether the
	// progress counts rows.
	Rows func(p milvuswait.Progress) (done, total int64, ok bool)

	// Details returns the text after the percentage in a line, or "".
	Details func(p milvuswait.Progress) string

	// Amount returns the size of finished work for the result, such as "100 rows", or "".
	Amount func(p milvuswait.Progress) string

	// Part returns the name of the part with this progress, if the target does not name it,
	// or "": of several indexes, the one furthest behind.
	Part func(t milvuswait.Target, p milvuswait.Progress) string

	// Doubt returns a question about a target if it probably finished too early, or "".
	Doubt func(p milvuswait.Progress) string

	// Hint returns a hint for a failed target, or "": only hints of this kind alone. It is
	// called with refresh if the wait was for a refresh too.
	Hint func(o milvuswait.Outcome, refresh bool) string

	// Mask returns p with every text of the server replaced by mask of it.
	Mask func(p milvuswait.Progress, mask func(string) string) milvuswait.Progress

	// Look has the options of a single look at the target: it only makes the request for
	// the progress.
	Look []milvuswait.Option

	// Recheck makes another request after a single look at u if the progress alone is
	// ambiguous. It returns the failure found by it, or nil.
	Recheck func(ctx context.Context, p milvuswait.Poller, u milvuswait.Update) error
}

// Fields are the fields of a target in JSON, as docs/output.md describes them.
type Fields struct {
	Address      string   `json:"address,omitempty"`
	Collection   string   `json:"collection,omitempty"`
	Partitions   []string `json:"partitions,omitempty"`
	Index        string   `json:"index,omitempty"`
	Job          int64    `json:"job,omitempty"`
	ExpectedRows int64    `json:"expected_rows,omitempty"`
}

var table = map[milvuswait.Kind]*Kind{
	milvuswait.KindLoading:       loading,
	milvuswait.KindIndexBuilding: indexBuilding,
	milvuswait.KindFlushing:      flushing,
	milvuswait.KindImporting:     importing,
	milvuswait.KindCompacting:    compacting,
	milvuswait.KindServing:       serving,
}

// Of returns the row of the target's kind. It panics if there is none, because any other
// row would show the target as something else.
func Of(t milvuswait.Target) *Kind {
	k := table[t.Kind()]
	if k == nil {
		panic(fmt.Sprintf("milvus-wait: the kind %q has no row", t.Kind()))
	}
	return k
}

// fields returns the fields of a target.
func fields(t milvuswait.Target) Fields {
	return Fields{
		Collection: t.Collection(), Partitions: t.Partitions(), Index: t.Index(), Job: t.Job(), ExpectedRows: t.ExpectedRows(),
	}
}

// count returns n with its noun, such as "1 row" or "100 rows".
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// The functions of rows without a use for them.
func noRows(milvuswait.Progress) (done, total int64, ok bool)                 { return 0, 0, false }
func noText(milvuswait.Progress) string                                       { return "" }
func noStart(milvuswait.Target) string                                        { return "" }
func noPart(milvuswait.Target, milvuswait.Progress) string                    { return "" }
func noHint(milvuswait.Outcome, bool) string                                  { return "" }
func noMask(p milvuswait.Progress, _ func(string) string) milvuswait.Progress { return p }

var noOptions = []milvuswait.Option{}

func noRecheck(context.Context, milvuswait.Poller, milvuswait.Update) error { return nil }
