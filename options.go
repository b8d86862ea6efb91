package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
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
	mark       string // see encodeMark
	criterion  IndexCriterion
	refresh    bool
	settle     time.Duration
	verify     func(ctx context.Context, t Target) error // nil if not given
	startGrace time.Duration

	backoff     Backoff
	rules       []*rule // backoff, resolved for each kind in use
	backoffFunc func() (next func() time.Duration)

	pollTimeout      time.Duration
	maxPollTimeout   time.Duration
	unreachableAfter time.Duration
	stallTimeout     time.Duration

	maxInFlight     int
	continueOnError bool

	observer Observer
	id       *waitID // identity of the call, for its updates

	given optionSet
	errs  []error
}

// optionSet is a set of the options that do not fit every kind, or every function.
type optionSet uint8

const (
	optPartitions optionSet = 1 << iota
	optIndex
	optExpectedRows
	optIndexCriterion
	optFlush
	optRefresh
	optMaxInFlight
	optContinueOnError

	optsOfTarget = optPartitions | optIndex | optExpectedRows | optFlush // a Target holds their values
	optsOfAll    = optMaxInFlight | optContinueOnError                   // for WaitAll only
)

// optionNames holds the names of the options, in the order of their constants.
var optionNames = [...]string{
	"WithPartitions", "WithIndex", "WithExpectedRows", "WithIndexCriterion", "WithFlush", "WithRefresh", "WithMaxInFlight", "WithContinueOnError",
}

// first returns the name of the first option in the set, which must not be empty.
func (o optionSet) first() string { return optionNames[bits.TrailingZeros8(uint8(o))] }

// newConfig applies the options. The error joins all that is invalid.
func newConfig(opts []Option) (*config, error) {
	c := &config{
		pollTimeout:      10 * time.Second,
		maxPollTimeout:   time.Minute,
		unreachableAfter: 5 * time.Minute,
		maxInFlight:      16,
		id:               new(waitID),
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
	return c, nil
}

// refuse returns ErrInvalid with the reason why if one of the options was given.
func (c *config) refuse(options optionSet, why string) error {
	if given := c.given & options; given != 0 {
		return fmt.Errorf("%w: %s %s", ErrInvalid, given.first(), why)
	}
	return nil
}

// refuseUnfit refuses an option for other kinds than those of the targets.
func (c *config) refuseUnfit(targets ...Target) error {
	var fit optionSet
	noun := findKind(targets[0].kind).one
	for _, t := range targets {
		fit |= findKind(t.kind).options
		if t.kind != targets[0].kind {
			noun = "these targets"
		}
	}

	for _, k := range waitKinds {
		if unfit := c.given & k.options &^ fit; unfit != 0 {
			return c.refuse(unfit, fmt.Sprintf("is for %s, not for %s", k.many, noun))
		}
	}
	return nil
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
func (c *config) newPace(kind *waitKind) (pace, error) {
	if c.backoffFunc == nil {
		// The mean of two random numbers: among waits that begin together, the shares at
		// both ends are rare, which makes the peaks of their polls a tenth lower.
		return pace{rule: c.ruleFor(kind), jitter: (rand.Float32() + rand.Float32()) / 2}, nil
	}

	next := c.backoffFunc()
	if next == nil {
		return pace{}, fmt.Errorf("%w: the function of WithBackoffFunc returned nil", ErrInvalid)
	}
	return pace{custom: next}, nil
}

// ruleFor returns the rule of the kind, which all its targets share.
func (c *config) ruleFor(kind *waitKind) *rule {
	for _, r := range c.rules {
		if r.kind == kind {
			return r
		}
	}

	r := newRule(kind, c.backoff.resolve(kind.initial))
	c.rules = append(c.rules, r)
	return r
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

// WithUnreachableAfter makes a wait end with ErrUnreachable when no poll was answered for d,
// counted from the start of the first one that was not. Permanent failures are answers too.
// No poll outlasts d, and the last one starts just before its end, as before a deadline. The
// default is 5 min; 0 means no limit.
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

// WithStartGrace lets a wait begin before its target exists. For d, ErrNotLoaded and the
// errors for missing collections, partitions, indexes and databases end no wait, whatever
// was seen before. Neither does ErrLoadFailed, perhaps of an older load, until a poll has
// seen the load above 0 %. The default is 0.
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
