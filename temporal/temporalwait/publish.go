package temporalwait

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

var (
	totalAttribute    = temporal.NewSearchAttributeKeyInt64("MilvusWaitTotal")
	doneAttribute     = temporal.NewSearchAttributeKeyInt64("MilvusWaitDone")
	failedAttribute   = temporal.NewSearchAttributeKeyInt64("MilvusWaitFailed")
	clustersAttribute = temporal.NewSearchAttributeKeyKeywordList("MilvusWaitClusters")
)

// SearchAttributes returns the names and types of the search attributes that a workflow
// sets if its Request enables them. Register them in the namespace first: a workflow that
// sets an unknown attribute gets stuck.
//
// MilvusWaitTotal, MilvusWaitDone and MilvusWaitFailed are numbers of targets, updated at
// every tenth of the total. MilvusWaitClusters lists the clusters of all targets.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	all := make(map[string]enumspb.IndexedValueType)
	for _, k := range []temporal.SearchAttributeKey{totalAttribute, doneAttribute, failedAttribute, clustersAttribute} {
		all[k.GetName()] = k.GetValueType()
	}
	return all
}

// memoKey is the key of the Summary in the memo.
const memoKey = "milvuswait"

// published is the state at the last update of the memo.
type published struct {
	known  bool
	tenths int
	failed bool
}

// publish updates the memo and the search attributes, but only if a tenth or the first
// failure has been reached since the last update. Each update adds an event to the history.
func (w *run) publish() {
	s := w.summary()
	now := published{known: true, tenths: tenths(s.Fraction), failed: s.Failed > 0}
	if now == w.published {
		return
	}

	w.published = now
	logger := workflow.GetLogger(w.ctx)
	if err := workflow.UpsertMemo(w.ctx, map[string]any{memoKey: s}); err != nil {
		logger.Warn("milvuswait: the memo could not be set", "err", err)
	}

	if !w.request.SearchAttributes {
		return
	}

	err := workflow.UpsertTypedSearchAttributes(w.ctx,
		totalAttribute.ValueSet(int64(s.Total)), doneAttribute.ValueSet(int64(s.Done)),
		failedAttribute.ValueSet(int64(s.Failed)), clustersAttribute.ValueSet(w.Clusters))
	if err != nil {
		logger.Warn("milvuswait: the search attributes could not be set", "err", err)
	}
}
