package faults_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// TestGoneInTheMiddleOfAWait drops, releases or fails the target after two minutes. The next
// poll ends the wait.
func TestGoneInTheMiddleOfAWait(t *testing.T) {
	drop := func(srv *fakeserver.Server) { srv.Drop("docs") }
	tests := []struct {
		name string
		kind kind
		goes func(*fakeserver.Server)
		want error
	}{
		{"collection dropped", load, drop, milvuswait.ErrCollectionNotFound},
		{"collection dropped", index, drop, milvuswait.ErrCollectionNotFound},
		{"collection released", load, func(srv *fakeserver.Server) { srv.Set(load.target, nil) }, milvuswait.ErrReleased},
		{"index dropped", index, func(srv *fakeserver.Server) { srv.Set(index.target, nil) }, milvuswait.ErrIndexNotFound},
		{"load failed", load, func(srv *fakeserver.Server) {
			srv.Set(load.target, fake.Steps(fake.Step{Err: milvuswait.ErrLoadFailed}))
		}, milvuswait.ErrLoadFailed},
		{"index failed", index, func(srv *fakeserver.Server) {
			srv.Set(index.target, fake.BuildOver(100, 10*time.Minute).FailAt(0, "out of\x1b[2J memory\n"))
		}, milvuswait.ErrIndexFailed},
	}

	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22} {
		for _, a := range adapters {
			for _, tt := range tests {
				t.Run(tt.kind.name+" by "+a.name+" from "+dialect.String()+": "+tt.name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						srv, err := fakeserver.Start(fakeserver.Config{Dialect: dialect})
						require.NoError(t, err)
						t.Cleanup(srv.Close)
						srv.Set(load.target, fake.LoadOver(10*time.Minute))
						srv.Set(index.target, fake.BuildOver(100_000, 10*time.Minute))

						r := &rig{kind: tt.kind}
						r.connect(t, a, "bufconn", srv.DialOptions()...)

						asked := 0
						time.AfterFunc(2*time.Minute, func() {
							tt.goes(srv)
							asked = srv.Count(tt.kind.method)
						})
						start := time.Now()

						err = r.run(t.Context())
						synctest.Wait() // until asked is set

						require.ErrorIs(t, err, tt.want)
						require.NotContains(t, err.Error(), "\x1b")
						// A failed load or build cannot be a stale view. All others are confirmed.
						unconfirmed := 1
						if tt.want == milvuswait.ErrLoadFailed || tt.want == milvuswait.ErrIndexFailed {
							unconfirmed = 0
						}
						require.Len(t, r.failures(), unconfirmed)
						require.Equal(t, asked+1+unconfirmed, srv.Count(tt.kind.method))
						require.LessOrEqual(t, time.Since(start), 2*time.Minute+maxDelay+time.Duration(unconfirmed)*100*time.Millisecond)
					})
				})
			}
		}
	}
}

// TestAnswerWithoutIndexes shows that a response without indexes is a missing index, not an
// index with 0 rows.
func TestAnswerWithoutIndexes(t *testing.T) {
	for _, a := range adapters {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := bubble(t, index, a, nil)
				r.server.Index = func(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
					return &wire.DescribeIndexResponse{Status: &wire.Status{}}, nil
				}

				err := r.run(t.Context())

				require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
			})
		})
	}
}
