package fakeserver

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// setCompacting sets the script of a compaction.
func (db *Database) setCompacting(target milvuswait.Target, script fake.Script) {
	db.server.compactions.set(target.Job(), script)
}

// compactOver returns the script of a compaction with one plan, which takes d.
func compactOver(d time.Duration) fake.Script {
	return fake.ScriptFunc(func(_ int, elapsed time.Duration) fake.Step {
		if elapsed < d {
			return fake.Step{Progress: milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 1}}
		}
		return fake.Step{Progress: milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 1}}
	})
}

// ManualCompaction starts the script of Config.Compact, for unknown collections too. As on
// real servers, the number of plans in the response is 0. The response of milvus-lite has
// no ID: it compacts by itself.
func (v *service) ManualCompaction(context.Context, *wire.ManualCompactionRequest) (*wire.ManualCompactionResponse, error) {
	answer := &wire.ManualCompactionResponse{Status: new(wire.Status)}
	if v.s.config.Dialect == MilvusLite {
		return answer, nil
	}

	v.s.state.Lock()
	defer v.s.state.Unlock()
	answer.CompactionID = v.s.start(v.s.compactions, &job{c: new(collection), script: begin(v.s.config.Compact)})
	return answer, nil
}

// GetCompactionState is a poll of a compaction. An unknown one is Completed, with 0 plans.
func (v *service) GetCompactionState(ctx context.Context, req *wire.GetCompactionStateRequest) (*wire.GetCompactionStateResponse, error) {
	q, _ := v.s.askJob(v.s.compactions, req.GetCompactionID())
	parts, fail, err := answers[milvuswait.CompactionProgress](ctx, v.s, q)
	if fail != nil || err != nil {
		return &wire.GetCompactionStateResponse{Status: fail.status()}, err
	}

	p := milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}
	if len(parts) > 0 { // not for ErrJobNotFound of the script
		p = parts[0]
	}
	return &wire.GetCompactionStateResponse{
		Status: new(wire.Status), State: wire.CompactionState(p.State), ExecutingPlanNo: p.Executing,
		CompletedPlanNo: p.Completed, FailedPlanNo: p.Failed, TimeoutPlanNo: p.TimedOut,
	}, nil
}
