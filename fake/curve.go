package fake

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/milvuswait/milvuswait"
)

// LoadCurve is the script of a load that goes by time: see [LoadOver]. It is a
// value: the methods return another one and leave theirs as it is, so that a
// curve can be the start of several.
type LoadCurve struct{ curve curve }

// LoadOver returns the script of a load that rises evenly from 0 % to 100 %
// within d. No refresh was asked for: RefreshPercent is 100.
//
// It panics if d is negative.
func LoadOver(d time.Duration) LoadCurve {
	mustNotBeNegative("LoadOver", d)
	return LoadCurve{curve{whole: 100, moving: d}}
}

// StallAt returns the curve that stands still for d when it gets to percent, and
// then goes on. The time is added to that of the load. [Forever] is for ever.
//
// What happens to a curve is said in the order in which it happens: StallAt,
// FallAt and FailAt panic for a percentage that is not within 0 and 100 or lies
// behind, after a stall for ever, and after FailAt. StallAt panics also if d is
// negative.
func (c LoadCurve) StallAt(percent int64, d time.Duration) LoadCurve {
	return LoadCurve{c.curve.stallAt(percent, d)}
}

// FallAt returns the curve that falls back to a lower percentage at once when it
// gets to percent, as it does when a node is lost, and rises from there. The way
// back up is added to the time of the load.
//
// It panics as StallAt does, and if to is not within 0 and percent.
func (c LoadCurve) FallAt(percent, to int64) LoadCurve {
	return LoadCurve{c.curve.fallAt(percent, to)}
}

// FailAt returns the curve whose polls fail with err from when it gets to
// percent on: milvuswait.ErrNotLoaded is a load that somebody released, say.
//
// It panics as StallAt does, and if err is nil.
func (c LoadCurve) FailAt(percent int64, err error) LoadCurve {
	if err == nil {
		panic("fake: FailAt: the error is nil")
	}
	return LoadCurve{c.curve.add("FailAt", event{at: percent, err: err})}
}

// InSteps returns the curve that shows its progress in n equal steps, as a load
// of n segments does: in 2, it shows 0, 50 and 100.
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

// BuildCurve is the script of an index build that goes by time: see
// [BuildOver]. Like LoadCurve it is a value.
type BuildCurve struct {
	curve    curve
	hidden   time.Duration
	finished bool
}

// BuildOver returns the script of an index over so many rows, of which evenly
// more are indexed until all are after d. The rest is pending, and the state is
// InProgress until nothing is.
//
// It panics if rows is not positive or d is negative.
func BuildOver(rows int64, d time.Duration) BuildCurve {
	if rows <= 0 {
		panic(fmt.Sprintf("fake: BuildOver: %d rows are not positive", rows))
	}
	mustNotBeNegative("BuildOver", d)
	return BuildCurve{curve: curve{whole: rows, moving: d}}
}

// StallAt returns the curve that stands still for d when percent of the rows are
// indexed, and then goes on. It is otherwise like [LoadCurve.StallAt], and so
// are its panics.
func (c BuildCurve) StallAt(percent int64, d time.Duration) BuildCurve {
	c.curve = c.curve.stallAt(percent, d)
	return c
}

// FallAt returns the curve that falls back to a lower share of indexed rows at
// once when it gets to percent, as it does when a server is started again, and
// rises from there. It is otherwise like [LoadCurve.FallAt], and so are its
// panics.
func (c BuildCurve) FallAt(percent, to int64) BuildCurve {
	c.curve = c.curve.fallAt(percent, to)
	return c
}

// FailAt returns the curve that stands still when it gets to percent, with the
// state Failed and that reason.
//
// It panics as StallAt does.
func (c BuildCurve) FailAt(percent int64, reason string) BuildCurve {
	c.curve = c.curve.add("FailAt", event{at: percent, reason: reason, fails: true})
	return c
}

// InSteps returns the curve that shows its progress in n equal steps, as the
// build of an index over n segments does.
//
// It panics if n is not positive.
func (c BuildCurve) InSteps(n int64) BuildCurve {
	c.curve = c.curve.inSteps(n)
	return c
}

// VisibleAfter returns the curve that begins only after d, and until then says
// Finished with no rows at all, as real servers do for 2.6 s or so after a
// flush. A wait that expects no rows is over there.
//
// It panics if d is negative.
func (c BuildCurve) VisibleAfter(d time.Duration) BuildCurve {
	mustNotBeNegative("VisibleAfter", d)
	c.hidden = d
	return c
}

// AlwaysFinished returns the curve whose state is Finished from the start,
// whatever is pending, as real servers say when they are not asked for the
// newest state. A failure is still said.
func (c BuildCurve) AlwaysFinished() BuildCurve {
	c.finished = true
	return c
}

// Step implements Script.
func (c BuildCurve) Step(_ int, elapsed time.Duration) Step {
	if elapsed < c.hidden {
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

// curve rises evenly from 0 to whole, but for what the events say.
type curve struct {
	whole  int64         // 100 of a load, the rows of an index
	moving time.Duration // from 0 to whole without events
	events []event
	steps  int64 // 0: as many as there are
}

// event is what happens when a curve gets to at percent: it stands still, falls,
// or fails.
type event struct {
	at     int64
	stall  time.Duration
	to     int64 // at, if it does not fall
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

func (c curve) add(what string, e event) curve {
	e.fails = e.fails || e.err != nil
	if e.at < 0 || e.at > 100 {
		panic(fmt.Sprintf("fake: %s: %d %% is not within 0 and 100", what, e.at))
	}
	if n := len(c.events); n > 0 {
		switch last := c.events[n-1]; {
		case last.fails:
			panic(fmt.Sprintf("fake: %s: nothing comes after FailAt", what))
		case last.stall == Forever:
			panic(fmt.Sprintf("fake: %s: nothing comes after a stall for ever", what))
		case e.at < last.to:
			panic(fmt.Sprintf("fake: %s: the curve has left %d %% behind, it is at %d", what, e.at, last.to))
		}
	}
	c.events = append(c.events[:len(c.events):len(c.events)], e)
	return c
}

// at returns where the curve is, and the event if it has failed.
func (c curve) at(elapsed time.Duration) (value int64, failed *event) {
	value, failed = c.position(elapsed)
	if c.steps > 0 {
		value = mulDiv(mulDiv(value, c.steps, c.whole), c.whole, c.steps)
	}
	return value, failed
}

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
	if way := c.duration(c.whole - pos); t < way {
		return pos + mulDiv(int64(t), c.whole-pos, int64(way)), nil
	}
	return c.whole, nil
}

func (c curve) duration(units int64) time.Duration {
	return time.Duration(mulDiv(units, int64(c.moving), c.whole))
}

// mulDiv returns a*b/c, rounded down, which must fit although a*b may not. None
// is negative.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
