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
	fmt.Fprintf(&t, "# Many targets on one server\n\nWritten by `go run ./load%s` on %s: %d cores, %s/%s, %s.\n%s\n",
		flags(), time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), explanation)
	t.WriteString("| targets | | RPCs | RPCs/s | late p50 | late p99 | late most | each seen once after | all done after |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|\n")
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
	fmt.Fprintf(&t, "\nThe machine had other work too: its load average at the ends of the rounds was %s.\n",
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
How to read it: all targets begin at once and get on in four steps, as of four segments. The first is complete after 5 s, the last
after 25 s, the others evenly between. "Late" is from then to the target's final update. Given is the median of the rounds (least to
greatest). One WaitAll with default options waits for all of them, through one connection, in a process of its own; the server is
package fakeserver's in another. Both share the machine with each other and with whatever else ran: compare rows, and take seconds
for what they are. A real Milvus does more for an answer than the fake one.

- **loads, listed**: the Poller of package rpc. One ShowCollections tells of all loads.
- **loads, one poll each**: the same Poller with its lists hidden, as is one that is no Lister.
- **indexes, two per collection**: one DescribeIndex tells of both.

What limits: after each target was polled once, which only WithMaxInFlight (16) bounds, a WaitAll polls 1000 times a second at the
most, whatever the number of targets. So those that need a poll each are seen every n/1000 s, and are told late by up to that: 1 s for
1000, 10 s for 10 000, 100 s for 100 000; half of that for pairs of indexes. The 2 % of the time waited, and at most 5 s, that a single
wait promises is kept where that is no less: by 1000 such targets once they have waited for about a minute, and by some 4500 at the
most. Listed loads cost no poll each, however many they are. Their limit is the list: one of 100 000 collections takes its time to
make and to read, and has 3.8 MB; with longer names it is more than the 4 MiB that gRPC lets a client receive by default (here 16 MiB,
as package rpc advises).

"Client heap" is live heap after 4 s beyond that of the targets' names: outcomes, the waits, what is under way, and gRPC. RSS is the
most there was, the program and the targets included.
`
