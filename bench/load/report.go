package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row holds the rounds with one number of targets of one shape.
type row struct {
	targets int
	shape   string
	rounds  []result
}

// table returns the rows as the page for publication.
func table(rows []row) string {
	var t strings.Builder
	t.WriteString("# Many targets on one server\n\nThis page shows how lateness, requests, CPU time and memory of one WaitAll grow with the number of targets.\n\n")
	fmt.Fprintf(&t, "Written by `go run ./load%s` on %s: %d cores, %s/%s, %s.\n%s\n",
		flags(), time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), explanation)
	t.WriteString("| targets | | RPCs | RPCs/s | late p50 | late p99 | late max | each polled once after | all complete after |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&t, "| %d | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.targets, r.shape,
			spread(r, "%.0f", func(x result) float64 { return float64(x.RPCs) }),
			spread(r, "%.0f", func(x result) float64 { return float64(x.RPCs) / x.Waited.Seconds() }),
			spread(r, "%.2f s", func(x result) float64 { return x.Late[0].Seconds() }),
			spread(r, "%.2f s", func(x result) float64 { return x.Late[1].Seconds() }),
			spread(r, "%.2f s", func(x result) float64 { return x.Late[2].Seconds() }),
			spread(r, "%.1f s", func(x result) float64 { return x.FirstRound.Seconds() }),
			spread(r, "%.1f s", func(x result) float64 { return x.Waited.Seconds() }))
	}

	t.WriteString("\n| targets | | client CPU | of a core | per RPC | server CPU | of a core | client heap per target | client RSS | server RSS | client goroutines |\n" +
		"|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		fmt.Fprintf(&t, "| %d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.targets, r.shape,
			spread(r, "%.1f s", func(x result) float64 { return x.ClientCPU.Seconds() }),
			spread(r, "%.0f%%", func(x result) float64 { return 100 * x.ClientCPU.Seconds() / x.Waited.Seconds() }),
			spread(r, "%.0f µs", func(x result) float64 { return float64(x.ClientCPU.Microseconds()) / float64(x.RPCs) }),
			spread(r, "%.1f s", func(x result) float64 { return x.ServerCPU.Seconds() }),
			spread(r, "%.0f%%", func(x result) float64 { return 100 * x.ServerCPU.Seconds() / x.Waited.Seconds() }),
			spread(r, "%.0f B", func(x result) float64 { return float64(x.Heap) / float64(r.targets) }),
			spread(r, "%.0f MiB", func(x result) float64 { return float64(x.RSS) / (1 << 20) }),
			spread(r, "%.0f MiB", func(x result) float64 { return float64(x.ServerRSS) / (1 << 20) }),
			spread(r, "%.0f", func(x result) float64 { return float64(x.Goroutines) }))
	}

	busy := row{}
	for _, r := range rows {
		busy.rounds = append(busy.rounds, r.rounds...)
	}
	fmt.Fprintf(&t, "\nOther programs ran on the machine: the load average at the ends of the rounds was %s.\n",
		spread(busy, "%.1f", func(x result) float64 { return x.Busy }))
	return t.String()
}

// spread returns the median of a value, and the minimum and the maximum if their texts
// differ.
func spread(r row, format string, of func(result) float64) string {
	values := make([]float64, len(r.rounds))
	for i, x := range r.rounds {
		values[i] = of(x)
	}
	slices.SortFunc(values, cmp.Compare)
	text := func(i int) string { return fmt.Sprintf(format, values[i]) }
	middle, least, most := text((len(values)-1)/2), text(0), text(len(values)-1)
	if least == most {
		return middle
	}
	return fmt.Sprintf("%s (%s to %s)", middle, least, most)
}

// flags returns the flags of the command line.
func flags() string {
	text := strings.Join(os.Args[1:], " ")
	if text != "" {
		text = " " + text
	}
	return text
}

const explanation = `
How to read it: all targets begin together and progress in four steps, like loads of four segments. The first is complete after 5 s,
the last after 25 s, the others at equal distances. "Late" is the time from this moment to the final update of the target. A figure is
the median of the rounds (minimum to maximum). One WaitAll with default options waits for all targets, through one connection, in its
own process; the server of package fakeserver is in another. Both share the machine with each other and with other programs: compare
rows, not absolute times. A real Milvus works more for a response than the fake server.

- **loads, listed**: the Poller of package rpc. One ShowCollections covers all loads.
- **loads, one poll each**: the same Poller without its lists, like a Poller without the Lister interface.
- **indexes, two per collection**: one DescribeIndex covers both.

Limits: the first poll of each target is limited only by WithMaxInFlight (16). After it, a WaitAll polls at most 1000 times a second,
for any number of targets. With one poll each, n targets are polled every n/1000 s and reported late by up to this time: 1 s for 1000,
10 s for 10 000, 100 s for 100 000; half of it for pairs of indexes. A single wait is late by at most 2 % of its time, and at most 5 s.
Targets with one poll each keep this limit where it is not shorter: 1000 of them after about a minute, and at most about 4500. Listed
loads need no poll each, for any number. Their limit is the list: a list of 100 000 collections takes time to build and to read, and
has 3.8 MB; with longer names it exceeds the 4 MiB a gRPC client receives by default (here 16 MiB, as package rpc advises).

"Client heap" is the live heap after 4 s, without the names of the targets: outcomes, waits, polls in flight, and gRPC. RSS is the
maximum, with the program and the targets.
`
