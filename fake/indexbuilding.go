package fake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// IndexBuildingProgress implements milvuswait.Poller. If the progress of a script has no
// IndexName, it gets the name in the target of the script.
func (p *Poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	return poll(ctx, p, milvuswait.IndexBuilding(collection, index), findIndexBuilding,
		func(turns []turn, answers []milvuswait.IndexBuildingProgress) milvuswait.IndexBuildingProgress {
			for i, t := range turns {
				answers[i].IndexName = cmp.Or(answers[i].IndexName, t.target.Index())
			}
			return milvuswait.FurthestBehind(answers)
		})
}

// splitIndexBuilding returns the target. It panics for AllIndexes.
func splitIndexBuilding(target milvuswait.Target) []milvuswait.Target {
	if target.Index() == milvuswait.AllIndexes {
		panic("fake: Set: AllIndexes is for asking, set a script for each index")
	}
	return []milvuswait.Target{target}
}

// plainIndexBuilding returns the target without expected rows and flush mark.
func plainIndexBuilding(target milvuswait.Target) milvuswait.Target {
	return milvuswait.IndexBuilding(target.Collection(), target.Index())
}

// findIndexBuilding returns the role of the target's index, or those of all for AllIndexes.
// It returns ErrIndexNotFound or ErrAmbiguousIndex if the name selects none or several.
func findIndexBuilding(c collection, target milvuswait.Target) ([]*role, error) {
	if c == nil {
		return nil, collectionNotFound(target)
	}

	names := c.indexes()
	switch index := target.Index(); {
	case len(names) == 0:
		return nil, fmt.Errorf("%w: %q has none", milvuswait.ErrIndexNotFound, target.Collection())
	case index == milvuswait.AllIndexes:
	case index == "" && len(names) > 1:
		return nil, fmt.Errorf("%w: %q has %s", milvuswait.ErrAmbiguousIndex, target.Collection(), untrusted.QuoteAll(names))
	case index != "":
		if !slices.Contains(names, index) {
			return nil, fmt.Errorf("%w: %q has %s, not %q", milvuswait.ErrIndexNotFound, target.Collection(), untrusted.QuoteAll(names), index)
		}
		names = []string{index}
	}

	var roles []*role
	for _, name := range names {
		roles = append(roles, c[milvuswait.IndexBuilding(target.Collection(), name)])
	}
	return roles, nil
}

// indexes returns the names of the indexes of c, sorted.
func (c collection) indexes() []string {
	var names []string
	for target, r := range c {
		if target.Kind() == milvuswait.KindIndexBuilding && r != nil {
			names = append(names, target.Index())
		}
	}
	slices.Sort(names)
	return names
}

// peekIndexes returns the turns of the scripts of all indexes of c at the given time. A
// script that has not begun begins now. The turns are no polls.
func (c collection) peekIndexes(now time.Time) []turn {
	var turns []turn
	for target, r := range c {
		if target.Kind() == milvuswait.KindIndexBuilding && r != nil {
			turns = append(turns, turn{target, r.play.Peek(now)})
		}
	}
	return turns
}
