package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait"
)

func (a *app) ready() *cobra.Command {
	var wait waitFlags
	cmd := &cobra.Command{
		Use:   "ready [flags] [-- COMMAND]",
		Short: "Wait until the server answers",
		Long: `Wait until the server answers a request for its collections, for example before the
first migration. It answers once its proxy and coordinators are up. The server need
not run yet, and the database need not exist. Refused credentials and permanent
failures of TLS end the wait.`,
		Example: "  milvus-wait ready --uri http://milvus:19530 --timeout 5m",
		Args:    noArguments,

		ValidArgsFunction: a.completing(nil),
	}

	cmd.RunE = a.runThen(func(ctx context.Context, _ []string) error {
		start := time.Now()
		ctx, cancel := a.within(ctx)
		defer cancel()

		s, err := a.open(ctx)
		if err != nil {
			return a.failed(start, err, milvuswait.Serving())
		}
		defer s.close()

		wait.unreachable = 0 // --timeout alone limits the wait
		a.output.Limits = limits(ctx, &wait)
		return a.waitFor(ctx, s, s.poller, []milvuswait.Target{milvuswait.Serving()}, wait.options(), start)
	})

	cmd.Flags().SortFlags = false
	wait.registerPace(cmd.Flags())
	return cmd
}
