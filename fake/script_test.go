package fake_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

var errTransient = errors.New("connection reset")

// at returns the steps of s for polls at these times.
func at(s fake.Script, times ...time.Duration) []fake.Step {
	steps := make([]fake.Step, len(times))
	for i, elapsed := range times {
		steps[i] = s.Step(i+1, elapsed)
	}
	return steps
}

func percents(t *testing.T, steps []fake.Step) []int64 {
	t.Helper()
	var out []int64
	for _, s := range steps {
		require.NoError(t, s.Err)
		out = append(out, s.Progress.(milvuswait.LoadingProgress).Percent)
	}
	return out
}

func TestScriptsByPolls(t *testing.T) {
	loading := func(percent int64) fake.Step {
		return fake.Step{Progress: milvuswait.LoadingProgress{Percent: percent, RefreshPercent: 100}}
	}
	building := func(total, indexed, pending int64, state milvuswait.IndexState) fake.Step {
		return fake.Step{Progress: milvuswait.IndexBuildingProgress{
			TotalRows: total, IndexedRows: indexed, PendingIndexRows: pending, State: state,
		}}
	}
	tests := []struct {
		name   string
		script fake.Script
		want   []fake.Step
	}{
		{
			"steps, the last repeated",
			fake.Steps(fake.Step{Err: errTransient}, fake.Step{Progress: milvuswait.LoadingProgress{Percent: 7}, Delay: time.Second}),
			[]fake.Step{
				{Err: errTransient},
				{Progress: milvuswait.LoadingProgress{Percent: 7}, Delay: time.Second},
				{Progress: milvuswait.LoadingProgress{Percent: 7}, Delay: time.Second},
			},
		},
		{"percents", fake.Percents(0, 40, 100), []fake.Step{loading(0), loading(40), loading(100), loading(100)}},
		{
			"out-of-range percents", fake.Percents(-1, math.MaxInt64, math.MinInt64),
			[]fake.Step{loading(-1), loading(math.MaxInt64), loading(math.MinInt64)},
		},
		{
			"rows", fake.Rows(100, 0, 40, 100),
			[]fake.Step{
				building(100, 0, 100, milvuswait.IndexStateInProgress),
				building(100, 40, 60, milvuswait.IndexStateInProgress),
				building(100, 100, 0, milvuswait.IndexStateFinished),
				building(100, 100, 0, milvuswait.IndexStateFinished),
			},
		},
		{"no rows", fake.Rows(0, 0), []fake.Step{building(0, 0, 0, milvuswait.IndexStateFinished)}},
		{"more rows than there are", fake.Rows(10, 15), []fake.Step{building(10, 15, 0, milvuswait.IndexStateFinished)}},
		{"silently released", fake.SilentlyReleased(), []fake.Step{{Progress: milvuswait.LoadingProgress{}}}},
		{
			"one poll fails", fake.WithError(fake.Percents(10, 20, 30), errTransient, 2),
			[]fake.Step{loading(10), {Err: errTransient}, loading(30)},
		},
		{
			"every poll fails, late", fake.WithError(fake.WithDelay(fake.Percents(10), time.Second), errTransient),
			[]fake.Step{{Err: errTransient, Delay: time.Second}, {Err: errTransient, Delay: time.Second}},
		},
		{
			"delays add up", fake.WithDelay(fake.WithDelay(fake.Percents(10), time.Second), time.Minute, 2, 3),
			[]fake.Step{
				{Progress: loading(10).Progress, Delay: time.Second},
				{Progress: loading(10).Progress, Delay: time.Minute + time.Second},
				{Progress: loading(10).Progress, Delay: time.Minute + time.Second},
				{Progress: loading(10).Progress, Delay: time.Second},
			},
		},
		{
			"a hang stays a hang", fake.WithDelay(fake.WithDelay(fake.Percents(10), time.Second), fake.Forever),
			[]fake.Step{{Progress: loading(10).Progress, Delay: fake.Forever}},
		},
		{
			"any function",
			fake.ScriptFunc(func(poll int, _ time.Duration) fake.Step { return loading(int64(11 * poll)) }),
			[]fake.Step{loading(11), loading(22)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, at(tt.script, make([]time.Duration, len(tt.want))...))
		})
	}
}

func TestLoadCurve(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name   string
		script fake.Script
		at     []time.Duration
		want   []int64
	}{
		{"even", fake.LoadOver(40 * m), []time.Duration{0, m, 4 * m, 16*m - 1, 16 * m, 40*m - 1, 40 * m, fake.Forever}, []int64{0, 2, 10, 39, 40, 99, 100, 100}},
		{"at once", fake.LoadOver(0), []time.Duration{0, m}, []int64{100, 100}},
		{"never", fake.LoadOver(fake.Forever), []time.Duration{0, 1000 * time.Hour}, []int64{0, 0}},
		{"stall for a while", fake.LoadOver(10*m).StallAt(30, 5*m), []time.Duration{3 * m, 8*m - 1, 8*m + 6*time.Second, 15 * m}, []int64{30, 30, 31, 100}},
		{"endless stall", fake.LoadOver(10*m).StallAt(30, fake.Forever), []time.Duration{2 * m, 3 * m, fake.Forever}, []int64{20, 30, 30}},
		{"stall at both ends", fake.LoadOver(10*m).StallAt(0, m).StallAt(100, m), []time.Duration{m - 1, 2 * m, 11 * m, 20 * m}, []int64{0, 10, 100, 100}},
		{"two stalls at one place", fake.LoadOver(10*m).StallAt(50, m).StallAt(50, m), []time.Duration{5 * m, 7*m - 1, 8 * m}, []int64{50, 50, 60}},
		{"fall", fake.LoadOver(10*m).FallAt(80, 20), []time.Duration{7 * m, 8*m - 1, 8 * m, 9 * m, 16 * m}, []int64{70, 79, 20, 30, 100}},
		{"fall and stall below", fake.LoadOver(10*m).FallAt(80, 20).StallAt(25, m), []time.Duration{8 * m, 9 * m, 9*m + 30*time.Second, 17 * m}, []int64{20, 25, 25, 100}},
		{"steps", fake.LoadOver(10 * m).InSteps(2), []time.Duration{0, 5*m - 1, 5 * m, 10*m - 1, 10 * m}, []int64{0, 0, 50, 50, 100}},
		{"three steps", fake.LoadOver(9 * m).InSteps(3), []time.Duration{3*m - 1, 3 * m, 6 * m, 9 * m}, []int64{0, 0, 33, 100}},
		{"outage in time", fake.WithOutage(fake.LoadOver(10*m), errTransient, 20*m, m), []time.Duration{m, 5 * m}, []int64{10, 50}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, percents(t, at(tt.script, tt.at...)))
		})
	}
}

func TestLoadCurve_FailAt(t *testing.T) {
	s := fake.LoadOver(10*time.Minute).StallAt(30, time.Minute).FailAt(70, milvuswait.ErrLoadFailed)

	steps := at(s, 8*time.Minute-1, 8*time.Minute, fake.Forever)

	require.Equal(t, []int64{69}, percents(t, steps[:1]))
	require.Equal(t, []fake.Step{{Err: milvuswait.ErrLoadFailed}, {Err: milvuswait.ErrLoadFailed}}, steps[1:])
}

func TestWithOutage(t *testing.T) {
	for name, d := range map[string]time.Duration{"for a while": time.Minute, "endless": fake.Forever} {
		t.Run(name, func(t *testing.T) {
			s := fake.WithOutage(fake.WithDelay(fake.LoadOver(10*time.Minute), time.Second), errTransient, 2*time.Minute, d)

			steps := at(s, 2*time.Minute-1, 2*time.Minute, 3*time.Minute-1, 3*time.Minute)

			require.NoError(t, steps[0].Err)
			require.Equal(t, fake.Step{Err: errTransient, Delay: time.Second}, steps[1])
			require.ErrorIs(t, steps[2].Err, errTransient)
			require.Equal(t, d == fake.Forever, steps[3].Err != nil)
		})
	}
}

func TestBuildCurve(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name   string
		script fake.Script
		at     time.Duration
		want   milvuswait.IndexBuildingProgress
	}{
		{"begins", fake.BuildOver(1000, 10*m), 0, milvuswait.IndexBuildingProgress{TotalRows: 1000, PendingIndexRows: 1000, State: milvuswait.IndexStateInProgress}},
		{"half", fake.BuildOver(1000, 10*m), 5 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 500, PendingIndexRows: 500, State: milvuswait.IndexStateInProgress}},
		{"done", fake.BuildOver(1000, 10*m), 10 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 1000, State: milvuswait.IndexStateFinished}},
		{"no overflow", fake.BuildOver(math.MaxInt64, fake.Forever), fake.Forever / 2, milvuswait.IndexBuildingProgress{TotalRows: math.MaxInt64, IndexedRows: math.MaxInt64 / 2, PendingIndexRows: math.MaxInt64/2 + 1, State: milvuswait.IndexStateInProgress}},
		{"steps", fake.BuildOver(1000, 10*m).InSteps(4), 5*m - 1, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 250, PendingIndexRows: 750, State: milvuswait.IndexStateInProgress}},
		{"stalled", fake.BuildOver(1000, 10*m).StallAt(30, fake.Forever), 100 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 300, PendingIndexRows: 700, State: milvuswait.IndexStateInProgress}},
		{"fallen", fake.BuildOver(1000, 10*m).FallAt(60, 0), 6 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, PendingIndexRows: 1000, State: milvuswait.IndexStateInProgress}},
		{"failed", fake.BuildOver(1000, 10*m).FailAt(70, "oom"), 70 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 700, PendingIndexRows: 300, State: milvuswait.IndexStateFailed, FailReason: "oom"}},
		{"not visible yet", fake.BuildOver(1000, 10*m).VisibleAfter(m), m - 1, milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}},
		{"visible", fake.BuildOver(1000, 10*m).VisibleAfter(m), 2 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 100, PendingIndexRows: 900, State: milvuswait.IndexStateInProgress}},
		{"lies", fake.BuildOver(1000, 10*m).AlwaysFinished(), 2 * m, milvuswait.IndexBuildingProgress{TotalRows: 1000, IndexedRows: 200, PendingIndexRows: 800, State: milvuswait.IndexStateFinished}},
		{"lies, but fails", fake.BuildOver(1000, 10*m).AlwaysFinished().FailAt(0, "no disk"), m, milvuswait.IndexBuildingProgress{TotalRows: 1000, PendingIndexRows: 1000, State: milvuswait.IndexStateFailed, FailReason: "no disk"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, fake.Step{Progress: tt.want}, tt.script.Step(1, tt.at))
		})
	}
}

func TestRefreshOver(t *testing.T) {
	steps := at(fake.RefreshOver(time.Minute), 0, time.Minute-1, time.Minute)

	require.Equal(t, []fake.Step{
		{Progress: milvuswait.LoadingProgress{Percent: 100}},
		{Progress: milvuswait.LoadingProgress{Percent: 100}},
		{Progress: milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}},
	}, steps)
}

func TestCurves_SharedBeginning_StaysUnchanged(t *testing.T) {
	start := fake.LoadOver(10*time.Minute).StallAt(10, time.Minute)
	short, long := start.StallAt(20, time.Minute), start.StallAt(20, time.Hour)

	require.Equal(t, []int64{20, 20, 20}, percents(t, at(long, 3*time.Minute, 4*time.Minute, 50*time.Minute)))
	require.Equal(t, []int64{100}, percents(t, at(short, 12*time.Minute)))
	require.Equal(t, []int64{100}, percents(t, at(start, 11*time.Minute)))
}

func TestSteps_Arguments_AreCopied(t *testing.T) {
	steps, polls := []fake.Step{{Err: errTransient}}, []int{1}
	script := fake.Steps(steps...)
	failing := fake.WithError(fake.Percents(1), errTransient, polls...)
	steps[0].Err, polls[0] = nil, 2

	require.ErrorIs(t, script.Step(1, 0).Err, errTransient)
	require.ErrorIs(t, failing.Step(1, 0).Err, errTransient)
}

func TestScripts_InvalidArguments_Panic(t *testing.T) {
	load, build := fake.LoadOver(time.Minute), fake.BuildOver(10, time.Minute)
	tests := []struct {
		name string
		make func()
		want string
	}{
		{"no steps", func() { fake.Steps() }, "fake: Steps: there are none"},
		{"no percents", func() { fake.Percents() }, "fake: Steps: there are none"},
		{"no rows", func() { fake.Rows(10) }, "fake: Steps: there are none"},
		{"empty step", func() { fake.Steps(fake.Step{Err: errTransient}, fake.Step{}) }, "fake: Steps: step 2 has neither Progress nor Err"},
		{"negative delay", func() { fake.Steps(fake.Step{Err: errTransient, Delay: -1}) }, "fake: Steps: the delay of step 1, -1ns, is negative"},
		{"negative load", func() { fake.LoadOver(-1) }, "fake: LoadOver: -1ns is negative"},
		{"negative build", func() { fake.BuildOver(1, -1) }, "fake: BuildOver: -1ns is negative"},
		{"build of nothing", func() { fake.BuildOver(0, 1) }, "fake: BuildOver: 0 rows are not positive"},
		{"negative refresh", func() { fake.RefreshOver(-1) }, "fake: RefreshOver: -1ns is negative"},
		{"negative stall", func() { load.StallAt(1, -1) }, "fake: StallAt: -1ns is negative"},
		{"stall beyond", func() { build.StallAt(101, 1) }, "fake: StallAt: 101 % is not within 0 and 100"},
		{"stall before", func() { load.StallAt(-1, 1) }, "fake: StallAt: -1 % is not within 0 and 100"},
		{"order", func() { load.StallAt(50, 1).StallAt(40, 1) }, "fake: StallAt: the curve has left 40 % behind, it is at 50"},
		{"order after a fall", func() { load.FallAt(50, 30).FailAt(20, errTransient) }, "fake: FailAt: the curve has left 20 % behind, it is at 30"},
		{"fall up", func() { build.FallAt(50, 60) }, "fake: FallAt: 60 % is not within 0 and 50"},
		{"after a failure", func() { build.FailAt(50, "").StallAt(60, 1) }, "fake: StallAt: must not follow FailAt"},
		{"after a failed load", func() { load.FailAt(50, errTransient).FallAt(60, 1) }, "fake: FallAt: must not follow FailAt"},
		{"after an endless stall", func() { load.StallAt(50, fake.Forever).FailAt(60, errTransient) }, "fake: FailAt: must not follow a stall of Forever"},
		{"failure of nil", func() { load.FailAt(50, nil) }, "fake: FailAt: the error is nil"},
		{"no parts", func() { load.InSteps(0) }, "fake: InSteps: 0 is not positive"},
		{"visible before", func() { build.VisibleAfter(-1) }, "fake: VisibleAfter: -1ns is negative"},
		{"nil script, delay", func() { fake.WithDelay(nil, 1) }, "fake: WithDelay: the script is nil"},
		{"nil script, error", func() { fake.WithError(nil, errTransient) }, "fake: WithError: the script is nil"},
		{"nil script, outage", func() { fake.WithOutage(nil, errTransient, 1, 1) }, "fake: WithOutage: the script is nil"},
		{"nil error", func() { fake.WithError(load, nil) }, "fake: WithError: the error is nil"},
		{"outage of nil", func() { fake.WithOutage(load, nil, 1, 1) }, "fake: WithOutage: the error is nil"},
		{"outage before", func() { fake.WithOutage(load, errTransient, -1, 1) }, "fake: WithOutage: -1ns is negative"},
		{"negative outage", func() { fake.WithOutage(load, errTransient, 1, -1) }, "fake: WithOutage: -1ns is negative"},
		{"poll 0", func() { fake.WithError(load, errTransient, 1, 0) }, "fake: WithError: there is no poll 0, the first one is 1"},
		{"a negative delay more", func() { fake.WithDelay(load, -1) }, "fake: WithDelay: -1ns is negative"},
		{"negative flush", func() { fake.FlushOver(-1) }, "fake: FlushOver: -1ns is negative"},
		{"negative import", func() { fake.ImportOver(1, -1) }, "fake: ImportOver: -1ns is negative"},
		{"import of negative rows", func() { fake.ImportOver(-1, 1) }, "fake: ImportOver: -1 rows are negative"},
		{"import that fails after an endless stall", func() { fake.ImportOver(1, 1).StallAt(50, fake.Forever).FailAt(60, "") }, "fake: FailAt: must not follow a stall of Forever"},
		{"negative compaction", func() { fake.CompactOver(1, -1) }, "fake: CompactOver: -1ns is negative"},
		{"compaction of nothing", func() { fake.CompactOver(0, 1) }, "fake: CompactOver: 0 plans are not positive"},
		{"more failures than plans", func() { fake.CompactOver(3, 1).FailPlans(4) }, "fake: FailPlans: 4 is not within 0 and 3"},
		{"negative failures", func() { fake.CompactOver(3, 1).FailPlans(-1) }, "fake: FailPlans: -1 is not within 0 and 3"},
		{"forgotten before", func() { fake.CompactOver(3, 1).ForgetAfter(-1) }, "fake: ForgetAfter: -1ns is negative"},
		{"server away before", func() { fake.ServeAfter(-1, errTransient) }, "fake: ServeAfter: -1ns is negative"},
		{"server away without an error", func() { fake.ServeAfter(1, nil) }, "fake: ServeAfter: the error is nil"},
		{"zero target", func() { new(fake.Poller).Set(milvuswait.Target{}, load) }, "fake: Set: the zero Target"},
		{
			"all indexes", func() { new(fake.Poller).Set(milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), build) },
			"fake: Set: AllIndexes is for asking, set a script for each index",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.PanicsWithValue(t, tt.want, tt.make)
		})
	}
}
