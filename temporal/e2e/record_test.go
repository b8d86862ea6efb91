package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

var record = flag.Bool("record", false, "write the histories for TestReplay_RecordedHistories_Match")

// TestHistories_OfEveryEnd_AreRecorded makes the histories for
// TestReplay_RecordedHistories_Match, one for every end of a workflow. With -record, it
// writes them to testdata.
func TestHistories_OfEveryEnd_AreRecorded(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.queue = "milvus"
	var err error
	p.client, err = client.Dial(client.Options{
		HostPort: temporal.GetFrontendHostPort(), Namespace: temporal.GetDefaultNamespace(), Logger: silent(), Identity: "recorder",
	})
	require.NoError(t, err)
	t.Cleanup(p.client.Close)
	p.worker(t)
	targets := p.fill(12, 3*time.Second)
	missing := temporalwait.On("", milvuswait.Loading("missing"))
	p.Set(milvuswait.Loading("slow"), fake.LoadOver(time.Hour))
	slow := temporalwait.On("", milvuswait.Loading("slow"))

	completed := p.start(t, temporalwait.Request{Targets: append(targets, missing...), ChunkSize: 5, ContinueOnError: true})
	added := p.start(t, temporalwait.Request{Targets: targets, ChunkSize: 5})
	require.NoError(t, p.client.SignalWorkflow(t.Context(), added.GetID(), "", temporalwait.AddSignal, temporalwait.Add{Targets: append(slow, missing...)}))
	continued := p.start(t, temporalwait.Request{Targets: targets, ChunkSize: 2, MaxChunks: 2, MaxHistory: 50})
	cancelled := p.start(t, temporalwait.Request{Targets: append(targets, slow...), ChunkSize: 5})
	reaches(t, func() bool { return p.summary(t, cancelled).Done >= 3 })
	require.NoError(t, p.client.CancelWorkflow(t.Context(), cancelled.GetID(), ""))

	for name, run := range map[string]client.WorkflowRun{"completed": completed, "failed": added, "continued": continued, "cancelled": cancelled} {
		_, err := result(t, run)
		require.Equal(t, name == "failed" || name == "cancelled", err != nil, name)
		if !*record {
			continue
		}
		runs := p.runs(t, run)
		write(t, name, runs[0])
		if name == "continued" {
			write(t, "carried", runs[len(runs)-1])
		}
	}
}

// write writes the history of a run to testdata, without the name of this machine.
func write(t *testing.T, name string, events []*historypb.HistoryEvent) {
	t.Helper()
	b, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&historypb.History{Events: events})
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	text := strings.ReplaceAll(string(b), host+":", "worker:")
	require.NoError(t, os.WriteFile(filepath.Join("testdata", name+".json"), []byte(text+"\n"), 0o666))
}
