package pollertest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

// printer stands for a *testing.T.
type printer struct{}

func (printer) Helper()           {}
func (printer) Log(...any)        {}
func (printer) Error(args ...any) { fmt.Println(args...) }

func ExampleRun() {
	// A client that knows one loaded collection without partitions, and no sentinels.
	progress := func(ctx context.Context, collection string) (int64, error) {
		if collection != "docs" {
			return 0, errors.New("no such collection")
		}
		return 100, ctx.Err()
	}
	p := milvuswait.PollerFuncs{
		Loading: func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
			percent, err := progress(ctx, collection)
			if err == nil && len(partitions) > 0 {
				err = fmt.Errorf("%w: %s", milvuswait.ErrPartitionNotFound, partitions[0])
			}
			return milvuswait.LoadingProgress{Percent: percent}, err
		},
	}
	var t printer // func TestPoller(t *testing.T) {

	pollertest.Run(t, p, pollertest.World{Collection: "docs"})
	// Output:
	// LoadingProgress("pollertest_missing") returned the error "no such collection" for a collection that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrCollectionNotFound
	// LoadingProgress("pollertest_missing", "pollertest_missing") returned the error "no such collection" for a collection that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrCollectionNotFound
}
