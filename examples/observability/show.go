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

// showTargets are the targets on the fake server.
var showTargets = []milvuswait.Target{
	milvuswait.IndexBuilding("docs", "vidx").ExpectRows(20_000),
	milvuswait.Loading("docs"),
	milvuswait.IndexBuilding("images", "vidx").ExpectRows(50_000),
	milvuswait.Loading("images"),
	milvuswait.Loading("events"),
}

// startShow starts the fake server. Some loads and builds are fast, others slow; one load
// is released; and for a while index calls fail.
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

// releasedAfter returns the script of a load that is released after the given number of
// polls.
func releasedAfter(polls int64) fake.Script {
	var steps []fake.Step
	for poll := range polls {
		steps = append(steps, fake.Step{Progress: milvuswait.LoadingProgress{Percent: 4 * poll, RefreshPercent: 100}})
	}
	return fake.Steps(append(steps, fake.Step{Err: milvuswait.ErrNotLoaded})...)
}

// asExpected returns nil if err is the expected error of the fake server: one released
// load, and nothing else.
func asExpected(err error) error {
	var failure *milvuswait.Error
	if !errors.Is(err, milvuswait.ErrReleased) || !errors.As(err, &failure) || failure.Target != milvuswait.Loading("events") {
		return fmt.Errorf("not the failure that the fake server plays: %w", err)
	}
	return nil
}
