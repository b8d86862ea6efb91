package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
)

// tally holds the counts of a run.
type tally struct {
	outcomes map[string]int
	rpcs     map[string]int
	refused  map[string]int // by code
	polls    int
	updates  int
	late     []time.Duration // lateness of goals without any fault
}

// rpc counts a call.
func (t *tally) rpc(method string, err error) {
	if t.rpcs == nil {
		t.rpcs, t.refused = map[string]int{}, map[string]int{}
	}
	t.rpcs[method]++
	if err != nil {
		t.refused[status.Code(err).String()]++
	}
}

// outcome counts an outcome.
func (t *tally) outcome(err error) {
	if t.outcomes == nil {
		t.outcomes = map[string]int{}
	}
	t.outcomes[nameOf(err)]++
}

// nameOf returns the name of an outcome: the text of the sentinel in its error.
func nameOf(err error) string {
	var failure *milvuswait.Error
	switch {
	case err == nil:
		return "complete"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline exceeded"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, milvuswait.ErrUnreachable):
		return "unreachable"
	case errors.As(err, &failure):
		for _, end := range ends {
			if errors.Is(failure.Cause, end.err) {
				return end.err.Error()
			}
		}
	}
	return "another error"
}

// counts returns the counts as one line, the largest first.
func counts(m map[string]int) string {
	var texts []string
	for _, name := range slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], cmp.Compare(a, b)) }) {
		texts = append(texts, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(texts, ", ")
}

// percentile returns the p-th percentile of the durations, with p from 0 to 1. It sorts
// them.
func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(p*float64(len(all)-1))]
}
