package milvustest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/verdict"
)

// Passing, and marked by milvuswait.Permanent, for what has no sentinel.
var (
	ErrPassing   = errors.New("passing")
	ErrPermanent = errors.New("permanent")
)

var sentinels = []error{
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrReleased,
	milvuswait.ErrLoadFailed, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable,
	milvuswait.ErrAborted, milvuswait.ErrInvalid,
}

// RequireClass asserts that err has the sentinel want and no other, or none and
// ends a wait as want stands for; nil is success.
func RequireClass(t *testing.T, want, err error) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.Error(t, err)
	for _, sentinel := range sentinels {
		require.Equal(t, sentinel == want, errors.Is(err, sentinel), "%v in %v", sentinel, err)
	}
	require.Equal(t, want != ErrPassing, verdict.Ends(err), "%v", err)
}
