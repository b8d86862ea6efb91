package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// finder asks the server for the targets to wait for.
type finder func(context.Context, *server, *waitFlags) ([]milvuswait.Target, error)

// within returns ctx with the deadline of --timeout, and applies it to the writers too.
func (a *app) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.global.timeout == 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, a.global.timeout)
	a.result.Until(ctx)
	a.messages.Until(ctx)
	return ctx, cancel
}

// wait waits for the targets, or for those of find, unless it is nil. Connecting is part of
// the wait.
func (a *app) wait(ctx context.Context, targets []milvuswait.Target, find finder, wait *waitFlags) error {
	start := time.Now()
	ctx, cancel := a.within(ctx)
	defer cancel()

	if err := checkOptions(wait.options()); err != nil {
		return err
	}
	s, err := a.open(ctx)
	if err != nil {
		return a.failed(start, err, targets...)
	}
	defer s.close()

	grace := wait.grace // finding the targets takes a part of it
	s.grace, s.refresh = &grace, wait.refresh
	a.output.Limits = limits(ctx, wait)

	if find != nil {
		if targets, err = find(ctx, s, wait); err != nil {
			return a.failed(start, err)
		}
	}

	a.output.Limits = limits(ctx, wait)
	options := wait.options()
	if wait.verify != "" {
		options = append(options, milvuswait.WithVerify(s.poller.FindRow(wait.verify)))
	}
	return a.waitFor(ctx, s, s.poller, targets, options, start)
}

// limits returns the limits of a wait that starts now.
func limits(ctx context.Context, wait *waitFlags) output.Limits {
	end, _ := ctx.Deadline()
	return output.Limits{End: end, Unreachable: wait.unreachable, Grace: wait.grace, IsRefusal: isRefusal}
}

// failed reports a command that failed before its wait for targets. Usage errors are left to
// end.
func (a *app) failed(start time.Time, err error, targets ...milvuswait.Target) error {
	code := exit.Code(err)
	if code == exit.Usage {
		return err
	}

	report := output.Report{Err: a.mask.Error(err), Code: code, Elapsed: time.Since(start), Advice: make([]string, len(targets))}
	for _, t := range targets {
		report.Outcomes = append(report.Outcomes, milvuswait.Outcome{Target: t, Err: report.Err, Elapsed: report.Elapsed})
	}
	a.output.Fail(report)
	a.output.Summarize(report)
	return &reportedError{code}
}

// waitFor waits for targets and reports the outcomes.
func (a *app) waitFor(ctx context.Context, s *server, p milvuswait.Poller, targets []milvuswait.Target, options []milvuswait.Option, start time.Time) error {
	reporter := output.New(a.output, targets)
	defer reporter.Close() // also when the wait panics

	outcomes, err := milvuswait.WaitAll(ctx, p, targets, append(options, milvuswait.WithObserver(a.masked(reporter.Observer())))...)
	if errors.Is(err, milvuswait.ErrInvalid) && outcomes == nil {
		return a.failed(start, cmp.Or(checkOptions(options), err))
	}

	report := output.Report{
		Advice: s.advise(ctx, outcomes), Outcomes: a.maskOutcomes(outcomes), Err: a.mask.Error(err),
		Code: code(ctx, outcomes), Elapsed: time.Since(start),
	}
	reporter.Finish(report)
	if report.Code == exit.Done {
		return nil
	}
	return &reportedError{report.Code}
}

// checkOptions returns the library's error about options as a usage error. Only the pace
// can be invalid: other options are checked before, or cannot be.
func checkOptions(options []milvuswait.Option) error {
	_, err := milvuswait.WaitAll(context.Background(), milvuswait.PollerFuncs{}, nil, options...)
	if err != nil {
		err = exit.Usagef("%s", flagNames.Replace(err.Error()))
	}
	return err
}

// flagNames replaces the fields of the library in an error by flags.
var flagNames = strings.NewReplacer("milvuswait: invalid argument: ", "",
	"Backoff.Initial", "--interval", "Backoff.Max", "--max-interval", "more than Max", "more than --max-interval")

// code returns the exit code of a wait. A signal decides it unless all targets are complete.
// Call it after the last request, which a signal may end too.
func code(ctx context.Context, outcomes []milvuswait.Outcome) int {
	code := exit.OfOutcomes(outcomes)
	var signal *exit.SignalError
	if code != exit.Done && errors.As(context.Cause(ctx), &signal) {
		return exit.Code(signal)
	}
	return code
}

// asked returns err with the subject of the request in front.
func asked(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
