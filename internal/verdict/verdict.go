// Package verdict tells what waits make of the errors of their Pollers, by waiting.
package verdict

import (
	"context"

	"github.com/milvuswait/milvuswait"
)

// Ends reports whether a wait ends at once with err, of its first poll.
func Ends(err error) bool {
	p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{}, err
	}}
	for u := range milvuswait.Watch(context.Background(), p, milvuswait.Loading("docs")) {
		return u.Final
	}
	return false
}
