package rpc

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// FindRow returns a function for milvuswait.WithVerify, which calls Query until a row is
// found by the filter, such as "id in [5, 6, 7]". It queries with consistency Strong and
// limit 1, once for each named partition of the target, so that one partition does not hide
// that another cannot be searched yet. A filter for several partitions matches a row of
// each.
//
// The function returns nil if every query found a row. Otherwise it returns the first
// failure:
//
//   - A query without a row is a transient failure. Its error names the collection, the
//     partition and the filter.
//   - ErrInvalid: the filter is empty, the target has no collection, or the server refuses
//     the filter. It ends a wait.
//   - errors.ErrUnsupported: the stub lacks the call.
//
// ErrCollectionNotFound, ErrPartitionNotFound and ErrNotLoaded do not end a wait that
// verifies. The package documents all other errors. Query needs the privilege Query.
func (p *Poller) FindRow(filter string) func(ctx context.Context, t milvuswait.Target) error {
	return func(ctx context.Context, t milvuswait.Target) error {
		if err := p.check(); err != nil {
			return err
		}
		if strings.TrimSpace(filter) == "" {
			return invalid("FindRow: the filter is empty")
		}
		if t.Collection() == "" {
			return invalid("FindRow: the target %q has no collection", t)
		}

		partitions := t.Partitions()
		if len(partitions) == 0 {
			return p.findRow(ctx, filter, t.Collection())
		}
		for _, partition := range partitions {
			if err := p.findRow(ctx, filter, t.Collection(), partition); err != nil {
				return err
			}
		}
		return nil
	}
}

// findRow makes one query, in the partition if there is one. Without output fields, servers
// return the primary key.
func (p *Poller) findRow(ctx context.Context, filter, collection string, partition ...string) error {
	resp, err := call(ctx, p, wire.Query, &wire.QueryRequest{
		DbName: p.database, CollectionName: collection, PartitionNames: partition, Expr: filter,
		ConsistencyLevel: wire.ConsistencyLevel_Strong,
		QueryParams:      []*wire.KeyValuePair{{Key: "limit", Value: "1"}},
	})
	if f := checkResponse(query, resp.GetStatus(), err); f != nil {
		return p.settled(ctx, f, collection, partition).error(ctx)
	}
	if slices.ContainsFunc(resp.GetFieldsData(), hasRow) {
		return nil
	}

	where := "collection " + strconv.Quote(untrusted.Text(collection))
	if len(partition) > 0 {
		where = "partition " + strconv.Quote(untrusted.Text(partition[0])) + " of " + where
	}
	return withContextErr(ctx, fmt.Errorf("%s: no row found in %s by filter %s", query, where, strconv.Quote(untrusted.Text(filter))))
}

// hasRow reports whether a field of a type that primary keys have holds a value.
func hasRow(field *wire.FieldData) bool {
	scalars := field.GetScalars()
	return len(scalars.GetLongData().GetData()) > 0 || len(scalars.GetStringData().GetData()) > 0
}
