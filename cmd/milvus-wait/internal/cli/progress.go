package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

func (a *app) progress() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "progress",
		Short: "Look once, without waiting",
		Long: `Poll loads or indexes once, and write their progress as JSON, in the form of pymilvus'
dicts: a line for each argument, or null without progress. With -o json it is one
object by arguments, and with -o jsonl a line with the argument and the dict. Both
have the error in place of a missing dict. The exit code is 0 also for incomplete
targets, and 1 for missing, unloaded and failed ones.`,
		Args: knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return exit.Usagef("a command is missing: milvus-wait progress load or milvus-wait progress index")
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:               "load COLLECTION[:PARTITION,…]…",
			Short:             "Look how far loads are",
			Example:           "  milvus-wait progress load docs",
			ValidArgsFunction: a.completing(completeLoads),
			RunE:              a.look(target.Loads),
		},
		&cobra.Command{
			Use:               "index COLLECTION[/INDEX]…",
			Short:             "Look how far indexes are",
			Example:           "  milvus-wait progress index docs/vidx",
			ValidArgsFunction: a.completing(completeIndexes),
			RunE:              a.look(target.Indexes),
		},
	)
	return cmd
}

// look returns the function of a command that polls each target once.
func (a *app) look(parse func([]string) ([]milvuswait.Target, error)) func(*cobra.Command, []string) error {
	return a.run(func(ctx context.Context, args []string) error {
		// The summary is for outcomes of waits, and so is their JSON.
		format := a.output.Format
		a.output.GitHub.Summary, a.output.Format = "", output.Text

		start := time.Now()
		targets, err := parse(args)
		if err := oneOf(false, len(args), "there is nothing to look at: name a collection", err); err != nil {
			return err
		}

		ctx, cancel := a.within(ctx)
		defer cancel()
		s, err := a.connect(ctx)
		if err != nil {
			if exit.Code(err) != exit.Usage {
				a.showLook(format, args, slices.Repeat([]milvuswait.Outcome{{Err: a.mask.Error(err)}}, len(args)))
			}
			return a.failed(start, err)
		}
		defer s.close()

		outcomes := make([]milvuswait.Outcome, len(targets))
		for i, t := range targets {
			outcomes[i] = s.look(ctx, t)
		}

		report := output.Report{Advice: s.advise(ctx, outcomes), Outcomes: a.maskOutcomes(outcomes), Elapsed: time.Since(start)}
		a.showLook(format, args, report.Outcomes)
		if report.Code = code(ctx, outcomes); report.Code == exit.Done {
			return nil
		}
		report.Err = fmt.Errorf("%d looked at", len(targets))
		a.output.Failures(report)
		return &reportedError{report.Code}
	})
}

// look polls once. A failed index has both progress and an error.
func (s *server) look(ctx context.Context, t milvuswait.Target) milvuswait.Outcome {
	for u, err := range milvuswait.Watch(ctx, s.poller, t, kind.Of(t).Look...) {
		o := milvuswait.Outcome{Target: t, Progress: u.Progress, Err: err, Polls: u.Polls, Elapsed: u.Elapsed}
		if err == nil {
			o.Err = asked(t.String(), u.Err)
		}
		if err := kind.Of(t).Recheck(ctx, s.poller, u); err != nil {
			o.Progress, o.Err = nil, asked(t.String(), err)
		}
		return o
	}
	panic("milvus-wait: a wait has no update")
}

// looked is the JSON for one argument.
type looked struct {
	Target   string              `json:"target,omitempty"`
	Index    string              `json:"index_name,omitempty"`
	Progress milvuswait.Progress `json:"progress,omitempty"`
	Error    string              `json:"error,omitempty"` // reason for the missing progress
}

// showLook writes the progress of each argument, or the reason for its absence.
func (a *app) showLook(format output.Format, args []string, outcomes []milvuswait.Outcome) {
	seen := make(map[string]any, len(args))
	for i, o := range outcomes {
		l := looked{Progress: o.Progress}
		if o.Progress == nil {
			const longest = 4 << 10 // enough for a reason of the server, which is cut before, and for names
			l.Error = untrusted.Cut(output.Reason(o.Err), longest)
		}

		switch format {
		case output.Text:
			output.WriteJSON(a.output.Stdout, o.Progress)
		case output.JSONL:
			l.Target, l.Index = args[i], partOf(o)
			output.WriteJSON(a.output.Stdout, l)
		case output.JSON:
			if seen[args[i]] = o.Progress; o.Progress == nil {
				seen[args[i]] = l
			}
		}
	}

	if format == output.JSON {
		output.WriteJSON(a.output.Stdout, seen)
	}
}

// partOf returns the name of the index that the progress is about, if the target does not
// name it.
func partOf(o milvuswait.Outcome) string {
	if o.Progress == nil {
		return "" // also without a target, if there is no connection
	}
	return kind.Of(o.Target).Part(o.Target, o.Progress)
}
