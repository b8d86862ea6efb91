package target_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

func TestLoads(t *testing.T) {
	got, err := target.Loads([]string{"docs", "images:y1,y2", "größe", "docs:2025/01,a=b,c d:*", "docs:a://b"})

	require.NoError(t, err)
	require.Equal(t, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("images", "y1", "y2"), milvuswait.Loading("größe"), milvuswait.Loading("docs", "2025/01", "a=b", "c d:*"), milvuswait.Loading("docs", "a://b")}, got)
}

func TestIndexes(t *testing.T) {
	got, err := target.Indexes([]string{"docs", "docs/vidx", "pics/*", "docs/meta/price", "docs/meta['a b',\"c\"]=:*"})

	require.NoError(t, err)
	require.Equal(t, []milvuswait.Target{
		milvuswait.IndexBuilding("docs", ""), milvuswait.IndexBuilding("docs", "vidx"),
		milvuswait.IndexBuilding("pics", milvuswait.AllIndexes),
		milvuswait.IndexBuilding("docs", "meta/price"), milvuswait.IndexBuilding("docs", "meta['a b',\"c\"]=:*"),
	}, got)
}

func TestEverything(t *testing.T) {
	got, err := target.Everything([]string{"docs"})

	require.NoError(t, err)
	require.Equal(t, []milvuswait.Target{milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), milvuswait.Loading("docs")}, got)
}

func TestJobs(t *testing.T) {
	imports, err := target.Imports([]string{"4711", "9223372036854775807", "4711"})
	require.NoError(t, err)
	require.Equal(t, []milvuswait.Target{milvuswait.Importing(4711), milvuswait.Importing(1<<63 - 1), milvuswait.Importing(4711)}, imports)

	compactions, err := target.Compactions([]string{"815"})
	require.NoError(t, err)
	require.Equal(t, []milvuswait.Target{milvuswait.Compacting(815)}, compactions)
}

func TestJobs_NotPositiveIntegers_AreRefused(t *testing.T) {
	for _, arg := range []string{"", "0", "-1", "docs", "4711 ", "0x7", "1_000", "4,7", "1.5", "9223372036854775808", "٧"} {
		_, err := target.Imports([]string{"4711", arg})
		require.EqualError(t, err, strconv.Quote(arg)+" is not JOB: must be a positive integer")

		_, err = target.Compactions([]string{arg})
		require.EqualError(t, err, strconv.Quote(arg)+" is not ID: must be a positive integer")
	}
}

func TestTargets_InvalidArguments_AreRefused(t *testing.T) {
	loads := func(args []string) error { _, err := target.Loads(args); return err }
	indexes := func(args []string) error { _, err := target.Indexes(args); return err }
	all := func(args []string) error { _, err := target.Everything(args); return err }
	const load, index = "COLLECTION or COLLECTION:PARTITION,…", "COLLECTION, COLLECTION/INDEX or COLLECTION/*"
	tests := []struct {
		name  string
		parse func([]string) error
		arg   string
		want  string
	}{
		{"nothing to load", loads, "", `"" is not ` + load + `: a name is empty`},
		{"no partition", loads, "docs:", `"docs:" is not ` + load + `: a name is empty`},
		{"no partition after a comma", loads, "docs:a,", `"docs:a," is not ` + load + `: a name is empty`},
		{"no collection", loads, ":p", `":p" is not ` + load + `: a name is empty`},
		{"an index to load", loads, "docs/vidx", `"docs/vidx" is not ` + load + `: a name holds one of :/,=*`},
		{"collections in one argument", loads, "a,b", `"a,b" is not ` + load + `: a name holds one of :/,=*`},
		{"rows to load", loads, "docs=5", `"docs=5" is not ` + load + `: a name holds one of :/,=*`},
		{"all collections", loads, "*", `"*" is not ` + load + `: a name holds one of :/,=*`},
		{"a space", loads, "do cs", `"do cs" is not ` + load + `: a name holds white space`},
		{"a newline", loads, "docs\n", `"docs\n" is not ` + load + `: a name holds white space`},
		{"an escape in a partition", loads, "docs:\x1b", `"docs:\x1b" is not ` + load + `: a name holds a control character`},
		{"an escape", loads, "do\x1bcs", `"do\x1bcs" is not ` + load + `: a name holds a control character`},
		{"a change of direction", loads, "do\u202ecs", `"do\u202ecs" is not ` + load + `: a name holds a control character`},
		{"no UTF-8", loads, "\xff", `"\xff" is not ` + load + `: a name is not valid UTF-8`},
		{"no index", indexes, "docs/", `"docs/" is not ` + index + `: a name is empty`},
		{"an index of nothing", indexes, "/vidx", `"/vidx" is not ` + index + `: a name is empty`},
		{"a newline in an index", indexes, "docs/a\n", `"docs/a\n" is not ` + index + `: a name holds a control character`},
		{"an index without UTF-8", indexes, "docs/\xff", `"docs/\xff" is not ` + index + `: a name is not valid UTF-8`},
		{"an index of a partition", indexes, "docs:p", `"docs:p" is not ` + index + `: a name holds one of :/,=*`},
		{"nothing at all", all, "", `"" is not COLLECTION: a name is empty`},
		{"all of an index", all, "docs/vidx", `"docs/vidx" is not COLLECTION: a name holds one of :/,=*`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.EqualError(t, tt.parse([]string{"fine", tt.arg}), tt.want)
		})
	}
}

func TestTargets_Addresses_AreRefusedUnquoted(t *testing.T) {
	parsers := map[string]func([]string) ([]milvuswait.Target, error){
		"loads": target.Loads, "indexes": target.Indexes, "everything": target.Everything, "imports": target.Imports, "compactions": target.Compactions,
	}
	for name, parse := range parsers {
		for _, arg := range []string{"http://milvus:19530", "https://root:hunter22@milvus", " tcp://10.0.0.1:19530", "HTTP://", "grpc+tls://milvus"} {
			t.Run(name+" "+arg, func(t *testing.T) {
				_, err := parse([]string{"4711", arg})

				require.EqualError(t, err, "an argument is the address of a server: use --uri or MILVUS_URI for it")
			})
		}
	}
}

func FuzzLoads(f *testing.F) {
	for _, seed := range []string{"docs", "docs:a,b", "docs:", "\xff:\x00", "a:b:c", "docs/vidx"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		targets, err := target.Loads([]string{arg})
		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			return
		}
		written := targets[0].Collection()
		if partitions := targets[0].Partitions(); len(partitions) > 0 {
			written += ":" + strings.Join(partitions, ",")
		}
		require.Equal(t, arg, written)
	})
}

func FuzzIndexes(f *testing.F) {
	for _, seed := range []string{"docs", "docs/vidx", "docs/*", "docs/", "/", "a/b/c", "\xff/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		targets, err := target.Indexes([]string{arg})
		if err != nil {
			return
		}
		written := targets[0].Collection()
		if index := targets[0].Index(); index != "" {
			written += "/" + index
		}
		require.Equal(t, arg, written)
	})
}
