// Package verdict runs a wait to find out whether an error of a Poller ends it.
package verdict

import (
	"context"

	"github.com/milvuswait/milvuswait"
)

// Ends reports whether a wait ends at once if its first poll returns err.
func Ends(err error) bool {
	p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{}, err
	}}

	for u := range milvuswait.Watch(context.Background(), p, milvuswait.Loading("docs")) {
		return u.Final
	}
	return false
}
