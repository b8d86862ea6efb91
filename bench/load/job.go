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

// The shapes of what is waited for.
const (
	listedLoads = "loads, listed"
	singleLoads = "loads, one poll each"
	indexes     = "indexes, two per collection"
)

var shapes = []string{listedLoads, singleLoads, indexes}

// job is one round, for the server and for the process that waits.
type job struct {
	Shape   string
	Targets int
	Start   time.Duration // when progress begins, by the clock
	First   time.Duration // from then until the first is complete
	Last    time.Duration // and the last, the others evenly between
	Address string
	Server  int // its process
}

func (j job) text() string {
	text, err := json.Marshal(j)
	if err != nil {
		panic(err) // of fields that all can be told
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
	steps = 4       // of the progress of each, as of so many segments
	rows  = 100_000 // of each index
)

func (j job) target(i int) milvuswait.Target {
	if j.Shape == indexes {
		return milvuswait.IndexBuilding(fmt.Sprintf("collection_%d", i/2), fmt.Sprintf("index_%d", i%2)).ExpectRows(rows)
	}
	return milvuswait.Loading(fmt.Sprintf("collection_%d", i))
}

// done returns when that target is complete, from the start.
func (j job) done(i int) time.Duration {
	return j.First + (j.Last-j.First)*time.Duration(i)/time.Duration(j.Targets)
}

// script plays how that target gets on by a clock.
func (j job) script(i int, now func() time.Duration) fake.Script {
	var script fake.Script = fake.LoadOver(j.done(i)).InSteps(steps)
	if j.Shape == indexes {
		script = fake.BuildOver(rows, j.done(i)).InSteps(steps)
	}
	return fake.ScriptFunc(func(poll int, _ time.Duration) fake.Step {
		return script.Step(poll, max(0, now()-j.Start))
	})
}

// serve is the life of the server.
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
