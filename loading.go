package milvuswait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

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
)

// Loading returns the target for the load of the collection or, if partitions are named,
// of these partitions.
func Loading(collection string, partitions ...string) Target {
	t := Target{kind: KindLoading, collection: collection}
	return t.withPartitions(partitions)
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

func (p LoadingProgress) progress() {}

// MarshalJSON returns the dict of pymilvus' utility.loading_progress, such as
// {"loading_progress":"40%"}, without RefreshPercent.
func (p LoadingProgress) MarshalJSON() ([]byte, error) {
	return json.Marshal(loadingDict{p.String()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *LoadingProgress) UnmarshalJSON(b []byte) error {
	var d loadingDict
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	digits, ok := strings.CutSuffix(d.LoadingProgress, "%")
	percent, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return fmt.Errorf("milvuswait: loading_progress is %q, not a percentage such as %q", d.LoadingProgress, "40%")
	}
	*p = LoadingProgress{Percent: percent}
	return nil
}

type loadingDict struct {
	LoadingProgress string `json:"loading_progress"`
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
		c.give("WithRefresh")
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
	return ok && l.Percent == 0 && s.stateChecks < maxStateChecks && s.zeroPolls+1 >= zeroPollsBeforeCheck
}

// wantsCheckAfterList is wantsStateCheck for progress from a list. Many loads may stand at
// 0 % at once, and to check each after three polls would cost the calls that lists save.
func (s *waitState) wantsCheckAfterList(now time.Duration, p Progress) bool {
	return s.wantsStateCheck(p) && now-s.changedAt >= listedZero
}

// noteLoad records the progress of a load, and the check of its state.
func (s *waitState) noteLoad(p LoadingProgress, c check) {
	if p.Percent != 0 {
		s.zeroPolls, s.stateChecks = 0, 0
	} else {
		s.zeroPolls++
		switch c {
		case unclear:
			s.stateChecks++
		case checked:
			s.stateChecks = maxStateChecks
		}
	}

	s.moved = s.moved || p.Percent > 0
	s.refreshSeen = s.refreshSeen || p.RefreshPercent < 100
}

// refreshMayBePending reports whether a refresh_progress of 100 may still mean that no
// refresh has begun.
func (s *waitState) refreshMayBePending(now time.Duration) bool {
	return s.cfg.refresh && s.target.kind == KindLoading && !s.refreshSeen && now < max(refreshGuard, s.cfg.startGrace)
}

// checkTimeout is the timeout of a check of a load's state. It is short, since the poll
// itself has been answered.
const checkTimeout = time.Second

// checkLoadState checks the state of a load at 0 %, if p can, and records the result in a.
func checkLoadState(parent context.Context, p Poller, t Target, a *answer) {
	checker, ok := unwrap.Find[LoadStateChecker](p)
	if !ok {
		a.check = checked // no check will ever know more
		return
	}

	ctx, cancel := context.WithTimeout(parent, checkTimeout)
	defer cancel()
	err := checker.CheckLoadState(ctx, t.collection, t.Partitions()...)

	switch {
	case isAbsent(err):
		a.check, a.err = checked, err
	case err == nil || isPermanent(err) || errors.Is(err, errors.ErrUnsupported): // refused for good: believe the progress
		a.check = checked
	default:
		a.check = unclear
	}
}
