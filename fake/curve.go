package fake

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/milvuswait/milvuswait"
)

// LoadCurve is the script of a load over time, made by [LoadOver]. It is an immutable
// value: each method returns a changed copy, so several curves can share a beginning.
type LoadCurve struct{ curve curve }

// LoadOver returns the script of a load that rises linearly from 0 % to 100 % within d.
// RefreshPercent is 100: no refresh was requested.
//
// It panics if d is negative.
func LoadOver(d time.Duration) LoadCurve {
	mustNotBeNegative("LoadOver", d)
	return LoadCurve{curve{whole: 100, moving: d}}
}

// StallAt returns a copy of c that stalls for d at percent, and then continues. The stall
// adds d to the duration of the load. After a stall of [Forever], the load never continues.
//
// Call StallAt, FallAt and FailAt in the order in which the load reaches their percentages.
// All three panic if percent is not within 0 and 100, if the load is already past it, after
// a stall of Forever, and after FailAt. StallAt also panics if d is negative.
func (c LoadCurve) StallAt(percent int64, d time.Duration) LoadCurve {
	return LoadCurve{c.curve.stallAt(percent, d)}
}

// FallAt returns a copy of c that drops from percent to a lower percentage at once, as
// after the loss of a node, and rises again from there. The second rise adds to the
// duration of the load.
//
// It panics as StallAt does, and if to is not within 0 and percent.
func (c LoadCurve) FallAt(percent, to int64) LoadCurve {
	return LoadCurve{c.curve.fallAt(percent, to)}
}

// FailAt returns a copy of c whose polls fail with err once the load has reached percent.
// For a release in the middle of a load, use milvuswait.ErrNotLoaded.
//
// It panics as StallAt does, and if err is nil.
func (c LoadCurve) FailAt(percent int64, err error) LoadCurve {
	if err == nil {
		panic("fake: FailAt: the error is nil")
	}
	return LoadCurve{c.curve.add("FailAt", event{at: percent, err: err})}
}

// InSteps returns a copy of c that reports its progress in n equal steps, like a load of n
// segments: if n is 2, it reports 0, 50 and 100.
//
// It panics if n is not positive.
func (c LoadCurve) InSteps(n int64) LoadCurve {
	return LoadCurve{c.curve.inSteps(n)}
}

// Step implements Script.
func (c LoadCurve) Step(_ int, elapsed time.Duration) Step {
	percent, failed := c.curve.at(elapsed)
	if failed != nil {
		return Step{Err: failed.err}
	}
	return Step{Progress: loading(percent)}
}

// BuildCurve is the script of an index build over time, made by [BuildOver]. Like
// LoadCurve, it is an immutable value.
type BuildCurve struct {
	curve    curve
	hidden   time.Duration
	finished bool
}

// BuildOver returns the script of an index over the given number of rows. The number of
// indexed rows rises linearly, and reaches all rows after d. The remaining rows are
// pending, and the state is InProgress while there are any.
//
// It panics if rows is not positive or d is negative.
func BuildOver(rows int64, d time.Duration) BuildCurve {
	if rows <= 0 {
		panic(fmt.Sprintf("fake: BuildOver: %d rows are not positive", rows))
	}
	mustNotBeNegative("BuildOver", d)

	return BuildCurve{curve: curve{whole: rows, moving: d}}
}

// StallAt returns a copy of c that stalls for d when percent of the rows are indexed, and
// then continues. The details and panics are those of [LoadCurve.StallAt].
func (c BuildCurve) StallAt(percent int64, d time.Duration) BuildCurve {
	c.curve = c.curve.stallAt(percent, d)
	return c
}

// FallAt returns a copy of c that drops from percent of the rows to a lower percentage at
// once, as after the restart of a server, and rises again from there. The details and
// panics are those of [LoadCurve.FallAt].
func (c BuildCurve) FallAt(percent, to int64) BuildCurve {
	c.curve = c.curve.fallAt(percent, to)
	return c
}

// FailAt returns a copy of c that stops at percent of the rows, with the state Failed and
// the given reason.
//
// It panics as StallAt does.
func (c BuildCurve) FailAt(percent int64, reason string) BuildCurve {
	c.curve = c.curve.add("FailAt", event{at: percent, reason: reason, fails: true})
	return c
}

// InSteps returns a copy of c that reports its progress in n equal steps, like an index
// over n segments.
//
// It panics if n is not positive.
func (c BuildCurve) InSteps(n int64) BuildCurve {
	c.curve = c.curve.inSteps(n)
	return c
}

// VisibleAfter returns a copy of c that begins only after d. Until then it reports Finished
// with 0 rows, as real servers do for about 2.6 s after a flush, and its rows are in an
// unflushed segment: see [Poller.UnflushedSegments]. Because of this segment, a wait does
// not end before d, even without WithExpectedRows.
//
// It panics if d is negative.
func (c BuildCurve) VisibleAfter(d time.Duration) BuildCurve {
	mustNotBeNegative("VisibleAfter", d)
	c.hidden = d
	return c
}

// Unflushed reports whether the rows are still being flushed when the given time has passed
// since the start of the script: it is true before the time of VisibleAfter. A custom script
// of an index may have this method too.
func (c BuildCurve) Unflushed(elapsed time.Duration) bool { return elapsed < c.hidden }

// AlwaysFinished returns a copy of c with the state Finished from the start, although rows
// are pending. Real servers report this state to requests without the maximum timestamp.
// After FailAt, the state is Failed nevertheless.
func (c BuildCurve) AlwaysFinished() BuildCurve {
	c.finished = true
	return c
}

// Step implements Script.
func (c BuildCurve) Step(_ int, elapsed time.Duration) Step {
	if c.Unflushed(elapsed) {
		return Step{Progress: building(0, 0)}
	}

	indexed, failed := c.curve.at(elapsed - c.hidden)
	p := building(c.curve.whole, indexed)

	switch {
	case failed != nil:
		p.State, p.FailReason = milvuswait.IndexStateFailed, failed.reason
	case c.finished:
		p.State = milvuswait.IndexStateFinished
	}
	return Step{Progress: p}
}

// curve rises linearly from 0 to whole, interrupted by its events.
type curve struct {
	whole  int64         // 100 for a load, the number of rows for an index
	moving time.Duration // time from 0 to whole, without events
	events []event
	steps  int64 // number of steps reported; 0 means every value
}

// event is a stall, a fall or a failure of a curve at a percentage.
type event struct {
	at     int64 // percentage at which the event happens
	stall  time.Duration
	to     int64 // percentage after a fall; equal to at after a stall
	err    error
	reason string
	fails  bool
}

func (c curve) stallAt(percent int64, d time.Duration) curve {
	mustNotBeNegative("StallAt", d)
	return c.add("StallAt", event{at: percent, to: percent, stall: d})
}

func (c curve) fallAt(percent, to int64) curve {
	if to < 0 || to > percent {
		panic(fmt.Sprintf("fake: FallAt: %d %% is not within 0 and %d", to, percent))
	}
	return c.add("FallAt", event{at: percent, to: to})
}

func (c curve) inSteps(n int64) curve {
	if n <= 0 {
		panic(fmt.Sprintf("fake: InSteps: %d is not positive", n))
	}
	c.steps = n
	return c
}

// add appends an event. It panics, in the name of the function what, if the event is out of
// range or out of order.
func (c curve) add(what string, e event) curve {
	e.fails = e.fails || e.err != nil
	if e.at < 0 || e.at > 100 {
		panic(fmt.Sprintf("fake: %s: %d %% is not within 0 and 100", what, e.at))
	}

	if n := len(c.events); n > 0 {
		switch last := c.events[n-1]; {
		case last.fails:
			panic(fmt.Sprintf("fake: %s: must not follow FailAt", what))
		case last.stall == Forever:
			panic(fmt.Sprintf("fake: %s: must not follow a stall of Forever", what))
		case e.at < last.to:
			panic(fmt.Sprintf("fake: %s: the curve has left %d %% behind, it is at %d", what, e.at, last.to))
		}
	}

	// Copy the events: other curves may share the slice.
	c.events = append(c.events[:len(c.events):len(c.events)], e)
	return c
}

// at returns the value of the curve after the elapsed time, and the event that made it
// fail, or nil.
func (c curve) at(elapsed time.Duration) (value int64, failed *event) {
	value, failed = c.position(elapsed)
	if c.steps > 0 {
		value = mulDiv(mulDiv(value, c.steps, c.whole), c.whole, c.steps)
	}
	return value, failed
}

// position is at without InSteps. It passes the events in order and subtracts the time of
// each, until t is used up.
func (c curve) position(t time.Duration) (int64, *event) {
	pos := int64(0)
	for i := range c.events {
		e := &c.events[i]
		next := mulDiv(e.at, c.whole, 100)
		way := c.duration(next - pos)
		if t < way {
			return pos + mulDiv(int64(t), next-pos, int64(way)), nil
		}

		t -= way
		if e.fails {
			return next, e
		}
		if t < e.stall || e.stall == Forever {
			return next, nil
		}

		t -= e.stall
		pos = mulDiv(e.to, c.whole, 100)
	}

	// The rise after the last event.
	if way := c.duration(c.whole - pos); t < way {
		return pos + mulDiv(int64(t), c.whole-pos, int64(way)), nil
	}
	return c.whole, nil
}

// duration returns the time in which the curve rises by the given part of whole.
func (c curve) duration(units int64) time.Duration {
	return time.Duration(mulDiv(units, int64(c.moving), c.whole))
}

// mulDiv returns a*b/c, rounded down. The product may overflow an int64, but the result
// must fit. No argument may be negative.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
