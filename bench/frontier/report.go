package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/internal/traces"
)

// report is the page of results.
type report struct {
	head string
	sets []*set
}

// summary has the figures of many waits.
type summary struct {
	polls       float64 // mean
	mean        float64 // lateness in seconds
	median, p95 float64 // lateness in seconds
	relative50  float64 // median of the lateness as a share of the duration
	relative95  float64 // p95 of that share
}

func summarize(waits []traces.Wait) summary {
	var s summary
	var late, relative []float64
	for _, w := range waits {
		s.polls += float64(w.Polls) / float64(len(waits))
		s.mean += w.Late.Seconds() / float64(len(waits))
		late = append(late, w.Late.Seconds())
		relative = append(relative, float64(w.Late)/float64(w.Took))
	}

	s.median, s.p95 = quantile(late, 0.5), quantile(late, 0.95)
	s.relative50, s.relative95 = quantile(relative, 0.5), quantile(relative, 0.95)
	return s
}

// quantile sorts all and returns the maximum of its lower share q.
func quantile[T cmp.Ordered](all []T, q float64) T {
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

// ratios returns the five figures of lateness in terms of those of another pace: mean, p50, p95,
// and p50 and p95 of the share of the duration.
func (s summary) ratios(other summary) [5]float64 {
	return [5]float64{
		s.mean / other.mean, s.median / other.median, s.p95 / other.p95,
		s.relative50 / other.relative50, s.relative95 / other.relative95,
	}
}

// kept returns the number of waits that kept the promise of Backoff: the lateness is at most one
// delay and the polls on both sides of it. The delay is at most Lateness of the time waited,
// 100 ms or a poll, whichever is longest, and at most Max.
func kept(waits []traces.Wait, lateness float64, most time.Duration) int {
	n := 0
	for _, w := range waits {
		delay := max(100*time.Millisecond, time.Duration(lateness*float64(w.Took)), w.Slowest)
		if w.Late <= min(delay, most)+2*w.Slowest {
			n++
		}
	}
	return n
}

func (r report) tables() string {
	var t strings.Builder
	fmt.Fprintf(&t, `# Lateness against polls

This page compares paces of polling by their lateness and their number of polls.

Written by %s.
Every pace runs in this library's own loop, in virtual time, with round trips of 3 ms in the median, and polls
immediately. The traces compare paces; they measure no server. "rel" is lateness as a share of the duration of the load
or build.

At equal polls, each row compares this library with a fixed interval. Lateness, and Max from 1.5 s on, are set to poll as
often, never more. The ratios are the lateness of this library in terms of the lateness of the interval: below 1 this
library is less late, and above 1 the ratio is bold. "Kept" counts waits within the promise of that Lateness and Max: one
delay and the polls on both sides of it. If no Lateness polls as often as the interval, the row has only the closest number
of polls.
`, r.head)

	for i, s := range r.sets {
		fmt.Fprintf(&t, "\n## %s\n\n%s\n\n", s.title, s.text)
		s.paceTable(&t)
		if i == 0 {
			s.durationTable(&t)
		}
		s.equalTable(&t)
	}
	return t.String()
}

func (s *set) paceTable(t *strings.Builder) {
	t.WriteString(`| pace | polls, mean | late, mean | late p50 | late p95 | rel p50 | rel p95 |
|---|--:|--:|--:|--:|--:|--:|
`)
	for i, p := range s.paces {
		name := p.name
		if name == ourDefault {
			name = "**" + name + "**"
		}
		f := summarize(s.results[i])
		fmt.Fprintf(t, "| %s | %.0f | %.3f s | %.3f s | %.3f s | %.2f %% | %.1f %% |\n",
			name, f.polls, f.mean, f.median, f.p95, 100*f.relative50, 100*f.relative95)
	}
}

// durationTable compares the default with a few paces, by the duration of the load or build.
func (s *set) durationTable(t *strings.Builder) {
	t.WriteString("\nBy the duration of the load or build: median of the lateness / p95 / mean number of polls.\n\n| duration |")
	var chosen []int
	for i, p := range s.paces {
		if p.name == ourDefault || p.interval == 200*time.Millisecond || p.interval == 500*time.Millisecond || p.short == "cenkalti default" {
			chosen = append(chosen, i)
			fmt.Fprintf(t, " %s |", p.short)
		}
	}
	t.WriteString("\n|---|" + strings.Repeat("--:|", len(chosen)) + "\n")

	limits := []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}
	for i, to := range limits[1:] {
		fmt.Fprintf(t, "| %s |", between(limits[i], to))
		for _, pace := range chosen {
			var class []traces.Wait
			for _, w := range s.results[pace] {
				if w.Took >= limits[i] && w.Took < to {
					class = append(class, w)
				}
			}
			if len(class) == 0 {
				t.WriteString(" – |")
				continue
			}
			f := summarize(class)
			fmt.Fprintf(t, " %.3f s / %.3f s / %.0f |", f.median, f.p95, f.polls)
		}
		t.WriteString("\n")
	}
}

func (s *set) equalTable(t *strings.Builder) {
	t.WriteString(`
At equal polls:

| fixed | polls | Lateness | Max | polls | mean | p50 | p95 | rel p50 | rel p95 | kept | kept by fixed |
|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
`)
	compared, worse := 0, 0
	for _, p := range s.pairs {
		fixed, ours := summarize(p.fixed), summarize(p.ours)
		fmt.Fprintf(t, "| %s | %.0f |", short(p.interval), fixed.polls)
		if !p.equal {
			fmt.Fprintf(t, " – | – | %s | – | – | – | – | – | – | – |\n", p.bound(ours, fixed))
			continue
		}

		fmt.Fprintf(t, " %.2f %% | %s | %.0f |", 100*p.lateness, short(p.most), ours.polls)
		for _, ratio := range ours.ratios(fixed) {
			compared++
			if ratio > 1 {
				worse++
				fmt.Fprintf(t, " **%.2f** |", ratio)
			} else {
				fmt.Fprintf(t, " %.2f |", ratio)
			}
		}
		fmt.Fprintf(t, " %d/%d | %d/%d |\n",
			kept(p.ours, p.lateness, p.most), len(p.ours), kept(p.fixed, p.lateness, p.most), len(p.fixed))
	}
	t.WriteString("\n" + s.verdict(compared, worse) + "\n")
}

// bound describes the closest number of polls that this library reaches.
func (p pair) bound(ours, fixed summary) string {
	if ours.polls > fixed.polls {
		return fmt.Sprintf("≥ %.0f", ours.polls)
	}
	return fmt.Sprintf("≤ %.0f", ours.polls)
}

// verdict puts the number of ratios above 1 into words.
func (s *set) verdict(compared, worse int) string {
	if worse == 0 {
		return fmt.Sprintf("None of the %d ratios is above 1: no fixed interval that polls as often is less late.", compared)
	}
	return strings.TrimSpace(fmt.Sprintf("The fixed interval is less late in %d of the %d ratios. %s", worse, compared, s.worse))
}

func between(from, to time.Duration) string {
	switch {
	case from == 0:
		return "under " + short(to)
	case to >= time.Hour:
		return "over " + short(from)
	}
	return short(from) + " to " + short(to)
}

func short(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%g min", d.Minutes())
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%g s", d.Seconds())
}
