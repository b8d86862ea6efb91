package rpc

import (
	"context"
	"strconv"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var (
	_ milvuswait.ImportPoller     = (*Poller)(nil)
	_ milvuswait.CompactionPoller = (*Poller)(nil)
)

// The keys of GetImportState's infos.
const (
	failedReason    = "failed_reason"
	progressPercent = "progress_percent"
)

// ImportProgress calls GetImportState. A failed job is a progress with a FailReason, not an
// error. Percent is 0 until the server reports it.
//
// Milvus 3.0 reports a job that waits for a commit as failed: see Phase
// milvuswait.ImportPhaseUncommitted, which replaces the state here.
//
//   - ErrJobNotFound: the server does not know the job. 2.2 reports it by its text, 2.3 by
//     code 1000 for the key of the job, 2.4 and newer by code 2100 or 2101.
//   - errors.ErrUnsupported: the server has no imports, as milvus-lite, or the stub lacks
//     the call.
//
// The package documents all other errors. None is about a collection.
//
// Sources: milvus.proto, message GetImportStateResponse; the responses of 2.2.16 and 2.3.5
// were measured.
func (p *Poller) ImportProgress(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	if err := p.check(); err != nil {
		return milvuswait.ImportProgress{}, err
	}

	resp, err := call(ctx, p, wire.GetImportState, &wire.GetImportStateRequest{Task: job})
	if f := checkResponse(getImportState, resp.GetStatus(), err); f != nil {
		return milvuswait.ImportProgress{}, f.settledByText().error(ctx)
	}

	progress := milvuswait.ImportProgress{State: milvuswait.ImportState(resp.GetState()), Rows: resp.GetRowCount()}
	for _, info := range resp.GetInfos() {
		switch info.GetKey() {
		case failedReason:
			progress.FailReason = untrusted.Text(info.GetValue())
		case progressPercent:
			progress.Percent, _ = strconv.ParseInt(info.GetValue(), 10, 64) // 0 if it is no number
		}
	}
	if isUncommitted(progress) {
		progress.State, progress.Phase = milvuswait.ImportStateStarted, milvuswait.ImportPhaseUncommitted
	}
	return progress, nil
}

// isUncommitted reports whether the progress, as the server reports it, belongs to a job
// without auto-commit that is imported and not committed yet.
//
// Milvus 3.0 has the states Uncommitted and Committing for it, with 99 % and no reason
// (GetJobProgress in internal/datacoord/import_util.go). GetImportState has no such state,
// and reports each state that it does not know as ImportFailed
// (convertToV1GetImportResponse in internal/proxy/impl.go). A job that failed has 0 % and a
// reason on 2.4 and newer, and a reason on 2.2 and 2.3.
func isUncommitted(p milvuswait.ImportProgress) bool {
	return p.State == milvuswait.ImportStateFailed && p.Percent == 99 && p.FailReason == ""
}

// CompactionProgress calls GetCompactionState. Plans that failed or timed out are a
// progress, not an error. No server reports an unknown number as such: the progress is
// Completed with 0 plans.
//
//   - errors.ErrUnsupported: the server has no such call, or the stub lacks it.
//
// The package documents all other errors. None is about a collection.
//
// Sources: milvus.proto, message GetCompactionStateResponse; measured on 2.2.16, 2.3.5 and
// milvus-lite 3.2.2.
func (p *Poller) CompactionProgress(ctx context.Context, id int64) (milvuswait.CompactionProgress, error) {
	if err := p.check(); err != nil {
		return milvuswait.CompactionProgress{}, err
	}

	resp, err := call(ctx, p, wire.GetCompactionState, &wire.GetCompactionStateRequest{CompactionID: id})
	if f := checkResponse(getCompactionState, resp.GetStatus(), err); f != nil {
		return milvuswait.CompactionProgress{}, f.settledByText().error(ctx)
	}
	return milvuswait.CompactionProgress{
		State:     milvuswait.CompactionState(resp.GetState()),
		Executing: resp.GetExecutingPlanNo(),
		Completed: resp.GetCompletedPlanNo(),
		Failed:    resp.GetFailedPlanNo(),
		TimedOut:  resp.GetTimeoutPlanNo(),
	}, nil
}
