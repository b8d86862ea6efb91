package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func (a *app) demo() *cobra.Command {
	var (
		wait     waitFlags
		fail     bool
		duration time.Duration
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the output of a wait, on a fake server inside this process",
		Example: `  milvus-wait demo
  milvus-wait demo --fail; echo $?
  milvus-wait demo -o jsonl | cat`,
		Args: noArguments,
	}

	cmd.RunE = a.run(func(ctx context.Context, _ []string) error {
		if duration <= 0 {
			return exit.Usagef("--for %v is not positive", duration)
		}
		start := time.Now()
		ctx, cancel := a.within(ctx)
		defer cancel()

		fakes, err := fakeserver.Start(fakeserver.Config{})
		if err != nil {
			return err
		}
		defer fakes.Close()
		conn, err := fakes.Dial()
		if err != nil {
			return err
		}

		s := newServer(conn, dial.Endpoint{Host: "localhost", Address: "fake"}, "")
		defer s.close()
		wait.continueOnError = true
		a.output.Limits = limits(ctx, &wait)
		return a.waitFor(ctx, s, s.poller, play(fakes, duration, fail), wait.options(), start)
	})

	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&fail, "fail", false, "let one load fail")
	cmd.Flags().DurationVar(&duration, "for", 8*time.Second, "duration of the demo")
	wait.registerPace(cmd.Flags())
	return cmd
}

// play starts loads and index builds on the server, and returns their targets.
func play(s *fakeserver.Server, d time.Duration, fail bool) []milvuswait.Target {
	var targets []milvuswait.Target
	add := func(t milvuswait.Target, script fake.Script) {
		s.Set(t, script)
		targets = append(targets, t)
	}

	add(milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000), fake.BuildOver(100_000, d))
	add(milvuswait.Loading("docs"), fake.LoadOver(d*3/4).InSteps(6))
	add(milvuswait.IndexBuilding("images", "clip"), fake.BuildOver(2_500_000, d*9/10))
	add(milvuswait.Loading("images", "y2025", "y2026"), fake.LoadOver(d/2))
	add(milvuswait.Loading("users"), fake.LoadOver(d/4).StallAt(40, d/4))
	if fail {
		add(milvuswait.Loading("archive"), fake.LoadOver(d).FailAt(60, outOfMemory))
	}
	return targets
}

// outOfMemory is the shortened error of Milvus 2.3 to 2.5 for a load with too little memory
// (milvus-io/milvus#39637).
var outOfMemory = &milvuswait.ServerError{
	Code: 65535, LegacyCode: int32(wire.ErrorCode_UnexpectedError),
	Reason: "show collection failed: load segment failed, OOM if load, maxSegmentSize = 1016 MB, totalMem = 16384 MB",
}
