package milvuswait

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

const (
	// zeroPollsBeforeCheck is the number of polls in a row at 0 % after which a wait
	// checks the state of a load, at most maxStateChecks times while the check fails.
	zeroPollsBeforeCheck = 3
	maxStateChecks       = 3

	// listedZero is the minimum time at 0 % after which a wait checks the state of a load
	// covered by lists. See wantsCheckAfterList.
	listedZero = 10 * time.Second

	// refreshGuard is the minimum time for which a wait does not believe a
	// refresh_progress of 100 if it was never lower: the refresh may not have begun.
	refreshGuard = time.Second

	// serverGivesUp is the time without progress after which the server drops a load: the
	// default of queryCoord.loadTimeoutSeconds.
	serverGivesUp = 600 * time.Second
)

// loadingKind is the row of loads in the table of kinds.
var loadingKind = &waitKind{
	kind: KindLoading, one: "a load", many: "loads",
	initial:  40 * time.Millisecond,
	options:  optPartitions | optRefresh,
	describe: describeLoading, validate: validateLoading,
	checkPoller: func(p Poller, _ Target) error {
		if f, ok := p.(PollerFuncs); ok && f.Loading == nil {
			return errNoLoading
		}
		return nil
	},

	poll: func(ctx context.Context, p Poller, s *waitState) answer {
		return answerOf(p.LoadingProgress(ctx, s.target.collection, s.target.Partitions()...))
	},
	follow: checkLoadState,
	list: func(t Target) jobKind {
		if t.partitions != "" {
			return pollOne
		}
		return listLoads
	},

	note:         noteLoading,
	mayBePending: (*waitState).refreshMayBePending,
	isComplete: func(s *waitState, now time.Duration) bool {
		p := s.last.(LoadingProgress)
		return p.Complete() && (!s.cfg.refresh || p.RefreshPercent >= 100 && !s.refreshMayBePending(now))
	},
	share: shareOfLoading,

	jsonKey: "loading_progress", unmarshal: unmarshal[LoadingProgress],
}

// loadingState is the part of a waitState for loads.
type loadingState struct {
	zeroPolls   int8 // number of polls in a row at 0 %, at most zeroPollsBeforeCheck
	stateChecks int8 // number of state checks since the first of them, at most maxStateChecks
	moved       bool // the load was above 0 %
	refreshSeen bool // a refresh was in progress
}

// Loading returns the target for the load of the collection or, if partitions are named,
// of these partitions.
func Loading(collection string, partitions ...string) Target {
	t := Target{kind: KindLoading, collection: collection}
	return t.withPartitions(partitions)
}

// describeLoading returns a target such as `loading "docs", partitions "a", "b"`.
func describeLoading(t Target) string {
	if t.partitions != "" {
		return fmt.Sprintf("loading %q, partitions %s", t.collection, untrusted.QuoteAll(t.Partitions()))
	}
	return fmt.Sprintf("loading %q", t.collection)
}

func validateLoading(t Target) error {
	if err := validateName("collection", t.collection); err != nil {
		return err
	}
	for _, name := range t.Partitions() {
		if err := validateName("partition", name); err != nil {
			return err
		}
	}
	return nil
}

// LoadingProgress is the progress of loading a collection, or some of its partitions.
//
// Source: milvus.proto, message GetLoadingProgressResponse.
type LoadingProgress struct {
	// Percent of loaded segments and channels, on all replicas, from 0 to 100; field
	// progress. It is the mean of the partitions, rounded down, and may fall when a
	// partition is added. It moves in large steps (0, 50, 100 for a collection of one
	// segment) and falls when a query node is lost.
	Percent int64

	// RefreshPercent is 0 during a refresh (LoadCollection with refresh = true), and 100
	// after it and without one; field refresh_progress. It is always 0 on Milvus 2.2 and
	// milvus-lite, which do not send it.
	RefreshPercent int64
}

// Complete reports whether everything is loaded: Percent is 100 or more.
func (p LoadingProgress) Complete() bool { return p.Percent >= 100 }

// Fraction returns Percent as a fraction, from 0 to 1.
func (p LoadingProgress) Fraction() float64 { return clamp(float64(p.Percent) / 100) }

// String returns the percentage, such as "40%".
func (p LoadingProgress) String() string { return strconv.FormatInt(p.Percent, 10) + "%" }

func (p LoadingProgress) dict() any { return loadingDict{p.String(), p.RefreshPercent} }

// MarshalJSON returns the dict of pymilvus' utility.loading_progress, such as
// {"loading_progress":"40%"}, without RefreshPercent.
func (p LoadingProgress) MarshalJSON() ([]byte, error) {
	return json.Marshal(loadingDict{LoadingProgress: p.String()})
}

// UnmarshalJSON reads the dict of MarshalJSON. It may also contain a number
// refresh_progress, for RefreshPercent. A JSON null leaves p unchanged, as encoding/json
// does for other types.
func (p *LoadingProgress) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}

	var d loadingDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}

	percent, err := parsePercent("loading_progress", d.LoadingProgress)
	if err != nil {
		return err
	}
	*p = LoadingProgress{Percent: percent, RefreshPercent: d.RefreshProgress}
	return nil
}

type loadingDict struct {
	LoadingProgress string `json:"loading_progress"`
	RefreshProgress int64  `json:"refresh_progress,omitempty"` // for MarshalProgress only
}

// WithPartitions makes WaitForLoadingComplete wait for the named partitions only.
func WithPartitions(names ...string) Option {
	return func(c *config) {
		if len(names) == 0 {
			c.invalid("WithPartitions: no names")
		}
		c.partitions = names
		c.given |= optPartitions
	}
}

// WithRefresh makes a wait for a load also wait for a refresh (LoadCollection with
// refresh = true): the load is complete at 100 % and refresh_progress 100.
//
// A server also reports 100 without any refresh. If refresh_progress is 100 from the
// first poll on, the wait therefore goes on for 1 s, or for WithStartGrace if this is
// longer, so that another process can start the refresh. Milvus 2.2 and milvus-lite do
// not report refreshes: there the wait ends by its context or by WithStallTimeout.
func WithRefresh() Option {
	return func(c *config) {
		c.refresh = true
		c.given |= optRefresh
	}
}

// check is the result of a LoadStateChecker. If the load is not there, err of the answer
// holds the reason.
type check int8

const (
	unchecked check = iota
	unclear         // the check itself failed
	checked
)

// wantsStateCheck reports whether a poll that returned p also checks the state of the
// load: 0 % may mean "not loaded" on milvus-lite.
func (s *waitState) wantsStateCheck(p Progress) bool {
	l, ok := p.(LoadingProgress)
	return ok && l.Percent == 0 && s.loading.stateChecks < maxStateChecks && s.loading.zeroPolls+1 >= zeroPollsBeforeCheck
}

// wantsCheckAfterList is wantsStateCheck for progress from a list. Many loads may stand at
// 0 % at once, and to check each after three polls would cost the calls that lists save.
func (s *waitState) wantsCheckAfterList(now time.Duration, p Progress) bool {
	return s.wantsStateCheck(p) && now-s.changedAt >= listedZero
}

// noteLoading records the progress of a load, and the check of its state.
func noteLoading(s *waitState, _ time.Duration, a answer) Progress {
	p := a.progress.(LoadingProgress)
	if a.err != nil {
		return a.progress // the check of the state must be confirmed by another one
	}

	// Lists do not report refreshes: keep the last known percentage.
	progress := a.progress
	if before, known := s.last.(LoadingProgress); known && a.listed && p.RefreshPercent != before.RefreshPercent {
		p.RefreshPercent = before.RefreshPercent
		progress = p
	}

	l := &s.loading
	if p.Percent != 0 {
		l.zeroPolls, l.stateChecks = 0, 0
	} else {
		l.zeroPolls = min(l.zeroPolls+1, zeroPollsBeforeCheck)
		switch a.check {
		case unclear:
			l.stateChecks++
		case checked:
			l.stateChecks = maxStateChecks
		}
	}

	l.moved = l.moved || p.Percent > 0
	l.refreshSeen = l.refreshSeen || p.RefreshPercent < 100
	return progress
}

// shareOfLoading returns the loaded share, or that of the refresh if it is smaller.
func shareOfLoading(s *waitState) float64 {
	p := s.last.(LoadingProgress)
	switch {
	case s.cfg.refresh:
		return min(p.Fraction(), clamp(float64(p.RefreshPercent)/100))
	case p.Percent < 0:
		return -1
	}
	return p.Fraction()
}

// refreshMayBePending reports whether a refresh_progress of 100 may still mean that no
// refresh has begun.
func (s *waitState) refreshMayBePending(now time.Duration) bool {
	return s.cfg.refresh && !s.loading.refreshSeen && now < max(refreshGuard, s.cfg.startGrace)
}

// checkTimeout is the timeout of a check of a load's state. It is short, since the poll
// itself has been answered.
const checkTimeout = time.Second

// permanentCause returns the cause of a wait that a permanent failure ends. After progress
// was seen, "not loaded" means released or failed: the server does not distinguish them.
func (s *waitState) permanentCause(a answer) error {
	seen := s.last != nil && (s.loading.moved || a.check != checked)
	if first, _ := findSentinel(a.err); first.err != ErrNotLoaded || !seen {
		return &maskedError{a.err}
	}

	// A load without progress for as long as the server allows has failed.
	if still := s.outage.stillFor; still >= serverGivesUp && !s.last.Complete() {
		return because(fmt.Errorf("%w: the server gave up after %v without progress", ErrLoadFailed, round(still)), a.err)
	}
	return because(ErrReleased, a.err)
}

// checkLoadState checks the state of a load that stands at 0 %, if p can, and returns the
// answer with the result.
func checkLoadState(parent context.Context, p Poller, s *waitState, a answer) answer {
	if !s.wantsStateCheck(a.progress) {
		return a
	}
	checker, ok := unwrap.Find[LoadStateChecker](p)
	if !ok {
		a.check = checked // no check will ever know more
		return a
	}

	took, err := timedCheck(parent, checkTimeout, func(ctx context.Context) error {
		return checker.CheckLoadState(ctx, s.target.collection, s.target.Partitions()...)
	})
	a.elapsed += took

	switch {
	case isAbsent(err):
		a.check, a.err = checked, err
	case err == nil || isPermanent(err) || isUnsupported(err): // refused for good: believe the progress
		a.check = checked
	default:
		a.check = unclear
	}
	return a
}
