package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
)

const (
	// mostProbed is the maximum number of partitions requested one by one for the hints of
	// a command. The search of package rpc for a partition without a load has the same
	// limit.
	mostProbed = 1024

	// mostProbes is the maximum number of these requests in flight, as for the polls.
	mostProbes = 16

	// mostBehind is the maximum number of partitions in a hint.
	mostBehind = 16
)

// unloaded returns the target of the partitions in t that are not loaded, or t if they are
// unknown.
func (a *adviser) unloaded(ctx context.Context, t milvuswait.Target) milvuswait.Target {
	missing, _ := a.probe(ctx, t, func(ctx context.Context, partition string) (string, error) {
		err := a.poller.CheckLoadState(ctx, t.Collection(), partition)
		if errors.Is(err, milvuswait.ErrNotLoaded) {
			return partition, nil
		}
		return "", err
	})
	if len(missing) == 0 {
		return t
	}
	return milvuswait.Loading(t.Collection(), missing...)
}

// behind returns the names of the partitions in t that are not loaded yet, as text, or "" if
// they are unknown. A server reports the progress of all partitions together.
func (a *adviser) behind(ctx context.Context, t milvuswait.Target) string {
	parts, all := a.probe(ctx, t, func(ctx context.Context, partition string) (string, error) {
		progress, err := a.poller.LoadingProgress(ctx, t.Collection(), partition)
		if err != nil || progress.Complete() {
			return "", err
		}
		return fmt.Sprintf("%q at %v", partition, progress), nil
	})
	if len(parts) == 0 {
		return ""
	}

	text := "the partition behind is "
	if len(parts) > 1 {
		text = "the partitions behind are "
	}
	if !all {
		text = "among " + strings.Replace(text, "partition ", "partitions ", 1)
	}

	text += strings.Join(parts[:min(mostBehind, len(parts))], ", ")
	if more := len(parts) - mostBehind; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// probe calls check for each of several partitions of t, and returns the texts that are not
// "", in the order of the partitions. It stops at an error of check, when ctx ends, and after
// mostProbed partitions; all is false then.
func (a *adviser) probe(ctx context.Context, t milvuswait.Target, check func(ctx context.Context, partition string) (string, error)) (texts []string, all bool) {
	partitions := t.Partitions()
	if len(partitions) < 2 {
		return nil, false
	}

	probed := partitions[:min(len(partitions), mostProbed-a.probes)]
	a.probes += len(probed)
	all = len(probed) == len(partitions)
	texts = make([]string, len(probed))

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(mostProbes)
	for i, partition := range probed {
		if ctx.Err() != nil {
			all = false
			break
		}
		group.Go(func() (err error) {
			texts[i], err = check(ctx, partition)
			return err
		})
	}
	if group.Wait() != nil {
		all = false
	}

	return slices.DeleteFunc(texts, func(text string) bool { return text == "" }), all
}
