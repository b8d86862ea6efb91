package pollertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
)

// TB is the part of a test used by Run. *testing.T implements it, and so does every
// testing.TB.
type TB interface {
	// Helper marks the calling function as a helper: log lines show its caller instead.
	Helper()

	// Log writes one line.
	Log(args ...any)

	// Error reports one defect and marks the test as failed. The test goes on.
	Error(args ...any)
}

// World describes the contents of the server behind a Poller. The server must be at rest:
// nothing may be loading, building, or being flushed or compacted during Run. No object may
// have a name with the prefix "pollertest_", and no job the number math.MaxInt64 - 1.
type World struct {
	// Collection is a collection loaded to 100 %, with exactly one index, which is built.
	// It must not be empty.
	Collection string

	// Index is the name of this index. If it is "", no index names are checked.
	Index string

	// Rows is the number of rows that the index covers. 0 means unknown.
	Rows int64

	// Partitions are loaded partitions of Collection.
	Partitions []string

	// NotLoaded is an existing collection that is neither loaded nor loading.
	NotLoaded string

	// NoIndex is an existing collection without an index.
	NoIndex string

	// Several is a collection with two or more indexes, in any state. Indexes are their
	// names.
	Several string
	Indexes []string

	// Flush is the mark of a flush of Collection that is done. The zero mark is valid.
	Flush milvuswait.FlushMark

	// Import is a completed import. 0 means that there is none: no imports are checked.
	Import int64

	// FailedImport is an import that has failed, with a reason. 0 means that there is none.
	FailedImport int64

	// Compaction is a completed compaction. 0 means that there is none: no compactions are
	// checked.
	Compaction int64

	// Hang makes the server stop answering, without closing connections, until undo is
	// called. Calls started in the meantime hang until their context ends.
	Hang func() (undo func())

	// Fail makes every call fail as during a restart of the server, until undo is called:
	// with a refused connection, or any other transient failure.
	Fail func() (undo func())
}

// Run checks that p fulfills the contract of milvuswait.Poller, and those of the optional
// interfaces it implements. It reports each defect by tb.Error. It calls the Poller a few
// hundred times, from several goroutines. An invalid World is one error of the test.
//
// It does not check the functions of a milvuswait.PollerFuncs that are nil.
func Run(tb TB, p milvuswait.Poller, w World) {
	tb.Helper()
	if typednil.Is(p) {
		tb.Error("the Poller is nil")
		return
	}
	if err := w.validate(); err != nil {
		tb.Error(err)
		return
	}

	c := &checker{poller: p, world: w}
	c.kinds = c.findKinds()
	c.checkUnwrap()

	// Run the checks. The optional methods come before the ended contexts, which then leave
	// out methods that the server does not support. Stop when a call does not return: all
	// others would hang too.
	for _, check := range []func(){
		c.each(kind.checkAnswers), c.each(kind.checkRefusals), c.each(kind.checkArguments),
		c.each(kind.checkOptional), c.checkEndedContexts,
		c.checkConcurrency, c.checkHang, c.checkFail,
	} {
		if check(); c.stuck {
			c.skip("anything else: a call does not come back")
			break
		}
	}

	if len(c.skipped) > 0 {
		tb.Log("not checked: " + strings.Join(c.skipped, "; "))
	}
	for _, defect := range c.defects {
		tb.Error(defect)
	}
}

// validate returns an error for a World that contradicts its documentation.
func (w World) validate() error {
	switch {
	case w.Collection == "":
		return fmt.Errorf("World.Collection is empty: name a collection that is loaded and indexed")
	case w.Rows < 0:
		return fmt.Errorf("World.Rows, %d, is negative", w.Rows)
	case (w.Several == "") != (len(w.Indexes) == 0) || len(w.Indexes) == 1:
		return fmt.Errorf("set World.Several and at least two World.Indexes together")
	case w.Import < 0 || w.FailedImport < 0 || w.Compaction < 0:
		return fmt.Errorf("a job in World is negative")
	case slices.Contains(w.Partitions, "") || slices.Contains(w.Indexes, ""):
		return fmt.Errorf("a name in World is empty")
	}
	return nil
}

// checker is the state of one Run.
type checker struct {
	poller milvuswait.Poller
	world  World
	kinds  []kind // for the kinds of targets that the Poller serves

	// Functions about earlier results, added by checks before checkConcurrency: it calls
	// meanwhile while other calls are in flight, and afterwards when all have returned.
	meanwhile, afterwards []func()

	defects []string
	skipped []string
	stuck   bool // a call did not return in time
}

// defect records a defect. It records the same text only once.
func (c *checker) defect(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.defects, text) {
		c.defects = append(c.defects, text)
	}
}

// skip records a check that was not possible.
func (c *checker) skip(what string) { c.skipped = append(c.skipped, what) }

// ask makes a call that must return in time and without a panic. If it does not, ask
// records a defect and reports false.
func (c *checker) ask(q question) (answer, bool) {
	if c.stuck {
		return answer{}, false
	}
	a := q.inTime()
	c.stuck = a.late
	return a, c.returned(q, a)
}

// returned reports whether the call returned in time and without a panic, and records a
// defect otherwise.
func (c *checker) returned(q question, a answer) bool {
	switch {
	case a.late:
		c.defect("%v was not back %v after its context had ended: pass the context on, and return when it is done", q, grace)
	case a.panicked != nil:
		c.defect("%v panicked: %v", q, a.panicked)
	default:
		return true
	}
	return false
}
