package kind

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milvuswait/milvuswait"
)

// loading is the row of the load of a collection or of partitions.
var loading = &Kind{
	Word:      string(milvuswait.KindLoading),
	Doing:     "loading",
	Finished:  "loaded",
	Privilege: "GetLoadState",

	Typed: func(t milvuswait.Target) string {
		if partitions := t.Partitions(); len(partitions) > 0 {
			return t.Collection() + ":" + strings.Join(partitions, ",")
		}
		return t.Collection()
	},
	Fields: fields,
	Start: func(t milvuswait.Target) string {
		if partitions := t.Partitions(); len(partitions) > 0 {
			return fmt.Sprintf("load_partitions(%q, [\"%s\"])", t.Collection(), strings.Join(partitions, `", "`))
		}
		return fmt.Sprintf("load_collection(%q)", t.Collection())
	},

	Rows:    noRows,
	Details: noText,
	Amount:  noText,
	Part:    noPart,
	Doubt:   noText,
	Hint: func(o milvuswait.Outcome, refresh bool) string {
		atStart := o.Progress == milvuswait.LoadingProgress{Percent: 100}
		if refresh && atStart && errors.Is(o.Err, context.DeadlineExceeded) {
			return "it is loaded, and its refresh is at 0%: Milvus 2.2 and milvus-lite do not report more"
		}
		return ""
	},
	Mask:    noMask,
	Look:    noOptions,
	Recheck: recheckLoad,
}

// recheckLoad returns ErrNotLoaded if the load is at 0 % because the collection is not
// loaded: milvus-lite reports 0 % for a released one.
func recheckLoad(ctx context.Context, p milvuswait.Poller, u milvuswait.Update) error {
	checker, ok := p.(milvuswait.LoadStateChecker)
	if !ok || u.Progress == nil || u.Fraction > 0 {
		return nil
	}

	err := checker.CheckLoadState(ctx, u.Target.Collection(), u.Target.Partitions()...)
	if errors.Is(err, milvuswait.ErrNotLoaded) {
		return err
	}
	return nil
}
