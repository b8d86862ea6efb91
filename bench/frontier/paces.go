package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/milvuswait/milvuswait"
)

// pace is a schedule of polls.
type pace struct {
	name     string
	short    string        // the name in the plot
	setting  bool          // another setting of this library, which the plot leaves out
	interval time.Duration // a fixed interval; 0 for any other schedule
	opts     []milvuswait.Option
}

const ourDefault = "milvuswait, default"

// ours returns the paces of this library: the default and its neighbours.
func ours() []pace {
	paces := []pace{{name: ourDefault, short: "milvuswait"}}
	for _, lateness := range []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2} {
		paces = append(paces, pace{
			name: fmt.Sprintf("milvuswait, Lateness %g %%", lateness*100), setting: true,
			opts: []milvuswait.Option{milvuswait.WithBackoff(milvuswait.Backoff{Lateness: lateness})},
		})
	}
	return append(paces, pace{
		name: "milvuswait, Lateness 1, IgnoreProgress", short: "plain exponential",
		opts: []milvuswait.Option{milvuswait.WithBackoff(milvuswait.Backoff{Lateness: 1, IgnoreProgress: true})},
	})
}

// few returns the default pace of this library and the fixed intervals of other clients.
func few() []pace {
	paces := ours()[:1]
	for _, p := range peers() {
		if p.interval > 0 {
			paces = append(paces, p)
		}
	}
	return paces
}

// peers returns the schedules of other clients and libraries. All of them poll immediately, as
// this library does, though some clients sleep first.
func peers() []pace {
	const s = time.Second
	return []pace{
		fixed("fixed 100 ms (milvus-sdk-go and client/v2: index)", s/10),
		fixed("fixed 200 ms (pymilvus, milvus-sdk-go and client/v2: load)", s/5),
		fixed("fixed 400 ms (Node: load)", 2*s/5),
		fixed("fixed 500 ms (Java; pymilvus: index)", s/2),
		fixed("fixed 1 s", s),
		fixed("fixed 5 s", 5*s),
		exponential("cenkalti/backoff, default (0.5 s × 1.5 ± 50 % to 60 s)", "cenkalti default", s/2, 1.5, 0.5, 60*s),
		exponential("cenkalti/backoff, 0.5 s × 1.5 ± 50 % to 5 s", "cenkalti to 5 s", s/2, 1.5, 0.5, 5*s),
		exponential("Google LRO, older (0.5 s × 1.5 to 5 s)", "Google LRO", s/2, 1.5, 0, 5*s),
		exponential("Google LRO, newer (5 s × 1.5 to 45 s)", "Google LRO, new", 5*s, 1.5, 0, 45*s),
		exponential("k8s wait.Backoff (0.1 s × 2 + 10 % to 10 s)", "k8s wait.Backoff", 105*time.Millisecond, 2, 0.05, 10500*time.Millisecond),
		generator("smithy-go waiter (2 s to 120 s)", "AWS smithy", func() func() time.Duration { return (&smithy{least: 2, most: 120}).next }),
		generator("full jitter (0.1 s × 2 to 5 s)", "full jitter", func() func() time.Duration { return (&fullJitter{base: 0.1, most: 5}).next }),
	}
}

func generator(name, short string, f func() func() time.Duration) pace {
	return pace{name: name, short: short, opts: []milvuswait.Option{milvuswait.WithBackoffFunc(f)}}
}

func fixed(name string, d time.Duration) pace {
	p := generator(name, "fixed "+short(d), func() func() time.Duration { return backoff.NewConstantBackOff(d).NextBackOff })
	p.interval = d
	return p
}

func exponential(name, short string, initial time.Duration, multiplier, jitter float64, most time.Duration) pace {
	return generator(name, short, func() func() time.Duration {
		return backoff.NewExponentialBackOff(backoff.WithInitialInterval(initial), backoff.WithMultiplier(multiplier),
			backoff.WithRandomizationFactor(jitter), backoff.WithMaxInterval(most), backoff.WithMaxElapsedTime(0)).NextBackOff
	})
}

// smithy is ComputeDelay of github.com/aws/smithy-go/waiter: a random delay from the minimum to
// a limit that doubles.
type smithy struct {
	least, most float64 // seconds
	n           int
}

func (g *smithy) next() time.Duration {
	g.n++
	d := math.Min(g.most, g.least*math.Pow(2, float64(g.n-1)))
	return time.Duration((g.least + rand.Float64()*(d-g.least)) * float64(time.Second))
}

// fullJitter is a random delay up to a limit that doubles, from "Exponential Backoff And Jitter"
// in the AWS Architecture Blog.
type fullJitter struct {
	base, most float64 // seconds
	n          int
}

func (g *fullJitter) next() time.Duration {
	g.n++
	return time.Duration(rand.Float64() * math.Min(g.most, g.base*math.Pow(2, float64(g.n))) * float64(time.Second))
}
