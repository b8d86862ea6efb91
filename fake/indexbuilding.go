package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// IndexBuildingProgress implements milvuswait.Poller. If the progress of a script has no
// IndexName, it gets the name in the target of the script.
func (p *Poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	target := milvuswait.IndexBuilding(collection, index)
	turns, record, err := p.begin(target)
	progress, err := finish(ctx, turns, err, milvuswait.FurthestBehind)
	p.end(record, progress, err)
	return progress, err
}

// findIndex returns the role of the target's index, or those of all for AllIndexes. It
// returns ErrIndexNotFound or ErrAmbiguousIndex if the name selects none or several.
func (c *collection) findIndex(target milvuswait.Target) ([]*role, error) {
	names := slices.Sorted(maps.Keys(c.indexes))
	switch index := target.Index(); {
	case len(names) == 0:
		return nil, fmt.Errorf("%w: %q has none", milvuswait.ErrIndexNotFound, target.Collection())
	case index == milvuswait.AllIndexes:
	case index == "" && len(names) > 1:
		return nil, fmt.Errorf("%w: %q has %s", milvuswait.ErrAmbiguousIndex, target.Collection(), untrusted.QuoteAll(names))
	case index != "":
		if c.indexes[index] == nil {
			return nil, fmt.Errorf("%w: %q has %s, not %q", milvuswait.ErrIndexNotFound, target.Collection(), untrusted.QuoteAll(names), index)
		}
		names = []string{index}
	}

	var roles []*role
	for _, name := range names {
		roles = append(roles, c.indexes[name])
	}
	return roles, nil
}
