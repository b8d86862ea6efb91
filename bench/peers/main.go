// Peers compares this library with other ways to wait for Milvus, on a real server
// that it starts, and writes a table and a plot. Run it in the folder bench:
//
//	go run ./peers
//
// It needs Linux on x86-64, Python 3, pip and git, and takes about a quarter of an hour, or
// longer the first time.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

//go:embed wait.py
var waitPy string

// worktree is the version reported by waiters of this library.
const worktree = "worktree"

// bench is a run of all cases.
type bench struct {
	rows, loads, rounds, collections int

	server     string // release of the server
	address    string
	metrics    string
	ops, watch *milvusops.Client
	indexArms  []arm
	createArms []arm // further arms for indexes, which repeat CreateIndex
	loadArms   []arm
	versions   [][2]string // names and versions of the compared programs
	counted    tally
	start      time.Time
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "-waiter" {
		exit(runWaiter(os.Args[2]))
	}

	b := &bench{start: time.Now()}
	out := flag.String("o", "results", "the `folder` for peers.md, peers.png and peers.svg")
	flag.IntVar(&b.rows, "rows", 100_000, "rows of a collection with an index")
	flag.IntVar(&b.loads, "loads", 5, "rounds with the load of one collection")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds with the loads of many collections")
	flag.IntVar(&b.collections, "collections", 300, "collections that load at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	exit(b.compare(ctx, *out))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// logf logs the progress of the run.
func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) compare(ctx context.Context, out string) error {
	temp, err := os.MkdirTemp("", "milvuswait-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := b.prepare(ctx, temp); err != nil {
		return err
	}
	b.logf("starting %v", realserver.Milvus23)
	return b.cases(ctx, out)
}

// onServer calls f with a new server, and removes the server afterwards.
func (b *bench) onServer(ctx context.Context, f func() error) (err error) {
	server, err := realserver.Launch(ctx, realserver.Milvus23)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	conn, err := server.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()

	watching, err := server.Dial()
	if err != nil {
		return err
	}
	defer watching.Close()

	b.server, b.address, b.metrics = server.Release().String(), server.Address(), server.MetricsAddress()
	b.ops, b.watch = milvusops.New(conn), milvusops.New(watching)
	return f()
}

// The IDs of the cases with a different presentation.
const failCase, manyCase = "fail", "many"

// outcome is the result of a case.
type outcome struct {
	id, title, how string
	samples        samples
}

// cases runs all cases, and writes the results after each of them.
func (b *bench) cases(ctx context.Context, out string) error {
	const raw, flushed = "raw_flush", "waited_flush"
	var done []outcome
	do := func(o outcome, run func() (samples, error)) error {
		b.logf("%s", o.title)
		got, err := run()
		if err != nil {
			return fmt.Errorf("%s: %w", o.title, err)
		}
		o.samples = got
		done = append(done, o)
		return b.write(out, done)
	}

	err := b.onServer(ctx, func() error {
		for _, c := range []struct {
			outcome
			run func() (samples, error)
		}{
			{outcome{id: "raw", title: "Index right after a raw flush",
				how: fmt.Sprintf("%d rows in %d segments, HNSW, waiters in parallel, sync calls and Await on a second collection, started after the response to Flush", b.rows, shards)},
				func() (samples, error) { return b.index(ctx, raw, false) }},
			{outcome{id: "waited", title: "Index right after a waited flush",
				how: fmt.Sprintf("%d rows in %d segments, HNSW, waiters in parallel, sync calls and Await on a second collection, started after GetFlushState returned true", b.rows, shards)},
				func() (samples, error) { return b.index(ctx, flushed, true) }},
			{outcome{id: "load", title: fmt.Sprintf("Load of %d segments", shards),
				how: fmt.Sprintf("%d rows, waiters in parallel, %d times", b.rows, b.loads)},
				func() (samples, error) { return b.load(ctx, raw) }},
			{outcome{id: failCase, title: fmt.Sprintf("%d loads of which one fails", failing),
				how: fmt.Sprintf("Empty collections, one waiter after the other, %d rounds; one load is released after 0.5 s; late is the time from the watcher's first report of the release to the return", b.rounds)},
				func() (samples, error) { return b.fail(ctx) }},
		} {
			if err := do(c.outcome, c.run); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}

	return do(outcome{id: manyCase, title: fmt.Sprintf("%d collections loading at once", b.collections),
		how: fmt.Sprintf("Empty collections, one waiter after the other, each on a new server, %d rounds; started after the server accepted all loads; late is the time from the end of the last load to the last return", b.rounds)},
		func() (samples, error) { return b.loadMany(ctx) })
}

// prepare builds and installs the arms.
func (b *bench) prepare(ctx context.Context, temp string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}

	b.logf("building the waiter on milvus/client/v2")
	clientv2 := filepath.Join(temp, "clientv2")
	build := exec.CommandContext(ctx, "go", "build", "-o", clientv2, ".")
	build.Dir, build.Stderr = "clientv2", os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building clientv2 (run peers in the folder bench): %w", err)
	}

	b.logf("installing pymilvus")
	python3, err := realserver.PythonWithPymilvus(ctx)
	if err != nil {
		return err
	}

	python2, err := oldPymilvus(ctx)
	if err != nil {
		return err
	}

	inThis := func(name string) arm { return arm{name, []string{self, "-waiter", name}} }
	await := arm{"client/v2, Await", []string{clientv2}}
	pymilvus := []arm{
		{"pymilvus 3.0.2, utility", []string{python3, "-c", waitPy}},
		{"pymilvus 2.3.7, utility", []string{python2, "-c", waitPy}},
	}

	b.indexArms = append([]arm{inThis(ours), inThis(oursRows), inThis(userLoop), inThis(sdkLoop)}, pymilvus...)
	b.createArms = []arm{inThis(sdkSync), await}
	b.loadArms = append([]arm{inThis(ours), inThis(userLoop), inThis(sdkSync), await}, pymilvus...)
	return nil
}

// oldPymilvus returns the path of a Python with pymilvus 2.3.7, and installs it if necessary.
func oldPymilvus(ctx context.Context) (string, error) {
	cache := os.Getenv(realserver.CacheVariable)
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(user, "milvuswait")
	}

	folder := filepath.Join(cache, "pymilvus-2.3.7")
	python := filepath.Join(folder, "bin", "python")
	if exec.CommandContext(ctx, python, "-c", "import pymilvus").Run() == nil {
		return python, nil
	}

	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", folder},
		// pymilvus 2.3.7 imports pkg_resources, and works only with an old marshmallow.
		{python, "-m", "pip", "install", "--quiet", "--no-input", "--only-binary=:all:", "pymilvus==2.3.7", "setuptools<81", "marshmallow<4"},
	} {
		if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, output)
		}
	}

	return python, nil
}

// noteVersion adds the version of an arm, unless it is known.
func (b *bench) noteVersion(name, version string) {
	if version == worktree {
		version = commit()
	}

	name, _, _ = strings.Cut(name, ",")
	if name == userLoop { // its client is milvus-sdk-go
		return
	}

	name = strings.TrimSpace(strings.TrimSuffix(name, version))
	for _, v := range b.versions {
		if v == [2]string{name, version} {
			return
		}
	}

	b.versions = append(b.versions, [2]string{name, version})
}

// commit returns the commit of this library, and whether files have changed since.
func commit() string {
	id, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown commit"
	}
	text := "commit " + strings.TrimSpace(string(id))
	changed, err := exec.Command("git", "status", "--porcelain", "--", ":/", ":(exclude,top)bench").Output()
	if err != nil || len(changed) > 0 {
		text += ", changed"
	}
	return text
}
