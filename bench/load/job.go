package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/bench/internal/child"
	"github.com/milvuswait/milvuswait/bench/internal/clock"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// The shapes of a round: the kinds of its targets, and the calls that poll them.
const (
	listedLoads = "loads, listed"
	singleLoads = "loads, one poll each"
	indexes     = "indexes, two per collection"
)

var shapes = []string{listedLoads, singleLoads, indexes}

// job is one round, for the server and for the waiting process.
type job struct {
	Shape   string
	Targets int
	Start   time.Duration // time of the clock at which progress begins
	First   time.Duration // time from Start until the first target is complete
	Last    time.Duration // the same for the last target; all others are evenly between
	Address string
	Server  int // process ID of the server
}

func (j job) text() string {
	text, err := json.Marshal(j)
	if err != nil {
		panic(err) // cannot happen: every field can be encoded
	}
	return string(text)
}

func parse(args []string) (j job, err error) {
	if len(args) != 1 {
		return j, fmt.Errorf("%d arguments, not one", len(args))
	}
	return j, json.Unmarshal([]byte(args[0]), &j)
}

const (
	steps = 4       // number of steps of each progress, as with 4 segments
	rows  = 100_000 // rows of each index
)

func (j job) target(i int) milvuswait.Target {
	if j.Shape == indexes {
		return milvuswait.IndexBuilding(fmt.Sprintf("collection_%d", i/2), fmt.Sprintf("index_%d", i%2)).ExpectRows(rows)
	}
	return milvuswait.Loading(fmt.Sprintf("collection_%d", i))
}

// done returns the time from the start until target i is complete.
func (j job) done(i int) time.Duration {
	return j.First + (j.Last-j.First)*time.Duration(i)/time.Duration(j.Targets)
}

// script returns the progress of target i by the clock now.
func (j job) script(i int, now func() time.Duration) fake.Script {
	var script fake.Script = fake.LoadOver(j.done(i)).InSteps(steps)
	if j.Shape == indexes {
		script = fake.BuildOver(rows, j.done(i)).InSteps(steps)
	}
	return fake.ScriptFunc(func(poll int, _ time.Duration) fake.Step {
		return script.Step(poll, max(0, now()-j.Start))
	})
}

// serve runs the server process.
func serve(args []string) error {
	j, err := parse(args)
	if err != nil {
		return err
	}

	server, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer server.Close()

	for i := range j.Targets {
		server.Set(j.target(i), j.script(i, clock.Now))
	}

	return child.Serve(server.Address())
}
