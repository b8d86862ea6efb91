package integration_test

import (
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

//go:embed testdata/pymilvus_progress.py
var pymilvusProgress string

// TestCommand runs milvus-wait during the build of an index and a load, and again when both
// are complete.
func TestCommand(t *testing.T) {
	const rows = 5000
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, 2*time.Minute)
		docs := s.indexed(ctx, t, 2)
		vidx := docs + "/" + vectorIndex
		_, err := binary.path() // build before the flush: the build takes seconds
		require.NoError(t, err)

		if !t.Run("waits", func(t *testing.T) {
			indexRow := s.report(t, "milvus-wait index --rows right after Flush, 5 000 rows")
			loadRow := s.report(t, "milvus-wait load during the load")
			bothRow := s.report(t, "milvus-wait all --rows during both")
			s.insert(ctx, t, docs, 0, rows)
			require.NoError(t, s.ops.Load(ctx, docs))

			built, loaded := sight(ctx, s.watch.Indexed(docs, "", rows)), sight(ctx, s.watch.Loaded(docs))
			index := s.command(t, "index", vidx, "--rows", "5000", "-o", "json")
			load := s.command(t, "load", docs)
			both := s.command(t, "all", docs, "--rows", docs+"=5000", "-q")
			index.exits(t, 0)
			load.exits(t, 0)
			both.exits(t, 0)

			require.Equal(t, indexed(docs, vectorIndex, rows), index.document(t))
			wrote(t, load.stdout, docs+`: loaded \(`+took+`, [0-9]+ polls?\)`)
			require.Regexp(t, `\A(`+docs+`: loading [0-9]+%.*\n)*\z`, load.stderr)
			require.Empty(t, both.stderr)
			require.Regexp(t, `(?m)^`+docs+`/\*: indexed \(5000 rows, `+took+`, [0-9]+ polls?\)$`, both.stdout)
			require.Regexp(t, `(?m)^`+docs+`: loaded \(`+took+`, [0-9]+ polls?\)$`, both.stdout)
			builtAt, loadedAt := built(t), loaded(t)
			indexRow.onTime(t, index.timing, builtAt)
			loadRow.onTime(t, load.timing, loadedAt)
			later := builtAt
			if loadedAt.NotAfter.After(later.NotAfter) {
				later = loadedAt
			}
			bothRow.onTime(t, both.timing, later)
		}) {
			return
		}

		t.Run("looks", func(t *testing.T) {
			r := s.report(t, "milvus-wait progress: the dicts of the library, and of pymilvus")
			look := func(args ...string) string {
				c := s.command(t, append([]string{"progress"}, args...)...)
				c.exits(t, 0)
				require.Empty(t, c.stderr)
				return c.stdout
			}
			loading, index := look("load", docs), look("index", vidx)

			require.Equal(t, "{\"loading_progress\":\"100%\"}\n", loading)
			require.Equal(t, "{\"total_rows\":5000,\"indexed_rows\":5000,\"pending_index_rows\":0,\"state\":\"Finished\"}\n", index)
			loadDict, err := s.poller.LoadingProgress(ctx, docs)
			require.NoError(t, err)
			indexDict, err := s.poller.IndexBuildingProgress(ctx, docs, vectorIndex)
			require.NoError(t, err)
			require.JSONEq(t, marshal(t, loadDict), loading)
			require.JSONEq(t, marshal(t, indexDict), index)
			require.JSONEq(t, marshal(t, map[string]any{docs: loadDict}), look("load", docs, "-o", "json"))
			require.JSONEq(t, marshal(t, map[string]any{vidx: indexDict}), look("index", vidx, "-o", "json"))

			python, err := realserver.PythonWithPymilvus(ctx)
			if err != nil {
				require.ErrorIs(t, err, realserver.ErrUnavailable)
				require.NotEqual(t, "require", os.Getenv(modeVariable))
				t.Skip(err)
			}
			out, err := exec.CommandContext(ctx, python, "-c", pymilvusProgress, s.server.URI(), s.server.Token(), docs, vectorIndex).Output()
			require.NoError(t, err)
			dicts := strings.SplitAfter(string(out), "\n")
			require.Len(t, dicts, 3)
			require.JSONEq(t, dicts[0], loading)
			require.JSONEq(t, dicts[1], index)
			r.note = strings.TrimSpace(loading) + ", " + strings.TrimSpace(index)
		})

		t.Run("all there is", func(t *testing.T) {
			s.ours(t, "waits for all that the server has")
			s.report(t, "milvus-wait load --all, index --all")
			empty := s.indexed(ctx, t, 1)
			require.NoError(t, s.ops.Release(ctx, empty)) // milvus-lite has loaded it

			load, index := s.command(t, "load", "--all"), s.command(t, "index", "--all")

			load.exits(t, 0)
			index.exits(t, 0)
			wrote(t, load.stdout, docs+`: loaded \(`+took+`, 1 poll\)`)
			require.Regexp(t, `(?m)^`+docs+`/\*: indexed \(5000 rows, `+took+`, 1 poll\)$`, index.stdout)
			require.Regexp(t, `(?m)^`+empty+`/\*: indexed \(0 rows, `+took+`, 1 poll\); was it flushed\?$`, index.stdout)
			require.Equal(t, 2, strings.Count(index.stdout, "\n"))
			require.Empty(t, load.stderr+index.stderr)
		})
	})
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// TestCommandEnds ends endless waits of milvus-wait: by the timeout, by a signal, and by a
// drop.
func TestCommandEnds(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, time.Minute)
		docs, gone := s.indexed(ctx, t, 1), s.indexed(ctx, t, 1)
		require.NoError(t, s.ops.Release(ctx, gone)) // milvus-lite has loaded it
		// These rows are never inserted.
		wait := func(docs string, args ...string) *command {
			return s.command(t, append([]string{"index", docs + "/" + vectorIndex, "--rows", "7"}, args...)...)
		}
		const short = "0 of 7 rows are flushed: was Flush called?"
		index := `index "` + vectorIndex + `" of "` + docs + `"`

		t.Run("timeout", func(t *testing.T) {
			s.report(t, "milvus-wait --timeout: 124")
			text := wait(docs, "--timeout", "1s")
			json := wait(docs, "--timeout", "1s", "-o", "json", "-q")

			text.exits(t, 124)
			require.Empty(t, text.stdout)
			wrote(t, text.stderr, docs+`/vidx: indexing 0% \(0/0 rows, Finished\)`,
				`milvus-wait: `+regexp.QuoteMeta(index)+`: timed out \([0-9]+ polls in `+took+`, last 0/0 rows, Finished\); `+regexp.QuoteMeta(short))
			json.exits(t, 124)
			want := indexed(docs, vectorIndex, 7)
			want.OK, want.ExitCode, want.Targets[0].State, want.Targets[0].Progress = false, 124, "timed_out", indexDict(0)
			require.Equal(t, want, json.document(t))
		})
		t.Run("signal", func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("there are no signals to send")
			}
			s.report(t, "milvus-wait and a signal: 130, 143")
			interrupted, terminated := wait(docs), wait(docs, "-o", "json")
			interrupted.midway(t)
			terminated.midway(t)

			require.NoError(t, interrupted.process.Signal(syscall.SIGINT))
			require.NoError(t, terminated.process.Signal(syscall.SIGTERM))

			interrupted.exits(t, 130)
			require.Empty(t, interrupted.stdout)
			wrote(t, interrupted.stderr, docs+`/vidx: indexing 0% \(0/0 rows, Finished\)`,
				`milvus-wait: `+regexp.QuoteMeta(index)+`: .*\([0-9]+ polls? in `+took+`, last 0/0 rows, Finished\); `+regexp.QuoteMeta(short))
			terminated.exits(t, 143)
			want := indexed(docs, vectorIndex, 7)
			want.OK, want.ExitCode, want.Targets[0].State, want.Targets[0].Progress = false, 143, "interrupted", indexDict(0)
			require.Equal(t, want, terminated.document(t))
		})
		t.Run("drop", func(t *testing.T) {
			r := s.report(t, "milvus-wait index of a collection that is dropped: 1")
			c := wait(gone)
			c.midway(t)

			seen := sight(ctx, absent(s.watch.Indexed(gone, "", 7)))
			require.NoError(t, s.ops.Drop(ctx, gone))

			c.exits(t, 1)
			r.gone(t, milvuswait.ErrCollectionNotFound, c.timing, seen(t))
			require.Empty(t, c.stdout)
			require.Contains(t, c.stderr, "\nmilvus-wait: index \"vidx\" of \""+gone+"\": collection not found: DescribeIndex: ")
		})
	})
}

// TestCommandRefuses runs milvus-wait for targets that cannot complete.
func TestCommandRefuses(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, time.Minute)
		c := s.collections(ctx, t)
		typo := c.docs[:len(c.docs)-1]
		indexes := `"nidx", "vidx"`
		if s.lite() {
			indexes = `"number", "vector"`
		}
		load := `call load_collection("` + c.docs + `")`
		notLoaded := load + `, or use --grace if another process starts the load`
		tests := []struct {
			name    string
			args    []string
			failure string // beginning of a line on stderr
			hint    string // beginning of the next line
			on      []realserver.Release
			stdout  string
		}{
			{"unknown collection", []string{"load", typo},
				`loading "` + typo + `": collection not found: GetLoadingProgress: `, `did you mean "` + c.docs + `"`, all, ""},
			{"load that was never requested", []string{"load", c.docs},
				`loading "` + c.docs + `": not loaded: `, notLoaded, all, ""},
			{"progress of a load that was never requested", []string{"progress", "load", c.docs},
				`loading "` + c.docs + `": not loaded: `, load + "\n", all, "null\n"},
			{"unknown partition", []string{"load", c.parts + ":nope"},
				`loading "` + c.parts + `", partitions "nope": partition not found: `, `the partitions are "_default", "p1" or "p2"`, standalone, ""},
			{"load of a partition that was never requested", []string{"load", c.parts + ":p2"},
				`loading "` + c.parts + `", partitions "p2": not loaded: `, `call load_partitions("` + c.parts + `", ["p2"])`, standalone, ""},
			{"no index", []string{"index", c.bare},
				`index of "` + c.bare + `": index not found: DescribeIndex: `, `create it by create_index("` + c.bare + `", …)`, all, ""},
			{"unknown index", []string{"index", c.docs + "/nope"},
				`index "nope" of "` + c.docs + `": index not found: DescribeIndex: `, `the collection has "vidx"; name one of them, or all, '` + c.docs + `/*'`, standalone, ""},
			{"ambiguous index", []string{"index", c.twice},
				`index of "` + c.twice + `": ambiguous index: DescribeIndex: ` + indexes + ` (1 poll in `, `name one of them, ` + c.twice + `/INDEX, or all, '` + c.twice + `/*'`, all, ""},
			{"unknown database", []string{"load", c.docs, "--db", "nope"},
				`loading "` + c.docs + `": collection not found: GetLoadingProgress: `, `there is no database "nope": check --db, `, standalone, ""},
			{"unknown database of milvus-lite", []string{"load", c.docs, "--db", "nope"},
				`loading "` + c.docs + `": database not found: GetLoadingProgress: `, `check --db, `, []realserver.Release{realserver.Lite32}, ""},
		}
		for _, tt := range tests {
			if !s.like(tt.on) {
				continue
			}
			t.Run(tt.name, func(t *testing.T) {
				s.report(t, "milvus-wait refuses: "+tt.name+": 1")
				c := s.command(t, append(tt.args, "-q")...)
				c.exits(t, 1)
				require.Equal(t, tt.stdout, c.stdout)
				lines := strings.Split(c.stderr, "\n")
				require.Len(t, lines, 3)
				require.True(t, strings.HasPrefix(lines[0], "milvus-wait: "+tt.failure), c.stderr)
				require.True(t, strings.HasPrefix(lines[1]+"\n", "milvus-wait: hint: "+tt.hint), c.stderr)
			})
		}
		t.Run("one of two", func(t *testing.T) {
			s.report(t, "milvus-wait all --continue-on-error of an index that is complete and a load that is not: 1")
			both := s.command(t, "all", c.docs, "--continue-on-error", "-q")
			both.exits(t, 1)
			wrote(t, both.stdout, c.docs+`/\*: indexed \(0 rows, `+took+`, 1 poll\); was it flushed\?`)
			require.Contains(t, both.stderr, "\nmilvus-wait: hint: "+notLoaded+"\n")
		})
		t.Run("all of an unknown database", func(t *testing.T) {
			s.report(t, "milvus-wait load --all, index --all in an unknown database: 1")
			for _, what := range []string{"load", "index"} {
				c := s.command(t, what, "--all", "--db", "nope")
				c.exits(t, 1)
				require.Empty(t, c.stdout)
				require.Regexp(t, `\Amilvus-wait: asking for the [a-z ]+: database not found: ShowCollections: .*; check --db, [^\n]+\n\z`, c.stderr)
			}
		})
		t.Run("usage", func(t *testing.T) {
			s.report(t, "milvus-wait with a usage error: 2")
			c := s.command(t, "index", c.docs, "--rows", "many")
			c.exits(t, 2)
			require.Empty(t, c.stdout)
			require.Regexp(t, `\Amilvus-wait: --rows .*"many".*\nmilvus-wait: see milvus-wait --help\n\z`, c.stderr)
		})
		t.Run("ready without the database", func(t *testing.T) {
			s.report(t, "milvus-wait ready, of an unknown database: 0")
			c := s.command(t, "ready", "--db", "nope")
			c.exits(t, 0)
			wrote(t, c.stdout, regexp.QuoteMeta(s.server.URI())+`: ready \(`+took+`, 1 poll\)`)
			require.Empty(t, c.stderr)
		})
	})
}
