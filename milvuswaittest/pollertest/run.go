package pollertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
)

// TB is what Run needs of a test. *testing.T has it, and so has every testing.TB.
type TB interface {
	// Helper marks the calling function as one whose lines are not worth reading.
	Helper()

	// Log writes one line.
	Log(args ...any)

	// Error writes one defect and marks the test as failed, which goes on.
	Error(args ...any)
}

// World is what the server behind a Poller has. It must be at rest: nothing may be
// loading, building, or being compacted during Run. The names that begin with
// "pollertest_" must not exist.
type World struct {
	// Collection is one that is loaded to 100 % and has exactly one index, which is
	// built. It must not be empty.
	Collection string

	// Index is the name of that index. Without it names of indexes are not checked.
	Index string

	// Rows is how many rows the index covers, if that is known: more than 0.
	Rows int64

	// Partitions are loaded partitions of Collection.
	Partitions []string

	// NotLoaded is a collection that exists and is neither loaded nor loading.
	NotLoaded string

	// NoIndex is a collection that exists and has no index.
	NoIndex string

	// Several is a collection that has the Indexes, two or more, in any state.
	Several string
	Indexes []string

	// Hang makes the server not answer any more, but not go away, until undo is
	// called: calls that begin meanwhile stand still until their context ends.
	Hang func() (undo func())

	// Fail makes every call fail as it does while a server restarts, until undo is
	// called: a connection refused, or whatever passes.
	Fail func() (undo func())
}

// Run checks that p keeps what milvuswait.Poller, and those of the optional
// interfaces that it has, promise, and reports every way in which it does not by
// tb.Error. It calls the Poller a few hundred times, from several goroutines.
//
// A milvuswait.PollerFuncs of which a function is nil is not asked for what it
// cannot tell.
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
	c := &checker{poller: p, world: w, loads: true, builds: true}
	c.findOptional()
	if f, ok := p.(milvuswait.PollerFuncs); ok {
		c.loads, c.builds = f.Loading != nil, f.IndexBuilding != nil
	}
	for _, check := range []func(){
		c.checkAnswers, c.checkRefusals, c.checkArguments, c.checkEndedContexts,
		c.checkLoadStates, c.checkListLoading, c.checkListIndexBuilding,
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

func (w World) validate() error {
	switch {
	case w.Collection == "":
		return fmt.Errorf("World.Collection is empty: name a collection that is loaded and indexed")
	case w.Rows < 0:
		return fmt.Errorf("World.Rows, %d, is negative", w.Rows)
	case (w.Several == "") != (len(w.Indexes) == 0) || len(w.Indexes) == 1:
		return fmt.Errorf("World.Several wants two or more Indexes beside it")
	case slices.Contains(w.Partitions, "") || slices.Contains(w.Indexes, ""):
		return fmt.Errorf("a name in World is empty")
	}
	return nil
}

// checker is one Run.
type checker struct {
	poller        milvuswait.Poller
	world         World
	loads, builds bool // what the Poller can tell of

	// The optional interfaces, nil where the Poller lacks them or the server cannot
	// answer.
	states      milvuswait.LoadStateChecker
	lister      milvuswait.Lister
	indexLister milvuswait.IndexLister

	list, listed loadList // the first of ListLoading, and its copy

	defects []string
	skipped []string
	stuck   bool // a call has not come back
}

// defect notes what is wrong, once.
func (c *checker) defect(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.defects, text) {
		c.defects = append(c.defects, text)
	}
}

func (c *checker) skip(what string) { c.skipped = append(c.skipped, what) }

// ask makes a call that has time enough and must neither panic nor be late.
// Otherwise it notes that, and reports false.
func (c *checker) ask(q question) (answer, bool) {
	if c.stuck {
		return answer{}, false
	}
	a := q.inTime()
	c.stuck = a.late
	return a, c.returned(q, a)
}

// returned notes that a call did not return as calls do.
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
