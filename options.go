package milvuswait

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// Option changes how a wait goes. All options are checked before the first poll:
// one that makes no sense, or that the wait has no use for, is ErrInvalid.
type Option func(*config)

// config is what the options say. It is read-only once a wait has begun, and
// shared by its targets.
type config struct {
	partitions []string
	index      string
	rows       int64
	criterion  IndexCriterion
	refresh    bool
	settle     time.Duration
	startGrace time.Duration

	backoff     Backoff
	loadRule    *rule // backoff, resolved
	indexRule   *rule
	backoffFunc func() (next func() time.Duration)

	pollTimeout      time.Duration
	maxPollTimeout   time.Duration
	unreachableAfter time.Duration
	stallTimeout     time.Duration

	maxInFlight     int
	continueOnError bool

	observer Observer
	random   func() float64

	given []string // names of the options that only some waits have a use for
	errs  []error
}

// newConfig applies the options, and says all that is wrong with them.
func newConfig(opts []Option) (*config, error) {
	c := &config{
		pollTimeout:      10 * time.Second,
		maxPollTimeout:   time.Minute,
		unreachableAfter: 5 * time.Minute,
		maxInFlight:      16,
		random:           rand.Float64,
	}
	for i, opt := range opts {
		if opt == nil {
			c.invalid("option %d of %d is nil", i+1, len(opts))
			continue
		}
		opt(c)
	}
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	c.loadRule, c.indexRule = newRule(c.backoff.resolve(loadInitial)), newRule(c.backoff.resolve(indexInitial))
	return c, nil
}

func (c *config) give(option string) { c.given = append(c.given, option) }

// refuse returns an error if one of the options was given.
func (c *config) refuse(why string, options ...string) error {
	for _, option := range options {
		if slices.Contains(c.given, option) {
			return fmt.Errorf("%w: %s %s", ErrInvalid, option, why)
		}
	}
	return nil
}

// refuseFor refuses options that a target of that kind has no use for.
func (c *config) refuseFor(kind Kind) error {
	if kind == KindIndexBuilding {
		return c.refuse("is for loads, not for an index", "WithPartitions", "WithRefresh")
	}
	return c.refuse("is for indexes, not for a load", "WithIndex", "WithExpectedRows", "WithIndexCriterion")
}

// notify tells the observer, if there is one.
func (c *config) notify(u Update) {
	if c.observer != nil {
		c.observer.Observe(u)
	}
}

func (c *config) invalid(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...)))
}

// newPace returns the pace for a target of that kind.
func (c *config) newPace(kind Kind) (pace, error) {
	if c.backoffFunc != nil {
		next := c.backoffFunc()
		if next == nil {
			return pace{}, fmt.Errorf("%w: the function of WithBackoffFunc returned nil", ErrInvalid)
		}
		return pace{custom: next}, nil
	}
	if kind == KindIndexBuilding {
		return pace{rule: c.indexRule}, nil
	}
	return pace{rule: c.loadRule}, nil
}

// duration notes that an option has a negative duration.
func (c *config) duration(option string, d time.Duration) time.Duration {
	if d < 0 {
		c.invalid("%s: %v is negative", option, d)
	}
	return d
}

// WithPartitions makes WaitForLoadingComplete wait for the named partitions only.
func WithPartitions(names ...string) Option {
	return func(c *config) {
		if len(names) == 0 {
			c.invalid("WithPartitions: no names")
		}
		c.partitions = names
		c.give("WithPartitions")
	}
}

// WithIndex makes WaitForIndexBuildingComplete wait for the named index, or, by
// AllIndexes, for all of the collection. Without it there must be only one. The empty
// name is the same as no option, as pymilvus' index_name="" is.
func WithIndex(name string) Option {
	return func(c *config) {
		if name == "" {
			return
		}
		c.index = name
		c.give("WithIndex")
	}
}

// WithExpectedRows makes WaitForIndexBuildingComplete wait until the server shows
// at least n rows, all of them indexed. 0 expects none.
//
// Rows take their time from Flush to where the server counts them: on real
// servers (2.2.16, 2.3.5) an index says Finished, with no rows pending, for up to
// 3 s after Flush has returned, before the first of the new rows is even counted.
// A wait that begins in that time without an expectation returns at once. So say
// how many rows there must be whenever you know it; otherwise wait for the flush
// (GetFlushState) first.
//
// The server counts the rows of its segments: upserts count twice, and rows that
// are deleted go away with compaction. A wait that expects more than will ever be
// there ends only by its context or by WithStallTimeout.
func WithExpectedRows(n int64) Option {
	return func(c *config) {
		if n < 0 {
			c.invalid("WithExpectedRows: %d is negative", n)
		}
		c.rows = n
		c.give("WithExpectedRows")
	}
}

// IndexCriterion says which rows must be indexed before an index is complete.
type IndexCriterion int

const (
	// AllRows is the default: every row that the server counts, see
	// IndexBuildingProgress.Complete.
	AllRows IndexCriterion = iota

	// RowsAtStart is for collections that are written to without end: as many
	// rows must be indexed as the first poll counted, or as there are now if
	// compaction left fewer, whatever came in since.
	RowsAtStart

	// ServerState believes the server's state alone, as other clients do: done is
	// Finished. It is for servers whose counts of rows mean nothing.
	ServerState
)

// WithIndexCriterion sets which rows must be indexed. WithExpectedRows is asked
// for besides, whatever the criterion.
func WithIndexCriterion(criterion IndexCriterion) Option {
	return func(c *config) {
		if criterion < AllRows || criterion > ServerState {
			c.invalid("WithIndexCriterion: there is no criterion %d", criterion)
		}
		c.criterion = criterion
		c.give("WithIndexCriterion")
	}
}

// WithRefresh makes a wait for a load wait for a refresh (LoadCollection with
// refresh = true) too: done is 100 % and refresh_progress 100.
//
// The server says 100 also when no refresh was asked for. So a 100 from the
// first poll on is believed only after a second, or after WithStartGrace if that
// is longer, in which the refresh that another process is about to ask for may
// begin. Milvus 2.2 and milvus-lite do not tell of refreshes: with them such a
// wait ends only by its context or by WithStallTimeout.
func WithRefresh() Option {
	return func(c *config) {
		c.refresh = true
		c.give("WithRefresh")
	}
}

// WithSettle makes a wait return only when the target has been complete at every
// poll for d, since compaction or a lost node can undo what was complete. Time in
// which polls only failed does not count. Polls are a tenth of d apart meanwhile,
// if that is more than the pace asks for and no more than Backoff.Max. The default
// is 0: the first complete answer ends the wait.
func WithSettle(d time.Duration) Option {
	return func(c *config) { c.settle = c.duration("WithSettle", d) }
}

// WithBackoff sets the pace of the polls.
func WithBackoff(b Backoff) Option {
	return func(c *config) {
		if err := b.validate(); err != nil {
			c.invalid("%w", err)
		}
		c.backoff, c.backoffFunc = b, nil
	}
}

// WithBackoffFunc paces the polls by custom generators, one for each target. It calls f
// once for each target, before the first poll, and next after each poll. Next returns
// the delay before the next poll. A delay below 1 ms counts as 1 ms, and a negative one
// ends the wait with ErrAborted.
//
// Neither progress nor the time waited changes a delay. It is only shortened if a
// deadline or a timeout of the wait comes first.
//
//	milvuswait.WithBackoffFunc(func() func() time.Duration {
//		return backoff.NewConstantBackOff(time.Second).NextBackOff // of cenkalti/backoff
//	})
//
// cenkalti's exponential generators stop after 15 minutes unless MaxElapsedTime is 0.
func WithBackoffFunc(f func() (next func() time.Duration)) Option {
	return func(c *config) {
		if f == nil {
			c.invalid("WithBackoffFunc: the function is nil")
		}
		c.backoffFunc = f
	}
}

// WithPollTimeout bounds how long a single poll may take: first, doubled up to
// max while polls keep timing out, and first again after a good one. A poll that
// times out is a passing failure. The defaults are 10 s and 1 min.
func WithPollTimeout(first, max time.Duration) Option {
	return func(c *config) {
		switch {
		case first <= 0:
			c.invalid("WithPollTimeout: first, %v, is not positive", first)
		case max < first:
			c.invalid("WithPollTimeout: max, %v, is less than first, %v", max, first)
		}
		c.pollTimeout, c.maxPollTimeout = first, max
	}
}

// WithUnreachableAfter makes a wait end with ErrUnreachable when polls have done
// nothing but fail for d, counted from the beginning of the first of them. The
// default is 5 min, and 0 means never.
func WithUnreachableAfter(d time.Duration) Option {
	return func(c *config) { c.unreachableAfter = c.duration("WithUnreachableAfter", d) }
}

// WithStallTimeout makes a wait end with ErrStalled when progress has not changed
// for d, up or down. Time in which the server could not be reached does not
// count. The default, 0, means never: servers show no change for minutes while
// they work, and give up a load by themselves after 10 min without progress.
func WithStallTimeout(d time.Duration) Option {
	return func(c *config) { c.stallTimeout = c.duration("WithStallTimeout", d) }
}

// WithStartGrace makes a wait that begins before its target exists go on: for d
// it tolerates ErrNotLoaded, ErrLoadFailed (which may be of an older load) and
// everything that is not found, until it has seen the load above 0 %, or the index. The default is
// 0: those end the wait at once.
func WithStartGrace(d time.Duration) Option {
	return func(c *config) { c.startGrace = c.duration("WithStartGrace", d) }
}

// WithObserver has o told of every poll. Given several times, it has each of the
// observers told, in the order of the options, so that what wraps a wait can look
// on beside its caller.
func WithObserver(o Observer) Option {
	return func(c *config) {
		switch {
		case typednil.Is(o):
			c.invalid("WithObserver: the observer is nil")
		case c.observer == nil:
			c.observer = o
		default:
			c.observer = Observers(c.observer, o)
		}
	}
}
