package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// exits CODE COMMAND… runs the command and fails unless it exits with CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, not %s", got, args[0])
	}
}

// milvus is the fake server of a script:
//
//	milvus start [DIALECT]             starts it, and sets MILVUS_URI
//	milvus stop
//	milvus load COLLECTION[:PARTITION] [PERCENT…]  released without percents
//	milvus index COLLECTION INDEX TOTAL INDEXED…
//	milvus writes COLLECTION INDEX INDEXED/TOTAL…  the total grows with the polls
//	milvus add COLLECTION              neither loaded nor indexed
//	milvus fail COLLECTION REASON      its load fails at the second poll
//	milvus query COLLECTION[:PARTITION] PERCENT…  finds a row at 100
//	milvus import JOB ROWS PERCENT…    completed at 100
//	milvus failed JOB REASON           an import that fails at the second poll
//	milvus compaction ID FAILED EXECUTING…  of three plans, and completed at the end
//	milvus broken COLLECTION INDEX REASON  its build fails at the first poll
//	milvus refuse METHOD CODE TEXT     by gRPC; TEXT may have escapes of Go
//	milvus reject METHOD CODE TEXT     in the answer
//	milvus huge METHOD                 in the answer, with a very long text
//	milvus hang METHOD                 without an answer
//	milvus once METHOD CODE TEXT       as refuse, the first time
//	milvus heal                        all of these
func milvus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: milvus VERB …")
	}
	if args[0] == "start" {
		dialects := map[string]fakeserver.Dialect{
			"": fakeserver.Milvus23, "2.2": fakeserver.Milvus22, "2.6": fakeserver.Milvus26, "lite": fakeserver.MilvusLite,
		}
		s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0", Dialect: dialects[strings.Join(args[1:], "")]})
		ts.Check(err)
		ts.Defer(s.Close)
		ts.Setenv("MILVUS_URI", "http://"+s.Address())
		ts.Setenv("ADDRESS", s.Address())
		servers.Store(ts.Getenv("WORK"), s)
		return
	}
	value, ok := servers.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("milvus start comes first")
	}
	s := value.(*fakeserver.Server)
	switch args[0] {
	case "stop":
		s.Stop()
	case "load":
		collection, partitions, _ := strings.Cut(args[1], ":")
		t := milvuswait.Loading(collection)
		if partitions != "" {
			t = milvuswait.Loading(collection, strings.Split(partitions, ",")...)
		}
		if len(args) == 2 {
			s.Set(t, nil)
			return
		}
		s.Set(t, fake.Percents(numbers(ts, args[2:])...))
	case "index":
		n := numbers(ts, args[3:])
		s.Set(milvuswait.IndexBuilding(args[1], args[2]), fake.Rows(n[0], n[1:]...))
	case "writes":
		s.Set(milvuswait.IndexBuilding(args[1], args[2]), growing(ts, args[3:]))
	case "add":
		s.AddCollection(args[1])
	case "fail":
		s.Set(milvuswait.Loading(args[1]), fake.Steps(
			fake.Step{Progress: milvuswait.LoadingProgress{Percent: 40}},
			fake.Step{Err: &milvuswait.ServerError{Code: 3, LegacyCode: 1, Reason: text(ts, args[2])}},
		))
	case "query":
		collection, partition, found := strings.Cut(args[1], ":")
		var partitions []string
		if found {
			partitions = []string{partition}
		}
		s.SetQuery(collection, fake.Percents(numbers(ts, args[2:])...), partitions...)
	case "import":
		n := numbers(ts, args[1:])
		s.Set(milvuswait.Importing(n[0]), imports(n[1], n[2:]))
	case "failed":
		s.Set(milvuswait.Importing(numbers(ts, args[1:2])[0]), fake.Steps(
			fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}},
			fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: text(ts, args[2])}},
		))
	case "compaction":
		n := numbers(ts, args[1:])
		s.Set(milvuswait.Compacting(n[0]), compactions(n[1], n[2:]))
	case "refuse", "once":
		var code codes.Code
		ts.Check(code.UnmarshalJSON([]byte(strconv.Quote(args[2]))))
		fault := fakeserver.Refuse(code, text(ts, args[3]))
		if args[0] == "once" {
			fault = fault.On(1)
		}
		s.Fail(args[1], fault)
	case "reject":
		s.Fail(args[1], fakeserver.Reject(int32(numbers(ts, args[2:3])[0]), wire.ErrorCode_UnexpectedError, text(ts, args[3])))
	case "broken":
		s.Set(milvuswait.IndexBuilding(args[1], args[2]), fake.Steps(fake.Step{Progress: milvuswait.IndexBuildingProgress{
			TotalRows: 10, PendingIndexRows: 10, State: milvuswait.IndexStateFailed, FailReason: text(ts, args[3]),
		}}))
	case "huge":
		s.Fail(args[1], fakeserver.Reject(1401, wire.ErrorCode_PermissionDenied, strings.Repeat("x", 1<<20)))
	case "hang":
		s.Fail(args[1], fakeserver.Hang())
	case "heal":
		s.Heal()
	default:
		ts.Fatalf("milvus: there is no verb %q", args[0])
	}
}

// imports returns the script of an import with these percentages.
func imports(rows int64, percents []int64) fake.Script {
	var steps []fake.Step
	for _, percent := range percents {
		p := milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: percent}
		if percent == 100 {
			p.State, p.Rows = milvuswait.ImportStateCompleted, rows
		}
		steps = append(steps, fake.Step{Progress: p})
	}
	return fake.Steps(steps...)
}

// compactions returns the script of a compaction of three plans with these numbers of
// executing plans.
func compactions(failed int64, executing []int64) fake.Script {
	var steps []fake.Step
	for _, n := range executing {
		p := milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: n, Completed: 3 - n - failed, Failed: failed}
		if n == 0 {
			p.State = milvuswait.CompactionStateCompleted
		}
		steps = append(steps, fake.Step{Progress: p})
	}
	return fake.Steps(steps...)
}

func numbers(ts *testscript.TestScript, args []string) []int64 {
	numbers := make([]int64, len(args))
	for i, arg := range args {
		n, err := strconv.ParseInt(arg, 10, 64)
		ts.Check(err)
		numbers[i] = n
	}
	return numbers
}

// text reads the escapes of Go in s, such as \x1b.
func text(ts *testscript.TestScript, s string) string {
	unquoted, err := strconv.Unquote(`"` + s + `"`)
	ts.Check(err)
	return unquoted
}

// growing returns an index in progress, with a step for each INDEXED/TOTAL.
func growing(ts *testscript.TestScript, counts []string) fake.Script {
	steps := make([]fake.Step, len(counts))
	for i, count := range counts {
		n := numbers(ts, strings.Split(count, "/"))
		steps[i].Progress = milvuswait.IndexBuildingProgress{
			IndexedRows: n[0], TotalRows: n[1], PendingIndexRows: n[1] - n[0], State: milvuswait.IndexStateInProgress,
		}
	}
	return fake.Steps(steps...)
}

// clean [FILE…] fails if stdout, stderr or the files contain commands to a terminal.
func clean(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range append(args, "stdout", "stderr") {
		s := ts.ReadFile(name)
		if !utf8.ValidString(s) {
			ts.Fatalf("%s is not valid UTF-8: %q", name, s)
		}
		if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && unicode.Is(unicode.C, r) }); i >= 0 {
			ts.Fatalf("%s holds %q: %q", name, s[i:i+1], s)
		}
	}
}

// hidden TEXT… fails if stdout or stderr contain one of the texts.
func hidden(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range []string{"stdout", "stderr"} {
		for _, text := range args {
			if s := ts.ReadFile(name); strings.Contains(s, text) {
				ts.Fatalf("%s holds %q: %s", name, text, s)
			}
		}
	}
}

// json fails unless every line of stdout is JSON.
func validJSON(ts *testscript.TestScript, _ bool, _ []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("not JSON: %q", line)
		}
	}
}
