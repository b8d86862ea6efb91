package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/milvuswait/milvuswait/bench/internal/chart"
)

// write writes the table and the plot into a folder.
func (b *bench) write(folder string, outcomes []outcome) error {
	if err := os.WriteFile(filepath.Join(folder, "peers.md"), []byte(b.table(outcomes)), 0o644); err != nil {
		return err
	}
	return b.draw(filepath.Join(folder, "peers"), outcomes)
}

func (b *bench) table(outcomes []outcome) string {
	var t strings.Builder
	fmt.Fprintf(&t, `# Waiters on one real server

This page compares waits of this library and of other clients on a real server: their lateness, RPCs and CPU time.

Written by %s on %s. Server: %s, standalone, on the same machine (%d cores, %s/%s, %s), which it shares with the
waiters. Compared:

`, "`go run ./peers"+flags()+"`", b.start.Format(time.DateOnly), b.server, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	for _, v := range b.versions {
		fmt.Fprintf(&t, "- %s %s\n", v[0], v[1])
	}
	fmt.Fprintf(&t, `
How to read it: "late" is the time from the end of the work to the return of the wait; a watcher with a request every %v
reports the end. Of repeated cases, a figure is the median (minimum to maximum). **Early** waits returned before the
end. RPCs and CPU are medians from the start of the wait to its return; CPU is user and system time of the waiting
process. Each waiter has its own process, connected before the measurement starts, and its own gRPC proxy, which counts
the RPCs. Waiters and watcher together: %d RPCs by the proxies and the watcher, %d by the server's /metrics.
`, watchEvery, b.counted.here, b.counted.server)
	for _, o := range outcomes {
		fmt.Fprintf(&t, "\n## %s\n\n%s.\n\n| waiter | late | RPCs | CPU | result |\n|---|--:|--:|--:|---|\n", o.title, strings.ToUpper(o.how[:1])+o.how[1:])
		for _, s := range o.samples {
			fmt.Fprintf(&t, "| %s | %s | %d | %s | %s |\n", s.name, s.verdict(o.id == failCase), s.rpcs(), ms(s.cpu()), s.result())
		}
	}
	return t.String()
}

// flags returns the flags of the command line.
func flags() string {
	text := strings.Join(os.Args[1:], " ")
	if text != "" {
		text = " " + text
	}
	return text
}

// verdict returns the lateness of the waits, or a dash if they hung or failed. If fails is
// set, they must fail.
func (s series) verdict(fails bool) string {
	if s.hung() || !fails && s.failed() {
		return "–"
	}
	late := func(a, b sample) int { return cmp.Compare(a.late, b.late) }
	least, most := slices.MinFunc(s.samples, late), slices.MaxFunc(s.samples, late)
	text := seconds(s.late())
	if least.early {
		text = "**early by " + seconds(-s.late()) + "**"
	}
	if len(s.samples) > 1 {
		text += fmt.Sprintf(" (%s to %s)", seconds(least.late), seconds(most.late))
	}
	return text
}

// result returns the result of the first wait of the series.
func (s series) result() string {
	err := s.samples[0].err
	switch {
	case s.hung():
		return "**not reported within the time limit**"
	case err == "":
		return "nil"
	}
	const most = 90
	err = strings.NewReplacer("|", "/", "\n", " ", "<", "", ">", "").Replace(err)
	if runes := []rune(err); len(runes) > most {
		err = string(runes[:most]) + "…"
	}
	return err
}

// hung reports whether a wait ended only by its time limit.
func (s series) hung() bool {
	return slices.ContainsFunc(s.samples, func(s sample) bool { return s.hung })
}

func (s series) failed() bool {
	return slices.ContainsFunc(s.samples, func(s sample) bool { return s.err != "" })
}

func (s series) early() bool {
	return slices.ContainsFunc(s.samples, func(s sample) bool { return s.early })
}

func (s series) late() time.Duration {
	return median(s.samples, func(s sample) time.Duration { return s.late })
}

func (s series) rpcs() int { return median(s.samples, sample.total) }

func (s series) cpu() time.Duration {
	return median(s.samples, func(s sample) time.Duration { return s.cpu })
}

// median returns the median of a property, the lower one of two.
func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	all := make([]T, len(samples))
	for i, s := range samples {
		all[i] = of(s)
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// draw writes the plot: the lateness of every waiter in every case, and its cost for many
// loads.
func (b *bench) draw(base string, outcomes []outcome) error {
	late := func(s series) (float64, string, bool) {
		if s.hung() {
			return 15, "not reported", true
		}
		if s.early() {
			return s.late().Seconds(), "early by " + seconds(-s.late()), true
		}
		return s.late().Seconds(), seconds(s.late()), false
	}

	var panels []*plot.Plot
	for _, o := range outcomes {
		unit := "s late, negative: early"
		if o.id == failCase {
			unit = "s until the failure is reported"
		}
		p, err := panel(o, o.title, unit, false, late)
		if err != nil {
			return err
		}
		panels = append(panels, p)
		if o.id != manyCase {
			continue
		}

		rpcs, err := panel(o, o.title+": RPCs", "RPCs until the last is loaded, log scale", true, func(s series) (float64, string, bool) {
			return float64(max(1, s.rpcs())), fmt.Sprint(s.rpcs()), false
		})
		if err != nil {
			return err
		}
		cpu, err := panel(o, o.title+": CPU", "ms of client CPU, log scale", true, func(s series) (float64, string, bool) {
			return max(1, s.cpu().Seconds()*1000), ms(s.cpu()), false
		})
		if err != nil {
			return err
		}
		panels = append(panels, rpcs, cpu)
	}

	const columns = 2
	for len(panels)%columns != 0 {
		panels = append(panels, nil)
	}

	var names []string
	for _, v := range b.versions {
		names = append(names, v[0]+" "+v[1])
	}
	caption := fmt.Sprintf("%s, %d cores, %s; go run ./peers%s; %s", b.server, runtime.NumCPU(), b.start.Format(time.DateOnly), flags(), strings.Join(names, ", "))
	return chart.Save(base, caption, slices.Collect(slices.Chunk(panels, columns)), 36*vg.Centimeter, 34*vg.Centimeter)
}

// panel returns a chart with one value of each waiter.
func panel(o outcome, title, unit string, log bool, value func(series) (x float64, label string, bad bool)) (*plot.Plot, error) {
	var dots []chart.Dot
	for _, s := range o.samples {
		x, label, bad := value(s)
		dots = append(dots, chart.Dot{Name: s.name, X: x, Label: label, Bad: bad, Ours: s.name == ours})
	}
	return chart.Dots(title, unit, log, dots)
}
