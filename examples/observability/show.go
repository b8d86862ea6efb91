package main

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

var showTargets = []milvuswait.Target{
	milvuswait.IndexBuilding("docs", "vidx").ExpectRows(20_000),
	milvuswait.Loading("docs"),
	milvuswait.IndexBuilding("images", "vidx").ExpectRows(50_000),
	milvuswait.Loading("images"),
	milvuswait.Loading("events"),
}

// startShow returns a server on which some things go well, some slowly, one load
// is released by somebody, and for a while questions about indexes fail.
func startShow() (*fakeserver.Server, error) {
	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	server.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(20_000, 2*time.Second).VisibleAfter(500*time.Millisecond))
	server.Set(milvuswait.Loading("docs"), fake.LoadOver(3*time.Second).InSteps(6))
	server.Set(milvuswait.IndexBuilding("images", "vidx"), fake.BuildOver(50_000, 4*time.Second).StallAt(60, 800*time.Millisecond))
	server.Set(milvuswait.Loading("images"), fake.LoadOver(3*time.Second).FallAt(70, 30))
	server.Set(milvuswait.Loading("events"), releasedAfter(15))
	server.Fail("DescribeIndex", fakeserver.Refuse(codes.Unavailable, "the server is starting").On(8, 9))
	return server, nil
}

// releasedAfter returns a load that somebody releases after so many polls.
func releasedAfter(polls int64) fake.Script {
	var steps []fake.Step
	for poll := range polls {
		steps = append(steps, fake.Step{Progress: milvuswait.LoadingProgress{Percent: 4 * poll, RefreshPercent: 100}})
	}
	return fake.Steps(append(steps, fake.Step{Err: milvuswait.ErrNotLoaded})...)
}

// asExpected is the error of the show, in which one load was released and all else
// went well.
func asExpected(err error) error {
	var failure *milvuswait.Error
	if !errors.Is(err, milvuswait.ErrReleased) || !errors.As(err, &failure) || failure.Target != milvuswait.Loading("events") {
		return fmt.Errorf("not what the fake server plays: %w", err)
	}
	return nil
}
