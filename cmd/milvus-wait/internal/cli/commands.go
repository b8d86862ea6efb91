package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

func (a *app) load() *cobra.Command {
	var (
		wait waitFlags
		all  bool
	)
	cmd := &cobra.Command{
		Use:   "load [COLLECTION[:PARTITION,…]]… [flags] [-- COMMAND]",
		Short: "Wait until collections or partitions are loaded",
		Long: `Wait until collections, or partitions of them, are loaded. The command does not start
the load. If another process starts it later, use --grace.

If other partitions are loaded already, Milvus 2.3.0 to 2.3.18 and 2.4.0 to 2.4.5
report one as loaded some seconds before its rows can be found: use --verify there.`,
		Example: `  milvus-wait load docs images:2024,2025 --timeout 10m
  milvus-wait load --all -o json
  milvus-wait load docs --refresh
  milvus-wait load docs:2025 --verify 'id == 7'
  milvus-wait load docs -- python app.py`,
		ValidArgsFunction: a.completing(completeLoads),
	}

	cmd.RunE = a.runThen(func(ctx context.Context, args []string) error {
		targets, err := target.Loads(args)
		if err := oneOf(all, len(args), nothingNamed+", or use --all", err); err != nil {
			return err
		}

		if !all {
			return a.wait(ctx, targets, nil, &wait)
		}
		return a.wait(ctx, nil, a.allLoads, &wait)
	})

	cmd.Flags().BoolVar(&all, "all", false, "every loading or loaded collection of the database")
	wait.registerRefresh(cmd.Flags())
	wait.register(cmd.Flags())
	return cmd
}

func (a *app) index() *cobra.Command {
	var (
		wait waitFlags
		all  bool
		rows []string
	)
	cmd := &cobra.Command{
		Use:   "index [COLLECTION[/INDEX]]… [flags] [-- COMMAND]",
		Short: "Wait until indexes are built for all rows",
		Long: `Wait until indexes are built for all flushed rows: the only index of a collection, a
named index, or all indexes by COLLECTION/*.

Rows that are still being flushed when the wait begins count. Milvus 2.6 and newer,
and Zilliz Cloud, do not report them: use --rows there. Without it the command warns,
and the result is unconfirmed.

Rows that are inserted during the wait count too. If they never stop, use
--rows-at-start.`,
		Example: `  milvus-wait index docs --rows 100000 --timeout 30m
  milvus-wait index docs/vidx images/* --rows docs=100000
  milvus-wait index docs --rows-at-start
  milvus-wait index --all`,
		ValidArgsFunction: a.completing(completeIndexes),
	}

	cmd.RunE = a.runThen(func(ctx context.Context, args []string) error {
		expected, rowsErr := target.ParseRows(rows)
		targets, err := target.Indexes(args)
		if err := oneOf(all, len(args), nothingNamed+", or use --all", cmp.Or(err, rowsErr)); err != nil {
			return err
		}

		if !all {
			if targets, err = expected.Expect(targets); err != nil {
				return exit.AsUsage(err)
			}
			return a.wait(ctx, targets, nil, &wait)
		}

		return a.wait(ctx, nil, func(ctx context.Context, s *server, wait *waitFlags) ([]milvuswait.Target, error) {
			targets, err := a.allIndexes(ctx, s, wait)
			if err != nil {
				return nil, err
			}
			return expected.Expect(targets)
		}, &wait)
	})

	cmd.Flags().BoolVar(&all, "all", false, "every index of every collection of the database")
	wait.registerRows(cmd.Flags(), &rows)
	_ = cmd.RegisterFlagCompletionFunc("rows", a.completeRows)
	wait.register(cmd.Flags())
	return cmd
}

func (a *app) all() *cobra.Command {
	var (
		wait waitFlags
		rows []string
	)
	cmd := &cobra.Command{
		Use:               "all COLLECTION… [flags] [-- COMMAND]",
		Short:             "Wait until collections are loaded and all their indexes are built",
		Example:           "  milvus-wait all docs images --rows docs=100000 --grace 30s",
		ValidArgsFunction: a.completing(completeCollections),
	}

	cmd.RunE = a.runThen(func(ctx context.Context, args []string) error {
		expected, rowsErr := target.ParseRows(rows)
		targets, err := target.Everything(args)
		if err := oneOf(false, len(args), nothingNamed, cmp.Or(err, rowsErr)); err != nil {
			return err
		}

		if targets, err = expected.Expect(targets); err != nil {
			return exit.AsUsage(err)
		}
		return a.wait(ctx, targets, nil, &wait)
	})

	wait.registerRows(cmd.Flags(), &rows)
	_ = cmd.RegisterFlagCompletionFunc("rows", a.completeRows)
	wait.registerRefresh(cmd.Flags())
	wait.register(cmd.Flags())
	return cmd
}

func (a *app) imports() *cobra.Command {
	return a.jobs(&cobra.Command{
		Use:   "import JOB… [flags] [-- COMMAND]",
		Short: "Wait until bulk imports are completed",
		Long: `Wait until imports are completed: the jobs that Import, do_bulk_insert or the REST API
of an open-source server returned. A failed import ends the wait at once, with the
server's reason.

On Milvus 2.2 and 2.3 a completed import is neither indexed nor searchable yet: wait
for the index after it, and refresh the load.`,
		Example: `  milvus-wait import 4711 --timeout 1h
  milvus-wait import 4711 4712 -o json`,
	}, "the JOB of an import", target.Imports)
}

func (a *app) compaction() *cobra.Command {
	return a.jobs(&cobra.Command{
		Use:   "compaction ID… [flags] [-- COMMAND]",
		Short: "Wait until compactions are completed",
		Long: `Wait until manual compactions are completed. The command fails if a plan of one failed
or timed out.

A server also reports an id it does not know as completed. The result shows it as a
compaction of 0 plans, and also one with nothing to do.`,
		Example: `  milvus-wait compaction 815 --timeout 1h`,
	}, "the ID of a compaction", target.Compactions)
}

// jobs completes the command of a wait for jobs. The text what names an argument.
func (a *app) jobs(cmd *cobra.Command, what string, parse func([]string) ([]milvuswait.Target, error)) *cobra.Command {
	var wait waitFlags
	cmd.ValidArgsFunction = a.completing(nil)
	cmd.RunE = a.runThen(func(ctx context.Context, args []string) error {
		targets, err := parse(args)
		switch {
		case err != nil:
			return exit.AsUsage(err)
		case len(targets) == 0:
			return exit.Usagef("there is nothing to wait for: specify %s", what)
		}
		return a.wait(ctx, targets, nil, &wait)
	})

	wait.registerJobs(cmd.Flags())
	return cmd
}

const nothingNamed = "there is nothing to wait for: name a collection"

// oneOf returns a usage error unless there are either arguments or --all, or err. The text
// missing is that of the error about neither of them.
func oneOf(all bool, args int, missing string, err error) error {
	switch {
	case all && args > 0:
		return exit.Usagef("--all and names exclude each other")
	case !all && args == 0:
		return exit.Usagef("%s", missing)
	}
	return exit.AsUsage(err)
}
