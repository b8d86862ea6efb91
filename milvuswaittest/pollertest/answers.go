package pollertest

import (
	"errors"
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// done returns the questions about complete targets.
func (c *checker) done() (questions []question) {
	w := c.world
	if c.loads {
		questions = append(questions, c.loading(w.Collection))
		for _, partition := range w.Partitions {
			questions = append(questions, c.loading(w.Collection, partition))
		}
		if len(w.Partitions) > 1 {
			questions = append(questions, c.loading(w.Collection, w.Partitions...))
		}
	}

	if c.builds {
		questions = append(questions, c.building(w.Collection, ""), c.building(w.Collection, milvuswait.AllIndexes))
		if w.Index != "" {
			questions = append(questions, c.building(w.Collection, w.Index))
		}
	}
	return questions
}

// checkAnswers polls complete targets. Their progress must be complete and within range.
func (c *checker) checkAnswers() {
	if c.world.Index == "" && c.builds {
		c.skip("an index by its name (World.Index)")
	}
	if len(c.world.Partitions) == 0 && c.loads {
		c.skip("partitions (World.Partitions)")
	}

	for _, q := range c.done() {
		a, ok := c.ask(q)
		switch {
		case !ok:
		case a.err != nil:
			c.defect("%v returned %v for what is there and complete: return the progress", q, a)
		case c.sane(q, a.value.(milvuswait.Progress)):
			c.complete(q, a.value.(milvuswait.Progress))
		}
	}

	if c.builds && c.world.Several != "" {
		c.checkSeveral()
	} else if c.builds {
		c.skip("a collection with several indexes (World.Several)")
	}
}

// sane reports whether the numbers in p are within range, and records a defect otherwise.
func (c *checker) sane(q question, p milvuswait.Progress) bool {
	wrong := ""
	switch p := p.(type) {
	case milvuswait.LoadingProgress:
		switch {
		case p.Percent < 0 || p.Percent > 100:
			wrong = "Percent is from 0 to 100"
		case p.RefreshPercent < 0 || p.RefreshPercent > 100:
			wrong = fmt.Sprintf("RefreshPercent, %d, is from 0 to 100", p.RefreshPercent)
		}
	case milvuswait.IndexBuildingProgress:
		switch {
		case p.TotalRows < 0 || p.IndexedRows < 0 || p.PendingIndexRows < 0:
			wrong = "no number of rows is negative"
		case p.PendingIndexRows > p.TotalRows:
			wrong = "no more rows are pending than there are"
		case p.State < milvuswait.IndexStateNone || p.State > milvuswait.IndexStateRetry:
			wrong = "State has the numbers of common.proto"
		}
	}

	if wrong != "" {
		c.defect("%v returned %v: %s", q, p, wrong)
	}
	return wrong == ""
}

// complete records a defect if p, the progress of a complete target, is not complete, or
// has another number of rows than World.
func (c *checker) complete(q question, p milvuswait.Progress) {
	index, isIndex := p.(milvuswait.IndexBuildingProgress)
	switch {
	case !p.Complete() && isIndex:
		c.defect("%v returned %v for an index that is built, which is not Complete: a wait would never end; are State, rows and pending rows what the server said?", q, p)
	case !p.Complete():
		c.defect("%v returned %v for what is loaded, which is not Complete: a wait would never end", q, p)
	case isIndex && c.world.Rows > 0 && index.TotalRows != c.world.Rows:
		c.defect("%v returned %v for an index over %d rows: a wait WithExpectedRows needs to know them", q, p, c.world.Rows)
	}
}

// refusal is a question that must return a sentinel as its error.
type refusal struct {
	question
	sentinel error
	what     string
}

// refusals returns the questions about missing and ambiguous objects.
func (c *checker) refusals() (refusals []refusal) {
	w := c.world
	add := func(q question, sentinel error, what string) { refusals = append(refusals, refusal{q, sentinel, what}) }

	if c.loads {
		add(c.loading(missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist")
		add(c.loading(missing, missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist")
		add(c.loading(w.Collection, missing), milvuswait.ErrPartitionNotFound, "a partition that does not exist")
		if len(w.Partitions) > 0 {
			add(c.loading(w.Collection, w.Partitions[0], missing), milvuswait.ErrPartitionNotFound, "partitions of which one does not exist")
		}
	}

	if !c.builds {
		return refusals
	}
	add(c.building(missing, ""), milvuswait.ErrCollectionNotFound, "a collection that does not exist")
	add(c.building(missing, missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist")
	add(c.building(missing, milvuswait.AllIndexes), milvuswait.ErrCollectionNotFound, "a collection that does not exist")
	add(c.building(w.Collection, missing), milvuswait.ErrIndexNotFound, "an index that does not exist")

	if w.NoIndex != "" {
		add(c.building(w.NoIndex, ""), milvuswait.ErrIndexNotFound, "a collection without an index")
		add(c.building(w.NoIndex, missing), milvuswait.ErrIndexNotFound, "a collection without an index")
		add(c.building(w.NoIndex, milvuswait.AllIndexes), milvuswait.ErrIndexNotFound, "a collection without an index")
	}
	if w.Several != "" {
		add(c.building(w.Several, ""), milvuswait.ErrAmbiguousIndex, "the only index of a collection that has several")
		add(c.building(w.Several, missing), milvuswait.ErrIndexNotFound, "an index that does not exist")
	}
	return refusals
}

// checkRefusals asks about missing, ambiguous and unloaded objects. The answers must wrap
// the sentinels.
func (c *checker) checkRefusals() {
	for _, r := range c.refusals() {
		if a, ok := c.ask(r.question); ok {
			c.refused(r, a)
		}
	}

	switch {
	case c.world.NotLoaded != "" && c.loads:
		c.checkNotLoaded()
	case c.loads:
		c.skip("a collection that is not loaded (World.NotLoaded)")
	}
	if c.world.NoIndex == "" && c.builds {
		c.skip("a collection without an index (World.NoIndex)")
	}
}

// refused records a defect if a is not the sentinel of r.
func (c *checker) refused(r refusal, a answer) {
	switch {
	case a.err == nil:
		c.defect("%v returned %v and no error for %s: a wait takes that for progress; return an error that wraps %s",
			r, a, r.what, goName(r.sentinel))
	case !errors.Is(a.err, r.sentinel):
		c.defect("%v returned %v for %s: a wait goes by the sentinels; return an error that wraps %s",
			r, a, r.what, goName(r.sentinel))
	}
}

func goName(sentinel error) string { return "milvuswait." + nameOf(sentinel) }

// checkArguments makes calls with empty names, which no wait makes. They must not panic. An
// empty slice of partitions must have the same result as none.
func (c *checker) checkArguments() {
	if c.loads {
		c.ask(c.loading(""))
		c.ask(c.loading(c.world.Collection, ""))
		none, ok := c.ask(c.loading(c.world.Collection))
		empty, ok2 := c.ask(c.loading(c.world.Collection, []string{}...))
		if ok && ok2 && none.err == nil && (empty.err != nil || none.value != empty.value) {
			c.defect("%v returned %v with an empty slice of partitions, and %v with none: both are the whole collection",
				c.loading(c.world.Collection), empty, none)
		}
	}

	if c.builds {
		c.ask(c.building("", ""))
	}
}
