package milvustest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/verdict"
)

// The classes of errors without a sentinel: transient, and marked by milvuswait.Permanent.
var (
	ErrTransient = errors.New("transient")
	ErrPermanent = errors.New("permanent")
)

var sentinels = []error{
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrReleased,
	milvuswait.ErrLoadFailed, milvuswait.ErrIndexFailed, milvuswait.ErrJobNotFound, milvuswait.ErrJobFailed,
	milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted, milvuswait.ErrInvalid,
}

// RequireClass asserts the class of err. If want is a sentinel, err matches it and no other.
// If want is ErrTransient or ErrPermanent, err matches none. Except for ErrTransient, err ends a
// wait. If want is nil, err must be nil.
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
	require.Equal(t, want != ErrTransient, verdict.Ends(err), "%v", err)
}
