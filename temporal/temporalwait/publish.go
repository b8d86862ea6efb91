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

// SearchAttributes returns those that a workflow sets if its Request says so, with
// their types. The namespace must know them before: a workflow that sets others
// does not get on.
//
// MilvusWaitTotal, MilvusWaitDone and MilvusWaitFailed count targets, and are as new
// as the last tenth of the way; MilvusWaitClusters are those of all targets.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	all := make(map[string]enumspb.IndexedValueType)
	for _, k := range []temporal.SearchAttributeKey{totalAttribute, doneAttribute, failedAttribute, clustersAttribute} {
		all[k.GetName()] = k.GetValueType()
	}
	return all
}

// memoKey is where the memo has the Summary.
const memoKey = "milvuswait"

// published is what was last told.
type published struct {
	known  bool
	tenths int
	failed bool
}

// publish tells the memo and the search attributes how far the workflow is, if that
// is worth an event: every tenth, and the first failure.
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
