package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/rpc"
)

const (
	adviceUnreachable = "a longer --unreachable is more patient"
	adviceAppeared    = "it is there now: run the command again"
)

// Timeouts for the requests after the end of the wait, all together.
const (
	// adviceTimeout applies while --timeout has not elapsed.
	adviceTimeout = 2 * time.Second

	// lateAdviceTimeout applies after --timeout or a signal. The command outlives them
	// by at most this time.
	lateAdviceTimeout = 200 * time.Millisecond
)

// advise returns a hint for each outcome, or "".
func (s *server) advise(ctx context.Context, outcomes []milvuswait.Outcome) []string {
	budget := adviceTimeout
	if ctx.Err() != nil {
		ctx, budget = context.WithoutCancel(ctx), lateAdviceTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()

	a := &adviser{server: s, lost: s.line.last(), collections: sync.OnceValues(func() ([]string, error) { return s.collections(ctx) })}
	advice := make([]string, len(outcomes))
	for i, o := range outcomes {
		advice[i] = a.about(ctx, o)
	}
	return advice
}

// adviser finds hints for failed outcomes.
type adviser struct {
	*server
	lost        *dial.Error              // failure of the last call of the wait; nil if it reached the server
	collections func() ([]string, error) // makes one request, however often it is called
	probes      int                      // number of partitions requested one by one
}

// about returns the hint for an outcome, or "".
func (a *adviser) about(ctx context.Context, o milvuswait.Outcome) string {
	k, collection := kind.Of(o.Target), o.Target.Collection()
	switch err, lost := o.Err, a.lost; {
	case err == nil, errors.Is(err, milvuswait.ErrAborted), errors.Is(err, context.Canceled):
		return ""
	case lost != nil && errors.Is(err, milvuswait.ErrUnreachable):
		return aboutConnection(err, lost) + "; " + adviceUnreachable
	case lost != nil:
		return aboutConnection(err, lost)
	case k.Server:
		return refusal(err, k.Privilege, a.from.adviceToken())
	case errors.Is(err, milvuswait.ErrCollectionNotFound):
		return a.aboutCollection(collection)
	case errors.Is(err, milvuswait.ErrPartitionNotFound):
		return a.aboutPartition(ctx, o.Target)
	case waitsForVerify(err) && errors.Is(err, milvuswait.ErrNotLoaded):
		return fmt.Sprintf("call load_collection(%q): --verify searches it", collection)
	case errors.Is(err, milvuswait.ErrReleased):
		return fmt.Sprintf("call %s again; if the name is an alias, it may lead to another collection now", k.Start(a.unloaded(ctx, o.Target)))
	case errors.Is(err, milvuswait.ErrNotLoaded):
		return a.aboutLoad(ctx, o.Target)
	case errors.Is(err, milvuswait.ErrAmbiguousIndex):
		return fmt.Sprintf("name one of them, %s/INDEX, or all, '%s/*'", collection, collection)
	case errors.Is(err, milvuswait.ErrIndexNotFound):
		return a.aboutIndex(ctx, o.Target)
	case errors.Is(err, milvuswait.ErrDatabaseNotFound):
		return a.from.adviceDatabase()
	case errors.Is(err, milvuswait.ErrStalled):
		return strings.TrimPrefix(a.behind(ctx, o.Target)+"; look into the server's logs; a longer --stall is more patient", "; ")
	case errors.Is(err, milvuswait.ErrUnreachable):
		return a.aboutServer(err)
	case k.Hint(o, a.refresh) != "":
		return k.Hint(o, a.refresh)
	case errors.Is(err, context.DeadlineExceeded) && o.Progress != nil:
		if behind := a.behind(ctx, o.Target); behind != "" {
			return behind
		}
	}
	return refusal(o.Err, k.Privilege, a.from.adviceToken())
}

// waitsForVerify reports whether the target of a failed wait was complete, apart from --verify.
func waitsForVerify(err error) bool {
	var failure *milvuswait.Error
	return errors.As(err, &failure) && failure.WaitingFor == milvuswait.WaitingForVerify
}

// aboutConnection returns a hint for an outcome whose last poll did not reach the server,
// with the reason if err does not have it.
func aboutConnection(err error, lost *dial.Error) string {
	if strings.Contains(err.Error(), untrusted.Text(lost.Reason)) {
		return lost.Advice
	}
	return lost.Error()
}

// orGrace returns advice, and --grace as the alternative for the case, if the command has
// the flag.
func (a *adviser) orGrace(advice, when string) string {
	switch {
	case a.grace == nil:
		return advice
	case *a.grace > 0:
		return advice + ", or use a longer --grace" + when
	}
	return advice + ", or use --grace" + when
}

// aboutCollection returns a hint for a missing collection.
func (a *adviser) aboutCollection(name string) string {
	names, err := a.collections()
	switch {
	case errors.Is(err, milvuswait.ErrDatabaseNotFound): // servers of 2.x report the collection as missing
		return fmt.Sprintf("there is no database %q: %s", a.database, a.from.adviceDatabase())
	case err != nil:
		return a.orGrace("check the name, "+a.from.databaseSettings(), " if it is about to be created") + "; " + a.noList("collections", err)
	case len(names) == 0:
		return a.orGrace(fmt.Sprintf("there is no collection %s that may be seen; check %s", a.inDatabase(), a.from.databaseSettings()), " if it is about to be created")
	}

	if slices.Contains(names, name) {
		return a.orGrace(adviceAppeared, "")
	}
	if meant := similar(name, names, a.mask); meant != "" {
		return meant
	}
	return fmt.Sprintf("none of the %d collections %s has a similar name; check %s", len(names), a.inDatabase(), a.from.databaseSettings())
}

// aboutPartition returns a hint for a missing partition.
func (a *adviser) aboutPartition(ctx context.Context, t milvuswait.Target) string {
	names, err := a.partitions(ctx, t.Collection())
	if err != nil {
		return "check the names of the partitions; " + a.noList("partitions", err)
	}

	missing := slices.DeleteFunc(t.Partitions(), func(p string) bool { return slices.Contains(names, p) })
	if len(missing) == 0 {
		return a.orGrace(adviceAppeared, "")
	}
	for _, p := range missing {
		if meant := similar(p, names, a.mask); meant != "" {
			return meant
		}
	}
	return "the partitions are " + alternatives(names, a.mask)
}

// aboutIndex returns a hint for a missing index.
func (a *adviser) aboutIndex(ctx context.Context, t milvuswait.Target) string {
	names, err := a.indexes(ctx, t.Collection())
	switch {
	case err != nil:
		return "check the name of the index; " + a.noList("indexes", err)
	case slices.Contains(names, t.Index()), len(names) > 0 && (t.Index() == "" || t.Index() == milvuswait.AllIndexes):
		return a.orGrace(adviceAppeared, "")
	case len(names) > 0:
		return fmt.Sprintf("the collection has %s; name one of them, or all, '%s/*'", alternatives(names, a.mask), t.Collection())
	}
	return a.orGrace("create it by "+kind.Of(t).Start(t), " if another process does")
}

// aboutLoad returns a hint for a collection or partition that is not loaded.
func (a *adviser) aboutLoad(ctx context.Context, t milvuswait.Target) string {
	if a.poller.CheckLoadState(ctx, t.Collection(), t.Partitions()...) == nil {
		return a.orGrace("its load has begun now: run the command again", "")
	}
	return a.orGrace("call "+kind.Of(t).Start(a.unloaded(ctx, t)), " if another process starts the load")
}

// aboutServer returns a hint for a server whose responses to polls fail. It makes another
// call to find out whether the server is away.
func (a *adviser) aboutServer(err error) string {
	address, method := a.endpoint.URI(), methodOf(err)
	_, listed := a.collections()
	switch failure := new(milvuswait.ServerError); {
	case errors.Is(err, rpc.ErrMalformed):
		return dial.AdviceOther + "; " + adviceUnreachable
	case errors.As(err, &failure):
		return fmt.Sprintf("the server at %s answers, but %s fails: look into its logs; %s", address, cmp.Or(method, "the call"), adviceUnreachable)
	case !isAnswer(listed):
		return fmt.Sprintf("check that the server at %s runs and can be reached; %s", address, adviceUnreachable)
	case method == "ShowCollections":
		return fmt.Sprintf("the server at %s answers now: run the command again; %s", address, adviceUnreachable)
	}
	return fmt.Sprintf("the server at %s answers other calls, but not %s: look into its logs; %s",
		address, cmp.Or(method, "those of this wait"), adviceUnreachable)
}

// methodOf returns the name of the RPC that failed, or "".
func methodOf(err error) string {
	var call interface {
		error
		Method() string
	}
	if errors.As(err, &call) {
		return call.Method()
	}

	failure := new(milvuswait.ServerError)
	errors.As(err, &failure)
	return failure.Method
}

// isAnswer reports whether err, or its absence, is the response of a server that works.
func isAnswer(err error) bool {
	if err == nil || errors.As(err, new(*milvuswait.ServerError)) {
		return true
	}
	switch codeOf(err) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.InvalidArgument, codes.NotFound:
		return true
	}
	return false
}

// noList returns the reason for a hint without a list of names.
func (a *adviser) noList(what string, err error) string {
	return fmt.Sprintf("the %s that there are cannot be listed: %v", what, a.mask.Error(err))
}
