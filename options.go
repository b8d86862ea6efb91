package milvuswait

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// Option configures a wait. All options are checked before the first poll. An invalid
// option, or an option of another kind of wait, is ErrInvalid.
type Option func(*config)

// config holds the options of a wait. It is read-only once the wait has begun, and its
// targets share it.
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

	given []string // names of the options for one kind of wait
	errs  []error
}

// newConfig applies the options. The error joins all that is invalid.
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

// refuse returns ErrInvalid with the reason why if one of the options was given.
func (c *config) refuse(why string, options ...string) error {
	for _, option := range options {
		if slices.Contains(c.given, option) {
			return fmt.Errorf("%w: %s %s", ErrInvalid, option, why)
		}
	}
	return nil
}

// refuseFor refuses options that do not fit the kind.
func (c *config) refuseFor(kind Kind) error {
	if kind == KindIndexBuilding {
		return c.refuse("is for loads, not for an index", "WithPartitions", "WithRefresh")
	}
	return c.refuse("is for indexes, not for a load", "WithIndex", "WithExpectedRows", "WithIndexCriterion")
}

// notify calls the observer, if there is one.
func (c *config) notify(u Update) {
	if c.observer != nil {
		c.observer.Observe(u)
	}
}

func (c *config) invalid(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...)))
}

// newPace returns the pace for a target of the kind.
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

// duration returns d, and records that the option is invalid if d is negative.
func (c *config) duration(option string, d time.Duration) time.Duration {
	if d < 0 {
		c.invalid("%s: %v is negative", option, d)
	}
	return d
}

// WithSettle makes a wait return only when the target has been complete at every poll for
// d: compaction or a lost node can make a complete target incomplete again. Time with
// failed polls does not count. The delay between these polls is a tenth of d if the pace
// has a shorter one, and at most Backoff.Max. The default is 0: the first complete
// answer ends the wait.
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

// WithPollTimeout sets the timeout of a single poll: first, doubled up to max while polls
// keep timing out, and first again after a successful poll. A timeout of a poll is a
// transient failure. The defaults are 10 s and 1 min.
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

// WithUnreachableAfter makes a wait end with ErrUnreachable when all polls have failed for
// d, counted from the start of the first one. The default is 5 min; 0 means no limit.
func WithUnreachableAfter(d time.Duration) Option {
	return func(c *config) { c.unreachableAfter = c.duration("WithUnreachableAfter", d) }
}

// WithStallTimeout makes a wait end with ErrStalled when progress has not changed, up or
// down, for d. Time with failed polls does not count. The default, 0, means no limit:
// working servers report no change for minutes, and fail a load by themselves after
// 10 min without progress.
func WithStallTimeout(d time.Duration) Option {
	return func(c *config) { c.stallTimeout = c.duration("WithStallTimeout", d) }
}

// WithStartGrace lets a wait begin before its target exists. For d, ErrNotLoaded,
// ErrLoadFailed (perhaps of an older load) and the errors for missing collections,
// partitions, indexes and databases are tolerated, until a poll has seen the load above
// 0 %, or the index. The default is 0: these errors end the wait at once.
func WithStartGrace(d time.Duration) Option {
	return func(c *config) { c.startGrace = c.duration("WithStartGrace", d) }
}

// WithObserver calls o after every poll. It may be given several times: the observers are
// called in the order of the options, so that a wrapper of a wait can add one to its
// caller's.
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
