package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommand_MissingWithLongName_IsCut(t *testing.T) {
	for _, name := range []string{strings.Repeat("x", 5000), "./" + strings.Repeat("x", 5000)} {
		code, _, stderr := run(nil, "load", "docs", "--", name)

		require.Equal(t, 2, code, stderr)
		require.Regexp(t, `^milvus-wait: the command after --: exec: "(./)?x+… \(cut\)": .+\nmilvus-wait: see milvus-wait --help\n$`, stderr)
		require.Less(t, len(stderr), 1300)
	}
}
