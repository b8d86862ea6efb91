package main

import (
	"time"

	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// weather is a set of faults of a running server for a period.
type weather struct {
	until  time.Duration // measured from the start of the server
	faults []fakeserver.Fault
}

// weatherLasts is the length of a weather.
const weatherLasts = 4 * time.Second

// weather returns the weather at t. Half of them are calm.
func (s *scenario) weather(t time.Duration) weather {
	n := int(t / weatherLasts)
	w := weather{until: time.Duration(n+1) * weatherLasts}
	if s.isCalm(n) {
		return w
	}

	r := random(s.seed, streamWeather, 2*n)
	const most = 0.06 // maximum share of the calls for each fault

	for _, fault := range []fakeserver.Fault{
		fakeserver.Refuse(codes.Unavailable, "leader switch"),
		fakeserver.Refuse(codes.ResourceExhausted, "too many requests"),
		fakeserver.Refuse(codes.Internal, "stream terminated"),
		fakeserver.Refuse(codes.Canceled, "context canceled"),
		fakeserver.Refuse(codes.DeadlineExceeded, "context deadline exceeded"),
		fakeserver.Reject(8, wire.ErrorCode_RateLimit, "request is rejected by grpc RateLimiter middleware, please retry later"),
		fakeserver.Reject(1, wire.ErrorCode_NotReadyServe, "service not ready[standby]"),
		fakeserver.Blank(),
		fakeserver.Slow(between(r, 50*time.Millisecond, time.Second)),
	} {
		if oneIn(r, 2) {
			w.add(fault, r.Float64()*most, r.Float64)
		}
	}

	// Stale views: a wait must not accept them without a second poll.
	for _, fault := range []fakeserver.Fault{
		fakeserver.Reject(100, wire.ErrorCode_CollectionNotExists, "collection not found"),
		fakeserver.Refuse(codes.PermissionDenied, "privileges are not loaded yet"),
	} {
		if oneIn(r, 2) {
			w.add(fault, r.Float64()*most/6, r.Float64)
		}
	}

	if oneIn(r, 2) {
		w.add(fakeserver.Hang(), r.Float64()*most/20, r.Float64)
	}
	if oneIn(r, 2) {
		w.add(fakeserver.Drop(), r.Float64()*most/20, r.Float64)
	}

	return w
}

// add adds a fault for a share of the calls, within the next 4000 calls.
func (w *weather) add(fault fakeserver.Fault, share float64, random func() float64) {
	const calls = 4000

	var met []int
	for i := range calls {
		if random() < share {
			met = append(met, i+1)
		}
	}

	if len(met) > 0 {
		w.faults = append(w.faults, fault.On(met...))
	}
}

// begin makes w the current weather of the server.
func (w *weather) begin(server *fakeserver.Server) {
	server.Heal()
	server.Fail(fakeserver.AnyMethod, w.faults...)
}

// calm reports whether no weather in the given period causes faults.
func (s *scenario) calm(from, to time.Duration) bool {
	for n := int(max(0, from) / weatherLasts); n <= int(to/weatherLasts); n++ {
		if !s.isCalm(n) {
			return false
		}
	}
	return true
}

// isCalm reports whether the n-th weather causes no faults.
func (s *scenario) isCalm(n int) bool { return oneIn(random(s.seed, streamWeather, 2*n+1), 2) }
