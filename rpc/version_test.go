package rpc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/rpc"
)

// TestParseVersion holds versions as servers and builds report them.
func TestParseVersion(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want       string
		tooOld, unlisted bool
	}{
		{"v2.2.8", "v2.2.8", true, false},
		{"v2.2.2", "v2.2.2", true, false},
		{"2.1.4", "v2.1.4", true, false},
		{"v1.99.99", "v1.99.99", true, false},
		{"v2.2.8-lite", "v2.2.8", true, false}, // milvus of PyPI, which is not milvus-lite
		{"v2.2.9-lite", "v2.2.9", false, false},
		{"v2.3.3-lite", "v2.3.3", false, false},
		{"v2.2.8-gpu", "v2.2.8", true, false},
		{"v2.2.9", "v2.2.9", false, false},
		{"v2.2.10", "v2.2.10", false, false},
		{"v2.2.16", "v2.2.16", false, false},
		{"2.3.5", "v2.3.5", false, false},
		{"v2.4.0-rc.1", "v2.4.0", false, false},
		{"v2.6.0-dev-20250801-4ef1d9b", "v2.6.0", false, true},
		{"v3.0.0+build", "v3.0.0", false, true},
		{"v10.0.0", "v10.0.0", false, true},
		{"milvus_lite-3.2.2", "lite v3.2.2", false, false},
		{"milvus_lite-3.0", "lite v3.0.0", false, false},
		{"milvus_lite-2.0.1", "lite v2.0.1", false, false},

		{"v2.5.27", "v2.5.27", false, false},
		{"v2.6.0", "v2.6.0", false, true},
		{"2.6.0-rc1", "v2.6.0", false, true},

		// Builds after a release, and of a branch.
		{"v2.2-testing-20230824-68-ga34a9d6-lite", "after v2.2.0", false, false}, // milvus 2.3.0 of PyPI
		{"v2.2.8-15-g4ef1d9bd2", "after v2.2.8", false, false},
		{"2.2-20230829-4ef1d9b", "after v2.2.0", false, false},
		{"2.2", "after v2.2.0", false, false},
		{"v2.6.0-rc1-123-g4ef1d9bd2-dev", "after v2.6.0", false, true},
		{"v2.5.4-123-g4ef1d9bd2", "after v2.5.4", false, false},
		{"2.6-dev", "after v2.6.0", false, true},
		{"2.5-20250801-4ef1d9b", "after v2.5.0", false, false},

		// Builds without a version of their own.
		{"", "", false, false},
		{"20230829-4ef1d9b", "", false, false},
		{"master-20250801-4ef1d9b", "", false, false},
		{"milvus_lite", "", false, false},
		{"v2.2.8x", "", false, false},
		{"Zilliz Cloud Vector Database(Compatible with Milvus 2.2.8)", "", false, false},
		{"v99999999999999999999.2.8", "", false, false},
	}

	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()

			got, tooOld, unlisted := rpc.ParseVersion(tt.text)

			require.Equal(t, tt.want, got)
			require.Equal(t, tt.tooOld, tooOld)
			require.Equal(t, tt.unlisted, unlisted)
		})
	}
}
