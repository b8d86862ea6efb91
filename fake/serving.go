package fake

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait"
)

// CheckServer implements milvuswait.ServerChecker. A server without a script serves.
func (p *Poller) CheckServer(ctx context.Context) error {
	_, err := poll(ctx, p, milvuswait.Serving(), findOneOrNone, answerOr(milvuswait.ServingProgress{}))
	return err
}

// ServeAfter returns the script of a server that serves after d. Until then its polls fail
// with err. Outages of the server affect no other target.
//
// It panics if err is nil or d is negative.
func ServeAfter(d time.Duration, err error) Script {
	if err == nil {
		panic("fake: ServeAfter: the error is nil")
	}
	mustNotBeNegative("ServeAfter", d)

	return ScriptFunc(func(_ int, elapsed time.Duration) Step {
		if elapsed < d {
			return Step{Err: err}
		}
		return Step{Progress: milvuswait.ServingProgress{}}
	})
}
