package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

// DrawWork returns the work of a seed. The same seed always gives the same work.
func DrawWork(seed uint64) *Work {
	d := dice{random(seed ^ 0x776f726b)}
	w := &Work{Seed: seed, Span: d.spread(2*time.Second, 4*time.Minute), Troubles: map[string][]Trouble{}}

	for range d.between(1, 3) {
		switch p := d.Float64(); {
		case p < 0.65:
			d.data(w)
		case p < 0.80:
			d.importJob(w)
		case p < 0.95:
			d.compaction(w)
		default:
			w.want(milvuswait.Serving())
		}
	}

	d.workOptions(w)
	d.troubles(w)
	return w
}

// want adds a target once.
func (w *Work) want(t milvuswait.Target) {
	if !slices.Contains(w.Targets, t) {
		w.Targets = append(w.Targets, t)
	}
}

// data draws a collection: segments that are flushed when the wait begins, others that are
// sealed by then, and, in half of them, a writer who goes on to flush.
func (d dice) data(w *Work) {
	c := &Data{Name: fmt.Sprintf("c%d", len(w.Data)), Indexes: []string{"i0", "i1", "i2"}[:d.between(1, 3)]}
	w.Data = append(w.Data, c)

	add := func(sealed, flushed time.Duration) {
		s := Segment{ID: int64(100*len(w.Data) + len(c.Segments)), Sealed: sealed, Flushed: flushed, Rows: int64(d.between(1, 1000))}
		for range c.Indexes {
			built := flushed
			if d.chance(0.7) {
				built += d.part(w.Span, 0, 0.2)
			}
			s.Built = append(s.Built, built)
		}
		c.Segments = append(c.Segments, s)
	}

	for range d.between(0, 2) {
		add(-2*w.Span, -w.Span)
	}
	for range d.between(0, 3) {
		add(-time.Millisecond, d.part(w.Span, 0, 0.8))
	}

	var mark milvuswait.FlushMark
	for _, s := range c.Segments {
		if s.Flushed > 0 {
			mark.Segments = append(mark.Segments, s.ID)
		}
	}

	// A flush takes longer than the pause until the next one in most cases: then a segment is
	// listed at any time.
	if d.chance(0.5) {
		every := d.part(w.Span, 0.02, 0.2)
		for at := d.part(w.Span, 0, 0.1); at < 2*w.Span; at += every {
			add(at, at+d.part(every, 0.5, 2))
		}
	}

	if d.chance(0.3) {
		mark.Timestamp = uint64(d.part(w.Span, 0, 0.6))
	}
	if d.chance(0.25) {
		other := mark
		other.Timestamp++ // so that its polls differ from those of an index
		w.want(milvuswait.Flushing(c.Name, other))
	}
	d.indexTargets(w, c, mark)
}

// indexTargets draws the targets for the indexes of a collection.
func (d dice) indexTargets(w *Work, c *Data, mark milvuswait.FlushMark) {
	var rows int64
	for _, s := range c.Segments {
		if s.Sealed < 0 {
			rows += s.Rows
		}
	}

	for _, name := range c.Indexes {
		t := milvuswait.IndexBuilding(c.Name, name)
		if d.chance(0.25) {
			t = t.AfterFlush(mark)
		}
		if d.chance(0.15) {
			t = t.ExpectRows(rows)
		}
		w.want(t)
		if d.chance(0.3) {
			return // the other indexes are not waited for
		}
	}
}

// importJob draws an import, which fails in a quarter of the cases.
func (d dice) importJob(w *Work) {
	j := &Job{Target: milvuswait.Importing(int64(900 + len(w.Jobs)))}

	at := time.Duration(0)
	step := func(state milvuswait.ImportState, percent int64) {
		j.Steps = append(j.Steps, JobStep{at, milvuswait.ImportProgress{State: state, Percent: percent}})
		at += d.part(w.Span, 0, 0.3)
	}

	if d.chance(0.2) {
		j.Steps = append(j.Steps, JobStep{}) // the job is not known yet
		at = d.part(w.Span, 0, 0.2)
	}
	step(milvuswait.ImportStatePending, 0)
	step(milvuswait.ImportStateStarted, int64(d.between(0, 90)))
	if d.chance(0.2) {
		j.Steps = append(j.Steps, JobStep{From: at}) // it is unknown for a while
		at += d.spread(10*time.Millisecond, time.Second)
	}
	step(milvuswait.ImportStatePersisted, 100)

	switch {
	case d.chance(0.15):
		step(milvuswait.ImportStateFailed, 0)
	case d.chance(0.1):
		step(milvuswait.ImportStateFailedAndCleaned, 0)
	default:
		step(milvuswait.ImportStateCompleted, 100)
	}

	w.Jobs = append(w.Jobs, j)
	w.want(j.Target)
}

// compaction draws a compaction. Plans that failed are reported for a while only.
func (d dice) compaction(w *Work) {
	j := &Job{Target: milvuswait.Compacting(int64(700 + len(w.Jobs)))}
	plans := int64(d.between(0, 4))
	p := milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: plans}

	for at := time.Duration(0); ; at += d.part(w.Span, 0, 0.25) {
		if p.Executing == 0 {
			p.State = milvuswait.CompactionStateCompleted
		}
		j.Steps = append(j.Steps, JobStep{at, p})
		if p.Executing == 0 {
			break
		}

		// One plan ends, and the ones that failed before it may be forgotten.
		if d.chance(0.5) {
			p.Failed, p.TimedOut = 0, 0
		}
		p.Executing--
		switch {
		case d.chance(0.15):
			p.Failed++
		case d.chance(0.1):
			p.TimedOut++
		default:
			p.Completed++
		}
	}

	w.Jobs = append(w.Jobs, j)
	w.want(j.Target)
}

// workOptions draws the options. A stall and a budget of its own are drawn for a single target
// only: the targets of one wait share their server's health, and their segments.
func (d dice) workOptions(w *Work) {
	o := &w.Options
	o.Deadline = w.Span * time.Duration(d.between(1, 4))
	o.Segments, o.Lists, o.Continue = d.chance(0.85), d.chance(0.7), d.chance(0.8)
	o.Unlisted, o.Verify = o.Segments && d.chance(0.15), d.chance(0.25)
	if len(w.Data) > 0 && d.chance(0.3) {
		o.Criterion = milvuswait.IndexCriterion(d.between(1, 2))
	}
	if d.chance(0.2) {
		o.Settle = d.part(w.Span, 0.01, 0.2)
	}
	if d.chance(0.2) {
		o.Grace = d.part(w.Span, 0.01, 0.3)
	}
	if len(w.Targets) == 1 {
		if d.chance(0.4) {
			o.Stall = d.part(w.Span, 0.1, 0.5)
		}
		if d.chance(0.4) {
			o.Budget = d.part(w.Span, 0.1, 0.5)
		}
	}
}

// methods are the methods of a Poller, and verify.
const (
	describe   = "DescribeIndex"
	segments   = "GetPersistentSegmentInfo"
	flushState = "GetFlushState"
	imports    = "GetImportState"
	compacts   = "GetCompactionState"
	serves     = "CheckHealth"
	verifies   = "verify"
)

// troubles draws the faults of the methods. Requests about flushes are refused for less or for
// more than the 30 s after which a wait believes it.
func (d dice) troubles(w *Work) {
	for _, method := range []string{describe, segments, flushState, imports, compacts, serves, verifies} {
		if !d.chance(0.35) {
			continue
		}
		for range d.between(1, 3) {
			from := d.part(w.Span, 0, 0.7)
			t := Trouble{Span{from, from + d.part(w.Span, 0.01, 0.2)}, errOffline}
			switch p := d.Float64(); {
			case p < 0.10:
				t.Err = nil
			case p < 0.40 && (method == segments || method == flushState):
				t.Err, t.To = errRefused, from+d.spread(5*time.Second, 100*time.Second)
			case p < 0.35:
				t.Err = errRefused
			case p < 0.45 && method != serves && method != verifies:
				t.Err = milvuswait.ErrCollectionNotFound
			}
			w.Troubles[method] = append(w.Troubles[method], t)
		}
	}
	if w.Options.Unlisted {
		w.Troubles[segments] = append(w.Troubles[segments], Trouble{Span{0, forGood}, fmt.Errorf("segments: %w", errors.ErrUnsupported)})
	}
}
