package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/nearest"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// codeIndexNotFound is the code of Milvus 2.3 and newer.
const codeIndexNotFound = 700

// ask calls an RPC in the database of s.
func ask[Req, Resp any](ctx context.Context, s *server, method wire.Method[Req, Resp], req *Req) (*Resp, error) {
	return method.Call(wire.WithDatabase(ctx, s.database), s.conn, req)
}

// collections returns the names of all collections, sorted. If the request fails, it
// returns the error of the library's list of loads, because the library finds out the
// reason in more detail.
func (s *server) collections(ctx context.Context) ([]string, error) {
	answer, err := ask(ctx, s, wire.ShowCollections, &wire.ShowCollectionsRequest{DbName: s.database})
	names, err := named("ShowCollections", answer.GetCollectionNames(), answer.GetStatus(), err)
	if err != nil {
		_, detailed := s.poller.ListLoading(ctx)
		err = cmp.Or(detailed, err)
	}
	return names, err
}

// partitions returns the names of the collection's partitions, sorted.
func (s *server) partitions(ctx context.Context, collection string) ([]string, error) {
	answer, err := ask(ctx, s, wire.ShowPartitions, &wire.ShowPartitionsRequest{DbName: s.database, CollectionName: collection})
	return named("ShowPartitions", answer.GetPartitionNames(), answer.GetStatus(), err)
}

// indexes returns the names of the collection's indexes, sorted. The server's error for a
// collection without indexes returns no names and no error.
func (s *server) indexes(ctx context.Context, collection string) ([]string, error) {
	answer, err := ask(ctx, s, wire.DescribeIndex, &wire.DescribeIndexRequest{DbName: s.database, CollectionName: collection})
	if st := answer.GetStatus(); st.GetCode() == codeIndexNotFound || st.GetErrorCode() == wire.ErrorCode_IndexNotExist {
		return nil, err
	}

	var names []string
	for _, d := range answer.GetIndexDescriptions() {
		names = append(names, d.GetIndexName())
	}
	return named("DescribeIndex", names, answer.GetStatus(), err)
}

// databases returns the names of all databases, sorted. The request is for no database,
// because one that is missing would be an error.
func (s *server) databases(ctx context.Context) ([]string, error) {
	answer, err := wire.ListDatabases.Call(ctx, s.conn, &wire.ListDatabasesRequest{})
	return named("ListDatabases", answer.GetDbNames(), answer.GetStatus(), err)
}

// named returns the names in a response to method, sorted, or the failure in st or err.
// Empty names and duplicates, which no server has, would cost a request each.
func named(method string, names []string, st *wire.Status, err error) ([]string, error) {
	if err != nil {
		st := status.Convert(err)
		return nil, status.Error(st.Code(), untrusted.Text(st.Message()))
	}
	if legacy := int32(st.GetErrorCode()); st.GetCode() != 0 || legacy != 0 {
		return nil, &milvuswait.ServerError{Code: st.GetCode(), LegacyCode: legacy, Reason: untrusted.Text(st.GetReason()), Method: method}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" }), nil
}

func (s *server) inDatabase() string {
	if s.database == "" {
		return "of the default database"
	}
	return fmt.Sprintf("of the database %q", s.database)
}

// similar returns a question whether a similar one of names was meant, or "" if none is
// similar to name. It never proposes name itself.
func similar(name string, names []string, mask secret.Mask) string {
	others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
	found := nearest.Names(name, others, 3)
	if len(found) == 0 {
		return ""
	}
	return "did you mean " + alternatives(found, mask) + "?"
}

// alternatives returns names as a list in text: "a", "b" or "c".
func alternatives(names []string, mask secret.Mask) string {
	const most = 16
	quoted := make([]string, min(most, len(names)))
	for i := range quoted {
		quoted[i] = strconv.Quote(shown(names[i], mask))
	}
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s or one of %d more", strings.Join(quoted, ", "), more)
	}

	return either(quoted, "or")
}

// shown returns a name from the server, cleaned and masked, in this order: cleaning can
// turn a name into a secret.
func shown(name string, mask secret.Mask) string { return mask.Text(untrusted.Text(name)) }
