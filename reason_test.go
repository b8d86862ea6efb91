package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestReason(t *testing.T) {
	target := milvuswait.Loading("docs")
	ended := func(cause, last error) error { return &milvuswait.Error{Target: target, Cause: cause, LastErr: last} }

	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"sentinel", milvuswait.ErrNotLoaded, "not_loaded"},
		{"wrapped", fmt.Errorf("%w: no", milvuswait.ErrReleased), "released"},
		{"cause, not the last error", ended(context.DeadlineExceeded, milvuswait.ErrNotLoaded), "timed_out"},
		{"canceled", ended(context.Canceled, nil), "canceled"},
		{"load failed", ended(milvuswait.ErrLoadFailed, nil), "load_failed"},
		{"index failed", ended(milvuswait.ErrIndexFailed, nil), "index_failed"},
		{"collection", ended(milvuswait.ErrCollectionNotFound, nil), "collection_not_found"},
		{"partition", ended(milvuswait.ErrPartitionNotFound, nil), "partition_not_found"},
		{"index", ended(milvuswait.ErrIndexNotFound, nil), "index_not_found"},
		{"database", ended(milvuswait.ErrDatabaseNotFound, nil), "database_not_found"},
		{"ambiguous", ended(milvuswait.ErrAmbiguousIndex, nil), "ambiguous_index"},
		{"stalled", ended(milvuswait.ErrStalled, errors.New("refused")), "stalled"},
		{"unreachable", ended(milvuswait.ErrUnreachable, nil), "unreachable"},
		{"aborted", ended(milvuswait.ErrAborted, nil), "aborted"},
		{"invalid", fmt.Errorf("milvuswait: %w", milvuswait.ErrInvalid), "invalid"},
		{"permanent", ended(milvuswait.Permanent(errors.New("permission denied")), nil), "failed"},
		{"another error", errors.New("EOF"), "failed"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, milvuswait.Reason(tt.err)) })
	}
}

func TestReason_OfAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		_, late := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
		_, unknown := milvuswait.WaitForLoadingComplete(t.Context(), p, "nope")
		_, all := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("nope")})

		require.Equal(t, "timed_out", milvuswait.Reason(late))
		require.Equal(t, "collection_not_found", milvuswait.Reason(unknown))
		require.Equal(t, "collection_not_found", milvuswait.Reason(all))
	})
}

func ExampleReason() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.Percents(40), milvuswait.ErrReleased, 2))

	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs")

	fmt.Println(milvuswait.Reason(err))
	// Output: released
}
