package rpc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// choose returns the progress of the requested index from the descriptions of the server.
func choose(described []*wire.IndexDescription, index string) (milvuswait.IndexBuildingProgress, error) {
	var none milvuswait.IndexBuildingProgress
	if len(described) == 0 {
		return none, fmt.Errorf("%w: %s: no description", milvuswait.ErrIndexNotFound, describeIndex)
	}
	if index == milvuswait.AllIndexes {
		return furthestBehind(described), nil
	}

	if len(described) == 1 {
		return progress(described[0]), nil
	}
	if index == "" {
		return none, fmt.Errorf("%w: %s: %s", milvuswait.ErrAmbiguousIndex, describeIndex, names(described))
	}

	for _, d := range described {
		if d.GetIndexName() == index {
			return progress(d), nil
		}
	}
	return none, fmt.Errorf("%w: %s: not among %s", milvuswait.ErrIndexNotFound, describeIndex, names(described))
}

func furthestBehind(described []*wire.IndexDescription) milvuswait.IndexBuildingProgress {
	all := make([]milvuswait.IndexBuildingProgress, len(described))
	for i, d := range described {
		all[i] = progress(d)
	}
	return milvuswait.FurthestBehind(all)
}

func progress(d *wire.IndexDescription) milvuswait.IndexBuildingProgress {
	return milvuswait.IndexBuildingProgress{
		TotalRows:        d.GetTotalRows(),
		IndexedRows:      d.GetIndexedRows(),
		PendingIndexRows: d.GetPendingIndexRows(),
		State:            milvuswait.IndexState(d.GetState()),
		FailReason:       untrusted.Text(d.GetIndexStateFailReason()),
		IndexName:        untrusted.Text(d.GetIndexName()),
	}
}

// names returns the sorted names of the indexes as errors list them.
func names(described []*wire.IndexDescription) string {
	sorted := make([]string, len(described))
	for i, d := range described {
		sorted[i] = d.GetIndexName()
	}
	slices.Sort(sorted)
	return quoted(sorted)
}

// quoted returns names as errors list them: in quotes, and at most 16.
func quoted(names []string) string {
	const most = 16
	var b strings.Builder
	for i, name := range names[:min(most, len(names))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(untrusted.Text(name)))
	}

	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	return untrusted.Text(b.String())
}
