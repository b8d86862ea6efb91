package fakeserver

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// setImporting sets the script of an import.
func (db *Database) setImporting(target milvuswait.Target, script fake.Script) {
	db.server.imports.set(target.Job(), script)
}

// importOver returns the script of an import within d, with the states and percentages of
// real servers.
func importOver(d time.Duration) fake.Script {
	return fake.ScriptFunc(func(_ int, elapsed time.Duration) fake.Step {
		p := milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}
		switch {
		case elapsed >= d:
			p.State, p.Percent = milvuswait.ImportStateCompleted, 100
		case elapsed >= d/2:
			p.State, p.Percent = milvuswait.ImportStatePersisted, 90
		}
		return fake.Step{Progress: p}
	})
}

// Import starts the script of Config.Import. It reads no files and adds no rows.
func (v *service) Import(ctx context.Context, req *wire.ImportRequest) (*wire.ImportResponse, error) {
	d := v.s.config.Dialect
	v.s.state.Lock()
	defer v.s.state.Unlock()
	c, fail := v.find(ctx, req)
	if fail != nil {
		return &wire.ImportResponse{Status: d.notImported(fail).status()}, nil
	}

	partition := cmp.Or(req.GetPartitionName(), defaultPartition)
	if c.partition(partition) == nil {
		return &wire.ImportResponse{Status: d.notImported(d.partitionNotFound(partition)).status()}, nil
	}
	id := v.s.start(v.s.imports, &job{c: c, partition: partition, script: begin(v.s.config.Import)})
	return &wire.ImportResponse{Status: new(wire.Status), Tasks: []int64{id}}, nil
}

// GetImportState is a poll of an import. Before 2.6, the percentage is absent until it is
// known. By its source, Milvus 3.0 has no state for a job that waits for a commit, and
// reports it as failed, with 99 % and no reason.
func (v *service) GetImportState(ctx context.Context, req *wire.GetImportStateRequest) (*wire.GetImportStateResponse, error) {
	d, id := v.s.config.Dialect, req.GetTask()
	q, j := v.s.askJob(v.s.imports, id)
	q.absent = d.importNotFound(id)
	if j == nil {
		return &wire.GetImportStateResponse{Status: q.absent.status()}, nil
	}

	parts, fail, err := answers[milvuswait.ImportProgress](ctx, v.s, q)
	if fail != nil || err != nil {
		return &wire.GetImportStateResponse{Status: fail.status()}, err
	}

	p := parts[0]
	if d == Milvus26 && p.Phase == milvuswait.ImportPhaseUncommitted {
		p.State, p.Percent, p.FailReason = milvuswait.ImportStateFailed, 99, ""
	}
	answer := &wire.GetImportStateResponse{
		Status: new(wire.Status), State: wire.ImportState(p.State), RowCount: p.Rows, Id: id, CollectionId: j.c.id,
	}
	info := func(key, value string) {
		answer.Infos = append(answer.Infos, &wire.KeyValuePair{Key: key, Value: value})
	}
	if d != Milvus26 {
		info("collection", j.c.name)
		info("partition", j.partition)
	}
	info("failed_reason", p.FailReason)
	if d == Milvus26 || p.Percent != 0 {
		info("progress_percent", strconv.FormatInt(p.Percent, 10))
	}
	return answer, nil
}
