package output_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// FuzzDocuments writes any texts and numbers of a server as JSON. The output is one line of JSON
// without commands to a terminal, and contains the same progress.
func FuzzDocuments(f *testing.F) {
	f.Add("docs", "vidx", "no reason", int64(100), int64(40), int32(2))
	f.Add("a\x1b[2J\u202e\u009b", "\xff\u2028\U000e0001", "<\\\"\n\x00>", int64(-1<<63), int64(1<<63-1), int32(-5))
	f.Fuzz(func(t *testing.T, collection, index, reason string, total, indexed int64, state int32) {
		p := milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: indexed, State: milvuswait.IndexState(state), FailReason: reason}
		u := milvuswait.Update{Target: milvuswait.IndexBuilding(collection, index), Progress: p, Polls: 1, Final: true, Err: failed(reason)}
		for _, format := range []output.Format{output.JSON, output.JSONL} {
			stdout, _ := run(output.Config{Format: format, Quiet: true}, []milvuswait.Update{u}, reportOf(1, u.Err, u))

			require.False(t, strings.ContainsFunc(strings.ReplaceAll(stdout, "\n", ""), func(r rune) bool { return unicode.Is(unicode.C, r) }), "%q", stdout)
			for line := range strings.Lines(stdout) {
				var d struct {
					subject
					Targets []subject
				}
				require.NoError(t, json.Unmarshal([]byte(line), &d))
				for _, s := range append(d.Targets, d.subject) {
					if s.Progress != nil {
						want := p
						want.FailReason = string([]rune(reason))
						require.Equal(t, want, *s.Progress)
						require.Equal(t, string([]rune(collection)), s.Collection)
						require.Equal(t, string([]rune(index)), s.Index)
					}
				}
			}
		}
	})
}

type subject struct {
	Collection, Index string
	Progress          *milvuswait.IndexBuildingProgress
}
