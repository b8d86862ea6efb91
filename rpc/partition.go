package rpc

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// Bounds of the search for a partition, which only improves an error: it finds one of 1024.
const (
	maxHalvings    = 10
	searchPatience = time.Second
)

// namePartition returns err with the name of the first of several partitions that is not
// loaded. The server names only its ID, or none. It returns err unchanged for fewer than two
// partitions, or if GetLoadState does not find any.
func (p *Poller) namePartition(ctx context.Context, err error, collection string, partitions []string) error {
	if len(partitions) < 2 || len(partitions) > 1<<maxHalvings {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, searchPatience)
	defer cancel()

	// One GetLoadState reports whether all partitions of a list are loaded, so that each
	// call halves the list.
	for len(partitions) > 1 {
		half := partitions[:len(partitions)/2]
		unloaded, ok := p.anyUnloaded(ctx, collection, half)
		switch {
		case !ok:
			return err
		case unloaded:
			partitions = half
		default:
			partitions = partitions[len(half):]
		}
	}

	// The last call also finds out whether the load has begun meanwhile.
	if unloaded, ok := p.anyUnloaded(ctx, collection, partitions); !ok || !unloaded {
		return err
	}
	return fmt.Errorf("partition %s: %w", strconv.Quote(untrusted.Text(partitions[0])), err)
}

// anyUnloaded reports whether one of the partitions is not loaded. It is not ok if the
// server does not report it.
func (p *Poller) anyUnloaded(ctx context.Context, collection string, partitions []string) (unloaded, ok bool) {
	state, f := p.loadState(ctx, collection, partitions)
	if f != nil {
		return f.class == notLoaded, f.class == notLoaded
	}
	return state == wire.LoadState_LoadStateNotLoad, state != wire.LoadState_LoadStateNotExist
}
